"""Whatever goes wrong with a server, requests are answered in time, and then the cache works again.

One test is one cell: a server, a fault and an operation. All cells of a server and a fault share one
outage, which is had when the first of them is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.operations import OPERATIONS
from tests.faults.table import (
    CELLS,
    DEPLOYMENTS,
    FAULTS,
    NOT_ASKED,
    ROWS,
    SELECTED,
    Table,
    reason,
)

pytestmark = [
    # The first to be asked for may be the last to be had. If one never ends, all stacks are shown.
    pytest.mark.timeout(600, method="thread"),
    # It is about time, so that nothing else runs beside it: `make test-faults`.
    pytest.mark.faults,
    # pymongo leaves a socket to the collector where it is told to stop while it connects.
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
]


def marked(rows: list[tuple[str, ...]]) -> list[Any]:
    """Parameters of tests; those of rows that are not selected are for `make soak`."""
    return [
        pytest.param(
            *row, id="-".join(row), marks=[] if row[:2] in SELECTED else [pytest.mark.soak]
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """All outages that the tests of this run ask for."""
    asked: list[Any] = [
        item for item in request.session.items if "table" in getattr(item, "fixturenames", ())
    ]
    told = [item.callspec.params for item in asked]
    with Table((params["deployment"], params["fault"]) for params in told) as table:
        yield table


@pytest.mark.parametrize(("deployment", "fault", "operation"), marked([*CELLS]))
def test_a_request_is_answered(table: Table, deployment: str, fault: str, operation: str) -> None:
    assert table.outcomes(deployment, fault)[operation].problems == []


@pytest.mark.parametrize(("deployment", "fault"), marked([*ROWS]))
def test_nothing_else_is_said(table: Table, deployment: str, fault: str) -> None:
    """Neither by the cache nor by what it is made of."""
    assert table.outcomes(deployment, fault)[""].problems == []


def test_the_ordinary_suite_has_some_of_all() -> None:
    selected = [cell for cell in CELLS if cell[:2] in SELECTED]
    # As CONTRIBUTING.md and docs/backends.md say.
    assert (len(selected), len(CELLS)) == (481, 1143)
    assert {deployment for deployment, _, _ in selected} == {*DEPLOYMENTS}
    assert {fault for _, fault, _ in selected} == {*FAULTS}
    assert {operation for _, _, operation in selected} == {*OPERATIONS}


def test_no_cell_is_missing() -> None:
    assert len(CELLS) == len(set(CELLS)) == len(ROWS) * len(OPERATIONS) - len(NOT_ASKED)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_tried_has_a_reason(deployment: str, fault: str) -> None:
    assert ((deployment, fault) in ROWS) is (reason(deployment, fault) is None)
