"""What ``compression="zstd"`` changes for a session: nothing but the room that bodies take."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from aiohttp_client_cache import (
    CacheBackend,
    CachedSession,
    ConfigurationError,
    FileBackend,
    SQLiteBackend,
)
from tests.support.clock import StandingClock
from tests.support.files import everything_in
from tests.support.origin import Origin

BACKENDS: dict[str, type[CacheBackend]] = {"sqlite": SQLiteBackend, "files": FileBackend}
SIZES = [100, 20_000, 500_000, 3_000_000]

OpenPacked = Callable[..., CachedSession]


@pytest.fixture(params=BACKENDS)
def open_packed(request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock) -> OpenPacked:
    """Make sessions on one cache that compresses."""

    def open_packed(**settings: Any) -> CachedSession:
        settings = {"compression": "zstd", "clock": clock} | settings
        return CachedSession(cache=BACKENDS[request.param](tmp_path / "cache", **settings))

    return open_packed


@pytest.mark.parametrize("cache_control", [False, True])
@pytest.mark.parametrize("size", SIZES)
async def test_hits_are_as_ever(
    origin: Origin, open_packed: OpenPacked, tmp_path: Path, size: int, cache_control: bool
) -> None:
    url = origin.url(f"/large?size={size}")
    settings = {"cache_control": cache_control, "expire_after": 60}
    for turn in range(3):
        async with open_packed(**settings) as session:
            response = await session.get(url)
            assert response.from_cache == (turn > 0)
            assert await response.read() == b"x" * size
            again = await session.get(url)
            assert again.from_cache
            assert await again.read() == b"x" * size
    assert origin.count() == 1
    async with open_packed(**settings) as session:
        assert await session.cache.bytes() < 4000
        (kept,) = [response async for response in session.cache.responses.values()]
        assert await kept.read() == b"x" * size
    assert b"x" * 200 not in everything_in(tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_who_does_not_compress_reads_it_all_the_same(
    origin: Origin, open_packed: OpenPacked, size: int
) -> None:
    url = origin.url(f"/large?size={size}")
    for compression in ("zstd", None, "zstd"):
        async with open_packed(compression=compression) as session:
            response = await session.get(url)
            assert await response.read() == b"x" * size
            other = await session.get(origin.url(f"/large?size={size}&by={compression}"))
            assert await other.read() == b"x" * size
    assert origin.count() == 3


@pytest.mark.parametrize("size", SIZES[1:])
async def test_a_part_of_it(origin: Origin, open_packed: OpenPacked, size: int) -> None:
    url = origin.url(f"/large?size={size}")
    async with open_packed(cache_control=True, expire_after=60) as session:
        await (await session.get(url)).read()
        response = await session.get(url, headers={"Range": f"bytes={size // 2}-{size - 2}"})
        assert response.status == 206
        assert response.from_cache
        assert await response.read() == b"x" * (size - 1 - size // 2)
    assert origin.count() == 1


@pytest.mark.parametrize("cache_control", [False, True])
async def test_what_is_validated_keeps_its_body(
    origin: Origin, open_packed: OpenPacked, clock: StandingClock, cache_control: bool
) -> None:
    pass


def damage(folder: Path) -> None:
    """Change the last byte of each file that holds a body."""
    for path in folder.rglob("*"):
        if path.is_file() and "sqlite" not in path.name:
            data = bytearray(path.read_bytes())
            data[-1] ^= 1
            path.write_bytes(data)


async def test_one_that_is_damaged_breaks_off_and_is_fetched_anew(
    origin: Origin, open_packed: OpenPacked, tmp_path: Path
) -> None:
    url = origin.url("/range/3000000")
    async with open_packed() as session:
        body = await (await session.get(url)).read()
        assert len(body) == 3_000_000
        assert await session.cache.bytes() < 100_000
    damage(tmp_path)
    async with open_packed() as session:
        response = await session.get(url)
        if response.from_cache:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
            # What cannot be read goes, in the background.
            async with asyncio.timeout(5):
                while await session.cache.responses.size():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.005)
            response = await session.get(url)
        assert not response.from_cache
        assert await response.read() == body


async def test_memory_takes_the_option_and_keeps_bodies_as_they_are(origin: Origin) -> None:
    async with CachedSession(compression="zstd") as session:
        for turn in range(2):
            response = await session.get(origin.url("/large?size=20000"))
            assert response.from_cache == bool(turn)
            assert await response.read() == b"x" * 20_000
        assert await session.cache.bytes() > 20_000


@pytest.mark.parametrize("backend", [CacheBackend, *BACKENDS.values()])
def test_another_name_is_refused(backend: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="compression must be 'zstd', or None for none"):
        backend(tmp_path / "cache", compression="gzip")


def test_without_the_library_it_is_said_what_to_install(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["backports.zstd"] = sys.modules["compression.zstd"] = None
from aiohttp_client_cache import CacheBackend, FileBackend, MissingDependency, SQLiteBackend
CacheBackend(compression="zstd")
for backend in (SQLiteBackend, FileBackend):
    backend(sys.argv[1])
    try:
        backend(sys.argv[1], compression="zstd")
    except MissingDependency as error:
        print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "cache")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.count("pip install aiohttp-client-cache[zstd]") == 2


async def test_it_belongs_to_the_backend(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="compression belongs to the backend"):
        CachedSession(cache=SQLiteBackend(tmp_path / "cache"), compression="zstd")


# Bombs of an origin.

BOMB_BYTES = 2**28


@functools.cache
def bomb() -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    parts = [compressor.compress(bytes(2**20)) for _ in range(BOMB_BYTES // 2**20)]
    return b"".join([*parts, compressor.flush()])


@pytest.fixture
async def bomb_url() -> AsyncIterator[str]:
    """Of 256 KiB that become 256 MiB."""

    async def answer(request: web.Request) -> web.Response:
        fields = {"Content-Encoding": "gzip", "Cache-Control": "max-age=60"}
        return web.Response(body=bomb(), headers=fields)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def traced(session: aiohttp.ClientSession, url: str) -> int:
    """Read some of a body as it comes; answers the most memory that was held, in bytes."""
    size = 0
    tracemalloc.start()
    try:
        async with session.get(url) as response:
            async for piece in response.content.iter_chunked(2**16):
                size += len(piece)
                if size >= BOMB_BYTES // 2:
                    break
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak


@pytest.mark.parity
@pytest.mark.parametrize("cache_control", [False, True])
async def test_a_bomb_is_not_copied_beyond_the_limit(
    bomb_url: str, tmp_path: Path, cache_control: bool
) -> None:
    async with aiohttp.ClientSession() as session:
        plain = await traced(session, bomb_url)
    backends = [
        CacheBackend(max_entry_bytes=2**20, cache_control=cache_control),
        SQLiteBackend(tmp_path / "a", max_entry_bytes=2**21, cache_control=cache_control),
        FileBackend(tmp_path / "b", compression="zstd", cache_control=cache_control),
    ]
    for backend in backends:
        async with CachedSession(cache=backend) as session:
            # What is read before the response is handed over, and what is on its way to the disk.
            assert await traced(session, bomb_url) < plain + 7 * 2**20
            assert await backend.responses.size() == 0


async def test_a_bomb_that_is_kept_takes_no_more_than_it_came_as(
    bomb_url: str, tmp_path: Path
) -> None:
    backend = FileBackend(tmp_path / "cache", compression="zstd")
    async with CachedSession(cache=backend) as session:
        for turn in range(2):
            response = await session.get(bomb_url)
            assert response.from_cache == bool(turn)
            async for piece in response.content.iter_chunked(2**20):
                assert piece.count(0) == len(piece)
            assert response.content.total_bytes == BOMB_BYTES
        assert await backend.bytes() < 2**17
