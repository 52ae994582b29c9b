"""A storage that fails while a large body passes: its reader does not notice."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import aiohttp
import pytest

from tests.faces.aiohttp.bodies.programs import run, start
from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, Scene, connections
from tests.support.wire import Asked, Wire, head, noise, sized

BODY = noise(6 * MIB)


@ON_DISK
@pytest.mark.parametrize("left", [None, "rest"])
async def test_a_folder_that_is_removed(scene: Scene, left: str | None) -> None:
    """With all that is in it, or but for what organises it."""
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(BODY)}") + BODY[: 2 * MIB])
        await gate.wait()
        await wire.send(BODY[2 * MIB :])

    scene.wire.answers["/"] = answer
    scene.wire.answers["/before"] = scene.wire.answers["/after"] = sized(b"small")
    session = await scene.open()
    await session.get(scene.wire.url("/before"))
    async with asyncio.timeout(10), session.get(scene.wire.url("/")) as response:
        first = await response.content.readexactly(2 * MIB)
        await session.cache.size()
        for path in scene.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif left is None:
                path.unlink()
        gate.set()
        assert first + await response.content.read() == BODY
    assert connections(session)[0] == 0
    # Life goes on.
    for path in ("/", "/after"):
        for _ in range(3):
            async with session.get(scene.wire.url(path)) as response:
                assert await response.read() == (BODY if path == "/" else b"small")
    assert (await session.get(scene.wire.url("/"))).from_cache
    assert (await session.get(scene.wire.url("/after"))).from_cache


FULL = """
kind, path, url = sys.argv[1:]
logging.getLogger('http_client_cache').setLevel(logging.CRITICAL)

async def main():
    backend = backend_of(kind, path)
    async with CachedSession(cache=backend) as session:
        await session.get(url + "small")
        await backend.size()
        usual = resource.getrlimit(resource.RLIMIT_FSIZE)
        # What would make a file larger than this fails, as it does on a disk that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, usual[1]))
        for _ in range(3):
            await backend.size()  # What is under way has failed then.
            async with session.get(url) as response:
                assert not response.from_cache
                size = 0
                async for piece in response.content.iter_any():
                    size += len(piece)
                assert size == 6 * 2**20, size
        await backend.size()
        assert (await session.get(url + "small")).from_cache
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        await (await session.get(url)).read()
        response = await session.get(url)
        assert response.from_cache
        assert len(await response.read()) == 6 * 2**20
    await backend.close()

asyncio.run(main())
"""


@ON_DISK
async def test_a_disk_that_becomes_full(scene: Scene) -> None:
    scene.wire.answers["/"] = sized(BODY)
    scene.wire.answers["/small"] = sized(b"small")
    await run(FULL, scene.kind, scene.path, scene.wire.url("/"))
    assert (scene.wire.count("/"), scene.wire.count("/small")) == (4, 1)
    backend = scene.backend()
    await backend.delete_expired_responses()
    # One of them is there, and nothing of the three that did not fit.
    assert await backend.size() == 2
    assert len(BODY) <= scene.bodies() < len(BODY) + 10_000
    await backend.clear()
    await scene.nothing_is_left(backend)


KILLED = """
kind, path, url = sys.argv[1:]

async def main():
    backend = backend_of(kind, path)
    async with CachedSession(cache=backend) as session:
        response = await session.get(url)
        await response.content.readexactly(4 * 2**20)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@ON_DISK
async def test_a_program_that_is_killed(scene: Scene) -> None:
    """What it leaves goes with the next sweep of another."""
    scene.wire.answers["/"] = sized(BODY)
    program = await start(KILLED, scene.kind, scene.path, scene.wire.url("/"))
    _, errors = await asyncio.wait_for(program.communicate(), 30)
    assert (program.returncode, errors) == (-9, b"")
    session = await scene.open()
    await scene.nothing_is_left(session.cache)
    assert await (await session.get(scene.wire.url("/"))).read() == BODY
    assert scene.wire.count() == 2
    assert await (await session.get(scene.wire.url("/"))).read() == BODY
    assert scene.wire.count() == 2


def damage(path: Path, how: str, place: int) -> None:
    with path.open("r+b") as file:
        if how == "truncate":
            file.truncate(place)
        else:
            file.seek(place)
            file.write(bytes(100))


DAMAGES = [("sqlite", True, "truncate"), ("files", False, "truncate"), ("files", True, "overwrite")]


@pytest.mark.parametrize(("kind", "lawful", "how"), DAMAGES)
@pytest.mark.parametrize("begun", [None, 0, 1000])
async def test_what_is_damaged_on_the_disk_is_never_served(
    scene: Scene, how: str, begun: int | None
) -> None:
    """Whole and as it was, or an error, or from the origin; and soon from there again.

    What is overwritten beside a database goes unnoticed, as it does in one.
    """
    session = await scene.open()
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(scene.wire.url("/"))).read()
    await session.cache.size()
    largest = max(scene.folder.rglob("*"), key=lambda path: path.stat().st_size)
    assert largest.stat().st_size >= len(BODY)
    errors = 0
    if begun is not None:
        async with session.get(scene.wire.url("/")) as response:
            assert response.from_cache
            first = await response.content.readexactly(begun)
            damage(largest, how, 4 * MIB)
            try:
                assert first + await response.content.read() == BODY
            except aiohttp.ClientPayloadError:
                errors += 1
                await asyncio.sleep(0.05)
    else:
        damage(largest, how, 4 * MIB)
    for _ in range(3):
        try:
            async with session.get(scene.wire.url("/")) as response:
                assert b"".join([p async for p in response.content.iter_any()]) == BODY
        except aiohttp.ClientPayloadError:
            errors += 1
            await asyncio.sleep(0.05)
    assert errors <= 1
    assert scene.wire.count() == 2
