"""How records are written, and what becomes of those that somebody else has touched."""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.servers.places import Place
from tests.faces.aiohttp.servers.tampering import change_a_block, tamper
from tests.support import endpoints
from tests.support.origin import Origin

LARGE_SIZE = 1_200_000
LARGE = b"x" * LARGE_SIZE
STEPS = {"redis": 20, "mongodb": 12, "gridfs": 8, "dynamodb": 5}


class Visitor:
    """Asks for a small response, a redirect and a large response, and reads them."""

    def __init__(self, origin: Origin) -> None:
        self._bodies = {
            origin.url("/lines"): endpoints.LINES,
            origin.url("/redirect-to?to=/latin"): endpoints.POEM.encode("latin-1"),
            origin.url(f"/large?size={len(LARGE)}"): LARGE,
        }
        self.broken = 0

    async def visit(self, session: ClientSession) -> list[str]:
        """The URLs whose bodies are not theirs."""
        wrong = []
        for url, expected in self._bodies.items():
            async with session.get(url) as response:
                assert response.status == 200, url
                try:
                    body = await response.read()
                except ClientPayloadError:
                    # Part of a large one had been handed over.
                    assert expected is LARGE
                    self.broken += 1
                    continue
            if body != expected:
                wrong.append(url)
        return wrong


@pytest.mark.parametrize("compression", [None, "zstd"])
async def test_what_others_touched_is_not_served(
    origin: Origin, place: Place, open_backend: OpenBackend, compression: str | None
) -> None:
    settings: Any = {"secret_key": "secret", "compression": compression, "serializer": "json"}
    visitor, random = Visitor(origin), Random(5)
    async with CachedSession(cache=open_backend(**settings)) as session:
        with place.server() as server:
            assert await visitor.visit(session) == []
            for _ in range(STEPS[place.kind]):
                what = await asyncio.to_thread(tamper, place, server, random)
                assert await visitor.visit(session) == [], what
                assert "HTTP_CACHE_BOMB" not in os.environ, what
                # It has been fetched anew, and is whole again.
                await visitor.visit(session)
                asked, broken = origin.count(), visitor.broken
                assert await visitor.visit(session) == [], what
                assert (origin.count(), visitor.broken) == (asked, broken), what


async def test_a_body_that_is_damaged_further_on_is_met_once(
    origin: Origin, place: Place, open_backend: OpenBackend
) -> None:
    """Also where the program ends with the error."""
    url = origin.url(f"/large?size={3 * LARGE_SIZE}")

    async def fetch() -> int:
        async with (
            CachedSession(cache=open_backend(secret_key="secret")) as session,
            session.get(url) as response,
        ):
            return len(await response.read())

    assert await fetch() == 3 * LARGE_SIZE
    with place.server() as server:
        change_a_block(place, server)
    with pytest.raises(ClientPayloadError):
        await fetch()
    assert await fetch() == 3 * LARGE_SIZE
    assert origin.count() == 2
    assert await fetch() == 3 * LARGE_SIZE
    assert origin.count() == 2


async def test_damage_breaks_nothing(
    origin: Origin, place: Place, open_backend: OpenBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a key: who can write may lie, but not break a request."""
    visitor, random = Visitor(origin), Random(6)
    async with CachedSession(cache=open_backend()) as session:
        with place.server() as server:
            for _ in range(STEPS[place.kind]):
                await visitor.visit(session)
                what = await asyncio.to_thread(tamper, place, server, random)
                assert "HTTP_CACHE_BOMB" not in os.environ, what
            assert len(await session.cache.get_urls()) <= 3
            await session.delete_expired_responses()
            async for response in session.cache.responses.values():
                assert response.status == 200
            await session.cache.clear()
            assert await session.cache.size() == 0
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("serializer", ["msgpack", "json"])
async def test_either_form(
    origin: Origin, place: Place, open_backend: OpenBackend, serializer: str
) -> None:
    url = origin.url("/redirect/1")
    for kept in (False, True):
        async with CachedSession(cache=open_backend(serializer=serializer)) as session:
            response = await session.get(url)
            assert response.from_cache is kept
            assert len(response.history) == 1
    if serializer == "json":
        assert b"text/plain" in bytes_of(place)


async def test_keys_change(origin: Origin, open_backend: OpenBackend) -> None:
    """The first one signs, all of them are accepted."""
    url = origin.url("/redirect/1")
    for keys, kept in (
        ("old", False),
        ("new", False),
        ("old", False),
        (["new", "old"], True),
        ("old", True),
        (None, False),
        ("old", False),
    ):
        async with CachedSession(cache=open_backend(secret_key=keys)) as session:
            assert (await session.get(url)).from_cache is kept, keys


async def test_compressed_and_plain_ones_lie_side_by_side(
    origin: Origin, open_backend: OpenBackend
) -> None:
    plain, packed = open_backend(), open_backend(compression="zstd")
    async with CachedSession(cache=packed) as one, CachedSession(cache=plain) as other:
        for first, second, size in ((one, other, 100_000), (other, one, 90_000)):
            url = origin.url(f"/large?size={size}")
            before = await plain.bytes()
            await first.get(url)
            took = await plain.bytes() - before
            assert took < 5000 if first is one else took > size
            kept = await second.get(url)
            assert (kept.from_cache, await kept.read()) == (True, b"x" * size)


def bytes_of(place: Place) -> bytes:
    """All values that the server has of the cache, one after the other."""
    with place.server() as server:
        if place.kind == "dynamodb":
            items = place.items(server)
            return b"".join(v.get("B", b"") for item in items for v in item.values())
        if place.kind in ("mongodb", "gridfs"):
            found = [one for each in place.collections(server) for one in each.find()]
            return b"".join(v for one in found for v in one.values() if isinstance(v, bytes))
        hashes = [key for key in place.keys(server) if server.type(key) == b"hash"]
        return b"".join(value for key in hashes for value in server.hvals(key))
