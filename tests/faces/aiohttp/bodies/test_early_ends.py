"""Every way to leave a body before its end: nothing is stored, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, ClientTimeout

from tests.faces.aiohttp.bodies.scene import MIB, SOME, Scene, connections
from tests.support.wire import Asked, Wire, WireOrigin, chunk, head, noise, sized

LARGE, SMALL = noise(3 * MIB), noise(3000)
FRAMINGS = ["length", "chunked"]

Way = Callable[[ClientSession, str], Awaitable[Any]]


class Enough(Exception):
    pass


async def opened(session: ClientSession, url: str, **options: Any) -> Any:
    response = await session.get(url, **options)
    await response.content.readexactly(10)
    return response


async def close(session: ClientSession, url: str) -> None:
    (await opened(session, url)).close()


async def close_unread(session: ClientSession, url: str) -> None:
    (await session.get(url)).close()


async def release(session: ClientSession, url: str) -> None:
    (await opened(session, url)).release()


async def release_unread(session: ClientSession, url: str) -> None:
    (await session.get(url)).release()


async def leave(session: ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.content.readexactly(10)


async def leave_unread(session: ClientSession, url: str) -> None:
    async with session.get(url):
        pass


async def leave_in_a_loop(session: ClientSession, url: str) -> None:
    async with session.get(url) as response:
        async for _ in response.content.iter_chunked(1000):
            break


async def raise_inside(session: ClientSession, url: str) -> None:
    with pytest.raises(Enough):
        async with session.get(url) as response:
            await response.content.readany()
            raise Enough


async def cancel_read(session: ClientSession, url: str) -> None:
    response = await opened(session, url)
    await _cancel(asyncio.create_task(response.read()))
    response.close()


async def cancel_task(session: ClientSession, url: str) -> None:
    async def work() -> None:
        async with session.get(url) as response:
            await response.read()

    await _cancel(asyncio.create_task(work()))


async def cancel_later(session: ClientSession, url: str) -> None:
    reading = asyncio.Event()

    async def work() -> None:
        async with session.get(url) as response:
            async for _ in response.content.iter_any():
                reading.set()

    task = asyncio.create_task(work())
    await reading.wait()
    await _cancel(task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def time_out(session: ClientSession, url: str) -> None:
    with pytest.raises(TimeoutError):
        async with session.get(url, timeout=ClientTimeout(total=0.3)) as response:
            await response.read()


async def time_out_of_the_socket(session: ClientSession, url: str) -> None:
    with pytest.raises(TimeoutError):
        async with session.get(url, timeout=ClientTimeout(sock_read=0.2)) as response:
            await response.read()


async def forget(session: ClientSession, url: str) -> None:
    await opened(session, url)
    await asyncio.sleep(0)
    gc.collect()


async def close_session(session: ClientSession, url: str) -> None:
    await opened(session, url)
    await session.close()


async def ask_for_too_much(session: ClientSession, url: str) -> None:
    response = await opened(session, url)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(response.content.readexactly(2**30), 0.05)
    response.release()


WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        close,
        close_unread,
        release,
        release_unread,
        leave,
        leave_unread,
        leave_in_a_loop,
        raise_inside,
        cancel_read,
        cancel_task,
        cancel_later,
        time_out,
        time_out_of_the_socket,
        forget,
        close_session,
        ask_for_too_much,
    )
}


def half(body: bytes, framing: str) -> Callable[[Wire, Asked], Awaitable[None]]:
    """Send the first half of a body, and then nothing more."""

    async def answer(wire: Wire, asked: Asked) -> None:
        part = body[: len(body) // 2]
        if framing == "length":
            await wire.send(head(f"Content-Length: {len(body)}") + part)
        else:
            await wire.send(head("Transfer-Encoding: chunked") + chunk(part))
        await wire.gone.wait()

    return answer


async def end(
    way: Way, session: ClientSession, wire: WireOrigin, framing: str
) -> tuple[str, tuple[int, int]]:
    """Go a way, and count the connections that are there afterwards."""
    async with asyncio.timeout(5):
        await way(session, wire.url(f"/{framing}?{way.__name__}"))
    await asyncio.sleep(0.01)
    return f"{framing}?{way.__name__}", (0, 0) if session.closed else connections(session)


async def ends(
    opened: Callable[[], Awaitable[ClientSession]], wire: WireOrigin
) -> dict[str, tuple[int, int]]:
    """Go all ways at the same time, each in a session of its own."""
    sessions = [(framing, way, await opened()) for framing in FRAMINGS for way in WAYS.values()]
    going = (end(way, session, wire, framing) for framing, way, session in sessions)
    try:
        return dict(await asyncio.gather(*going))
    finally:
        await asyncio.gather(*(session.close() for _, _, session in sessions))


def work_in_the_background() -> set[str]:
    """The names of the tasks that are under way, without the origin's and the test's."""
    names = {str(task.get_coro()) for task in asyncio.all_tasks() - {asyncio.current_task()}}
    return {name for name in names if "Wire._finish" not in name}


# aiohttp says so when a response is forgotten, with a cache or without.
@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
async def test_no_trace_of_large_ones(scene: Scene) -> None:
    await leaves_no_trace(scene, LARGE)


@SOME
@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
async def test_no_trace_of_slow_ones(scene: Scene) -> None:
    await leaves_no_trace(scene, SMALL)


async def leaves_no_trace(scene: Scene, body: bytes) -> None:
    for framing in FRAMINGS:
        scene.wire.answers[f"/{framing}"] = half(body, framing)
    backend = scene.backend()
    before = work_in_the_background()

    async def plain() -> ClientSession:
        return ClientSession()

    async def caching() -> ClientSession:
        return await scene.session(backend)

    expected, seen = await asyncio.gather(ends(plain, scene.wire), ends(caching, scene.wire))
    assert seen == expected
    await scene.nothing_is_left(backend)
    assert work_in_the_background() <= before

    # Whoever comes next goes to the origin, and is given the whole of it.
    asked = scene.wire.count()
    for framing in FRAMINGS:
        scene.wire.answers[f"/{framing}"] = sized(body)
    session = await scene.session(backend)
    for cached in (False, True):
        for place in seen:
            async with session.get(scene.wire.url(f"/{place}")) as response:
                assert (response.from_cache, place) == (cached, place)
                assert await response.read() == body
    assert scene.wire.count() == asked + len(seen)


@SOME
@pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
async def test_what_is_stored_outlives_readers_that_leave(scene: Scene) -> None:
    """A hit is left in the same ways; it takes nothing away and holds no connection."""
    backend = scene.backend()
    scene.wire.answers["/"] = sized(LARGE)
    url = scene.wire.url("/")
    keeper = await scene.session(backend)
    await (await keeper.get(url)).read()
    for name, way in WAYS.items():
        if "time_out" in name or "cancel" in name or name == "ask_for_too_much":
            continue  # A hit need not keep anybody waiting.
        leaver = await scene.session(backend)
        async with asyncio.timeout(5):
            await way(leaver, url)
        assert leaver.closed or connections(leaver) == (0, 0)
    for delay in (0, 0.0005, 0.001, 0.002, 0.004):
        leaver = await scene.session(backend)
        task = asyncio.create_task(leave(leaver, url))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
    assert await (await keeper.get(url)).read() == LARGE
    assert scene.wire.count() == 1


@SOME
async def test_the_origin_breaks_off_for_a_reader_who_waits(scene: Scene) -> None:
    session = await scene.open()
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(LARGE)}") + LARGE[: 2 * MIB])
        await gate.wait()
        wire.transport.abort()

    scene.wire.answers["/"] = answer
    async with session.get(scene.wire.url("/")) as response:
        assert await response.content.readexactly(2 * MIB) == LARGE[: 2 * MIB]
        reading = asyncio.ensure_future(response.content.readany())
        await asyncio.sleep(0.01)
        gate.set()
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await reading
    assert connections(session) == (0, 0)
    await scene.nothing_is_left(session.cache)


@SOME
async def test_a_backend_that_is_closed_in_the_middle_of_a_miss(scene: Scene) -> None:
    """Its reader is given all the same."""
    backend = scene.backend()
    session = await scene.session(backend)
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(LARGE)}") + LARGE[: 2 * MIB])
        await gate.wait()
        await wire.send(LARGE[2 * MIB :])

    scene.wire.answers["/"] = answer
    async with asyncio.timeout(5), session.get(scene.wire.url("/")) as response:
        first = await response.content.readexactly(2 * MIB)
        await backend.close()
        gate.set()
        assert first + await response.content.read() == LARGE


@SOME
async def test_clear_in_the_middle_of_a_miss(scene: Scene) -> None:
    """What is on its way may be kept or not; what is kept is whole."""
    session = await scene.open()
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(LARGE)}") + LARGE[: 2 * MIB])
        await gate.wait()
        await wire.send(LARGE[2 * MIB :])

    scene.wire.answers["/"] = answer
    async with asyncio.timeout(5), session.get(scene.wire.url("/")) as response:
        first = await response.content.readexactly(2 * MIB)
        await session.cache.clear()
        await session.cache.delete_expired_responses()
        gate.set()
        assert first + await response.content.read() == LARGE
    assert await (await session.get(scene.wire.url("/"))).read() == LARGE
    await session.cache.clear()
    await scene.nothing_is_left(session.cache)
