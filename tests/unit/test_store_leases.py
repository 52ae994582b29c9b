"""Leases of a store, taken and given back by caches of both colours."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from http_client_cache.engine import AsyncCache, SyncCache
from http_client_cache.options import Options
from http_client_cache.plan import Answer, Exchange, ReadBody, Wait
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings
from http_client_cache.shell.leases import new_owner
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.statements import NOT_NOW
from tests.flow.scene import NOW, answer, get, key
from tests.stores.subjects import Subject, files, sqlite
from tests.support.clock import StandingClock


def clock() -> StandingClock:
    return StandingClock(datetime.fromtimestamp(NOW, UTC))


MAKERS = [sqlite, files]
SETTINGS = Settings(expire_after=60, fetch_lease=20)


@pytest.fixture(params=MAKERS, ids=["sqlite", "files"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    subject = request.param(tmp_path)
    yield subject
    subject.sync_shell.close()


class Client:
    """An origin that is let go by the test."""

    def __init__(self, fetched: Answer) -> None:
        self.fetched = fetched
        self.count = 0
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def exchange(self, effect: Exchange) -> Answer:
        self.count += 1
        self.asked.set()
        assert self.go_on.wait(5)
        return self.fetched

    def read_body(self, effect: ReadBody) -> bytes:
        return b"body"


def sync_cache(subject: Subject) -> SyncCache:
    return SyncCache(SETTINGS, subject.store, subject.sync_shell, name="test", clock=clock())


def test_threads_of_two_caches_fetch_once(subject: Subject) -> None:
    client: Any = Client(answer())
    caches = [sync_cache(subject), sync_cache(subject)]
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(caches[0].serve, get(), Options(), client)
        assert client.asked.wait(5)
        others = [pool.submit(cache.serve, get(), Options(), client) for cache in caches * 2]
        time.sleep(0.05)
        client.go_on.set()
        reasons = [one.result(5).reason for one in [first, *others]]
    assert client.count == 1
    assert reasons == [Reason.MISS] + [Reason.COLLAPSED] * 4


def test_what_is_not_kept_is_fetched_by_all(subject: Subject) -> None:
    client: Any = Client(answer(404))
    one, other = sync_cache(subject), sync_cache(subject)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.serve, get(), Options(), client)
        assert client.asked.wait(5)
        second = pool.submit(other.serve, get(), Options(), client)
        client.go_on.set()
        first.result(5)
        second.result(5)
    assert client.count == 2
    assert key() in one.uncacheable
    assert key() in other.uncacheable


class Failing:
    """Waits for nothing that it is asked at once, and fails then."""

    def run_now(self, statement: Any) -> Any:
        return NOT_NOW

    async def run(self, statement: Any) -> Any:
        raise OSError("the store is down")


async def test_to_give_back_waits_for_nobody_and_raises_nothing(subject: Subject) -> None:
    shell: Any = Failing()
    cache = AsyncCache(SETTINGS, subject.store, shell, name="test", clock=clock())
    cache.give_back("a.1", fruitless=False)
    assert cache.failures.count == 0
    async with asyncio.timeout(5):
        while not cache.failures.count:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.001)
    await cache.stop_background()


def test_without_a_loop_a_lease_is_left_to_its_time(subject: Subject) -> None:
    cache = AsyncCache(SETTINGS, subject.store, subject.async_shell, name="test", clock=clock())
    owner, now = cache.owner(), cache.now()
    run_sync(subject.store.claim("a.1", owner, now, 5), subject.sync_shell)
    cache.give_back("a.1", fruitless=False)
    assert run_sync(subject.store.holder("a.1", now), subject.sync_shell) == owner


async def test_it_is_given_back_in_the_next_turn_of_the_loop(subject: Subject) -> None:
    cache = AsyncCache(SETTINGS, subject.store, subject.async_shell, name="test", clock=clock())
    run_sync(subject.store.claim("a.1", cache.owner(), cache.now(), 5), subject.sync_shell)
    cache.give_back("a.1", fruitless=False)
    async with asyncio.timeout(5):
        while run_sync(subject.store.holder("a.1", cache.now()), subject.sync_shell):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def test_an_owner_is_no_other_one() -> None:
    one, other = new_owner(), new_owner()
    assert one() == one()
    assert one() != other()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_an_owner_is_another_one_in_a_fork() -> None:
    owner = new_owner()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, owner().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read() not in ("", owner())


def test_to_wait_answers_how_long_it_took(subject: Subject) -> None:
    def plan() -> Any:
        return (yield Wait(0.02))

    def none() -> Any:
        return (yield Wait(0))

    assert 0.02 <= sync_cache(subject).run(plan()) < 1
    cache = AsyncCache(SETTINGS, subject.store, subject.async_shell, name="test", clock=clock())
    assert 0.02 <= asyncio.run(cache.run(plan())) < 1
    assert asyncio.run(cache.run(none())) < 1
