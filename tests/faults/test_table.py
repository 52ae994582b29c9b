"""Whatever goes wrong with a server, requests are answered, in time; and then the cache works again.

One test is one cell: a server, a fault and an operation. All cells of a server and a fault share one
outage, which is had when the first of them is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.operations import OPERATIONS
from tests.faults.table import CELLS, DEPLOYMENTS, FAULTS, NOT_ASKED, ROWS, Table, reason

pytestmark = [
    # The first to be asked for may be the last to be had.
    pytest.mark.timeout(400),
    # It is about time, so that nothing else runs beside it: `make test-faults`.
    pytest.mark.faults,
]


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """All outages that the tests of this run ask for."""
    asked = [getattr(item, "callspec", None) for item in request.session.items]
    rows = [(spec.params.get("deployment"), spec.params.get("fault")) for spec in asked if spec]
    with Table(row for row in rows if row in ROWS) as table:
        yield table


@pytest.mark.parametrize(
    ("deployment", "fault", "operation"), CELLS, ids=["-".join(cell) for cell in CELLS]
)
def test_a_request_is_answered(table: Table, deployment: str, fault: str, operation: str) -> None:
    assert table.outcomes(deployment, fault)[operation].problems == []


@pytest.mark.parametrize(("deployment", "fault"), ROWS, ids=["-".join(row) for row in ROWS])
def test_nothing_else_is_said(table: Table, deployment: str, fault: str) -> None:
    """Neither by the cache nor by what it is made of."""
    assert table.outcomes(deployment, fault)[""].problems == []


def test_it_is_large() -> None:
    assert len(CELLS) >= 300
    assert len(CELLS) == len(set(CELLS)) == len(ROWS) * len(OPERATIONS) - len(NOT_ASKED)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_tried_has_a_reason(deployment: str, fault: str) -> None:
    assert ((deployment, fault) in ROWS) is (reason(deployment, fault) is None)
