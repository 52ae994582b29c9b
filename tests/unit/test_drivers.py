"""Both drivers do the same: every script below runs in both colours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from http_client_cache.plan import (
    Ask,
    Discard,
    Exchange,
    Failed,
    Followed,
    Lease,
    Led,
    Locked,
    Pause,
    Present,
    ReadBody,
    UseStore,
)
from http_client_cache.shell.drivers import run_at_once
from http_client_cache.statements import NOT_NOW
from tests.flow.scene import get
from tests.support.driving import ANSWER, AsyncShell, Colour, Script, sub_plan, told, trips

DOWN = OSError("the store is down")


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    return Colour(request.param)


def broken(*_: object) -> None:
    raise LookupError("a function of the user's")


def test_every_effect(colour: Colour) -> None:
    script = told(
        UseStore(trips(1, "slow", 2)),
        Exchange(get()),
        ReadBody(ANSWER),
        Discard(ANSWER),
        Present(ANSWER, None, b"b"),
        Ask(max, (1, 2)),
        Pause(),
    )
    assert colour.run(script, colour.client) == [
        *([1, "slow", 2], ANSWER, b"body", None),
        *(("presented", b"b"), 2, None),
    ]


@pytest.mark.parametrize(
    "effect", [Exchange(get()), ReadBody(ANSWER), Discard(ANSWER), Present(None, None, b"")]
)
def test_a_client_is_needed(colour: Colour, effect: Any) -> None:
    with pytest.raises(TypeError, match=f"{type(effect).__name__} needs an HTTP client"):
        colour.run(told(effect))


def test_a_word_that_no_driver_knows(colour: Colour) -> None:
    with pytest.raises(TypeError, match="a plan cannot ask for 'please'"):
        colour.run(told("please"), colour.client)


@pytest.mark.parametrize("statements", [(DOWN,), (1, DOWN), ("slow", DOWN)])
def test_a_store_that_fails_is_an_answer(colour: Colour, statements: Any) -> None:
    assert colour.run(told(UseStore(trips(*statements)), Pause())) == [Failed(DOWN), None]
    assert colour.failures.count == 1


def test_a_user_function_that_fails_is_an_answer(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    (failed,) = colour.run(told(Ask(broken, (1,))))
    assert isinstance(failed.reason, LookupError)
    (line,) = caplog.records
    assert line.getMessage() == "broken failed; the response is not cached"
    assert line.exc_info is not None
    assert not colour.failures.failing


def test_a_coroutine_function_of_the_users() -> None:
    async def kept(response: str) -> bool:
        return response == "this"

    assert Colour("async").run(told(Ask(kept, ("this",)), Ask(kept, ("that",)))) == [True, False]


def test_a_store_says_once_that_it_fails_and_once_that_it_works(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reads, writes = UseStore, lambda plan: UseStore(plan, writes=True)
    for down, use in [
        *((None, reads), (DOWN, reads), (DOWN, writes), (DOWN, reads)),
        *((None, reads), (DOWN, writes), (None, reads), (None, writes), (None, reads)),
    ]:
        colour.shell.down = down
        colour.run(told(use(trips(1))))
    failed, works = [line.getMessage() for line in caplog.records]
    assert failed.startswith("The cache's store of the test fails; requests go to the origin")
    assert failed.endswith(": OSError: the store is down")
    assert works == "The cache's store of the test works again"
    assert colour.failures.count == 4


def test_locked(colour: Colour) -> None:
    locked = Locked("key", sub_plan(Ask(max, (1, 2))))
    assert colour.run(told(locked, locked)) == [Led([2]), Led([2])]
    assert colour.keys() == []


@pytest.mark.parametrize("wait", [True, False])
def test_a_lease_that_is_held_outlives_its_plan(colour: Colour, wait: bool) -> None:
    leases: list[Lease] = []

    def hold(lease: Lease) -> Script:
        leases.append(lease)
        lease.held = True
        yield Pause()

    def script() -> Script:
        led = yield Locked("key", hold)
        assert colour.keys() == ["key"]
        meanwhile = yield Locked("key", sub_plan(), wait=False)
        leases[0].release("late")
        then = yield Locked("key", sub_plan(), wait=wait)
        return led, meanwhile, then

    assert colour.run(script()) == (Led(None), Followed(None), Led([]))
    assert colour.keys() == []


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("error", [LookupError("lost"), KeyboardInterrupt()])
def test_a_lease_ends_with_a_plan_that_fails(
    colour: Colour, error: BaseException, held: bool
) -> None:
    with pytest.raises(type(error)):
        colour.run(told(Locked("key", sub_plan(Pause(), held=held, error=error))))
    assert colour.keys() == []


class Ended:
    """How a plan ended: which exception it saw at the point where it stood."""

    def __init__(self) -> None:
        self.seen: list[type[BaseException]] = []

    def plan(self, *effects: Any) -> Script:
        try:
            yield from told(*effects)
        except BaseException as error:
            self.seen.append(type(error))
            raise


def test_a_failing_client_closes_the_plan(colour: Colour) -> None:
    """It is never thrown into: whatever must be undone is an effect of its own."""
    ended = Ended()
    with pytest.raises(TypeError):
        colour.run(ended.plan(Exchange(get())))
    assert ended.seen == [GeneratorExit]


async def test_a_cancelled_plan_is_closed_from_the_inside_out() -> None:
    colour, inner, outer = Colour("async"), Ended(), Ended()
    never = asyncio.Event()

    async def hang() -> None:
        await never.wait()

    locked = Locked("key", lambda _: inner.plan(Ask(hang, ())))
    task = asyncio.create_task(colour.driver.run(outer.plan(locked)))
    await asyncio.sleep(0)
    assert colour.keys() == ["key"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner.seen == outer.seen == [GeneratorExit]
    assert colour.keys() == []


async def test_a_cancelled_leader_hands_over_and_a_failed_one_sends_all() -> None:
    colour, go_on = Colour("async"), asyncio.Event()
    led: list[int] = []

    def plan(number: int) -> Callable[[Lease], Script]:
        async def work() -> str:
            led.append(number)
            await go_on.wait()
            return "done"

        return sub_plan(Ask(work, ()), error=LookupError("lost"))

    def request(number: int) -> Script:
        return (yield Locked("key", plan(number)))

    tasks = [asyncio.create_task(colour.driver.run(request(number))) for number in range(4)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    await asyncio.sleep(0)
    assert led == [0, 1]
    go_on.set()
    ends = await asyncio.gather(*tasks[1:], return_exceptions=True)
    assert isinstance(ends[0], LookupError)
    assert ends[1:] == [Followed(None), Followed(None)]
    assert led == [0, 1]
    assert colour.keys() == []


async def test_pause_lets_others_have_their_turn() -> None:
    turns: list[str] = []

    def long_work() -> Script:
        for _ in range(2):
            turns.append("work")
            yield Pause()

    async def other() -> None:
        turns.append("other")

    task = asyncio.create_task(other())
    await Colour("async").driver.run(long_work())
    await task
    assert turns == ["work", "other", "work"]


class TestAtOnce:
    """As far as nothing has to be waited for."""

    def test_to_the_end(self) -> None:
        script = told(UseStore(trips(1)), UseStore(trips(2, 3)))
        assert run_at_once(script, AsyncShell()) == [[1], [2, 3]]

    @pytest.mark.parametrize(
        "effect", [UseStore(trips("slow")), Ask(max, (1, 2)), Locked("key", sub_plan()), Pause()]
    )
    def test_not_now(self, effect: Any) -> None:
        ended = Ended()
        assert run_at_once(ended.plan(UseStore(trips(1)), effect), AsyncShell()) is NOT_NOW
        assert ended.seen == [GeneratorExit]

    def test_a_failing_store_is_left_to_the_long_way(self) -> None:
        with pytest.raises(OSError, match="down"):
            run_at_once(told(UseStore(trips(DOWN))), AsyncShell())
