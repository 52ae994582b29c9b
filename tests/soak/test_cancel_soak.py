"""Tasks that are cancelled at any point of misses and hits: nothing leaks, nobody reads wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.scene import KINDS, MIB, Scene, comes_true, connections, scene_of
from tests.support.wire import Asked, Wire, chunk, head, noise

BATCH = 25
SIZES = {"small": 3000, "large": 300_000, "huge": MIB + 200_000}
URLS = [f"/{size}?{number}" for size in SIZES for number in range(4)]


def body_of(target: str) -> bytes:
    size, _, number = target[1:].partition("?")
    return noise(SIZES[size], int(number))


class Slow:
    """Answers in pieces, with pauses, in either framing, and now and then breaks off."""

    def __init__(self, random: Random) -> None:
        self.random = random

    async def __call__(self, wire: Wire, asked: Asked) -> None:
        body, known = body_of(asked.target), self.random.random() < 0.5
        await wire.send(
            head(f"Content-Length: {len(body)}" if known else "Transfer-Encoding: chunked")
        )
        step = max(1000, len(body) // self.random.randrange(1, 5))
        for start in range(0, len(body), step):
            if self.random.random() < 0.3:
                await asyncio.sleep(self.random.random() * 0.004)
            if self.random.random() < 0.02:
                wire.transport.abort()
                return
            piece = body[start : start + step]
            await wire.send(piece if known else chunk(piece))
        if not known:
            await wire.send(b"0\r\n\r\n")


async def ask(session: CachedSession, url: str, target: str, manner: str) -> None:
    with contextlib.suppress(aiohttp.ClientError):
        async with session.get(url) as response:
            if manner == "read":
                body = await response.read()
            elif manner == "leave":
                return
            else:
                pieces: list[bytes] = []
                async for piece in response.content.iter_chunked(20_000):
                    pieces.append(piece)
                    if manner == "dawdle":
                        await asyncio.sleep(0)
                body = b"".join(pieces)
            assert body == body_of(target), target


async def cancel_at_random(
    scene: Scene, session: CachedSession, random: Random, count: int
) -> None:
    for _ in range(0, count, BATCH):
        tasks = []
        for _ in range(BATCH):
            target = random.choice(URLS)
            manner = random.choice(["read", "iterate", "dawdle", "leave"])
            tasks.append(asyncio.create_task(ask(session, scene.wire.url(target), target, manner)))
            if random.random() < 0.5:
                for _ in range(random.randrange(12)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(random.random() * 0.003)
            if random.random() < 0.9:
                random.choice(tasks).cancel()
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(10):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [result for result in results if isinstance(result, Exception)]
        if random.random() < 0.3:
            await session.cache.delete_url(scene.wire.url(random.choice(URLS)))
        if random.random() < 0.1:
            await session.cache.clear()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def others() -> set[Any]:
    return {str(task.get_coro()) for task in asyncio.all_tasks() if not task.done()}


async def soak(kind: str, folder: Path, *, lawful: bool, count: int) -> None:
    random = Random(count)
    async with scene_of(kind, folder, lawful=lawful) as scene:
        for size in SIZES:
            scene.wire.answers[f"/{size}"] = Slow(random)
        gc.collect()
        files, tasks = descriptors(), others()
        backend = scene.backend(stream_threshold=50_000)
        async with CachedSession(cache=backend) as session:
            await cancel_at_random(scene, session, random, count)
            gc.collect()
            await comes_true(lambda: connections(session)[0] == 0)
            # What is stored is whole, and nobody waits for one who is gone.
            for target in URLS:
                async with asyncio.timeout(5):
                    for _ in range(20):
                        with contextlib.suppress(aiohttp.ClientError):
                            async with session.get(scene.wire.url(target)) as response:
                                assert await response.read() == body_of(target)
                                break
            await backend.clear()
            gc.collect()
            await scene.nothing_is_left(backend)
        await backend.close()
        await comes_true(lambda: not scene.wire.wires)
        await comes_true(lambda: others() <= tasks)
        gc.collect()
        assert descriptors() <= files


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lawful", [False, True], ids=["house", "law"])
async def test_some_cancels(tmp_path: Path, kind: str, lawful: bool) -> None:
    await soak(kind, tmp_path, lawful=lawful, count=300)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lawful", [False, True], ids=["house", "law"])
async def test_many_cancels(tmp_path: Path, kind: str, lawful: bool) -> None:
    scale = float(os.environ.get("SOAK_SCALE", "1"))
    await soak(kind, tmp_path, lawful=lawful, count=round(10_000 * scale))
