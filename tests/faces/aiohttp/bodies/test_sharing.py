"""Several tasks that have one response, or several responses of one URL, in their hands."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, comes_true, connections
from tests.support.wire import Asked, Wire, chunk, chunked, head, noise, sized

BODY, OTHER = noise(3 * MIB, 1), noise(3 * MIB, 2)

pytestmark = SOME


async def piecewise(wire: Wire, asked: Asked) -> None:
    await wire.send(head("Transfer-Encoding: chunked"))
    for start in range(0, len(BODY), 50_000):
        await wire.send(chunk(BODY[start : start + 50_000]))
        await asyncio.sleep(0)
    await wire.send(b"0\r\n\r\n")


@pytest.mark.parametrize("known", [False, True])
async def test_tasks_that_read_one_miss_together(scene: Scene, known: bool) -> None:
    """aiohttp says that they must not; what is stored is right all the same, or nothing is."""
    session = await scene.open()
    scene.wire.answers["/"] = sized(BODY) if known else piecewise
    for number in range(8):
        url = scene.wire.url(f"/?{number}")
        async with session.get(url) as response:

            async def read(content: Any) -> None:
                while not content.at_eof():
                    with contextlib.suppress(RuntimeError):
                        await content.readany()
                    await asyncio.sleep(0)

            async with asyncio.timeout(3):
                await asyncio.gather(*(read(response.content) for _ in range(3)))
        async with session.get(url) as response:
            assert await response.read() == BODY


async def test_a_second_reader_of_a_miss_does_not_disturb_the_first(scene: Scene) -> None:
    """It is told that there is another one, and nobody else is."""
    session = await scene.open()
    scene.wire.answers["/"] = piecewise
    for cached in (False, True):
        async with asyncio.timeout(5), session.get(scene.wire.url("/")) as response:
            assert response.from_cache == cached
            first = asyncio.create_task(response.content.readexactly(2 * MIB))
            second = asyncio.create_task(response.content.readany())
            results = await asyncio.gather(first, second, return_exceptions=True)
            assert isinstance(results[1], RuntimeError | bytes)
            taken = results[1] if isinstance(results[1], bytes) else b""
            assert isinstance(results[0], bytes)
            rest = await response.content.read()
            assert len(results[0]) + len(taken) + len(rest) == len(BODY)
            assert taken or results[0] + rest == BODY


async def test_a_miss_whose_end_is_awaited_by_the_way(scene: Scene) -> None:
    """As with aiohttp's own stream, that disturbs nobody who reads."""
    session = await scene.open()
    scene.wire.answers["/"] = piecewise
    for cached in (False, True):
        async with asyncio.timeout(10), session.get(scene.wire.url("/")) as response:
            assert response.from_cache == cached
            ended = asyncio.create_task(response.content.wait_eof())
            await asyncio.sleep(0)
            seen = b"".join([p async for p in response.content.iter_chunked(10_000)])
            await ended
            assert seen == BODY


@pytest.mark.parametrize("end", ["close", "release"])
async def test_closed_by_another_task(scene: Scene, end: str) -> None:
    """At any moment: what is stored then is whole, and nothing else is left."""
    session = await scene.open(stream_threshold=100_000)
    scene.wire.answers["/"] = piecewise
    random = Random(1)
    for number in range(40):
        url = scene.wire.url(f"/?{number}")
        response = await session.get(url)

        async def read(response: Any) -> bool:
            return b"".join([p async for p in response.content.iter_any()]) == BODY

        reading = asyncio.create_task(read(response))
        await asyncio.sleep(random.random() * 0.012)
        getattr(response, end)()
        # As without a cache, whoever waits for the rest is told so, and waits no longer.
        with contextlib.suppress(aiohttp.ClientError):
            assert await asyncio.wait_for(reading, 2)
    await comes_true(lambda: connections(session)[0] == 0)
    stored = [key async for key in session.cache.responses.keys()]  # noqa: SIM118
    assert len(stored) <= 40
    for key in stored:
        kept = await session.cache.get_response(key)
        assert kept is not None
        assert await kept.read() == BODY
    await session.cache.clear()
    await scene.nothing_is_left(session.cache)


@pytest.mark.parametrize("stored", [False, True])
async def test_who_only_waits_for_the_end_reads_little_ahead(scene: Scene, stored: bool) -> None:
    """As with aiohttp's own stream, which is fed no further than its buffer reaches."""
    session = await scene.open()
    scene.wire.answers["/"] = chunked(BODY * 5, size=100_000)
    if stored:
        await (await session.get(scene.wire.url("/"))).read()
    async with session.get(scene.wire.url("/")) as response:
        assert response.from_cache == stored
        ended = asyncio.create_task(response.content.wait_eof())
        await asyncio.wait([ended], timeout=0.3)
        assert response.content.total_bytes < 2 * MIB
        ended.cancel()


async def test_two_fetches_of_one_url_at_once(scene: Scene) -> None:
    """Each reader has its own; the one that ends last is kept, and the other's space is free."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    first = await session.get(url, force_refresh=True)
    part = await first.content.readexactly(MIB)
    scene.wire.answers["/"] = chunked(OTHER)
    second = await session.get(url, force_refresh=True)
    assert await second.read() == OTHER
    assert part + await first.content.read() == BODY
    async with session.get(url) as response:
        assert response.from_cache
        assert await response.read() in (BODY, OTHER)
    await session.cache.delete_expired_responses()
    assert await session.cache.size() == 1
    if scene.kind != "memory":
        assert scene.bodies() < len(BODY) + 10_000
    assert await session.cache.bytes() < len(BODY) + 10_000
    await session.cache.clear()
    await scene.nothing_is_left(session.cache)


async def test_many_large_ones_at_once(scene: Scene) -> None:
    """All of them are stored, and no write fails."""
    session = await scene.open()

    def made(wire: Wire, asked: Asked) -> bytes:
        number = int(asked.target.partition("?")[2])
        return (sized if number % 2 else chunked)(noise(MIB + 1000 * number, number))

    async def fetch(number: int) -> bool:
        async with session.get(scene.wire.url(f"/?{number}")) as response:
            body = b"".join([piece async for piece in response.content.iter_any()])
            assert body == noise(MIB + 1000 * number, number)
            return response.from_cache

    scene.wire.answers["/"] = made
    async with asyncio.timeout(20):
        assert await asyncio.gather(*map(fetch, range(20))) == [False] * 20
        assert await asyncio.gather(*map(fetch, range(20))) == [True] * 20
    assert scene.wire.count() == 20
    assert session.cache.engine.failures.count == 0


async def test_a_reader_that_times_out_may_read_on(scene: Scene) -> None:
    """A wait that is given up loses no byte, on a miss and on a hit; whether it is kept is open."""
    session = await scene.open()
    scene.wire.answers["/"] = piecewise
    for _ in range(2):
        async with session.get(scene.wire.url("/")) as response:
            seen = b""
            while not response.content.at_eof():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.0005):
                        while piece := await response.content.read(30_000):
                            seen += piece
            assert seen == BODY
    async with session.get(scene.wire.url("/")) as response:
        assert await response.read() == BODY
