"""``session.disabled()``: for a while, for this task, no cache."""

from __future__ import annotations

import asyncio

import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.origin import Origin


async def test_nothing_is_read_or_written(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        await session.get(origin.url("/serial/known"))
        with session.disabled():
            known = await session.get(origin.url("/serial/known"))
            assert (known.from_cache, await known.read()) == (False, b"2")
            await session.get(origin.url("/serial/new"))

        assert await (await session.get(origin.url("/serial/known"))).read() == b"1"
        assert not (await session.get(origin.url("/serial/new"))).from_cache


async def test_async_with(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        for _ in range(2):
            async with session.disabled():
                await session.get(origin.url("/serial"))
        assert await session.cache.responses.size() == 0
        await session.get(origin.url("/serial"))
        assert (await session.get(origin.url("/serial"))).from_cache
    assert origin.count() == 3


async def test_nested(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        with session.disabled():
            with session.disabled():
                await session.get(origin.url("/serial"))
            # The inner one ends; the outer one does not.
            await session.get(origin.url("/serial"))
            assert await session.cache.responses.size() == 0
        await session.get(origin.url("/serial"))
        assert (await session.get(origin.url("/serial"))).from_cache


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_restored_on_error(
    origin: Origin, open_session: OpenSession, asynchronous: bool
) -> None:
    async with open_session() as session:
        with pytest.raises(KeyError):
            if asynchronous:
                async with session.disabled():
                    raise KeyError
            else:
                with session.disabled():
                    raise KeyError
        await session.get(origin.url("/serial"))
        assert (await session.get(origin.url("/serial"))).from_cache


async def test_only_in_this_context(origin: Origin, open_session: OpenSession) -> None:
    """Tasks that are started meanwhile do without the cache, those that run already do not."""
    async with open_session() as session:
        await session.get(origin.url("/serial"))
        go, done = asyncio.Event(), asyncio.Event()

        async def started_before() -> bool:
            await go.wait()
            response = await session.get(origin.url("/serial"))
            done.set()
            return response.from_cache

        async def started_meanwhile() -> bool:
            return (await session.get(origin.url("/serial"))).from_cache

        before = asyncio.create_task(started_before())
        await asyncio.sleep(0)
        with session.disabled():
            go.set()
            await done.wait()
            assert not await asyncio.create_task(started_meanwhile())
        assert await before
        assert await asyncio.create_task(started_meanwhile())


async def test_only_this_session(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as one, open_session() as other:
        await other.get(origin.url("/serial"))
        with one.disabled():
            assert (await other.get(origin.url("/serial"))).from_cache


async def test_redirects(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        await session.get(origin.url("/redirect/2"))
        with session.disabled():
            response = await session.get(origin.url("/redirect/2"))
            assert await response.read() == b"2"
    assert origin.count() == 6


async def test_a_response_is_read_after_the_end(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        with session.disabled():
            response = await session.get(origin.url("/large"))
        assert len(await response.read()) == 3 * 2**20
        assert await session.cache.responses.size() == 0
