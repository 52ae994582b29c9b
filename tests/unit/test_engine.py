"""The caches of both colours, as a face uses them: over memory, with an origin that counts."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from http_client_cache.body import KeptBody
from http_client_cache.engine import AsyncCache, SyncCache
from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.options import Options
from http_client_cache.plan import LATER, Answer, Discard, Exchange, Lost, Present, ReadBody
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit
from http_client_cache.settings import Settings
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.statements import NOT_NOW
from http_client_cache.store.memory import MemoryStore
from tests.flow.scene import NOW, answer, get, key
from tests.support.clock import StandingClock


class Origin:
    """Answers when it is let go."""

    def __init__(self, fetched: Answer | Lost) -> None:
        self.fetched = fetched
        self.count = 0
        self.go_on = threading.Event()

    def exchange(self, effect: Exchange) -> Answer | Lost:
        self.count += 1
        assert self.go_on.wait(5)
        return self.fetched

    def read_body(self, effect: ReadBody) -> bytes:
        return b"body"

    def discard(self, effect: Discard) -> None: ...

    def present(self, effect: Present) -> Any: ...


class AsyncOrigin:
    def __init__(self, fetched: Answer | Lost) -> None:
        self.fetched = fetched
        self.count = 0
        self.go_on = asyncio.Event()

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        self.count += 1
        await self.go_on.wait()
        return self.fetched

    async def read_body(self, effect: ReadBody) -> bytes:
        return b"body"

    async def discard(self, effect: Discard) -> None: ...

    def present(self, effect: Present) -> Any: ...


MANY = 8


def async_cache(shell: Any = None, **settings: Any) -> AsyncCache:
    shell = shell or AsyncImmediate()
    store = MemoryStore() if isinstance(shell, AsyncImmediate) else OneTrip()
    return AsyncCache(Settings(**settings), store, shell, name="test", clock=StandingClock())  # type: ignore[arg-type]


def served_by(results: list[Any]) -> list[Reason]:
    return sorted((result.reason for result in results), key=lambda reason: reason.name)


async def test_many_tasks_fetch_once() -> None:
    cache, origin = async_cache(), AsyncOrigin(answer())
    tasks = [
        asyncio.create_task(cache.serve(get(), Options(), origin))  # type: ignore[arg-type]
        for _ in range(MANY)
    ]
    await asyncio.sleep(0)
    origin.go_on.set()
    results = await asyncio.gather(*tasks)
    assert origin.count == 1
    assert served_by(results) == [Reason.COLLAPSED] * (MANY - 1) + [Reason.MISS]
    hit = await cache.serve(get(), Options(), origin)  # type: ignore[arg-type]
    assert isinstance(hit, Hit)
    assert cache.look_now(key(), Options()) == (hit.stored, Reason.HIT)


async def test_what_is_not_stored_stays_parallel() -> None:
    cache, origin = async_cache(), AsyncOrigin(answer(404))
    origin.go_on.set()
    await cache.serve(get(), Options(), origin)  # type: ignore[arg-type]
    assert key() in cache.uncacheable
    origin.go_on.clear()
    tasks = [
        asyncio.create_task(cache.serve(get(), Options(), origin))  # type: ignore[arg-type]
        for _ in range(MANY)
    ]
    await asyncio.sleep(0)
    assert origin.count == 1 + MANY
    origin.go_on.set()
    assert all(isinstance(served, Forwarded) for served in await asyncio.gather(*tasks))


async def test_an_outage_is_not_served_one_by_one() -> None:
    cache, origin = async_cache(), AsyncOrigin(Lost(OSError("down")))
    tasks = [
        asyncio.create_task(cache.serve(get(), Options(), origin))  # type: ignore[arg-type]
        for _ in range(MANY)
    ]
    await asyncio.sleep(0)
    assert origin.count == 1
    origin.go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, OSError) for result in results)


def test_many_threads_fetch_once() -> None:
    settings, origin = Settings(), Origin(answer())
    cache = SyncCache(settings, MemoryStore(), SyncImmediate(), name="test", clock=StandingClock())
    with ThreadPoolExecutor(MANY) as pool:
        futures = [pool.submit(cache.serve, get(), Options(), origin) for _ in range(MANY)]
        flights = cache._flights
        with flights._changed:
            while (flight := flights._flights.get(key())) is None or flight.waiting < MANY - 1:
                flights._changed.wait(0.001)
        origin.go_on.set()
        results = [future.result(5) for future in futures]
    assert origin.count == 1
    assert served_by(results) == [Reason.COLLAPSED] * (MANY - 1) + [Reason.MISS]
    assert cache.fetches_ended() == 1


class OneTrip:
    """A store whose every answer comes from its shell."""

    def load(self, key: str, *, follow: bool = False) -> Any:
        return (yield "load")

    def read(self, body: KeptBody, start: int, size: int) -> Any:
        return (yield "read")

    def drop(self, places: list[tuple[str, str]]) -> Any:
        return (yield f"drop {places}")


class Shell:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def run_now(self, statement: Any) -> Any:
        self.asked.append(statement)
        reply = self.answers.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def test_looking_now_says_when_it_would_have_to_wait() -> None:
    cache = async_cache(Shell(NOT_NOW, ()))
    assert cache.look_now(key(), Options()) is None
    assert cache.look_now(key(), Options()) == (None, Reason.MISS)


def test_looking_now_counts_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    cache = async_cache(Shell(OSError("down"), OSError("down"), ()))
    assert [cache.look_now(key(), Options()) for _ in range(3)] == [None, None, (None, Reason.MISS)]
    assert cache.failures.count == 2
    fails, works = [line.getMessage() for line in caplog.records]
    assert "test fails" in fails
    assert "test works again" in works


@pytest.mark.parametrize("error", [StoreError("damaged"), OSError("gone")])
@pytest.mark.parametrize("dropped", [1, StoreUnavailable("down")])
async def test_a_body_that_cannot_be_read_is_dropped_before_that_is_told(
    error: Exception, dropped: Any
) -> None:
    shell = Shell(error, error, dropped)
    cache, body = async_cache(shell), KeptBody(None, 0, 9, ("key", "variant"))
    assert cache.read_now(body, 0) is None
    with pytest.raises(StoreError, match=str(error)):
        await cache.read(body, 0)
    assert shell.asked == ["read", "read", "drop [('key', 'variant')]"]


async def test_a_body_that_is_out_of_reach_is_not_dropped() -> None:
    shell = Shell(StoreUnavailable("down"))
    cache = async_cache(shell)
    with pytest.raises(StoreUnavailable):
        await cache.read(KeptBody(None, 0, 9, ("key", "variant")), 0)
    assert shell.asked == ["read"]
    assert cache.failures.count == 1


def test_the_clock_is_injected() -> None:
    cache = async_cache()
    assert cache.now() == StandingClock().time() != NOW


class AsItComes(AsyncOrigin):
    """Hands bodies over as they come."""

    later: Any = None

    async def read_body(self, effect: ReadBody) -> Any:
        self.later = effect.later
        return LATER


async def test_a_body_in_tiny_pieces_takes_no_more_memory_than_another() -> None:
    cache, origin = async_cache(), AsItComes(answer())
    origin.go_on.set()
    await cache.serve(get(), Options(), origin)  # type: ignore[arg-type]
    size, rounds = 2**17, 12
    tracemalloc.start()
    try:
        for _ in range(rounds):
            pieces = [bytes(2) for _ in range(size // 2)]
            assert await cache.run(origin.later.keep(pieces)) is True
        del pieces
        await cache.run(origin.later.finish(()))
        assert tracemalloc.get_traced_memory()[0] < 1.5 * rounds * size
    finally:
        tracemalloc.stop()
    found = cache.look_now(key(), Options())
    assert found is not None
    assert found[0] is not None
    assert isinstance(found[0].body, KeptBody)
    assert len(found[0].body) == rounds * size
