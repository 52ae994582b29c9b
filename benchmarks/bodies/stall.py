"""How late the event loop is while many bodies stream at once."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Self

from aiohttp import ClientSession

from benchmarks.bodies.reading import read_through
from benchmarks.bodies.task import Addresses, Figures, Task, expect, open_session, settle, warm_up

TASKS = 20
TICK = 0.001


class Ticker:
    """Asks the loop to be called every ``TICK`` seconds, and notes how late that is."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._next()
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()
        late = self._loop.time() - self._due
        if late > 0:
            self.delays.append(late)

    def _next(self) -> None:
        self._due = self._loop.time() + TICK
        self._handle = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self.delays.append(self._loop.time() - self._due)
        self._next()


async def measure(task: Task) -> Figures:
    """Rounds of ``TASKS`` bodies at once, plain, missed and hit in turn.

    Returns:
        By ``plain``, ``miss`` and ``hit``: the delays of each round and how long it took, in
        seconds.
    """
    addresses = Addresses(task)
    plain = ClientSession()
    gathered: Figures = {phase: {"delays": [], "seconds": []} for phase in ("plain", "miss", "hit")}
    async with plain, open_session(task) as cached:
        for _ in range(task.rounds):
            wanted = [addresses.new(task.size) for _ in range(TASKS)]
            for phase, rows in gathered.items():
                session = plain if phase == "plain" else cached
                await warm_up(session, addresses.small)
                gc.collect()
                begin = time.perf_counter()
                with Ticker() as ticker:
                    async with asyncio.TaskGroup() as group:
                        for address in wanted:
                            group.create_task(
                                _stream(session, address, task.size, hit=phase == "hit")
                            )
                rows["seconds"].append(time.perf_counter() - begin)
                rows["delays"].append(ticker.delays)
                await settle(session, clear=phase == "hit")
    return gathered


async def _stream(session: ClientSession, address: str, size: int, *, hit: bool) -> None:
    async with session.get(address) as response:
        await read_through(response, size)
    expect(response, hit=hit)
