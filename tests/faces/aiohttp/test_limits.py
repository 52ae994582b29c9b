"""Limits, bytes() and what leaves by itself, through sessions."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from aiohttp_client_cache import BaseCache, CacheBackend, CachedSession, SQLiteBackend
from aiohttp_client_cache.backends.base import DictCache
from http_client_cache.errors import ConfigurationError
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support.clock import StandingClock
from tests.support.origin import Origin

HOUR = 3600


async def kept(session: CachedSession) -> list[str]:
    """What is asked for as ``n``; when this returns, what was under way is written."""
    return [url.rpartition("=")[2] for url in await session.cache.get_urls()]


async def test_the_most_recently_used_stay(
    origin: Origin, open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_session(max_entries=3) as session:
        for number in (1, 2, 3, 1, 4, 5, 1, 6):
            await session.get(origin.url("/get"), params={"n": number})
            assert await session.cache.size() <= 3
        assert await kept(session) == ["1", "5", "6"]
        assert (await session.get(origin.url("/get"), params={"n": 1})).from_cache
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_hits_by_the_way_without_a_pause(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(max_entries=5) as session:
        for number in range(40):
            for again in range(3):
                response = await session.get(origin.url("/get"), params={"n": again})
                assert response.from_cache == (number > 0)
            await session.get(origin.url("/get"), params={"n": 100 + number})
        assert await kept(session) == ["0", "1", "138", "139", "2"]


async def test_bytes(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(max_bytes=200_000) as session:
        assert await session.cache.bytes() == 0
        await session.get(origin.url("/large?size=10000"))
        assert 10_000 < await session.cache.bytes() < 14_000
        for number in range(30):
            await session.get(origin.url("/large?size=20000"), params={"n": number})
            assert await session.cache.bytes() <= 200_000
        assert await session.cache.size() > 5
        await session.get(origin.url("/large?size=300000"))
        assert not await session.cache.has_url(origin.url("/large?size=300000"))
        await session.cache.clear()
        assert await session.cache.bytes() == 0


async def test_bytes_of_a_storage_of_ones_own(origin: Origin) -> None:
    storages: tuple[BaseCache, BaseCache] = DictCache(), DictCache()
    backend = CacheBackend()
    backend.responses, backend.redirects = storages
    async with CachedSession(cache=backend) as session:
        await session.get(origin.url("/large?size=10000"))
        alone = await backend.bytes()
        assert alone > 10_000
        await session.get(origin.url("/redirect/1"))
        assert await backend.bytes() > alone
        await backend.clear()
        assert await backend.bytes() == 0


async def test_what_has_expired_leaves_by_itself(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    async with open_session(expire_after=60) as session:
        await session.get(origin.url("/get"), params={"n": 1})
        assert await kept(session) == ["1"]
        clock.advance(seconds=HOUR)
        await session.get(origin.url("/get"), params={"n": 2})
        assert await kept(session) == ["1", "2"]
        clock.advance(seconds=90)
        await session.get(origin.url("/get"), params={"n": 3})
        assert await kept(session) == ["2", "3"]


async def test_what_may_be_served_stale_stays(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    async with open_session(expire_after=60, stale_if_error=10 * HOUR) as session:
        await session.get(origin.url("/get"), params={"n": 1})
        session.keep_expired = True
        session.stale_if_error = None
        await session.get(origin.url("/get"), params={"n": 2})
        session.keep_expired = 0
        await session.get(origin.url("/get"), params={"n": 3})
        assert await kept(session) == ["1", "2", "3"]
        clock.advance(seconds=10 * HOUR)
        await session.get(origin.url("/get"), params={"n": 4})
        assert await kept(session) == ["1", "2", "4"]
        clock.advance(days=1)
        await session.get(origin.url("/get"), params={"n": 5})
        assert await kept(session) == ["2", "5"]


async def test_many_tasks(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(max_entries=10) as session:

        async def work(name: int) -> None:
            for number in range(20):
                await session.get(origin.url("/get"), params={"n": f"{name}.{number}"})
                assert await session.cache.size() <= 10

        await asyncio.gather(*(work(name) for name in range(10)))
        assert await session.cache.size() == 10


def test_limits_can_be_read(open_backend: OpenBackend) -> None:
    backend = open_backend(max_entries=5, max_bytes=10)
    assert (backend.max_entries, backend.max_bytes) == (5, 10)
    with pytest.raises(AttributeError):
        backend.max_entries = 6  # type: ignore[misc]
    assert (CacheBackend().max_entries, CacheBackend().max_bytes) == (None, 256 * 2**20)
    assert (SQLiteBackend().max_entries, SQLiteBackend().max_bytes) == (None, None)
    assert CacheBackend(max_bytes=None).max_bytes is None


async def test_limits_of_a_session() -> None:
    async with CachedSession(max_entries=7, max_bytes=None, keep_expired=5) as session:
        assert (session.cache.max_entries, session.cache.max_bytes) == (7, None)
        assert session.keep_expired == session.cache.keep_expired == 5
    with pytest.raises(ConfigurationError, match="max_entries belongs to the backend"):
        CachedSession(cache=CacheBackend(), max_entries=7)


@pytest.mark.parametrize("value", ["x", -1, 1.5, True])
def test_mistakes(value: Any, open_backend: OpenBackend) -> None:
    for name in ("max_entries", "max_bytes"):
        with pytest.raises(ConfigurationError, match=name):
            open_backend(**{name: value})
    with pytest.raises(ConfigurationError, match="keep_expired"):
        open_backend(keep_expired="x")
