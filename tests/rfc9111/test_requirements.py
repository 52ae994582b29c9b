"""The tables of requirements speak of tests that exist."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rfc9111.requirements import FLOW, NOT_OURS, Requirement

HERE = Path(__file__).parent
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "ought", "encouraged"}


def rows() -> Iterator[Requirement]:
    for table in sorted(HERE.glob("requirements*.py")):
        yield from importlib.import_module(f"tests.rfc9111.{table.stem}").REQUIREMENTS


def functions_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            found.add(node.name)
    return found


ROWS = list(rows())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section} {row.words}")
def test_every_requirement_is_shown(row: Requirement) -> None:
    assert row.level in LEVELS
    assert bool(row.shown_by) is (row.who != NOT_OURS)
    for test in row.shown_by:
        if test != FLOW:
            file, _, name = test.partition("::")
            assert name in functions_of(HERE / file), test


def test_no_requirement_is_told_twice() -> None:
    told = [(row.section, row.words) for row in ROWS]
    assert len(told) == len(set(told))
