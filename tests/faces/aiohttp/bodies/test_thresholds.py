"""Small bodies are read before they are handed over, and up to where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from aiohttp_client_cache import CachedSession
from http_client_cache.errors import ConfigurationError
from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, connections
from tests.support.wire import Asked, Wire, chunk, chunked, head, noise, sized

Frame = Callable[[bytes], bytes]
FRAMES: dict[str, Frame] = {"length": sized, "chunked": chunked}
THRESHOLD = 10_000

pytestmark = SOME


@pytest.mark.parametrize("frame", FRAMES)
async def test_a_small_one_that_nobody_reads_is_stored(scene: Scene, frame: str) -> None:
    session = await scene.open(stream_threshold=THRESHOLD)
    for size in (0, 1, 4096, THRESHOLD - 1, THRESHOLD):
        body = noise(size)
        scene.wire.answers["/"] = FRAMES[frame](body)
        url = scene.wire.url(f"/?{size}")
        first = await session.get(url)
        assert connections(session)[0] == 0
        second = await session.get(url)
        assert (first.from_cache, second.from_cache) == (False, True)
        assert await first.read() == await second.read() == body
        assert scene.wire.count(f"/?{size}") == 1


@pytest.mark.parametrize("frame", FRAMES)
async def test_a_larger_one_is_left_to_its_reader(scene: Scene, frame: str) -> None:
    """Its rest has not been asked of the connection yet."""
    size = 64 * THRESHOLD
    body = noise(size)
    scene.wire.answers["/"] = FRAMES[frame](body)
    session = await scene.open(stream_threshold=THRESHOLD)
    response = await session.get(scene.wire.url("/"))
    assert connections(session) == (1, 0)
    response.close()
    response = await session.get(scene.wire.url("/"))
    assert not response.from_cache
    assert await response.read() == body
    cached = await session.get(scene.wire.url("/"))
    assert cached.from_cache
    assert await cached.read() == body
    assert scene.wire.count() == 2


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("threshold", [0, 1, 999, 1000, 4095, 4096, 4097])
async def test_around_the_threshold(scene: Scene, frame: str, threshold: int) -> None:
    """Whoever reads is given the same, and so is whoever comes next."""
    session = await scene.open(stream_threshold=threshold)
    for size in dict.fromkeys((threshold - 1, threshold, threshold + 1, 4096)):
        body = noise(max(size, 0))
        scene.wire.answers["/"] = FRAMES[frame](body)
        url = scene.wire.url(f"/?{size}")
        for cached in (False, True):
            async with session.get(url) as response:
                assert response.from_cache == cached
                assert await response.read() == body
        assert scene.wire.count(f"/?{size}") == 1
    assert connections(session)[0] == 0


async def test_the_default_is_a_mebibyte(scene: Scene) -> None:
    session = await scene.open()
    assert session.cache.stream_threshold == MIB
    assert session.stream_threshold == MIB
    for size, stored in ((MIB, True), (8 * MIB, False)):
        scene.wire.answers["/"] = sized(noise(size))
        (await session.get(scene.wire.url(f"/?{size}"))).release()
        assert await session.cache.has_url(scene.wire.url(f"/?{size}")) == stored


async def test_it_can_be_set_on_the_session(scene: Scene) -> None:
    body = noise(300_000)
    scene.wire.answers["/"] = sized(body)
    async with CachedSession(stream_threshold=1000) as session:
        (await session.get(scene.wire.url("/"))).release()
        assert await session.cache.size() == 0
        session.stream_threshold = MIB
        (await session.get(scene.wire.url("/"))).release()
        assert await session.cache.size() == 1


@pytest.mark.parametrize("value", [-1, 1.5, "1 MiB", True, b"1"])
def test_mistakes(scene: Scene, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="stream_threshold"):
        scene.backend(stream_threshold=value)


def slowly(wait: Callable[[], Any], *parts: bytes, chunks: bool) -> Any:
    """Send parts of a body, with a wait before each."""

    async def answer(wire: Wire, asked: Asked) -> None:
        whole = b"".join(parts)
        frame = "Transfer-Encoding: chunked" if chunks else f"Content-Length: {len(whole)}"
        await wire.send(head(frame))
        for part in parts:
            await wait()
            await wire.send(chunk(part) if chunks else part)
        if chunks:
            await wire.send(b"0\r\n\r\n")

    return answer


@pytest.mark.parametrize("chunks", [False, True])
async def test_short_pauses_are_waited_for(scene: Scene, chunks: bool) -> None:
    """The body comes in its own time, and nobody reads it: it is stored all the same."""
    session = await scene.open()
    parts = [noise(100, seed) for seed in range(4)]
    scene.wire.answers["/"] = slowly(lambda: asyncio.sleep(0.005), *parts, chunks=chunks)
    await session.get(scene.wire.url("/"))
    cached = await session.get(scene.wire.url("/"))
    assert cached.from_cache
    assert await cached.read() == b"".join(parts)


@pytest.mark.parametrize("chunks", [False, True])
async def test_a_long_pause_hands_it_over(scene: Scene, chunks: bool) -> None:
    """It is stored when its reader has read it to the end, and not before."""
    session = await scene.open()
    gate = asyncio.Semaphore(1)
    parts = [noise(500, seed) for seed in range(3)]
    scene.wire.answers["/"] = slowly(gate.acquire, *parts, chunks=chunks)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        began = loop.time()
        response = await session.get(scene.wire.url("/"))
        assert loop.time() - began < 1
        assert await response.content.readexactly(500) == parts[0]
        gate.release()
        assert await response.content.readexactly(500) == parts[1]
        assert await session.cache.size() == 0
        gate.release()
        assert await response.content.read() == parts[2]
    cached = await session.get(scene.wire.url("/"))
    assert cached.from_cache
    assert await cached.read() == b"".join(parts)
    assert scene.wire.count() == 1


async def test_a_pause_before_the_first_byte_of_a_body(scene: Scene) -> None:
    session = await scene.open()
    gate = asyncio.Semaphore(0)
    scene.wire.answers["/"] = slowly(gate.acquire, b"late", chunks=False)
    async with asyncio.timeout(5):
        response = await session.get(scene.wire.url("/"))
        assert response.status == 200
        gate.release()
        assert await response.text() == "late"
        assert (await session.get(scene.wire.url("/"))).from_cache


async def test_events_pass_at_once(scene: Scene) -> None:
    """Without the pause after which others are handed over."""
    session = await scene.open()
    loop = asyncio.get_running_loop()

    async def answer(wire: Wire, asked: Asked) -> None:
        kind = "Content-Type: text/event-stream; charset=utf-8"
        await wire.send(head("Transfer-Encoding: chunked", kind))
        for number in range(3):
            await gate.acquire()
            await wire.send(chunk(b"data: %d\n\n" % number))
        await wire.gone.wait()

    scene.wire.answers["/"] = answer
    took = []
    for _ in range(4):
        gate = asyncio.Semaphore(0)
        began = loop.time()
        async with asyncio.timeout(5), session.get(scene.wire.url("/")) as response:
            took.append(loop.time() - began)
            assert not response.from_cache
            for number in range(3):
                gate.release()
                assert await response.content.readuntil(b"\n\n") == b"data: %d\n\n" % number
    assert min(took) < 0.08
    await scene.nothing_is_left(session.cache)


async def test_what_is_handed_over_has_all_of_its_bytes_once(scene: Scene) -> None:
    """Those that were read ahead come first, whoever reads them and however."""
    body = noise(50_000)
    scene.wire.answers["/"] = chunked(body, size=777)
    session = await scene.open(stream_threshold=20_000)
    for size in (1, 100, 7777, 20_000, 20_001):
        async with session.get(scene.wire.url(f"/?{size}")) as response:
            first = await response.content.readexactly(size)
            assert first + await response.content.read() == body
            assert response.content.total_bytes == len(body)
            assert await response.content.read() == b""
        assert (await session.get(scene.wire.url(f"/?{size}"))).from_cache


async def test_bodies_that_inflate(scene: Scene) -> None:
    """It is the size that the reader sees that counts."""
    import gzip

    body = bytes(300_000)
    packed = gzip.compress(body)
    assert len(packed) < THRESHOLD
    scene.wire.answers["/"] = sized(packed, "Content-Encoding: gzip")
    session = await scene.open(stream_threshold=THRESHOLD, max_entry_bytes=200_000)
    for _ in range(2):
        async with session.get(scene.wire.url("/")) as response:
            assert await response.read() == body
    assert scene.wire.count() == 2
    await scene.nothing_is_left(session.cache)
    session = await scene.open(stream_threshold=THRESHOLD)
    for _ in range(2):
        async with session.get(scene.wire.url("/")) as response:
            assert await response.read() == body
    assert scene.wire.count() == 3
