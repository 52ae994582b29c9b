"""Large bodies on their way from the origin: handed over at once, at the pace of the reader."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, comes_true, connections
from tests.support.wire import Asked, Wire, WireOrigin, chunk, head, noise

SIZE = 3 * MIB
BODY = noise(SIZE)
FRAMINGS = ["length", "chunked"]


class Gated:
    """Answers with ``BODY``, of which a part comes only when the gate is opened.

    Args:
        first: how many bytes come before.
    """

    def __init__(self, framing: str, first: int, *lines: str) -> None:
        self.gate = asyncio.Event()
        self._framing = framing
        self._first = first
        self._lines = lines

    async def __call__(self, wire: Wire, asked: Asked) -> None:
        sized = self._framing == "length"
        frame = f"Content-Length: {SIZE}" if sized else "Transfer-Encoding: chunked"
        await wire.send(head(frame, *self._lines))
        for part in (BODY[: self._first], None, BODY[self._first :]):
            if part is None:
                await self.gate.wait()
            elif part:
                await wire.send(part if sized else chunk(part))
        if not sized:
            await wire.send(b"0\r\n\r\n")


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_handed_over_before_the_body_has_come(scene: Scene, framing: str) -> None:
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = answer = Gated(framing, MIB + 2**17)
    async with asyncio.timeout(5):
        response = await session.get(url)
        assert await response.content.readexactly(MIB) == BODY[:MIB]
        assert await response.content.readexactly(2**17) == BODY[MIB : MIB + 2**17]
        assert not response.content.at_eof()
        answer.gate.set()
        assert await response.content.read() == BODY[MIB + 2**17 :]
        cached = await session.get(url)
        assert cached.from_cache
        assert await cached.read() == BODY
    assert scene.wire.count() == 1


@SOME
async def test_a_large_one_is_handed_over_with_its_head(scene: Scene) -> None:
    """Its length is known, so nothing of it need come, and no pause is waited for."""
    session = await scene.open()
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(3):
        scene.wire.answers["/"] = answer = Gated("length", 0)
        async with asyncio.timeout(5):
            began = loop.time()
            response = await session.get(scene.wire.url("/"))
            took.append(loop.time() - began)
            reading = asyncio.ensure_future(response.content.readany())
            await asyncio.sleep(0)
            assert not reading.done()
            answer.gate.set()
            first = await reading
            assert first + await response.read() == BODY
        await session.cache.clear()
    assert min(took) < 0.08


async def sent_unread(session: ClientSession, wire: WireOrigin) -> int:
    """How much the origin can send of a body that nobody reads for a while."""
    before = wire.sent
    async with session.get(wire.url("/")) as response:
        last = -1
        while last != wire.sent:
            last = wire.sent
            await asyncio.sleep(0.03)
        digest, size = hashlib.sha256(), 0
        async for piece in response.content.iter_any():
            digest.update(piece)
            size += len(piece)
    assert size == 24 * MIB
    assert digest.digest() == hashlib.sha256(BODY * 8).digest()
    return last - before


@SOME
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_the_origin_waits_for_the_reader(scene: Scene, framing: str) -> None:
    async def answer(wire: Wire, asked: Asked) -> None:
        sized = framing == "length"
        frame = f"Content-Length: {8 * SIZE}" if sized else "Transfer-Encoding: chunked"
        await wire.send(head(frame))
        for _ in range(8):
            await wire.send(BODY if sized else chunk(BODY))
        if not sized:
            await wire.send(b"0\r\n\r\n")

    scene.wire.answers["/"] = answer
    session = await scene.open(stream_threshold=MIB)
    async with ClientSession() as plain:
        usual = await sent_unread(plain, scene.wire)
    # Beside what the system and aiohttp hold, no more than the threshold may have been read.
    assert await sent_unread(session, scene.wire) < max(usual, 4 * MIB) + MIB + MIB // 2
    assert (await session.get(scene.wire.url("/"))).from_cache
    assert scene.wire.count() == 2


@SOME
async def test_one_that_is_read_slowly_is_stored(scene: Scene) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = answer = Gated("chunked", MIB * 2)
    answer.gate.set()
    response = await session.get(scene.wire.url("/"))
    seen = b""
    while piece := await response.content.read(70_000):
        seen += piece
        await asyncio.sleep(0.001)
    assert seen == BODY
    cached = await session.get(scene.wire.url("/"))
    assert cached.from_cache
    assert await cached.read() == BODY


@SOME
async def test_it_is_stored_when_its_reader_has_its_end(scene: Scene) -> None:
    """Whoever asks next finds it, without a moment between."""
    session = await scene.open()
    for number in range(5):
        scene.wire.answers["/"] = answer = Gated("length", MIB)
        answer.gate.set()
        for _ in range(2):
            async with session.get(scene.wire.url(f"/?{number}")) as response:
                async for _ in response.content.iter_chunked(2**16):
                    pass
        assert scene.wire.count(f"/?{number}") == 1


@SOME
async def test_the_connection_is_used_again(scene: Scene) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = answer = Gated("length", 100)
    answer.gate.set()
    for number in range(5):
        async with session.get(scene.wire.url(f"/?{number}")) as response:
            assert len(await response.read()) == SIZE
        assert connections(session) == (0, 1)
    assert scene.wire.connections == 1


async def test_a_connection_that_the_reader_has_not_emptied_is_not_used_again(
    scene: Scene,
) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = answer = Gated("length", SIZE)
    answer.gate.set()
    async with session.get(scene.wire.url("/")) as response:
        assert connections(session) == (1, 0)
        await response.content.readexactly(10)
    assert connections(session) == (0, 0)
    await comes_true(lambda: not scene.wire.wires)


@pytest.mark.parametrize("framing", FRAMINGS)
@SOME
@pytest.mark.parametrize("limit", [1000, MIB, 2 * MIB, SIZE - 1, SIZE])
async def test_max_entry_bytes(scene: Scene, framing: str, limit: int) -> None:
    """It may turn out in the middle of a body; its reader has nothing to do with it."""
    session = await scene.open(max_entry_bytes=limit, stream_threshold=MIB)
    scene.wire.answers["/"] = answer = Gated(framing, MIB + 100)
    answer.gate.set()
    for _ in range(2):
        async with session.get(scene.wire.url("/")) as response:
            assert await response.read() == BODY
        assert connections(session) == (0, 1)
    stored = limit == SIZE
    assert scene.wire.count() == (1 if stored else 2)
    if not stored:
        await scene.nothing_is_left(session.cache)


@SOME
async def test_a_limit_of_the_store(scene: Scene) -> None:
    session = await scene.open(max_bytes=2 * MIB)
    scene.wire.answers["/"] = answer = Gated("chunked", 100)
    answer.gate.set()
    for _ in range(2):
        assert await (await session.get(scene.wire.url("/"))).read() == BODY
        assert await session.cache.bytes() <= 2 * MIB
    assert scene.wire.count() == 2
    await scene.nothing_is_left(session.cache)


async def test_what_a_status_or_a_method_forbids_is_not_even_begun(scene: Scene) -> None:
    """No byte of it reaches the disk."""
    session = await scene.open()

    async def answer(wire: Wire, asked: Asked) -> None:
        status = "200 OK" if asked.method == "POST" else "404 Not Found"
        await wire.send(head(f"Content-Length: {SIZE}", "Cache-Control: no-store", status=status))
        await wire.send(BODY)

    scene.wire.answers["/"] = answer
    for method in ("GET", "POST"):
        response = await session.request(method, scene.wire.url("/"))
        await response.content.readexactly(2 * MIB)
        assert scene.bodies() < 1000
        response.close()
    await scene.nothing_is_left(session.cache)


@SOME
@pytest.mark.parametrize("reader", ["read", "iter_any", "readchunk", "line by line", "text"])
async def test_every_way_of_reading_stores_it(scene: Scene, reader: str) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = answer = Gated("chunked", MIB + 9)
    answer.gate.set()
    response = await session.get(scene.wire.url("/"))
    content: Any = response.content
    if reader == "read":
        assert await response.read() == BODY
    elif reader == "iter_any":
        assert b"".join([piece async for piece in content.iter_any()]) == BODY
    elif reader == "readchunk":
        seen = b""
        while (piece := await content.readchunk()) != (b"", False):
            seen += piece[0]
        assert seen == BODY
    elif reader == "line by line":
        assert b"".join([line async for line in content]) == BODY
    else:
        assert await response.text("latin-1") == BODY.decode("latin-1")
    assert (await session.get(scene.wire.url("/"))).from_cache


async def test_readexactly_to_the_last_byte(scene: Scene) -> None:
    """The end of a body of known length is known without one more call."""
    session: CachedSession = await scene.open()
    scene.wire.answers["/"] = answer = Gated("length", 100)
    answer.gate.set()
    async with session.get(scene.wire.url("/")) as response:
        assert await response.content.readexactly(SIZE) == BODY
    assert (await session.get(scene.wire.url("/"))).from_cache
