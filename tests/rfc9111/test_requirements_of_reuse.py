"""The other table of requirements speaks of tests that exist, too."""

from __future__ import annotations

from tests.rfc9111 import requirements, requirements_of_reuse
from tests.rfc9111.table import complaints


def test_every_requirement_is_shown() -> None:
    assert complaints(requirements_of_reuse.REQUIREMENTS) == []


def test_no_requirement_is_told_twice() -> None:
    rows = (*requirements.REQUIREMENTS, *requirements_of_reuse.REQUIREMENTS)
    told = [(row.section, row.quote) for row in rows]
    assert len(told) == len(set(told))
