"""A request asks a store no more that it has found out of reach."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.plan import (
    Ask,
    Exchange,
    Failed,
    Led,
    Locked,
    Pause,
    Spawn,
    UseStore,
)
from tests.flow.scene import get
from tests.support.driving import ANSWER, Colour, Script, sub_plan, told, trips


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)


GONE = StoreUnavailable("the server is down")


@pytest.mark.parametrize("statements", [(GONE,), (1, GONE), ("slow", GONE)])
@pytest.mark.parametrize("kind", [{}, {"writes": True}, {"writes": True, "lease": True}])
def test_a_store_that_is_lost_is_asked_no_more_by_the_same_request(
    colour: Colour, statements: Any, kind: dict[str, Any]
) -> None:
    seen: list[Any] = []

    def later() -> Script:
        seen.append("asked")
        return (yield 1)

    script = told(
        UseStore(trips(*statements), **kind),
        UseStore(later()),
        Exchange(get()),
        UseStore(later(), writes=True),
        UseStore(later(), writes=True, lease=True),
    )
    lost = Failed(GONE)
    assert colour.run(script, colour.client) == [lost, lost, ANSWER, lost, lost]
    assert seen == []
    # It failed once.
    assert colour.failures.count == 1


def test_a_store_that_is_lost_is_asked_again_by_the_next_request(colour: Colour) -> None:
    assert colour.run(told(UseStore(trips(GONE)))) == [Failed(GONE)]
    assert colour.run(told(UseStore(trips(1)))) == [[1]]
    assert not colour.failures.failing


def test_a_store_that_refuses_is_asked_again_by_the_same_request(colour: Colour) -> None:
    refused = StoreError("it is full")
    script = told(UseStore(trips(refused), writes=True), UseStore(trips(1)))
    assert colour.run(script) == [Failed(refused), [1]]


@pytest.mark.parametrize("first", [True, False])
def test_a_store_that_is_lost_is_lost_inside_and_outside_of_a_lease(
    colour: Colour, first: bool
) -> None:
    inside = Locked("key", sub_plan(UseStore(trips(1 if first else GONE)), UseStore(trips(2))))
    script = told(UseStore(trips(GONE if first else 0)), inside, UseStore(trips(3), writes=True))
    lost = Failed(GONE)
    if first:
        assert colour.run(script) == [lost, Led([lost, lost]), lost]
    else:
        assert colour.run(script) == [[0], Led([lost, lost]), lost]
    assert colour.failures.count == 1


def test_a_store_that_is_lost_where_leases_are_nested(colour: Colour) -> None:
    inner = Locked("inner", sub_plan(UseStore(trips(GONE))))
    outer = Locked("outer", sub_plan(inner, UseStore(trips(1))))
    assert colour.run(told(outer)) == [Led([Led([Failed(GONE)]), Failed(GONE)])]


async def test_one_request_that_lost_the_store_does_not_speak_for_another() -> None:
    colour, go_on = Colour("async"), asyncio.Event()

    async def wait() -> None:
        await go_on.wait()

    losing = told(UseStore(trips(GONE)), Ask(wait, ()), UseStore(trips(1)))
    task = asyncio.create_task(colour.driver.run(losing))
    await asyncio.sleep(0)
    assert await colour.driver.run(told(UseStore(trips(2)))) == [[2]]
    go_on.set()
    assert await task == [Failed(GONE), None, Failed(GONE)]


def test_work_in_the_background_finds_out_for_itself(colour: Colour) -> None:
    """Much time may have passed."""
    done = threading.Event()
    found: list[Any] = []

    def plan() -> Script:
        found.append((yield UseStore(trips(1))))
        done.set()

    def script() -> Script:
        yield UseStore(trips(GONE))
        yield Spawn("key", plan)
        if colour.name == "async":
            for _ in range(10):
                yield Pause()

    colour.client.detached = lambda: colour.client
    colour.client.owner = None
    colour.run(script(), colour.client)
    assert done.wait(5)
    assert found == [[1]]
