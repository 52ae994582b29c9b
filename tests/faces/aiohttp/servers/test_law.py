"""``cache_control=True`` on each server: variants, validation, stale responses, invalidation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from aiohttp_client_cache import CachedSession, Reason
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.rfc9111.web import OpenWeb, Web, eventually
from tests.faces.rfc9111.web_of_aiohttp import AiohttpWeb
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin, reply


@pytest.fixture
async def open_web(open_backend: OpenBackend, clock: StandingClock) -> AsyncIterator[OpenWeb]:
    async with contextlib.AsyncExitStack() as opened:
        origin = await opened.enter_async_context(ScriptedOrigin(clock).serving())

        def open_web(**settings: object) -> Web:
            backend = open_backend(cache_control=True, **settings)
            session = CachedSession(cache=backend)
            opened.push_async_callback(session.close)
            return AiohttpWeb.of(session, backend, origin, clock)

        yield open_web


async def test_variants(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    web.origin.answers(
        "/",
        lambda asked: reply(
            "Cache-Control: max-age=60",
            "Vary: Accept-Language, X-Mode",
            body=asked.headers.get("Accept-Language", "none") + asked.headers.get("X-Mode", ""),
        ),
    )
    asked = [{}, {"Accept-Language": "de"}, {"Accept-Language": "fr"}]
    asked += [{"Accept-Language": "de", "X-Mode": "2"}]
    bodies = [b"none", b"de", b"fr", b"de2"]
    assert [(await web.get("/", fields)).body for fields in asked] == bodies
    for someone in (web, other):
        seen = [await someone.get("/", fields) for fields in asked]
        assert [one.body for one in seen] == bodies
        assert {one.from_cache for one in seen} == {True}
    assert web.origin.count() == 4
    assert await web.backend.size() == 4
    keys = [key async for key in web.backend.responses.keys()]  # noqa: SIM118 - no dictionary
    assert len(keys) == 1
    assert web.backend.urls == [web.origin.url("/")]
    # One variant ages for itself; deleting the URL takes all of them.
    web.clock.advance(seconds=30)
    await web.get("/", asked[1], refresh=True)
    web.clock.advance(seconds=31)
    reused = [await other.is_reused("/", fields) for fields in asked]
    assert reused == [False, True, False, False]
    assert await web.backend.delete_url(web.origin.url("/")) == 1
    assert await web.backend.size() == 0


async def test_validation(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", 'ETag: "a"', "X-Version: 1", body="first"),
        reply("Cache-Control: max-age=20", 'ETag: "a"', "X-Version: 2", status=304),
        reply("Cache-Control: max-age=30", 'ETag: "b"', "X-Version: 3", body="second"),
    )
    await web.get()
    web.clock.advance(seconds=11)
    validated = await web.get()
    assert (validated.body, validated.headers["X-Version"]) == (b"first", "2")
    assert validated.response.cache.reason is Reason.VALIDATED
    # What was told of it is there for all, and so is how long it lasts.
    web.clock.advance(seconds=19)
    seen = await other.get()
    assert (seen.from_cache, seen.headers["X-Version"], seen.age) == (True, "2", "19")
    other.clock.advance(seconds=2)
    assert (await other.get()).body == b"second"
    assert (await web.get()).headers["X-Version"] == "3"
    assert web.origin.count() == 3


async def test_windows(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    web.origin.answers(
        "/swr",
        reply("Cache-Control: max-age=10, stale-while-revalidate=100", body="1"),
        reply("Cache-Control: max-age=10, stale-while-revalidate=100", body="2"),
    )
    web.origin.answers(
        "/sie",
        reply("Cache-Control: max-age=10, stale-if-error=100", body="1"),
        reply(status=500),
    )
    await web.get("/swr")
    await web.get("/sie")
    web.clock.advance(seconds=11)
    stale = await other.get("/swr")
    assert (stale.body, stale.from_cache) == (b"1", True)

    async def is_new() -> bool:
        return (await web.get("/swr")).body == b"2"

    await eventually(is_new)
    failed = await other.get("/sie")
    assert (failed.status, failed.body) == (200, b"1")
    web.clock.advance(seconds=100)
    assert (await web.get("/sie")).status == 500


async def test_invalidation(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    web.origin.answers("/", reply("Cache-Control: max-age=60", "Vary: Accept"))
    web.origin.answers("/other", reply("Cache-Control: max-age=60"))
    for fields in ({}, {"Accept": "a/b"}):
        await web.get("/", fields)
    await web.get("/other")
    await other.request("POST", "/")
    for fields in ({}, {"Accept": "a/b"}):
        assert not await web.is_reused("/", fields)
    assert await web.is_reused("/other")


async def test_authorization(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    web.origin.answers(
        "/",
        lambda asked: reply(
            "Cache-Control: max-age=60", body=asked.headers.get("Authorization", "nobody")
        ),
    )
    for _ in range(2):
        for someone in (web, other):
            for who in ("Alice", "Bob"):
                assert (await someone.get("/", {"Authorization": who})).body == who.encode()
            assert (await someone.get("/")).body == b"nobody"
    assert web.origin.count() == 3


async def test_ranges(open_web: OpenWeb) -> None:
    web, other = open_web(), open_web()
    letters = bytes(97 + n % 26 for n in range(1000))
    web.origin.answers("/", reply("Cache-Control: max-age=60", 'ETag: "a"', body=letters))
    await web.get()
    part = await other.get("/", {"Range": "bytes=10-19"})
    assert (part.status, part.body, part.from_cache) == (206, letters[10:20], True)
    assert web.origin.count() == 1


async def test_many_at_once(open_web: OpenWeb) -> None:
    """Those who write variants of one URL together lose none, and mix none up."""
    web, other = open_web(), open_web()
    web.origin.answers(
        "/",
        lambda asked: reply(
            "Cache-Control: max-age=60", "Vary: X-Who", body=asked.headers["X-Who"] * 1000
        ),
    )
    names = [f"who{number}" for number in range(16)]
    for _ in range(2):
        seen = await asyncio.gather(
            *(someone.get("/", {"X-Who": name}) for name in names for someone in (web, other))
        )
        assert [one.body for one in seen[::2]] == [name.encode() * 1000 for name in names]
        assert [one.body for one in seen[1::2]] == [name.encode() * 1000 for name in names]
    assert await web.backend.size() == 16
    assert web.origin.count() <= 32
