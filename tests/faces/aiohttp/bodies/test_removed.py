"""Large bodies that leave the cache while somebody reads them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.programs import run
from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, SOME, Scene
from tests.support.clock import StandingClock
from tests.support.wire import noise, sized

SIZE = 2 * MIB + MIB // 2
BODY, OTHER = noise(SIZE, 1), noise(SIZE, 2)

Removal = Callable[[Scene, CachedSession, str], Awaitable[object]]


async def delete_key(scene: Scene, session: CachedSession, url: str) -> None:
    assert await session.cache.delete(session.cache.create_key("GET", url))


async def replace(scene: Scene, session: CachedSession, url: str) -> None:
    scene.wire.answers["/"] = sized(OTHER)
    response = await session.get(url, force_refresh=True)
    assert await response.read() == OTHER
    assert await (await session.get(url)).read() == OTHER


async def replace_by_a_small_one(scene: Scene, session: CachedSession, url: str) -> None:
    scene.wire.answers["/"] = sized(b"small")
    assert await (await session.get(url, force_refresh=True)).read() == b"small"


async def evict(scene: Scene, session: CachedSession, url: str) -> None:
    scene.wire.answers["/more"] = sized(OTHER)
    for number in range(4):
        await (await session.get(scene.wire.url(f"/more?{number}"))).read()
    assert await session.cache.size() == 3
    assert not await session.cache.has_url(url)


async def expire(scene: Scene, session: CachedSession, url: str) -> None:
    assert scene.clock is not None
    scene.clock.advance(days=1)
    await session.cache.delete_expired_responses()
    assert await session.cache.size() == 0


async def expire_and_be_fetched_anew(scene: Scene, session: CachedSession, url: str) -> None:
    assert scene.clock is not None
    scene.clock.advance(days=1)
    await replace(scene, session, url)


async def close_backend(scene: Scene, session: CachedSession, url: str) -> None:
    await session.cache.close()


REMOVALS: dict[str, Removal] = {
    "delete": delete_key,
    "delete url": lambda scene, session, url: session.cache.delete_url(url),
    "clear": lambda scene, session, url: session.cache.clear(),
    "replace": replace,
    "replace by a small one": replace_by_a_small_one,
    "evict": evict,
    "expire": expire,
    "expire, fetch anew": expire_and_be_fetched_anew,
    "close": close_backend,
}


@SOME
@pytest.mark.parametrize("removal", REMOVALS)
async def test_read_to_its_end(scene: Scene, clock: StandingClock, removal: str) -> None:
    """What was begun, what has not been begun, and what is nearly at its end."""
    scene.clock = clock
    limits = {"max_entries": 3} if removal == "evict" else {}
    session = await scene.open(expire_after=None if scene.lawful else 600, **limits)
    url = scene.wire.url("/")
    date = clock.now.strftime("Date: %a, %d %b %Y %H:%M:%S GMT")
    scene.wire.answers["/"] = sized(BODY, date)
    await (await session.get(url)).read()
    readers = [await session.get(url) for _ in range(4)]
    assert all(reader.from_cache for reader in readers)
    starts = [0, 1, MIB, SIZE - 1]
    seen = [
        await reader.content.readexactly(size) for reader, size in zip(readers, starts, strict=True)
    ]
    await REMOVALS[removal](scene, session, url)
    gc.collect()
    for part, reader in zip(seen, readers, strict=True):
        rest = b"".join([piece async for piece in reader.content.iter_any()])
        assert part + rest == BODY
    del readers, reader
    gc.collect()
    if removal != "close":
        await session.cache.clear()
        await scene.nothing_is_left(session.cache)


@SOME
async def test_removed_while_it_is_read_without_a_pause(scene: Scene) -> None:
    """The removal falls between any two steps of the readers."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)

    async def read(size: int) -> None:
        async with session.get(url) as response:
            assert b"".join([p async for p in response.content.iter_chunked(size)]) == BODY

    async with asyncio.timeout(30):
        for number in range(8):
            await read(2**20)
            readers = [asyncio.create_task(read(size)) for size in (9_999, 2**16, 300_000)]
            for _ in range(number * 3):
                await asyncio.sleep(0)
            await (session.cache.clear() if number % 2 else session.cache.delete_url(url))
            await asyncio.gather(*readers)


@SOME
async def test_readers_that_leave_what_was_removed(scene: Scene) -> None:
    """Nobody reads it on, so nothing has to be kept for them."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(url)).read()
    released, closed, forgotten = [await session.get(url) for _ in range(3)]
    for response in (released, closed, forgotten):
        await response.content.readexactly(10)
    released.release()
    closed.close()
    del forgotten, response
    gc.collect()
    await session.cache.clear()
    await scene.nothing_is_left(session.cache)


# From another process

CLEAR = """
async def main():
    backend = backend_of(*sys.argv[1:3])
    await getattr(backend, sys.argv[3])(*sys.argv[4:])
    await backend.delete_expired_responses()
    assert await backend.size() == 0
    await backend.close()
asyncio.run(main())
"""


async def by_another_process(scene: Scene, method: str, *arguments: str) -> None:
    await run(CLEAR, scene.kind, scene.path, method, *arguments)


@ON_DISK
@pytest.mark.parametrize("method", ["clear", "delete_url"])
async def test_removed_by_another_process(scene: Scene, method: str) -> None:
    """Whole, or an error: never short."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(url)).read()
    starts = [0, 1, MIB, SIZE - 1]
    readers = [await session.get(url) for _ in starts]
    seen = [
        await reader.content.readexactly(size) for reader, size in zip(readers, starts, strict=True)
    ]
    await by_another_process(scene, method, *([url] if method == "delete_url" else []))
    for part, reader in zip(seen, readers, strict=True):
        with contextlib.suppress(aiohttp.ClientPayloadError):
            rest = b"".join([piece async for piece in reader.content.iter_any()])
            assert part + rest == BODY
    # And the next one is given the whole, from the origin.
    response = await session.get(url)
    assert not response.from_cache
    assert await response.read() == BODY
    assert scene.wire.count() == 2
    assert await (await session.get(url)).read() == BODY
    assert scene.wire.count() == 2


@ON_DISK
async def test_an_error_stays_an_error(scene: Scene) -> None:
    """Whoever has met one is not told the next time that the body is at its end."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(url)).read()
    for read_first in (0, MIB):
        response: Any = await session.get(url)
        first = await response.content.readexactly(read_first)
        await by_another_process(scene, "clear")
        results = []
        for _ in range(3):
            try:
                results.append(len(first) + len(await response.content.read()))
            except aiohttp.ClientPayloadError:
                results.append(-1)
        assert results in ([len(BODY)] + [len(first)] * 2, [-1] * 3)
        await (await session.get(url)).read()


FORKS = """
kind, path, url = sys.argv[1:]
backend = backend_of(kind, path)

async def read(cached):
    async with CachedSession(cache=backend) as session:
        for _ in range(2):
            async with session.get(url) as response:
                size = 0
                async for piece in response.content.iter_any():
                    assert piece.count(b"x") == len(piece)
                    size += len(piece)
                assert (response.from_cache, size) == (cached, 4 * 2**20), (cached, size)

async def fork_in_the_middle():
    async with CachedSession(cache=backend) as session:
        response = await session.get(url)
        size = len(await response.content.readexactly(2**20))
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        size += len(await response.read())
        assert size == 4 * 2**20

async def main():
    async with CachedSession(cache=backend) as session:
        await (await session.get(url)).read()

asyncio.run(main())
asyncio.run(read(True))
child = os.fork()
asyncio.run(read(True))
asyncio.run(fork_in_the_middle())
asyncio.run(backend.close())
if child:
    assert os.waitpid(child, 0)[1] == 0
    print("done")
"""


@ON_DISK
async def test_forks(scene: Scene) -> None:
    scene.wire.answers["/"] = sized(b"x" * 4 * MIB)
    out = await run(FORKS, scene.kind, scene.path, scene.wire.url("/"))
    assert out == "done"
    assert scene.wire.count() == 1
