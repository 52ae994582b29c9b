"""Bodies that break off, at every byte and in every framing: never stored as complete."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.scene import KINDS, MIB, SOME, Scene, scene_of
from tests.support.wire import Last, WireOrigin, chunked, head, noise, sized

BODY = b"".join(b"%08d %s\n" % (n, noise(3, n).hex().encode()) for n in range(256))
"""4 KiB that can be compressed, but not to nothing."""
assert len(BODY) == 4096

PACKED = gzip.compress(BODY, mtime=0)
GZIP = "Content-Encoding: gzip"

# Made when they are sent: whole answers have a date.
FRAMINGS: dict[str, Callable[[], bytes]] = {
    "length": lambda: sized(BODY),
    "chunked": lambda: chunked(BODY),
    "gzip, length": lambda: sized(PACKED, GZIP),
    "gzip, chunked": lambda: chunked(PACKED, GZIP, size=300),
    "http 1.0": lambda: sized(BODY, version="1.0"),
}

# What breaks off without aiohttp noticing: only the coding tells.
CODINGS: dict[str, Callable[[], bytes]] = {
    "gzip, until close": lambda: head(GZIP) + PACKED,
    "http 1.0, gzip, until close": lambda: head(GZIP, version="1.0") + PACKED,
}


async def read(session: ClientSession, url: str) -> bytes | str:
    """The body, or the name of what reading it raises."""
    async with session.get(url) as response:
        assert response.status == 200
        assert not getattr(response, "from_cache", False)
        try:
            return await response.read()
        except aiohttp.ClientPayloadError as error:
            return type(error).__name__


async def cut(
    session: CachedSession, wire: WireOrigin, framing: str, step: int = 1, offset: int = 0
) -> None:
    """Ask for one URL again and again, whose answer breaks off later each time; at last it is whole."""
    answer = (FRAMINGS | CODINGS)[framing]()
    start = answer.index(b"\r\n\r\n") + 4
    # Where nothing at all came, there is nothing that could be cut.
    start += framing in CODINGS
    before = wire.count()
    cuts = range(start + offset, len(answer), step)
    for end in cuts:
        wire.answers["/"] = Last(answer[:end])
        seen = await read(session, wire.url("/"))
        assert seen == "ClientPayloadError" or framing in CODINGS, (framing, end)
    assert wire.count() - before == len(cuts)
    assert await session.cache.size() == 0
    wire.answers["/"] = Last(answer)
    assert await read(session, wire.url("/")) == BODY
    cached = await session.get(wire.url("/"))
    # Whoever cannot tell a whole coding from a part of one had better not store any.
    assert cached.from_cache or framing in CODINGS
    assert await cached.read() == BODY
    await session.cache.clear()


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_every_byte(tmp_path: Path, framing: str) -> None:
    async with scene_of("memory", tmp_path, lawful=False) as scene:
        session = await scene.open()
        # The parser of 1.0 is that of 1.1.
        await cut(session, scene.wire, framing, step=7 if "1.0" in framing else 1)


@pytest.mark.parametrize("framing", CODINGS)
async def test_every_byte_of_a_coding(tmp_path: Path, framing: str) -> None:
    async with scene_of("memory", tmp_path, lawful=False) as scene:
        session = await scene.open()
        await cut(session, scene.wire, framing, step=7 if "1.0" in framing else 1)


@pytest.mark.parametrize("threshold", [1000, None])
async def test_every_backend(scene: Scene, threshold: int | None) -> None:
    """Each scene begins at another byte."""
    places = [(kind, lawful) for kind in KINDS for lawful in (False, True)]
    offset = places.index((scene.kind, scene.lawful))
    session = await scene.open(**({} if threshold is None else {"stream_threshold": threshold}))
    for framing in FRAMINGS:
        await cut(session, scene.wire, framing, step=len(places) * 9, offset=offset)
    await scene.nothing_is_left(session.cache)


@pytest.mark.soak
@pytest.mark.parametrize("threshold", [0, 1000, MIB])
async def test_every_byte_of_every_backend(scene: Scene, threshold: int) -> None:
    step = max(1, round(1 / float(os.environ.get("SOAK_SCALE", "1"))))
    session = await scene.open(stream_threshold=threshold)
    for framing in FRAMINGS | CODINGS:
        await cut(session, scene.wire, framing, step=step)
    await scene.nothing_is_left(session.cache)


@SOME
async def test_large_bodies(scene: Scene) -> None:
    """Cut at random, and at the borders."""
    body = noise(3 * MIB)
    session = await scene.open()
    for answer in (sized(body), chunked(body, size=100_000)):
        start = answer.index(b"\r\n\r\n") + 4
        ends = [start, start + 1, start + MIB, start + MIB + 1, len(answer) - 1]
        ends += random.Random(1).sample(range(start, len(answer)), 4)
        before = scene.wire.count()
        for end in ends:
            scene.wire.answers["/"] = Last(answer[:end])
            assert await read(session, scene.wire.url("/")) == "ClientPayloadError"
        assert scene.wire.count() - before == len(ends)
        await scene.nothing_is_left(session.cache)
        scene.wire.answers["/"] = answer
        assert await read(session, scene.wire.url("/")) == body
        assert await (await session.get(scene.wire.url("/"))).read() == body
        assert scene.wire.count() - before == len(ends) + 1
        await session.cache.clear()


async def test_a_large_gzip_until_close(scene: Scene) -> None:
    packed = gzip.compress(noise(MIB) * 2, 1, mtime=0)
    session = await scene.open()
    for missing in (1, 8, 9, len(packed) // 2):
        scene.wire.answers["/"] = Last(head(GZIP) + packed[:-missing])
        await read(session, scene.wire.url("/"))
    assert scene.wire.count() == 4
    await scene.nothing_is_left(session.cache)


async def test_a_coding_that_breaks_off_in_a_framing_that_does_not(scene: Scene) -> None:
    """Such a message is complete (RFC 9112 section 8): a hit, if any, is what the miss was."""
    session = await scene.open()
    for number, missing in enumerate((1, 8, 9, len(PACKED) // 2)):
        for frame in (sized, chunked):
            scene.wire.answers["/"] = frame(PACKED[:-missing], GZIP)
            url = scene.wire.url(f"/?{frame.__name__}{number}")
            seen = [await (await session.get(url)).read() for _ in range(2)]
            assert seen[0] == seen[1] == BODY[: len(seen[0])]


async def test_what_has_no_body_lacks_nothing(scene: Scene) -> None:
    """The answer to HEAD has the fields of a body that it does not have."""
    session = await scene.open()
    scene.wire.answers["/"] = head(GZIP, f"Content-Length: {len(PACKED)}")
    for cached in (False, True):
        response = await session.head(scene.wire.url("/"))
        assert response.from_cache == cached
        assert await response.read() == b""


@SOME
@pytest.mark.parametrize("threshold", [1000, MIB])
async def test_those_that_nobody_reads(scene: Scene, threshold: int) -> None:
    session = await scene.open(stream_threshold=threshold)
    for framing, made in FRAMINGS.items():
        answer = made()
        start = answer.index(b"\r\n\r\n") + 5
        for end in range(start, len(answer), len(answer) // 20):
            scene.wire.answers["/"] = Last(answer[:end])
            before = scene.wire.count()
            (await session.get(scene.wire.url("/"))).release()
            assert scene.wire.count() == before + 1, (framing, end)
    await scene.nothing_is_left(session.cache)


@pytest.mark.parametrize("framing", FRAMINGS | CODINGS)
async def test_the_caller_sees_what_plain_aiohttp_shows(tmp_path: Path, framing: str) -> None:
    answer = (FRAMINGS | CODINGS)[framing]()
    start = answer.index(b"\r\n\r\n") + 4

    async def shown(session: ClientSession, wire: WireOrigin) -> list[tuple[bytes, str]]:
        seen = []
        for end in range(start, len(answer), len(answer) // 15):
            wire.answers["/"] = Last(answer[:end])
            async with session.get(wire.url(f"/?{end}")) as response:
                pieces, error = b"", ""
                try:
                    async for piece in response.content.iter_any():
                        pieces += piece
                except aiohttp.ClientPayloadError as raised:
                    error = str(raised)
                seen.append((pieces, error))
        return seen

    async with scene_of("memory", tmp_path, lawful=False) as scene, ClientSession() as plain:
        expected = await shown(plain, scene.wire)
        for threshold in (1000, MIB):
            session = await scene.open(stream_threshold=threshold)
            assert await shown(session, scene.wire) == expected
