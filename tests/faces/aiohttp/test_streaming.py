"""Bodies that come slowly, come without end, or do not come whole."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.faces.aiohttp.parity import ROUTES, open_route, was_cached
from tests.support import endpoints
from tests.support.origin import Origin

BROKEN = ["/raw/short-of-content-length", "/raw/unfinished-chunks"]


@pytest.mark.parametrize("path", BROKEN)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_truncated_body_is_an_error_and_is_not_stored(
    origin: Origin, open_backend: OpenBackend, route: str, path: str
) -> None:
    """As without a cache: the response is there, reading it fails."""
    backend = open_backend()
    async with open_route(route, backend) as session:
        for _ in range(2):
            response = await session.get(origin.url(path))
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        assert await backend.responses.size() == 0
    assert origin.count() == 2


@pytest.mark.parametrize("path", BROKEN)
async def test_a_truncated_body_that_nobody_reads(
    origin: Origin, open_session: OpenSession, path: str
) -> None:
    async with open_session() as session:
        for _ in range(2):
            assert not (await session.get(origin.url(path))).from_cache
        assert await session.cache.responses.size() == 0


@pytest.mark.parametrize("route", ROUTES)
async def test_a_slow_body_is_handed_over_before_its_end(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with asyncio.timeout(5), open_route(route, open_backend()) as session:
        response = await session.get(origin.url("/trickle"))
        assert await response.content.readline() == b"piece 0\n"
        origin.open()
        assert await response.content.readline() == b"piece 1\n"
        origin.open(outcome="end")
        assert await response.content.read() == b""

        cached = await session.get(origin.url("/trickle"))
        assert was_cached(cached)
        assert await cached.read() == b"piece 0\npiece 1\n"
    assert origin.count() == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_that_stops_coming(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """It is the reader who waits in vain, and nothing is stored."""
    backend = open_backend()
    timeout = aiohttp.ClientTimeout(sock_read=0.05)
    async with open_route(route, backend, timeout=timeout) as session:
        response = await session.get(origin.url("/trickle"))
        assert response.status == 200
        with pytest.raises(TimeoutError):
            await response.read()
        assert await backend.responses.size() == 0


@pytest.mark.parametrize("route", ROUTES)
async def test_an_event_stream_passes_through(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    backend = open_backend()
    url = origin.url("/trickle?type=text/event-stream")
    async with open_route(route, backend) as session:
        for _ in range(2):
            async with asyncio.timeout(1), session.get(url) as response:
                assert not was_cached(response)
                for n in range(3):
                    assert await response.content.readline() == b"piece %d\n" % n
                    origin.open()
                # It goes on and on; the program has enough.
                response.close()
        assert await backend.responses.size() == 0
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_a_large_body_that_is_read_is_stored(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with open_route(route, open_backend()) as session:
        for cached in (False, True):
            async with session.get(origin.url("/large")) as response:
                assert was_cached(response) is cached
                size = 0
                async for piece in response.content.iter_chunked(2**16):
                    size += len(piece)
                assert size == 3 * 2**20
    assert origin.count() == 1


# aiohttp says so when a response is forgotten, with a cache or without.
@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
@pytest.mark.parametrize("left", ["released", "closed", "context left", "cancelled", "forgotten"])
async def test_a_body_that_was_read_in_part_is_not_stored(
    origin: Origin, open_session: OpenSession, left: str
) -> None:
    """Whoever comes next is given the whole of it."""
    url = origin.url("/trickle")
    async with asyncio.timeout(5), open_session() as session:
        response: Any = await session.get(url)
        assert await response.content.readline() == b"piece 0\n"
        if left == "released":
            response.release()
        elif left == "closed":
            response.close()
        elif left == "context left":
            async with response:
                pass
        elif left == "cancelled":
            reading = asyncio.create_task(response.read())
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait([reading])
        del response
        gc.collect()

        task = asyncio.create_task(session.get(url))  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            while not task.done():
                origin.open(outcome="end")
                await asyncio.sleep(0.01)
        whole = await task
        assert await whole.read() == b"piece 0\n"


async def test_a_slow_reader_does_not_hold_up_others(
    origin: Origin, open_session: OpenSession
) -> None:
    """A task that waits for a body to come is not waited for by the others for ever."""
    async with open_session() as session:
        slow = await session.get(origin.url("/large"))
        async with asyncio.timeout(5):
            other = await session.get(origin.url("/large"))
            assert len(await other.read()) == 3 * 2**20
        assert len(await slow.read()) == 3 * 2**20


@pytest.mark.parametrize("route", ROUTES)
async def test_range_requests_bypass_the_cache(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    url, part = origin.url("/ranges"), {"Range": "bytes=0-4"}
    async with open_route(route, open_backend(allowed_codes=(200, 206))) as session:
        for _ in range(2):
            response = await session.get(url, headers=part)
            assert (response.status, await response.read()) == (206, endpoints.LINES[:5])
            response = await session.get(url)
            assert (response.status, await response.read()) == (200, endpoints.LINES)
    assert origin.count() == 3


async def test_web_sockets_are_none_of_its_business(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        for _ in range(2):
            async with session.ws_connect(origin.url("/web-socket")) as socket:
                await socket.send_str("hello")
                assert await socket.receive_str() == "hello"
        assert await session.cache.responses.size() == 0


async def test_max_entry_bytes(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(max_entry_bytes=1000) as session:
        for _ in range(2):
            for path in ("/large?size=1000", "/large?size=1001", "/compressed/gzip"):
                await (await session.get(origin.url(path))).read()
    assert origin.count("/large") == 3
    assert origin.count("/compressed/gzip") == 2


@pytest.mark.parametrize("cache_control", [False, True])
async def test_what_turns_out_too_large_outdates_what_is_stored(
    origin: Origin, open_session: OpenSession, cache_control: bool
) -> None:
    """Whether that is known before it is handed over or only at its end."""
    url, refresh = origin.url("/trickle"), {"Cache-Control": "no-cache"}
    settings: dict[str, Any] = {"cache_control": cache_control, "expire_after": 60}
    async with asyncio.timeout(5), open_session(max_entry_bytes=12, **settings) as session:
        for pieces in (0, 1):
            asked: Any = {"headers": refresh} if cache_control else {"refresh": True}
            response = await session.get(url, **asked)
            assert await response.content.readline() == b"piece 0\n"
            for _ in range(pieces):
                origin.open()
                assert await response.content.readline() == b"piece 1\n"
            origin.open(outcome="end")
            assert await response.content.read() == b""
            assert await session.cache.responses.size() == 1 - pieces
