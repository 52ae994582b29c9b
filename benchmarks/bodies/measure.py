"""Each measurement of large bodies in a process of its own, beside an origin in another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.bodies import origin, web_origin
from benchmarks.bodies.origin import MIB
from benchmarks.bodies.reading import WAYS
from benchmarks.bodies.task import PLAIN, Figures, Task, stores
from benchmarks.origin import running_origin

GROUP = "bodies"
NAMES = {
    f"{GROUP}-{measure}": measure for measure in ("memory", "first-byte", "stall", "throughput")
}

MOST_ROUNDS = 9
MOST_REPETITIONS = 200

# Parts of the largest body that one of 20 tasks reads, and so on.
STALL_SHARE = 64
FAR_SHARE = 64
THROUGHPUT_SHARE = 4

SERVERS = {"sockets": origin.__file__, "aiohttp": web_origin.__file__}

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Amount:
    """How much is measured.

    Attributes:
        mebibytes: the size of the body in memory; what others read are fractions of it.
        rounds: of throughput and of streams at once, in all processes together; ``MOST_ROUNDS``
            at most.
        repetitions: of what waits for first bytes, likewise; ``MOST_REPETITIONS`` at most.
        processes: how many share these.
    """

    mebibytes: int
    rounds: int
    repetitions: int
    processes: int


@dataclass(frozen=True)
class Result:
    """What one process found, or several with the same task.

    Attributes:
        task: what it was told.
        figures: what it answered, as the measurement says; ``None`` where it failed.
        error: the last line of a failure.
    """

    task: Task
    figures: Figures | None
    error: str = ""


@dataclass(frozen=True)
class Bodies:
    """What was measured, as the clients told it.

    Attributes:
        amount: how much was asked for.
        cores: the CPUs of clients and of origins; ``None`` where they were not pinned.
        folder: where the stores were.
        file_system: the type of file system there; empty where that is not told.
        results: in the order of measuring.
    """

    amount: Amount
    cores: tuple[int, int] | None
    folder: str
    file_system: str
    results: list[Result]


def wanted(names: Collection[str]) -> list[str]:
    """The measurements that some names on the command line are for."""
    return [measure for name, measure in NAMES.items() if name in names or GROUP in names]


def measure_bodies(
    measures: Collection[str], amount: Amount, *, folder: str | None = None, pinned: bool = True
) -> Bodies:
    """Measure plain aiohttp and every store.

    Args:
        measures: values of ``NAMES``.
        amount: how much.
        folder: where a temporary folder is made; by default where the system has them.
        pinned: give clients and origins a CPU of their own each, where there are two.
    """
    cores = _cores() if pinned else None
    client, server = cores or (None, None)
    results: dict[Task, Result] = {}
    with ExitStack() as stack:
        inside = stack.enter_context(TemporaryDirectory(prefix="benchmark-", dir=folder))
        origins = {
            name: stack.enter_context(running_origin(Path(program), server))
            for name, program in SERVERS.items()
        }
        for described in _tasks(measures, amount):
            task = replace(
                described,
                origin=origins[described.server],
                folder=str(Path(inside, described.measure, described.store, described.reading)),
                core=client,
            )
            result = run(task)
            results[task] = _joined(results[task], result) if task in results else result
        where, file_system = str(Path(inside).parent), _file_system(inside)
    return Bodies(amount, cores, where, file_system, list(results.values()))


def _tasks(measures: Collection[str], amount: Amount) -> Iterator[Task]:
    """All tasks, in order; those that several processes share as often as that."""
    size = amount.mebibytes * MIB
    if "memory" in measures:
        for reading in WAYS:
            way = Task("memory", PLAIN, size=size, reading=reading)
            yield replace(way, phase="miss")
            for store in stores():
                # What is kept in memory takes memory.
                if store != "memory":
                    yield replace(way, store=store, phase="miss")
                    yield replace(way, store=store, phase="hit")
    rounds = ceil(min(amount.rounds, MOST_ROUNDS) / amount.processes)
    repetitions = ceil(min(amount.repetitions, MOST_REPETITIONS) / amount.processes)
    rest = (
        Task("first-byte", "", size=size // FAR_SHARE, rounds=repetitions),
        *(Task("stall", "", server, size=size // STALL_SHARE, rounds=rounds) for server in SERVERS),
        *(
            Task("throughput", "", server, size=size // THROUGHPUT_SHARE, rounds=rounds)
            for server in SERVERS
        ),
    )
    for task in rest:
        if task.measure in measures:
            for _ in range(amount.processes):
                for store in stores():
                    yield replace(task, store=store, size=max(task.size, 2 * MIB))


def _joined(result: Result, other: Result) -> Result:
    """Two results of one task: what each round found, of both."""
    if result.figures is None or other.figures is None:
        return result if result.figures is None else other
    return replace(result, figures=_both(result.figures, other.figures))


def _both(figures: Any, more: Any) -> Any:
    if isinstance(figures, dict):
        return {key: _both(value, more[key]) for key, value in figures.items()}
    return figures + more if isinstance(figures, list) else figures


def run(task: Task) -> Result:
    """Measure one thing in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bodies.client", json.dumps(asdict(task))]
    done = subprocess.run(  # noqa: S603 - this very interpreter
        command, check=False, capture_output=True, text=True, cwd=_ROOT
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Result(task, None, lines[-1] if lines else f"ended with {done.returncode}")
    return Result(task, json.loads(done.stdout))


def _cores() -> tuple[int, int] | None:
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[-1]) if len(cores) > 1 else None


def _file_system(folder: str) -> str:
    """The type of the file system of a folder, as Linux tells it."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = {line.split()[1]: line.split()[2] for line in lines}
    path = Path(folder).resolve()
    return next((mounts[str(at)] for at in (path, *path.parents) if str(at) in mounts), "")
