"""The table of requirements speaks of tests that exist, and tells nothing twice."""

from __future__ import annotations

from tests.rfc9111.requirements import NOT_OURS, REQUIREMENTS
from tests.rfc9111.table import complaints


def test_every_requirement_is_shown() -> None:
    assert complaints(REQUIREMENTS) == []


def test_no_requirement_is_told_twice() -> None:
    told = [(row.section, row.quote) for row in REQUIREMENTS] + list(NOT_OURS)
    assert len(told) == len(set(told))
