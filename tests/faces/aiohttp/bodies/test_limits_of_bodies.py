"""Limits that hold at every step, whoever writes and however large; and space that is given back."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.faces.aiohttp.bodies.programs import finish, start
from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, SOME, Scene, scene_of
from tests.support.wire import Asked, Wire, noise, sized

LARGE, SMALL = noise(MIB + 100_000), noise(2000)
ENTRIES, BYTES = 30, 8 * MIB

WRITER = """
kind, path, lawful, url, me, entries, limit = sys.argv[1:]
logging.getLogger('http_client_cache').setLevel(logging.ERROR)

async def main():
    limits = {"max_entries": int(entries), "max_bytes": int(limit)}
    backend = backend_of(kind, path, cache_control=lawful == "True", **limits)
    async with CachedSession(cache=backend) as session:
        async def read(target):
            async with session.get(url + target) as response:
                async for _ in response.content.iter_chunked(2**18):
                    pass
                return response.from_cache
        hits = 0
        for number in range(75):
            await read(f"{'large' if number % 4 == 0 else 'small'}?{me}.{number}")
            for hot in range(4):
                hits += await read(f"hot?{hot}")
            assert await backend.size() <= int(entries) + 1
        print(hits)
    await backend.close()

asyncio.run(main())
"""


def answer(scene: Scene) -> None:
    for path, body in (("/large", LARGE), ("/small", SMALL), ("/hot", SMALL)):
        scene.wire.answers[path] = sized(body)


@ON_DISK
async def test_ten_times_the_limit_by_four_processes(scene: Scene) -> None:
    answer(scene)
    limits = {"max_entries": ENTRIES, "max_bytes": BYTES}
    watcher = scene.backend(**limits)
    arguments = (scene.kind, scene.path, scene.lawful, scene.wire.url("/"))
    writers = [await start(WRITER, *arguments, me, ENTRIES, BYTES) for me in range(4)]
    looks, most, most_bytes = 0, 0, 0
    while any(writer.returncode is None for writer in writers):
        most = max(most, await watcher.size())
        most_bytes = max(most_bytes, await watcher.bytes())
        looks += 1
        await asyncio.sleep(0.002)
    hits = [int(await finish(writer)) for writer in writers]
    assert looks > 20
    assert scene.wire.sent > 10 * BYTES
    assert 0.5 * ENTRIES < most <= ENTRIES + 1
    assert 0.5 * BYTES < most_bytes <= BYTES + len(LARGE) + 10_000
    # The hot ones were fetched by whoever came first, and stayed.
    assert sum(hits) > 4 * 75 * 4 * 0.95
    session = await scene.session(watcher)
    for hot in range(4):
        assert (await session.get(scene.wire.url(f"/hot?{hot}"))).from_cache
    await watcher.delete_expired_responses()
    assert await watcher.bytes() <= BYTES
    assert scene.bodies() <= BYTES + 100_000
    await watcher.clear()
    await scene.nothing_is_left(watcher)


@SOME
async def test_many_tasks_of_one_process(scene: Scene) -> None:
    """What is on its way comes on top; what is published does not."""
    answer(scene)
    session = await scene.open(max_entries=ENTRIES, max_bytes=BYTES, stream_threshold=50_000)
    assert session.cache.max_bytes == BYTES
    worst = [0, 0]

    async def work(me: int) -> None:
        for number in range(6):
            for kind, body in (("large", LARGE), ("small", SMALL)):
                async with session.get(scene.wire.url(f"/{kind}?{me}.{number}")) as response:
                    assert await response.read() == body
                worst[0] = max(worst[0], await session.cache.size())
                worst[1] = max(worst[1], await session.cache.bytes())

    async with asyncio.timeout(30):
        await asyncio.gather(*(work(me) for me in range(12)))
    assert worst[0] <= ENTRIES + 1
    assert 0.5 * BYTES < worst[1] <= BYTES + len(LARGE) + 10_000
    await session.cache.delete_expired_responses()
    if scene.kind != "memory":
        assert scene.bodies() <= BYTES + 100_000


@SOME
async def test_what_is_pinned_by_readers(scene: Scene) -> None:
    """They read to the end what has left for others, and then its space is free."""
    answer(scene)
    session = await scene.open(max_bytes=4 * MIB)
    readers = []
    for number in range(12):
        url = scene.wire.url(f"/large?{number}")
        await (await session.get(url)).read()
        readers.append(await session.get(url))
        assert readers[-1].from_cache
        assert await session.cache.bytes() <= 4 * MIB
    for reader in readers:
        digest = hashlib.sha256()
        async for piece in reader.content.iter_any():
            digest.update(piece)
        assert digest.digest() == hashlib.sha256(LARGE).digest()
    del reader, readers
    await session.cache.delete_expired_responses()
    if scene.kind != "memory":
        assert scene.bodies() <= 4 * MIB + 100_000


@pytest.mark.parametrize("large", [False, True])
async def test_space_is_given_back(tmp_path: Path, large: bool) -> None:
    """Of the database, its log and its folder, after everything has left."""
    async with scene_of("sqlite", tmp_path, lawful=False) as scene:
        size = MIB + 50_000 if large else 150_000

        def made(wire: Wire, asked: Asked) -> bytes:
            return sized(noise(size, int(asked.target.partition("?")[2])))

        scene.wire.answers["/"] = made
        backend = scene.backend()
        session = await scene.session(backend)
        for number in range(6 if large else 40):
            await (await session.get(scene.wire.url(f"/?{number}"))).read()
        await backend.size()
        assert sum(scene.files().values()) > 6_000_000
        await backend.clear()
        await backend.delete_expired_responses()
        assert scene.bodies() < 1000
        await session.close()
        await backend.close()
        assert sum(scene.files().values()) < 1_000_000
