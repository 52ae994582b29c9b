"""Storages that users wrote themselves, assigned to a backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from aiohttp_client_cache import BaseCache, CacheBackend, CachedSession
from tests.faces.aiohttp.conftest import OpenBackend
from tests.support.clock import StandingClock
from tests.support.origin import Origin


class Shelf(BaseCache):
    """The least that a storage needs: a dictionary with coroutine methods."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, Any] = {}
        self.closed = False

    async def read(self, key: str) -> Any:
        return self.held.get(key)

    async def write(self, key: str, item: Any) -> None:
        self.held[key] = item

    async def contains(self, key: str) -> bool:
        return key in self.held

    async def delete(self, key: str) -> None:
        self.held.pop(key, None)

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            self.held.pop(key, None)

    async def clear(self) -> None:
        self.held.clear()

    async def size(self) -> int:
        return len(self.held)

    async def close(self) -> None:
        self.closed = True

    async def keys(self) -> AsyncIterator[str]:
        for key in list(self.held):
            yield key

    async def values(self) -> AsyncIterator[Any]:
        for item in list(self.held.values()):
            yield item


class BrokenShelf(Shelf):
    """A storage none of whose methods work."""

    async def read(self, key: str) -> Any:
        raise ConnectionError("the shelf is broken")

    async def write(self, key: str, item: Any) -> None:
        raise ConnectionError("the shelf is broken")

    async def contains(self, key: str) -> bool:
        raise ConnectionError("the shelf is broken")

    async def delete(self, key: str) -> None:
        raise ConnectionError("the shelf is broken")

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        raise ConnectionError("the shelf is broken")


class Shelves(CacheBackend):
    """A backend of one's own, put together as the backends of the library are."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.responses = Shelf()
        self.redirects = Shelf()


@pytest.fixture
def shelves(clock: StandingClock) -> Shelves:
    return Shelves(clock=clock, expire_after=60)


async def test_they_hold_everything(origin: Origin, shelves: Shelves) -> None:
    async with CachedSession(cache=shelves) as session:
        for cached in (False, True):
            response = await session.get(origin.url("/redirect/2"))
            assert response.from_cache is cached
            assert await response.read() == b"1"
            assert len(response.history) == 2
            large = await session.get(origin.url("/large"))
            assert large.from_cache is cached
            assert await large.read() == b"x" * 3 * 2**20
        assert len(shelves.responses.held) >= 2
        assert len(shelves.redirects.held) >= 1
    assert origin.count() == 4


async def test_they_outlive_the_session(
    origin: Origin, shelves: Shelves, clock: StandingClock
) -> None:
    responses, redirects = shelves.responses, shelves.redirects
    async with CachedSession(cache=shelves) as session:
        await session.get(origin.url("/serial"))

    again = CacheBackend(clock=clock)
    again.responses, again.redirects = responses, redirects
    async with CachedSession(cache=again) as session:
        assert (await session.get(origin.url("/serial"))).from_cache
    assert origin.count() == 1


@pytest.mark.parametrize("assigned", ["responses", "redirects"])
async def test_one_of_them(origin: Origin, open_backend: OpenBackend, assigned: str) -> None:
    backend = open_backend()
    setattr(backend, assigned, Shelf())
    async with CachedSession(cache=backend) as session:
        for _ in range(2):
            await session.get(origin.url("/redirect/1"))
        assert len(getattr(backend, assigned).held) >= 1
    assert origin.count() == 2


async def test_expiration_and_removal(
    origin: Origin, shelves: Shelves, clock: StandingClock
) -> None:
    async with CachedSession(cache=shelves) as session:
        await session.get(origin.url("/serial/a"))
        await session.get(origin.url("/serial/b"), expire_after=-1)
        clock.advance(seconds=61)
        await session.delete_expired_responses()
        assert len(shelves.responses.held) == 1
        assert not (await session.get(origin.url("/serial/a"))).from_cache
        assert (await session.get(origin.url("/serial/b"))).from_cache


async def test_inspection(origin: Origin, shelves: Shelves) -> None:
    async with CachedSession(cache=shelves) as session:
        await session.get(origin.url("/serial/a"))
        await session.get(origin.url("/serial/b"))
        cache = session.cache
        assert sorted([url async for url in cache.get_urls()]) == [
            origin.url("/serial/a"),
            origin.url("/serial/b"),
        ]
        assert await cache.has_url(origin.url("/serial/a"))
        await cache.delete_url(origin.url("/serial/a"))
        assert not await cache.has_url(origin.url("/serial/a"))
        await cache.clear()
        assert shelves.responses.held == {}


async def test_the_plain_list_of_urls_cannot_be_had(shelves: Shelves) -> None:
    """A storage that knows only coroutines cannot be asked without awaiting."""
    async with CachedSession(cache=shelves) as session:
        with pytest.raises(Exception, match="get_urls"):
            list(session.cache.urls)


async def test_closing(origin: Origin, shelves: Shelves) -> None:
    async with CachedSession(cache=shelves) as session:
        await session.get(origin.url("/serial"))
    assert shelves.responses.closed
    assert shelves.redirects.closed


async def test_a_broken_one_breaks_no_request(
    origin: Origin, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    backend = CacheBackend(clock=clock)
    backend.responses, backend.redirects = BrokenShelf(), BrokenShelf()
    async with CachedSession(cache=backend) as session:
        for n in range(1, 4):
            response = await session.get(origin.url("/redirect/1"))
            assert (response.from_cache, await response.read()) == (False, b"%d" % n)
    complaints = [record.getMessage() for record in caplog.records]
    assert len(complaints) in (1, 2), "one that it cannot be read, one that it cannot be written"
    assert all("the shelf is broken" in complaint for complaint in complaints)


async def test_rubbish_in_a_storage_is_a_miss(origin: Origin, shelves: Shelves) -> None:
    async with CachedSession(cache=shelves) as session:
        await session.get(origin.url("/serial"))
        for key in shelves.responses.held:
            shelves.responses.held[key] = b"rubbish"
        response = await session.get(origin.url("/serial"))
        assert (response.from_cache, await response.read()) == (False, b"2")
        assert (await session.get(origin.url("/serial"))).from_cache


class SlowShelf(Shelf):
    """A storage that waits for something before it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def write(self, key: str, item: Any) -> None:
        self.begun.set()
        await self.go_on.wait()
        await super().write(key, item)


async def test_a_slow_one_holds_up_nobody_else(origin: Origin) -> None:
    backend = CacheBackend()
    backend.responses = shelf = SlowShelf()
    url = origin.url("/large")
    async with asyncio.timeout(5), CachedSession(cache=backend) as session:
        async with session.get(url) as one, session.get(f"{url}?other") as other:
            storing = asyncio.create_task(one.read())
            await shelf.begun.wait()
            await other.content.readexactly(2 * 2**20)
            shelf.go_on.set()
            assert len(await storing) == 3 * 2**20
            assert len(await other.read()) == 2**20
        assert len(shelf.held) == 2
