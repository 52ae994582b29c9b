"""Removing what is expired: on request, all at once, or after a change of mind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.clock import StandingClock
from tests.support.origin import Origin

pytestmark = pytest.mark.parametrize(
    "name", ["remove_expired_responses", "delete_expired_responses"]
)


async def remaining(session: Any) -> set[str]:
    return {response.url.path async for response in session.cache.responses.values()}


async def test_only_what_is_expired_is_removed(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    async with open_session() as session:
        await session.get(origin.url("/serial/soon"), expire_after=10)
        await session.get(origin.url("/serial/later"), expire_after=100)
        await session.get(origin.url("/serial/never"))
        clock.advance(seconds=11)

        await getattr(session, name)()

        assert await remaining(session) == {"/serial/later", "/serial/never"}
        assert await session.cache.responses.size() == 2


async def test_redirects_to_what_is_removed_go_too(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    async with open_session(expire_after=10) as session:
        await session.get(origin.url("/redirect/2"))
        assert await session.cache.redirects.size() > 0
        clock.advance(seconds=11)
        await getattr(session, name)()
        assert await session.cache.redirects.size() == 0


async def test_the_work_is_done_without_being_awaited(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    async with open_session(expire_after=10) as session:
        await session.get(origin.url("/serial"))
        clock.advance(seconds=11)
        getattr(session, name)()
        for _ in range(100):
            if await session.cache.responses.size() == 0:
                break
            await asyncio.sleep(0.01)
        assert await session.cache.responses.size() == 0


async def test_closing_waits_for_the_work(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    session = open_session(expire_after=10)
    for n in range(20):
        await session.get(origin.url(f"/serial/{n}"))
    clock.advance(seconds=11)
    work = getattr(session, name)()
    await session.close()
    await work


async def test_sooner_than_it_was_said(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    url = origin.url("/serial")
    async with open_session(expire_after=3600) as session:
        await session.get(url)
        await getattr(session, name)(expire_after=timedelta(seconds=10))
        assert (await session.get(url)).from_cache

        clock.advance(seconds=11)
        assert not (await session.get(url)).from_cache
    assert origin.count() == 2


async def test_later_than_it_was_said(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    """What is expired is valid again under the new expiration, and is kept."""
    url = origin.url("/serial")
    async with open_session(expire_after=10) as session:
        await session.get(url)
        clock.advance(seconds=11)
        await getattr(session, name)(expire_after=3600)
        assert (await session.get(url)).from_cache
        clock.advance(seconds=3500)
        assert (await session.get(url)).from_cache
        clock.advance(seconds=101)
        assert not (await session.get(url)).from_cache
    assert origin.count() == 2


async def test_never(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    async with open_session(expire_after=10) as session:
        await session.get(origin.url("/serial"))
        await getattr(session, name)(expire_after=-1)
        clock.advance(days=1000)
        cached = await session.get(origin.url("/serial"))
        assert cached.from_cache
        assert cached.expires is None


async def test_an_empty_cache(open_session: OpenSession, name: str) -> None:
    async with open_session() as session:
        await getattr(session, name)()
        await getattr(session, name)(expire_after=10)
        assert await session.cache.responses.size() == 0


async def test_a_session_that_was_never_used(open_session: OpenSession, name: str) -> None:
    session = open_session()
    getattr(session, name)()
    await session.close()


async def test_a_large_cache_does_not_stop_the_loop(
    origin: Origin, open_session: OpenSession, clock: StandingClock, name: str
) -> None:
    async with open_session(expire_after=10) as session:
        await asyncio.gather(*(session.get(origin.url(f"/serial/{n}")) for n in range(300)))
        clock.advance(seconds=11)
        await asyncio.gather(
            getattr(session, name)(),
            *(session.get(origin.url(f"/serial/new/{n}")) for n in range(20)),
        )
        assert await session.cache.responses.size() == 20
