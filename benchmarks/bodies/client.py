"""A process that measures one thing: told as JSON in its argument, answered as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from benchmarks.bodies import first_byte, resident, stall, throughput
from benchmarks.bodies.task import Task

MEASURES = {
    "memory": resident.measure,
    "first-byte": first_byte.measure,
    "stall": stall.measure,
    "throughput": throughput.measure,
}


def main() -> None:
    """Measure and print."""
    task = Task(**json.loads(sys.argv[1]))
    if task.core is not None:
        os.sched_setaffinity(0, {task.core})
    print(json.dumps(asyncio.run(MEASURES[task.measure](task))))


if __name__ == "__main__":
    main()
