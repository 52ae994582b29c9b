"""A request while another one for the same URL is in flight: who waits, and for how long."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from acachecontrol import AsyncCache, AsyncCacheControl
from tests.support.clock import StandingClock
from tests.support.scripted import End, Reply, ScriptedOrigin, reply

TASKS = 10


def ask(
    session: AsyncCacheControl, origin: ScriptedOrigin, tasks: int = TASKS, **params: Any
) -> list[asyncio.Task[str]]:
    async def get() -> str:
        async with session.get(origin.url(), **params) as resp:
            return await resp.text()

    return [asyncio.create_task(get()) for _ in range(tasks)]


async def test_those_who_wait_are_served_what_is_stored(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(gate=gate))
    tasks = ask(session, scripted)
    await scripted.has_received(1)
    gate.set()
    assert await asyncio.gather(*tasks) == ["1"] * TASKS
    assert scripted.count() == 1


@pytest.mark.parametrize("sleep_time", [0, 0.1, 3600])
async def test_they_are_woken_and_do_not_look_now_and_then(
    scripted: ScriptedOrigin, clock: StandingClock, sleep_time: float
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(gate=gate))
    cache = AsyncCache(config={"sleep_time": sleep_time}, clock=clock)
    async with AsyncCacheControl(cache=cache) as session:
        tasks = ask(session, scripted)
        await scripted.has_received(1)
        gate.set()
        async with asyncio.timeout(1):
            assert await asyncio.gather(*tasks) == ["1"] * TASKS
    assert scripted.count() == 1


async def test_one_fetch_for_all_sessions_of_a_cache(
    cache: AsyncCache, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(gate=gate))
    async with AsyncCacheControl(cache) as one, AsyncCacheControl(cache) as other:
        tasks = ask(one, scripted) + ask(other, scripted)
        await scripted.has_received(1)
        gate.set()
        assert set(await asyncio.gather(*tasks)) == {"1"}
    assert scripted.count() == 1


async def test_params_are_different_requests(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(gate=gate))
    tasks = ask(session, scripted, 1, params={"a": "1"}) + ask(
        session, scripted, 1, params={"a": "2"}
    )
    await scripted.has_received(2)
    gate.set()
    assert set(await asyncio.gather(*tasks)) == {"1", "2"}


async def test_a_first_caller_that_never_reads(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    """Its body is read for it; the second caller need not wait for what will not come."""
    scripted.answers("/", reply(body="x" * 1000))
    async with (
        session.get(scripted.url()),
        asyncio.timeout(1),
        session.get(scripted.url()) as resp,
    ):
        assert await resp.text() == "x" * 1000
    assert scripted.count() == 1


async def test_a_first_caller_that_never_reads_a_large_body(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    body = b"x" * (3 * 2**20)
    scripted.answers("/", reply(body=body))
    async with session.get(scripted.url()) as unread:
        began = time.monotonic()
        async with session.get(scripted.url()) as resp:
            assert await resp.read() == body
        assert time.monotonic() - began < 2
        assert unread.status == 200


async def test_a_first_caller_whose_body_stalls(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    never = asyncio.Event()
    scripted.answers("/", Reply(body=b"first", body_gate=never), reply(body="second"))
    async with (
        session.get(scripted.url()),
        asyncio.timeout(2),
        session.get(scripted.url()) as resp,
    ):
        assert await resp.text() == "second"


async def test_a_first_request_that_fails(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(raw=b"this is not HTTP\r\n\r\n", gate=gate), reply(body="well"))
    first, *others = ask(session, scripted, 4)
    await scripted.has_received(1)
    gate.set()
    async with asyncio.timeout(2):
        with pytest.raises(aiohttp.ClientError):
            await first
        assert set(await asyncio.gather(*others)) == {"well"}


async def test_a_first_body_that_breaks_off(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(body=b"half", end=End.CUT_OFF, gate=gate), reply(body="whole"))
    first, *others = ask(session, scripted, 4)
    await scripted.has_received(1)
    gate.set()
    async with asyncio.timeout(2):
        with pytest.raises(aiohttp.ClientPayloadError):
            await first
        assert set(await asyncio.gather(*others)) == {"whole"}


async def test_a_first_caller_that_is_cancelled(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    never = asyncio.Event()
    scripted.answers("/", Reply(gate=never), reply(body="second"))
    first, *others = ask(session, scripted, 4)
    await scripted.has_received(1)
    first.cancel()
    async with asyncio.timeout(2):
        assert await asyncio.gather(*others) == ["second"] * 3
    assert scripted.count() == 2


async def test_what_is_not_stored_is_waited_for_once(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    scripted.answers("/", *(reply("Cache-Control: no-store", gate=gate) for gate in gates))
    tasks = ask(session, scripted, 4)
    await scripted.has_received(1)
    gates[0].set()
    await scripted.has_received(4)
    gates[1].set()
    assert set(await asyncio.gather(*tasks)) == {"1", "2", "3", "4"}


async def test_requests_that_are_not_kept_do_not_wait(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    gate = asyncio.Event()
    scripted.answers("/", Reply(gate=gate))

    async def post() -> int:
        async with session.post(scripted.url(), data=b"x") as resp:
            return resp.status

    tasks = [asyncio.create_task(post()) for _ in range(4)]
    await scripted.has_received(4)
    gate.set()
    assert await asyncio.gather(*tasks) == [200] * 4
