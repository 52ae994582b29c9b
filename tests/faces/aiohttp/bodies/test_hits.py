"""Large bodies from the cache: read in every way, byte for byte as from the origin."""

from __future__ import annotations

import asyncio
import hashlib
import warnings
from typing import Any

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, comes_true
from tests.faces.aiohttp.parity import outcome
from tests.faces.aiohttp.test_parity_reading import READERS, Reader, read_with
from tests.support.wire import Asked, Last, Wire, noise, sized

pytestmark = SOME

LINES = b"".join(
    b"%07d; %s\n" % (number, noise(number % 700, number).hex().encode()) for number in range(1800)
)
"""More than a mebibyte, in lines of up to 1,400 bytes."""
assert MIB < len(LINES) < 2 * MIB

LONG = LINES[: MIB // 2] + b"x" * 300_000 + b"\n" + LINES[MIB // 2 :]
"""With a line that no buffer takes."""


async def stored(scene: Scene, *bodies: bytes, **settings: Any) -> tuple[CachedSession, list[str]]:
    """Open a session whose cache has the bodies."""
    session = await scene.open(**settings)
    urls = []
    for number, body in enumerate(bodies):
        path = f"/stored/{number}"
        scene.wire.answers[path] = sized(body, "Content-Type: text/plain; charset=latin-1")
        urls.append(scene.wire.url(path))
        async with session.get(urls[-1]) as response:
            assert await response.read() == body
    return session, urls


async def unread(response: Any) -> Any:
    content = response.content
    first = await content.readexactly(1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        content.unread_data(first[400:])
    return first, await content.readexactly(2000), await content.read()


async def end_while_reading(response: Any) -> Any:
    content = response.content
    ended = asyncio.ensure_future(content.wait_eof())
    body = b"".join([piece async for piece in content.iter_chunked(9999)])
    await asyncio.wait_for(ended, 5)
    return body, content.is_eof(), content.at_eof(), content.total_bytes


async def mixed(response: Any) -> Any:
    content = response.content
    assert content is response.content
    parts = [
        await content.readline(),
        await content.read(3),
        await content.readexactly(70_000),
        await content.readuntil(b"; "),
        await content.read(0),
    ]
    return parts, await response.read(), await response.text(), await outcome(content.readline())


async def peeking(response: Any) -> Any:
    """``read_nowait`` gives what is there; how much that is, nobody says."""
    content, seen = response.content, b""
    while not content.at_eof():
        seen += content.read_nowait(500)
        seen += content.read_nowait()
        seen += await content.readany()
    return seen


# The error of a wrong type shows the whole head, which is not the same for a hit.
SAME = {name: way for name, way in READERS.items() if name != "json of another type"}

WAYS: dict[str, Reader] = SAME | {
    "unread": unread,
    "end while reading": end_while_reading,
    "mixed": mixed,
    "peeking": peeking,
    "a large piece": lambda r: r.content.readexactly(MIB),
    "exactly all": lambda r: r.content.readexactly(len(LINES)),
    "one too many": lambda r: outcome(r.content.readexactly(len(LINES) + 1)),
}


def brief(seen: Any) -> Any:
    """Digests in the place of long pieces, which nobody wants to see compared."""
    if isinstance(seen, bytes | str) and len(seen) > 100:
        data = seen if isinstance(seen, bytes) else seen.encode()
        return len(seen), hashlib.sha256(data).hexdigest()
    return type(seen)(map(brief, seen)) if isinstance(seen, tuple | list) else seen


@pytest.mark.parametrize("body", [LINES, LONG], ids=["lines", "long line"])
async def test_every_way_of_reading(scene: Scene, body: bytes) -> None:
    scene.wire.answers["/"] = sized(body, "Content-Type: text/plain; charset=latin-1")
    session = await scene.open()
    async with ClientSession() as plain:
        for name, way in WAYS.items():
            url = scene.wire.url(f"/?{name.replace(' ', '-')}")
            _, expected = brief(await read_with(plain, url, way))
            missed = brief(await read_with(session, url, way))
            # What its reader left is left to the next one.
            await (await session.get(url)).read()
            assert missed == (False, expected), name
            for _ in range(2):
                assert brief(await read_with(session, url, way)) == (True, expected), name
            await session.cache.clear()


@pytest.mark.parametrize("bufsize", [100, 2**16, 2**21])
async def test_read_bufsize(scene: Scene, bufsize: int) -> None:
    async def read(session: ClientSession) -> Any:
        async with session.get(scene.wire.url("/stored/0"), read_bufsize=bufsize) as response:
            limits = response.content.get_read_buffer_limits()
            return limits, await outcome(response.content.readline()), await response.read()

    session, _ = await stored(scene, LONG)
    async with ClientSession() as plain:
        assert await read(session) == await read(plain)
    assert scene.wire.count() == 2


async def test_marks_on_the_way(scene: Scene) -> None:
    session, (url,) = await stored(scene, LINES)
    async with session.get(url) as response:
        content = response.content
        assert not content.at_eof()
        called: list[bool] = []
        content.on_eof(lambda: called.append(True))
        await content.readexactly(len(LINES) - 1)
        assert not content.at_eof()
        assert await content.read() == LINES[-1:]
        assert content.at_eof()
        assert content.is_eof()
        assert content.exception() is None
        assert content.total_bytes == len(LINES)
        await comes_true(lambda: called == [True])
        assert await content.readchunk() == (b"", False)
        assert await content.readany() == b""


async def test_json_and_encodings(scene: Scene) -> None:
    body = b"[" + b",".join(b'{"number": %d}' % number for number in range(80_000)) + b"]"
    session, (url,) = await stored(scene, body)
    for cached in (True, True):
        async with session.get(url) as response:
            assert response.from_cache is cached
            assert len(await response.json(content_type=None)) == 80_000
            assert await response.text() == body.decode()
            assert response.headers["Content-Length"] == str(len(body))


async def test_bodies_that_were_decoded(scene: Scene) -> None:
    """A hit is not decoded a second time, and tells what its head told."""
    import gzip

    session = await scene.open()
    packed = gzip.compress(LINES, 1)
    scene.wire.answers["/"] = sized(packed, "Content-Encoding: gzip")
    for cached in (False, True, True):
        async with session.get(scene.wire.url("/")) as response:
            assert response.from_cache is cached
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.content_length == len(packed)
            assert b"".join([piece async for piece in response.content.iter_any()]) == LINES
    for cached in (False, True):
        async with session.get(scene.wire.url("/"), auto_decompress=False) as response:
            assert response.from_cache is cached
            assert await response.read() == packed
    assert scene.wire.count() == 2


async def test_many_readers_at_different_speeds(scene: Scene) -> None:
    body = noise(4 * MIB)
    session, (url,) = await stored(scene, body)

    async def read(size: int, pause: float) -> bool:
        async with session.get(url) as response:
            seen = []
            async for piece in response.content.iter_chunked(size):
                seen.append(piece)
                await asyncio.sleep(pause)
            return response.from_cache and b"".join(seen) == body

    speeds = [(2**20, 0.01), (2**16, 0), (2**17, 0.001), (100_003, 0.002), (2**22, 0), (9001, 0)]
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(read(*speed) for speed in speeds * 2)) == [True] * 12
    assert scene.wire.count() == 1


async def test_readers_by_turns(scene: Scene) -> None:
    """Each goes on where it was."""
    first, second = noise(2 * MIB, 1), noise(2 * MIB, 2)
    session, urls = await stored(scene, first, second)
    bodies = [first, second, first, second]
    responses = [await session.get(url) for url in urls * 2]
    seen = [b""] * 4
    while len(seen[0]) < len(first):
        for number, response in enumerate(responses):
            seen[number] += await response.content.read(50_000 + number)
    for number, response in enumerate(responses):
        assert seen[number] + await response.content.read() == bodies[number]


async def test_two_tasks_that_read_one_hit(scene: Scene) -> None:
    """As with aiohttp's own streams, the second is told so, and the first is not disturbed."""
    session, (url,) = await stored(scene, noise(3 * MIB))
    async with session.get(url) as response:
        results = await asyncio.gather(
            *(outcome(response.content.readexactly(MIB)) for _ in range(2))
        )
        pieces = [result for result in results if isinstance(result, bytes)]
        rest = await response.content.read()
    assert pieces
    assert all(isinstance(r, bytes) or r[0] == "RuntimeError" for r in results), results
    assert len(b"".join(pieces) + rest) == 3 * MIB


async def test_a_reader_that_is_cancelled_may_read_on(scene: Scene) -> None:
    body = noise(3 * MIB)
    session, (url,) = await stored(scene, body)
    async with session.get(url) as response:
        seen = await response.content.readexactly(1000)
        for turns in range(6):
            reading = asyncio.ensure_future(response.content.readany())
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            (done,) = (await asyncio.wait([reading]))[0]
            if not done.cancelled():
                seen += done.result()
        assert seen + await response.content.read() == body


async def test_hits_do_not_hold_up_the_loop(scene: Scene) -> None:
    """While one task reads what is large, others have their turn."""
    body = noise(MIB) * 16
    session, (url,) = await stored(scene, body)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async with session.get(url) as response:
        size = 0
        async for piece in response.content.iter_chunked(2**16):
            size += len(piece)
    counting.cancel()
    assert size == len(body)
    assert turns > 20


async def test_the_end_of_a_session_is_the_end_of_its_connections_only(scene: Scene) -> None:
    """A hit that is being read goes on, as it has none."""
    body = noise(3 * MIB)
    backend = scene.backend()
    session = await scene.session(backend)
    scene.wire.answers["/"] = sized(body)
    url = scene.wire.url("/")
    await (await session.get(url)).read()
    response = await session.get(url)
    first = await response.content.readexactly(MIB)
    await session.close()
    assert first + await response.content.read() == body


async def test_until_close(scene: Scene) -> None:
    """Such a body is as good as another, and its hit says nothing of a length."""
    from tests.support.wire import head

    async def answer(wire: Wire, asked: Asked) -> Last:
        return Last(head() + LINES)

    scene.wire.answers["/"] = answer
    session = await scene.open()
    for cached in (False, True):
        async with session.get(scene.wire.url("/")) as response:
            assert response.from_cache is cached
            assert "Content-Length" not in response.headers
            assert await response.read() == LINES
