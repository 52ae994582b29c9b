"""One fetch at a time for each key, among the tasks of an event loop."""

from __future__ import annotations

import asyncio
import gc

import pytest

from http_client_cache.plan import Followed, Lease
from http_client_cache.shell.flights import AsyncFlights

KEY = "key"


async def lead(flights: AsyncFlights, key: str = KEY) -> Lease:
    lease = await flights.enter(key, wait=True)
    assert isinstance(lease, Lease)
    return lease


async def waiters(flights: AsyncFlights, count: int) -> list[asyncio.Task[Lease | Followed]]:
    tasks = [asyncio.create_task(flights.enter(KEY, wait=True)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


def keys(flights: AsyncFlights) -> list[str]:
    return [key for loop in flights._loops.values() for key in loop]


@pytest.mark.parametrize("result", [None, "stored"])
async def test_release_lets_all_go_at_once(result: str | None) -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    tasks = await waiters(flights, 3)
    leader.release(result)
    assert await asyncio.gather(*tasks) == [Followed(result)] * 3
    assert keys(flights) == []


async def test_abandon_hands_over_to_one_after_the_other() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    one, other = await waiters(flights, 2)
    leader.abandon()
    first = await one
    assert isinstance(first, Lease)
    assert not other.done()
    first.abandon()
    second = await other
    assert isinstance(second, Lease)
    second.abandon()
    assert keys(flights) == []


async def test_a_lease_ends_but_once() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    leader.release()
    another = await lead(flights)
    leader.release("late")
    leader.abandon()
    assert keys(flights) == [KEY]
    another.release()
    assert keys(flights) == []


async def test_a_waiter_that_was_cancelled_is_passed_over() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    gone, next_in_line = await waiters(flights, 2)
    gone.cancel()
    await asyncio.wait([gone])
    leader.abandon()
    assert isinstance(await next_in_line, Lease)


async def test_a_waiter_that_is_cancelled_with_the_lease_in_its_hand_passes_it_on() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    gone, next_in_line = await waiters(flights, 2)
    leader.abandon()  # `gone` leads now, but has not run yet.
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    lease = await next_in_line
    assert isinstance(lease, Lease)
    lease.release()
    assert keys(flights) == []


async def test_the_last_waiter_is_cancelled_with_the_lease_in_its_hand() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    (gone,) = await waiters(flights, 1)
    leader.abandon()
    gone.cancel()
    await asyncio.wait([gone])
    assert keys(flights) == []


async def test_a_waiter_keeps_its_own_timeout() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await flights.enter(KEY, wait=True)
    leader.release()
    assert keys(flights) == []


async def test_without_waiting() -> None:
    flights = AsyncFlights()
    leader = await lead(flights)
    assert await flights.enter(KEY, wait=False) == Followed(None)
    leader.release()
    assert isinstance(await flights.enter(KEY, wait=False), Lease)


async def test_keys_do_not_wait_for_each_other() -> None:
    flights = AsyncFlights()
    leases = [await lead(flights, key) for key in "abc"]
    for lease in leases:
        lease.release()
    assert keys(flights) == []


async def test_whoever_looked_before_the_end_can_tell() -> None:
    flights = AsyncFlights()
    for end in ("release", "abandon"):
        before = flights.ended
        getattr(await lead(flights), end)()
        assert flights.ended != before


def test_two_loops_know_nothing_of_each_other() -> None:
    """A loop may end in the middle of a fetch; the next one starts anew, and it leaves nothing."""
    flights = AsyncFlights()

    async def begin() -> None:
        await lead(flights)

    for _ in range(2):
        asyncio.run(begin())
    gc.collect()
    assert keys(flights) == []


async def test_who_takes_over_ends_what_the_first_began() -> None:
    flights, told = AsyncFlights(), list[bool]()
    leader = await lead(flights)
    leader.at_end = told.append
    one, other = await waiters(flights, 2)
    leader.abandon()
    first = await one
    assert isinstance(first, Lease)
    assert told == []
    # One that is cancelled when it is its turn passes it on, too.
    first.abandon()
    other.cancel()
    await asyncio.wait([other])
    assert told == [False]
    assert keys(flights) == []
    (await lead(flights)).release()
    assert told == [False]
