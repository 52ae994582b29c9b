"""Many tasks ask for one large body at once."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Any

import pytest

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, comes_true
from tests.support.wire import Asked, Wire, chunk, head, noise, sized

TASKS = 20
BODY = noise(3 * MIB)
DIGEST = hashlib.sha256(BODY).digest()


async def digest_of(response: Any) -> bytes:
    digest = hashlib.sha256()
    async for piece in response.content.iter_any():
        digest.update(piece)
    return digest.digest()


async def fetch(session: CachedSession, url: str) -> bytes:
    async with session.get(url) as response:
        return await digest_of(response)


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_the_origin_is_asked_once(scene: Scene, framing: str) -> None:
    async def answer(wire: Wire, asked: Asked) -> None:
        known = framing == "length"
        await wire.send(
            head(f"Content-Length: {len(BODY)}" if known else "Transfer-Encoding: chunked")
        )
        for start in range(0, len(BODY), 200_000):
            part = BODY[start : start + 200_000]
            await wire.send(part if known else chunk(part))
        if not known:
            await wire.send(b"0\r\n\r\n")

    scene.wire.answers["/"] = answer
    session = await scene.open()
    tasks = (fetch(session, scene.wire.url("/")) for _ in range(TASKS))
    async with asyncio.timeout(20):
        assert await asyncio.gather(*tasks) == [DIGEST] * TASKS
    assert scene.wire.count() == 1


@SOME
async def test_a_leader_who_does_not_read_is_not_waited_for_long(scene: Scene) -> None:
    """The others get theirs all the same, and what they get is kept."""
    scene.wire.answers["/"] = sized(BODY)
    session = await scene.open()
    url = scene.wire.url("/")
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20):
        leader = await session.get(url)
        began = loop.time()
        tasks = (fetch(session, url) for _ in range(TASKS - 1))
        assert await asyncio.gather(*tasks) == [DIGEST] * (TASKS - 1)
        assert loop.time() - began < 3
        assert await digest_of(leader) == DIGEST
    assert (await session.get(url)).from_cache
    assert scene.wire.count() <= TASKS


async def test_a_leader_who_leaves(scene: Scene) -> None:
    scene.wire.answers["/"] = sized(BODY)
    session = await scene.open()
    url = scene.wire.url("/")

    async def leave() -> None:
        async with session.get(url) as response:
            await response.content.readexactly(10)

    async with asyncio.timeout(20):
        leader = asyncio.create_task(leave())
        await comes_true(lambda: scene.wire.count() == 1)
        tasks = (fetch(session, url) for _ in range(TASKS - 1))
        assert await asyncio.gather(*tasks) == [DIGEST] * (TASKS - 1)
        await leader
    assert (await session.get(url)).from_cache


async def test_a_leader_whose_body_breaks_off(scene: Scene) -> None:
    """Its error is its own."""
    gate = asyncio.Event()

    async def broken(wire: Wire, asked: Asked) -> None:
        scene.wire.answers["/"] = sized(BODY)
        await wire.send(head(f"Content-Length: {len(BODY)}") + BODY[: 2 * MIB])
        await gate.wait()
        wire.transport.close()

    scene.wire.answers["/"] = broken
    session = await scene.open()
    url = scene.wire.url("/")
    async with asyncio.timeout(20):
        tasks = [asyncio.create_task(fetch(session, url)) for _ in range(TASKS)]
        await asyncio.sleep(0.05)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    assert [type(error).__name__ for error in errors] == ["ClientPayloadError"]
    assert results.count(DIGEST) == TASKS - 1
    assert (await session.get(url)).from_cache


async def test_waiters_that_are_cancelled(scene: Scene) -> None:
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(BODY)}") + BODY[: 2 * MIB])
        await gate.wait()
        await wire.send(BODY[2 * MIB :])

    scene.wire.answers["/"] = answer
    session = await scene.open()
    async with asyncio.timeout(20):
        tasks = [asyncio.create_task(fetch(session, scene.wire.url("/"))) for _ in range(TASKS)]
        await comes_true(lambda: scene.wire.count() >= 1)
        await asyncio.sleep(0.02)
        for task in tasks[1::2]:
            task.cancel()
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[::2] == [DIGEST] * (TASKS // 2)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[1::2])
    assert scene.wire.count() == 1


@pytest.mark.soak
async def test_a_leader_who_reads_slowly_is_not_waited_for_beyond_a_bound(scene: Scene) -> None:
    scene.wire.answers["/"] = sized(BODY)
    session = await scene.open()
    url = scene.wire.url("/")
    scale = float(os.environ.get("SOAK_SCALE", "1"))

    async def read_slowly() -> None:
        async with session.get(url) as response:
            for _ in range(round(200 * scale)):
                assert await response.content.read(1000)
                await asyncio.sleep(0.1)

    async with asyncio.timeout(300 * scale):
        leader = asyncio.create_task(read_slowly())
        await comes_true(lambda: scene.wire.count() == 1)
        tasks = (fetch(session, url) for _ in range(TASKS - 1))
        assert await asyncio.gather(*tasks) == [DIGEST] * (TASKS - 1)
        assert not leader.done()
        leader.cancel()
