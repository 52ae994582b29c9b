"""``delete_expired_responses`` over many entries, and how long the loop stands still meanwhile."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cases import KIB, Open, can_run, memory_session, sqlite_session

TICK = 0.001
FILL_AT_ONCE = 500

SWEPT: dict[str, tuple[str, Open]] = {
    "memory-sweep": ("memory", partial(memory_session, max_bytes=None)),
    "sqlite-sweep": ("SQLite", sqlite_session),
}


def sweeps() -> list[str]:
    """The names of the sweeps that the installed distribution can run."""
    return [name for name in SWEPT if can_run(name)]


@dataclass(frozen=True)
class Sweep:
    """The medians of some sweeps.

    Attributes:
        title: of the backend.
        entries: how many there were, half of them expired.
        seconds: from the call to its answer.
        cpu_seconds: of CPU time, in all threads.
        pause: the longest time in seconds that the event loop did nothing else.
    """

    title: str
    entries: int
    seconds: float
    cpu_seconds: float
    pause: float


async def measure_sweep(name: str, origin: str, *, entries: int, rounds: int) -> Sweep:
    """Fill a cache, half with expired responses, and sweep it.

    Args:
        name: one of ``SWEPT``.
        origin: address of the origin.
        entries: how many responses there are.
        rounds: how many times.
    """
    title, open_session = SWEPT[name]
    results = [await _sweep(open_session, origin, entries) for _ in range(rounds)]
    return Sweep(title, entries, *map(median, zip(*results, strict=True)))


async def _sweep(open_session: Open, origin: str, entries: int) -> tuple[float, float, float]:
    with TemporaryDirectory(prefix="benchmark-") as folder:
        session: Any = open_session(Path(folder))
        async with session:
            await _fill(session, f"{origin}/bytes/{KIB}", entries)
            pauses: list[float] = []
            watch = asyncio.create_task(_watch(pauses))
            # The watch needs a moment to be at work.
            await asyncio.sleep(10 * TICK)
            pauses.clear()
            begin, cpu_begin = time.perf_counter(), time.process_time()
            await session.delete_expired_responses()
            seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
            await asyncio.sleep(2 * TICK)
            watch.cancel()
            left = await session.cache.responses.size()
            if left != entries - entries // 2:
                raise RuntimeError(f"{left} responses are left of {entries}")
        return seconds, cpu, max(pauses)


async def _watch(pauses: list[float]) -> None:
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(TICK)
        pauses.append(time.perf_counter() - begin - TICK)


async def _fill(session: Any, url: str, entries: int) -> None:
    """Copy one fresh and one expired response under many keys."""
    import msgspec

    from http_client_cache.item import StoredResponse

    key = session.cache.create_key("GET", url)
    async with session.get(url, expire_after=3600) as response:
        body = await response.read()
    stored = await session.cache.responses.read(key)
    fresh = stored._entry  # noqa: SLF001 - a benchmark may know what it fills the store with
    expired = msgspec.structs.replace(fresh, expires=fresh.created)
    await session.cache.clear()
    for start in range(0, entries, FILL_AT_ONCE):
        numbers = range(start, min(start + FILL_AT_ONCE, entries))
        await asyncio.gather(
            *[
                session.cache.responses.write(
                    f"{number:016x}.{number:032x}",
                    StoredResponse(expired if number < entries // 2 else fresh, body),
                )
                for number in numbers
            ]
        )
