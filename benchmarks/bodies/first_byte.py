"""How long a user waits for the first bytes of a large body."""

from __future__ import annotations

import asyncio
import gc
import time
from math import ceil

from aiohttp import ClientSession

from benchmarks.bodies.origin import MIB
from benchmarks.bodies.reading import read_through
from benchmarks.bodies.task import Addresses, Figures, Task, expect, open_session, settle, warm_up

# A write that is under way would delay the next request.
REST_SECONDS = 0.003
SETTLE_EVERY = 10

# 64 KiB every 2 ms: what a line of about 250 Mbit/s brings.
PACE = 2000

# µs that a request takes to a server in the same country, and its answer back.
FAR_AWAY = 20_000


def kinds(size: int) -> dict[str, tuple[str, int, int, int]]:
    """Framing, bytes, pace and wait of what is asked for, by name."""
    over, far = MIB + 1, max(size, 2 * MIB)
    return {
        "length-over": ("length", over, 0, 0),
        "length-far": ("length", far, 0, 0),
        "chunked-over": ("chunked", over, 0, 0),
        "chunked-far": ("chunked", far, 0, 0),
        "length-far-away": ("length", 2 * MIB, 0, FAR_AWAY),
        "chunked-far-away": ("chunked", 2 * MIB, 0, FAR_AWAY),
        "length-paced": ("length", 2 * MIB, PACE, 0),
        "chunked-paced": ("chunked", 2 * MIB, PACE, 0),
    }


async def measure(task: Task) -> Figures:
    """Misses and hits in turn with plain requests, in seconds, by kind."""
    addresses = Addresses(task)
    gathered: Figures = {}
    plain = ClientSession()
    async with plain, open_session(task) as cached:
        for name, (framing, size, pace, wait) in kinds(task.size).items():
            rows: dict[str, list[float]] = {"plain": [], "miss": [], "hit": []}
            gathered[name] = {
                "framing": framing,
                "size": size,
                "pace": pace,
                "wait": wait,
                "seconds": rows,
            }
            # They take long, and differ by more than chance.
            rounds = ceil(task.rounds / 4) if pace or wait else task.rounds
            for number in range(rounds):
                if number % SETTLE_EVERY == 0:
                    await settle(cached, clear=True)
                    await warm_up(plain, addresses.small)
                    await warm_up(cached, addresses.small)
                    gc.collect()
                address = addresses.new(size, framing, pace, wait)
                rows["plain"].append(await _wait(plain, address, size, hit=False))
                rows["miss"].append(await _wait(cached, address, size, hit=False))
                rows["hit"].append(await _wait(cached, address, size, hit=True))
        await settle(cached, clear=True)
    return gathered


async def _wait(session: ClientSession, address: str, size: int, *, hit: bool) -> float:
    await asyncio.sleep(REST_SECONDS)
    begin = time.perf_counter()
    async with session.get(address) as response:
        first = await response.content.readany()
        seconds = time.perf_counter() - begin
        await read_through(response, size - len(first))
    expect(response, hit=hit)
    return seconds
