"""Bodies that are large, slow, compressed or not read to the end."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.rfc9111.parts import BODY, FRESH, TAG, serve_ranges
from tests.faces.rfc9111.web import BROKEN_OFF, Web, only_aiohttp
from tests.support.clock import StandingClock
from tests.support.scripted import End, ScriptedOrigin, reply

LARGE = b"0123456789abcdef" * 2**17
PACKED = gzip.compress(BODY.encode())
CODED = (TAG, "Content-Encoding: gzip", "Vary: Accept-Encoding")


async def test_a_large_one(any_web: Web) -> None:
    any_web.origin.answers("/", reply(FRESH, TAG, body=LARGE))
    for from_cache in (False, True):
        seen = await any_web.get()
        assert (seen.body == LARGE, seen.from_cache) == (True, from_cache)
    seen = await any_web.get("/", {"Range": "bytes=1048576-1048579"})
    assert (seen.status, seen.body, seen.from_cache) == (206, b"0123", True)
    assert any_web.origin.count() == 1


async def test_a_large_one_that_breaks_off(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", reply(FRESH, TAG, body=LARGE, end=End.CUT_OFF, missing=10))
    with pytest.raises(BROKEN_OFF):
        await web.get()
    web.origin.answers("/", serve_ranges(FRESH, TAG, body=LARGE.decode() + BODY))
    for _ in range(2):
        assert (await web.get()).body == LARGE + BODY.encode()


async def test_a_slow_one(any_web: Web) -> None:
    gate = asyncio.Event()
    any_web.origin.answers("/", reply(FRESH, body="slow", body_gate=gate, end=End.CHUNKED))
    response = await any_web.open()
    gate.set()
    assert await response.read() == b"slow"
    seen = await any_web.get()
    assert (seen.body, seen.from_cache) == (b"slow", True)


async def test_a_large_one_that_nobody_reads(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, body=LARGE), reply(FRESH, body="new"))
    await (await web.open()).release()
    assert (await web.get()).body == b"new"


async def test_a_compressed_one(any_web: Web) -> None:
    """It is stored as it is read; validating it, and asking for its head, change nothing."""
    web = any_web
    web.origin.answers("/", reply("Cache-Control: max-age=10", *CODED, body=PACKED))
    for _ in range(2):
        assert (await web.get()).body == BODY.encode()
    seen = await web.head()
    assert (seen.from_cache, seen.headers["Content-Length"]) == (True, str(len(PACKED)))
    web.clock.advance(seconds=20)
    web.origin.answers("/", reply("Cache-Control: max-age=10", *CODED, status=304))
    for _ in range(2):
        seen = await web.get()
        assert (seen.body, seen.from_cache) == (BODY.encode(), True)
    assert web.origin.count() == 2


async def test_the_head_of_a_compressed_one(web: Web) -> None:
    """Its Content-Length is that of what was sent, and tells of no change."""
    web.origin.answers("/", reply(FRESH, *CODED, body=PACKED))
    await web.get()
    await web.head("/", {"Cache-Control": "no-cache"})
    seen = await web.get()
    assert (seen.body, seen.from_cache, web.origin.count()) == (BODY.encode(), True, 2)


@only_aiohttp("requests decodes whatever it is asked for")
async def test_ranges_of_one_that_stays_compressed(
    scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    scripted.answers("/", reply(FRESH, *CODED, body=PACKED))
    cache = CacheBackend(clock=clock, cache_control=True)
    async with CachedSession(cache=cache, auto_decompress=False) as session:
        assert await (await session.get(scripted.url("/"))).read() == PACKED
        response = await session.get(scripted.url("/"), headers={"Range": "bytes=2-5"})
        assert (response.status, await response.read()) == (206, PACKED[2:6])
    assert scripted.count() == 1
