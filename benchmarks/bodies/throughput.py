"""How fast one large body passes."""

from __future__ import annotations

import gc
import time

from aiohttp import ClientSession

from benchmarks.bodies.reading import read_through
from benchmarks.bodies.task import Addresses, Figures, Task, expect, open_session, settle, warm_up


async def measure(task: Task) -> Figures:
    """A body plain, missed and hit, in turn.

    Returns:
        By ``plain``, ``miss`` and ``hit``, for each round: ``wall`` seconds from the request to
        the last byte; ``cpu`` seconds of all threads until what is stored is on disk, and
        ``stored``, the seconds until then.
    """
    addresses = Addresses(task)
    plain = ClientSession()
    gathered: Figures = {
        phase: {"wall": [], "cpu": [], "stored": []} for phase in ("plain", "miss", "hit")
    }
    async with plain, open_session(task) as cached:
        for _ in range(task.rounds):
            address = addresses.new(task.size)
            for phase, rows in gathered.items():
                session = plain if phase == "plain" else cached
                await warm_up(session, addresses.small)
                gc.collect()
                begin, cpu = time.perf_counter(), time.process_time()
                async with session.get(address) as response:
                    await read_through(response, task.size, task.reading)
                rows["wall"].append(time.perf_counter() - begin)
                await settle(session)
                rows["cpu"].append(time.process_time() - cpu)
                rows["stored"].append(time.perf_counter() - begin)
                expect(response, hit=phase == "hit")
            await settle(cached, clear=True)
    return gathered
