"""What a table of requirements consists of, and whether the tests that it names exist."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "ought", "states"}


class Row(NamedTuple):
    """One requirement.

    Attributes:
        section: of RFC 9111, or of another as in `RFC 9110 14.2`.
        level: the word in capitals; where there is none, "states" for a rule that is given as a
            fact and "ought" for advice.
        quote: enough of the sentence to find it by.
        shown_by: names of tests, `test_file.py::test_name` (in this folder, or with its path
            from the root).
    """

    section: str
    level: str
    quote: str
    shown_by: tuple[str, ...]


def row(section: str, level: str, quote: str, *shown_by: str) -> Row:
    return Row(section, level, quote, shown_by)


def seen(file: str, *names: str) -> tuple[str, ...]:
    """Tests of a whole cache, for what pure functions cannot show."""
    return tuple(f"tests/faces/rfc9111/test_{file}.py::test_{name}" for name in names)


def complaints(rows: Iterable[Row]) -> list[str]:
    """What is wrong with a table: unknown words, rows without a test, tests that do not exist."""
    found: list[str] = []
    tests: dict[str, set[str]] = {}
    for section, level, quote, shown_by in rows:
        place = f"{section} {quote[:40]!r}"
        if level not in LEVELS:
            found.append(f"{place}: no such level: {level}")
        if not shown_by:
            found.append(f"{place}: shown by nothing")
        for name in shown_by:
            file, _, test = name.partition("::")
            if file not in tests:
                tests[file] = _tests_in(ROOT / file if "/" in file else HERE / file)
            if test not in tests[file]:
                found.append(f"{place}: there is no {name}")
    return found


def _tests_in(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }
