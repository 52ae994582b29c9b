"""Where the microseconds of one case go."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cases import Case, Run

ROOTS = ("site-packages/", "/src/", "/benchmarks/", "/lib/")


async def profile(case: Case, origin: str, *, operations: int, urls: int, lines: int) -> str:
    """Run a case under ``cProfile`` and show its functions, each with its share per request.

    The profiler itself costs about as much as what it looks at: the shares are true, their sum is
    not. Only the thread of the event loop is seen.

    Args:
        case: what to run.
        origin: address of the origin.
        operations: how many requests.
        urls: how many URLs a hit is for, in turn.
        lines: how many functions to show.
    """
    with TemporaryDirectory(prefix="benchmark-") as folder:
        async with Run(case, origin, Path(folder), urls) as run:
            batch = run.batch(operations)
            await run.prepare()
            profiler = cProfile.Profile()
            profiler.enable()
            await run.requests(batch)
            profiler.disable()
    statistics: Any = pstats.Stats(profiler)
    rows = sorted(statistics.stats.items(), key=lambda row: -row[1][2])
    head = f"{case.title}, per request under the profiler\n{'calls':>8} {'own µs':>8} {'all µs':>8}"
    shown = [
        f"{calls / operations:8.2f} {own / operations * 1e6:8.2f} {whole / operations * 1e6:8.2f}"
        f"  {_place(function)}"
        for function, (_, calls, own, whole, _) in rows[:lines]
    ]
    return "\n".join([head, *shown])


def _place(function: tuple[str, int, str]) -> str:
    file, line, name = function
    if file == "~":
        return name
    for root in ROOTS:
        if root in file:
            file = file.rpartition(root)[2]
            break
    return f"{name}  {file}:{line}"
