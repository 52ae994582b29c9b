"""One fetch at a time for each key, among threads."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from http_client_cache.plan import Followed, Lease
from http_client_cache.shell.flights import SyncFlights

KEY = "key"


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(8)


def lead(flights: SyncFlights) -> Lease:
    lease = flights.enter(KEY, wait=True)
    assert isinstance(lease, Lease)
    return lease


def waiters(
    flights: SyncFlights, pool: ThreadPoolExecutor, count: int
) -> list[Future[Lease | Followed]]:
    futures = [pool.submit(flights.enter, KEY, wait=True) for _ in range(count)]
    with flights._changed:
        while flights._flights[KEY].waiting < count:
            flights._changed.wait(0.001)
    return futures


@pytest.mark.parametrize("result", [None, "stored"])
def test_release_lets_all_go_at_once(pool: ThreadPoolExecutor, result: str | None) -> None:
    flights = SyncFlights()
    with pool:
        leader = lead(flights)
        futures = waiters(flights, pool, 3)
        leader.release(result)
        assert [future.result(5) for future in futures] == [Followed(result)] * 3
    assert flights._flights == {}


def test_abandon_hands_over_to_one_after_the_other(pool: ThreadPoolExecutor) -> None:
    flights = SyncFlights()
    leading = threading.Semaphore(0)
    go_on = threading.Semaphore(0)

    def follow() -> None:
        lease = flights.enter(KEY, wait=True)
        assert isinstance(lease, Lease)
        leading.release()
        assert go_on.acquire(timeout=5)
        lease.abandon()

    with pool:
        leader = lead(flights)
        futures = [pool.submit(follow) for _ in range(3)]
        with flights._changed:
            while flights._flights[KEY].waiting < 3:
                flights._changed.wait(0.001)
        leader.abandon()
        for _ in futures:
            assert leading.acquire(timeout=5)
            assert not leading.acquire(timeout=0.002)
            go_on.release()
        for future in futures:
            future.result(5)
    assert flights._flights == {}


def test_a_lease_ends_but_once() -> None:
    flights = SyncFlights()
    leader = lead(flights)
    leader.abandon()
    another = lead(flights)
    leader.release("late")
    assert list(flights._flights) == [KEY]
    another.release()
    assert flights._flights == {}
    assert flights.ended == 2


def test_without_waiting() -> None:
    flights = SyncFlights()
    leader = lead(flights)
    assert flights.enter(KEY, wait=False) == Followed(None)
    leader.release()
    assert isinstance(flights.enter(KEY, wait=False), Lease)


def test_who_takes_over_ends_what_the_first_began(pool: ThreadPoolExecutor) -> None:
    flights, told = SyncFlights(), list[bool]()
    leader = lead(flights)
    leader.at_end = told.append
    with pool:
        future = pool.submit(lead, flights)
        with flights._changed:
            while flights._flights[KEY].waiting < 1:
                flights._changed.wait(0.001)
        leader.abandon()
        follower = future.result(5)
    assert told == []
    follower.release("stored")
    assert told == [False]
    lead(flights).abandon()
    assert told == [False]
