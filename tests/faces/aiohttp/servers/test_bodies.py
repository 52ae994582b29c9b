"""Large bodies through each server: as they come, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import aiohttp
import pytest
from aiohttp import ClientResponse

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.servers.places import Place
from tests.support.origin import Origin
from tests.support.wire import Wire, WireOrigin, chunked, head, noise, sized

MIB = 2**20
BODY = noise(5 * MIB)


@pytest.fixture
async def wire() -> AsyncIterator[WireOrigin]:
    async with WireOrigin().serving() as wire:
        yield wire


async def digest_of(response: ClientResponse) -> tuple[int, str]:
    """Read it piece by piece."""
    size, digest = 0, sha256()
    async for piece in response.content.iter_chunked(2**16):
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()


WHOLE = len(BODY), sha256(BODY).hexdigest()


async def test_sizes_around_every_border(
    wire: WireOrigin, open_backend: OpenBackend, place: Place
) -> None:
    """Where bodies are cut into blocks, and where they begin to be."""
    borders = [0, 1, 250_000, 256 * 1024, 350_000, 400_000, 400 * 1024, MIB, 2 * MIB]
    sizes = sorted({max(0, size + step) for size in borders for step in (-1, 0, 1)})
    for size in sizes:
        wire.answers[f"/{size}"] = sized(BODY[:size]) if size % 2 else chunked(BODY[:size])
    for kept in (False, True):
        async with CachedSession(cache=open_backend()) as session:
            for size in sizes:
                async with session.get(wire.url(f"/{size}")) as response:
                    assert response.from_cache is kept, size
                    assert await response.read() == BODY[:size]


@pytest.mark.parametrize("settings", [{}, {"compression": "zstd", "secret_key": "k"}], ids=str)
async def test_five_mebibytes(
    wire: WireOrigin, open_backend: OpenBackend, settings: dict[str, str]
) -> None:
    wire.answers["/"] = chunked(BODY, size=50_000)
    for kept in (False, True):
        async with CachedSession(cache=open_backend(**settings)) as session:
            async with session.get(wire.url()) as response:
                assert response.from_cache is kept
                assert await digest_of(response) == WHOLE
            if kept:
                # From the middle on, by every way of reading.
                async with session.get(wire.url()) as response:
                    assert await response.content.readexactly(3_000_000) == BODY[:3_000_000]
                    assert await response.content.read() == BODY[3_000_000:]
                # Nobody is disturbed by one who leaves.
                async with session.get(wire.url()) as response:
                    await response.content.readexactly(10)
                async with session.get(wire.url()) as response:
                    assert await response.read() == BODY
                assert await session.cache.bytes() > 4 * MIB
    assert wire.count() == 1


async def test_forty_mebibytes(wire: WireOrigin, open_backend: OpenBackend) -> None:
    part = noise(4 * MIB, seed=1)

    async def ten_times(wire: Wire, asked: object) -> None:
        await wire.send(head(f"Content-Length: {10 * len(part)}"))
        for _ in range(10):
            await wire.send(part)

    expected = sha256()
    for _ in range(10):
        expected.update(part)
    wire.answers["/"] = ten_times
    for kept in (False, True):
        async with (
            CachedSession(cache=open_backend()) as session,
            session.get(wire.url()) as response,
        ):
            assert response.from_cache is kept
            assert await digest_of(response) == (40 * MIB, expected.hexdigest())
    assert wire.count() == 1


async def test_what_is_left_is_not_kept(
    wire: WireOrigin, open_backend: OpenBackend, place: Place
) -> None:
    """Broken off by the origin, by its reader, or not read."""
    wire.answers["/"] = sized(BODY)

    async def broken(wire: Wire, asked: object) -> None:
        await wire.send(sized(BODY)[: 3 * MIB])
        wire.transport.close()

    async def stuck(wire: Wire, asked: object) -> None:
        await wire.send(sized(BODY)[: 3 * MIB])
        await wire.gone.wait()

    wire.answers.update({"/broken": broken, "/stuck": stuck})
    backend = open_backend()
    async with CachedSession(cache=backend) as session:
        with pytest.raises(aiohttp.ClientPayloadError):
            await (await session.get(wire.url("/broken"))).read()
        async with session.get(wire.url()) as response:
            await response.content.readexactly(2 * MIB)
        async with session.get(wire.url()):
            pass
        task = asyncio.create_task((await session.get(wire.url("/stuck"))).read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # What was under way is taken back by the way.
        async with asyncio.timeout(10):
            while await backend.bytes():  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.02)
        assert await backend.size() == 0
        assert place.records() == []
        async with session.get(wire.url()) as response:
            assert not response.from_cache
            assert await response.read() == BODY
        async with session.get(wire.url()) as response:
            assert response.from_cache
            assert await response.read() == BODY


@pytest.mark.parametrize("way", ["delete", "clear", "replace"])
async def test_removed_while_it_is_read(
    wire: WireOrigin, open_backend: OpenBackend, way: str
) -> None:
    """Who has begun reads to the end; nobody is given a mixture."""
    wire.answers["/"] = sized(BODY)
    backend = open_backend()
    async with CachedSession(cache=backend) as session:
        await (await session.get(wire.url())).read()
        async with session.get(wire.url()) as response:
            assert response.from_cache
            begun = await response.content.readexactly(100_000)
            if way == "delete":
                assert await backend.delete_url(wire.url()) == 1
            elif way == "clear":
                await backend.clear()
            else:
                wire.answers["/"] = sized(BODY[::-1])
                await (await session.get(wire.url(), force_refresh=True)).read()
            assert begun + await response.content.read() == BODY
        async with session.get(wire.url()) as response:
            assert response.from_cache is (way == "replace")
            assert await response.read() == (BODY[::-1] if way == "replace" else BODY)


async def test_thresholds(wire: WireOrigin, open_backend: OpenBackend) -> None:
    """``stream_threshold`` says what is read first; ``max_entry_bytes`` what is kept."""
    small, large = BODY[:100_000], BODY[:300_000]
    wire.answers.update({"/small": sized(small), "/large": sized(large)})
    backend = open_backend(stream_threshold=150_000, max_entry_bytes=MIB)
    async with CachedSession(cache=backend) as session:
        for path, is_read in (("/small", True), ("/large", False)):
            async with session.get(wire.url(path)):
                pass
            assert await backend.has_url(wire.url(path)) is is_read
        async with session.get(wire.url("/large")) as response:
            assert await response.read() == large
        assert await backend.has_url(wire.url("/large"))
        wire.answers["/larger"] = sized(BODY)
        async with session.get(wire.url("/larger")) as response:
            assert await response.read() == BODY
        assert not await backend.has_url(wire.url("/larger"))


async def test_many_readers_of_one_miss(wire: WireOrigin, open_backend: OpenBackend) -> None:
    wire.answers["/"] = sized(BODY)
    async with CachedSession(cache=open_backend()) as session:

        async def fetch() -> bool:
            async with session.get(wire.url()) as response:
                assert await response.read() == BODY
                return bool(response.from_cache)

        kept = await asyncio.gather(*(fetch() for _ in range(8)))
    # Nobody waits longer than a quarter of a second for a server that is slow to take it.
    assert kept.count(False) == wire.count() < 8


async def test_compressed_ones_stay_as_they_come(origin: Origin, open_backend: OpenBackend) -> None:
    """``auto_decompress=False`` is kept apart."""
    url = origin.url("/compressed/gzip")
    for kept in (False, True):
        async with CachedSession(cache=open_backend(compression="zstd")) as session:
            raw = await session.get(url, auto_decompress=False)
            plain = await session.get(url)
            assert (raw.from_cache, plain.from_cache) == (kept, kept)
            assert (await raw.read()).startswith(b"\x1f\x8b")
            assert (await plain.text()).startswith("Tüür")
