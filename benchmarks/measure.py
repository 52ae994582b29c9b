"""CPU time per request, in rounds that take turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.cases import Case, Run


@dataclass
class Cost:
    """What a case costs: µs of CPU time per request, of each round."""

    case: Case
    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure that is reported."""
        return median(self.rounds)

    def added_to(self, baseline: Cost) -> float:
        """The median of what each round cost more than the baseline's round beside it."""
        pairs = zip(self.rounds, baseline.rounds, strict=True)
        return median(own - other for own, other in pairs)

    def ratio_to(self, baseline: Cost) -> float:
        """The median of each round's cost as a share of the baseline's round beside it."""
        pairs = zip(self.rounds, baseline.rounds, strict=True)
        return median(own / other for own, other in pairs)


async def measure(
    cases: Iterable[Case], origin: str, *, rounds: int, operations: int, urls: int
) -> dict[str, Cost]:
    """Measure the cases.

    The rounds of all cases take turns, so that whatever else the machine does meanwhile is spread
    over all of them. All threads of this process count (``time.process_time``).

    Args:
        cases: what to measure.
        origin: address of the origin.
        rounds: how many of each case.
        operations: requests per round.
        urls: how many URLs a hit is for, in turn.
    """
    costs = {case.name: Cost(case) for case in cases}
    async with AsyncExitStack() as stack:
        runs: list[Run] = []
        for cost in costs.values():
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
            runs.append(await stack.enter_async_context(Run(cost.case, origin, folder, urls)))
        for _ in range(rounds):
            for run in runs:
                costs[run.case.name].rounds.append(await _round(run, operations))
    return costs


async def _round(run: Run, operations: int) -> float:
    batch = run.batch(operations)
    await run.prepare()
    gc.collect()
    begin = time.process_time()
    await run.requests(batch)
    return (time.process_time() - begin) / operations * 1e6
