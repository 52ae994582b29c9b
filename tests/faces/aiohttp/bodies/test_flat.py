"""Memory stays flat, however large a body is: on a miss, on a hit, and in a bomb."""

from __future__ import annotations

import gzip

import pytest

from tests.faces.aiohttp.bodies.programs import run
from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, Scene
from tests.support.wire import Asked, Wire, chunk, head, noise, sized

SIZE, INFLATED = 64 * MIB, 96 * MIB

GROWTH = """
import zlib
kind, path, url, read_size, *reads = sys.argv[1:]

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def main():
    backend = backend_of(kind, path)
    async with CachedSession(cache=backend) as session:
        async def read(target, by):
            async with session.get(url + target) as response:
                size = 0
                while piece := await getattr(response.content, by[0])(*by[1:]):
                    size += len(piece)
                return response.from_cache, size
        # What is loaded and allocated once.
        for _ in range(2):
            await read("warm", ("readany",))
        before = peak()
        for cached in (False, True):
            assert await read("large", ("readany",)) == (cached, int(read_size))
            print(round(peak() - before, 1))
    await backend.close()

asyncio.run(main())
"""


@ON_DISK
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_peak_memory(scene: Scene, framing: str) -> None:
    async def large(wire: Wire, asked: Asked) -> None:
        known = framing == "length"
        await wire.send(head(f"Content-Length: {SIZE}" if known else "Transfer-Encoding: chunked"))
        piece = noise(MIB)
        for _ in range(SIZE // MIB):
            await wire.send(piece if known else chunk(piece))
        if not known:
            await wire.send(b"0\r\n\r\n")

    scene.wire.answers["/large"] = large
    scene.wire.answers["/warm"] = sized(noise(4 * MIB))
    out = await run(GROWTH, scene.kind, scene.path, scene.wire.url("/"), SIZE)
    miss, hit = map(float, out.split())
    assert miss <= 16
    assert hit <= 16


BOMB = """
kind, path, url, inflated = sys.argv[1:]

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def main():
    backend = backend_of(kind, path, max_entry_bytes=2**22)
    async with CachedSession(cache=backend) as session:
        await (await session.get(url + "warm")).read()
        before = peak()
        for _ in range(2):
            (await session.get(url + "bomb")).close()
        async with session.get(url + "bomb") as response:
            size = 0
            async for piece in response.content.iter_any():
                size += len(piece)
        assert size == int(inflated), size
        assert not await backend.has_url(url + "bomb")
        print(round(peak() - before, 1))
    await backend.close()

asyncio.run(main())
"""


@ON_DISK
async def test_a_bomb(scene: Scene) -> None:
    """What inflates a thousandfold costs no more than what may be stored."""
    scene.wire.answers["/bomb"] = sized(gzip.compress(bytes(INFLATED), 9), "Content-Encoding: gzip")
    scene.wire.answers["/warm"] = sized(noise(4 * MIB))
    out = await run(BOMB, scene.kind, scene.path, scene.wire.url("/"), INFLATED)
    assert float(out) <= 24
    backend = scene.backend()
    await backend.delete_expired_responses()
    assert scene.bodies() < 4 * MIB + 10_000
