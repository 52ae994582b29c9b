"""How fast one large body passes."""

from __future__ import annotations

import gc
import time
from pathlib import Path

from aiohttp import ClientSession

from benchmarks.bodies.reading import read_through
from benchmarks.bodies.task import Addresses, Figures, Task, expect, open_session, settle, warm_up

PHASES = ("plain", "copy", "miss", "hit")


async def measure(task: Task) -> Figures:
    """A body plain, plain and written to a file, missed and hit, in turn.

    Returns:
        By ``plain``, ``copy``, ``miss`` and ``hit``, for each round: ``wall``, the seconds from
        the request to the last byte; ``cpu``, those of all threads until what is stored is on
        disk; ``stored``, the seconds until then.
    """
    addresses = Addresses(task)
    plain = ClientSession()
    gathered: Figures = {phase: {"wall": [], "cpu": [], "stored": []} for phase in PHASES}
    async with plain, open_session(task) as cached:
        for _ in range(task.rounds):
            address = addresses.new(task.size)
            for phase, rows in gathered.items():
                session = cached if phase in ("miss", "hit") else plain
                await warm_up(session, addresses.small)
                gc.collect()
                begin, cpu = time.perf_counter(), time.process_time()
                if phase == "copy":
                    await _copy(session, address, task)
                else:
                    async with session.get(address) as response:
                        await read_through(response, task.size, task.reading)
                    expect(response, hit=phase == "hit")
                rows["wall"].append(time.perf_counter() - begin)
                await settle(session)
                rows["cpu"].append(time.process_time() - cpu)
                rows["stored"].append(time.perf_counter() - begin)
            await settle(cached, clear=True)
            _copied(task).unlink()
    return gathered


async def _copy(session: ClientSession, address: str, task: Task) -> None:
    """What a user without a cache does to keep a body."""
    # That the loop stands still while the system copies makes it simple, and fast.
    with _copied(task).open("wb") as file:
        async with session.get(address) as response:
            await read_through(response, task.size, task.reading, file.write)


def _copied(task: Task) -> Path:
    return Path(task.folder, "copy")
