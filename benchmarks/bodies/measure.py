"""Each measurement of large bodies in a process of its own, beside an origin in another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bodies import origin as origin_program
from benchmarks.bodies.origin import MIB
from benchmarks.bodies.reading import WAYS
from benchmarks.bodies.task import MOST_IN_MEMORY, PLAIN, Figures, Task, stores
from benchmarks.origin import running_origin

GROUP = "bodies"
NAMES = {
    f"{GROUP}-{measure}": measure for measure in ("memory", "first-byte", "stall", "throughput")
}

MOST_ROUNDS = 5
MOST_REPETITIONS = 200

# What 20 tasks read together is about as much as the one body of the other measurements.
STALL_SHARE = 32
FAR_SHARE = 64

_ROOT = Path(__file__).parents[2]


@dataclass
class Bodies:
    """What was measured, as the clients told it.

    Attributes:
        size: bytes of the largest body.
        cores: the CPUs of the client and of the origin; ``None`` where they were not pinned.
        folder: where the stores were.
        file_system: the type of file system there; empty where that is not told.
        results: in the order of measuring.
    """

    size: int
    cores: tuple[int, int] | None
    folder: str
    file_system: str
    results: list[Result] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """One process.

    Attributes:
        task: what it was told.
        figures: what it answered, as the measurement says; ``None`` where it failed.
        error: the last line of a failure.
    """

    task: Task
    figures: Figures | None
    error: str = ""


def wanted(names: Collection[str]) -> list[str]:
    """The measurements that some names on the command line are for."""
    return [measure for name, measure in NAMES.items() if name in names or GROUP in names]


def measure_bodies(
    measures: Collection[str],
    *,
    mebibytes: int,
    rounds: int,
    repetitions: int,
    folder: str | None = None,
    pinned: bool = True,
) -> Bodies:
    """Measure plain aiohttp and every store.

    Args:
        measures: values of ``NAMES``.
        mebibytes: size of the body in memory and throughput; others are fractions of it.
        rounds: of streams at once, and of throughput; ``MOST_ROUNDS`` at most.
        repetitions: of what waits for first bytes; ``MOST_REPETITIONS`` at most.
        folder: where a temporary folder is made; by default where the system has them.
        pinned: give client and origin a CPU of their own each, where there are two.
    """
    cores = _cores() if pinned else None
    with TemporaryDirectory(prefix="benchmark-", dir=folder) as inside:
        size = mebibytes * MIB
        bodies = Bodies(size, cores, str(Path(inside).parent), _file_system(inside))
        program = Path(origin_program.__file__)
        with running_origin(program, cores[1] if cores else None) as origin:
            basis = Task("", PLAIN, origin, inside, size, core=cores[0] if cores else None)
            counts = {
                "first-byte": min(repetitions, MOST_REPETITIONS),
                "stall": min(rounds, MOST_ROUNDS),
                "throughput": min(rounds, MOST_ROUNDS),
            }
            bodies.results += map(run, _tasks(basis, measures, counts))
    return bodies


def _tasks(basis: Task, measures: Collection[str], counts: Mapping[str, int]) -> Iterator[Task]:
    cached = stores()
    if "memory" in measures:
        for reading in WAYS:
            way = replace(basis, measure="memory", reading=reading)
            yield replace(way, phase="miss")
            for store in cached:
                if store == "memory":
                    continue
                with TemporaryDirectory(dir=basis.folder) as folder:
                    for phase in ("miss", "hit"):
                        yield replace(way, store=store, phase=phase, folder=folder)
    sizes = {
        "first-byte": basis.size // FAR_SHARE,
        "stall": max(basis.size // STALL_SHARE, MIB),
        "throughput": basis.size,
    }
    for measure, size in sizes.items():
        if measure not in measures:
            continue
        for store in cached:
            with TemporaryDirectory(dir=basis.folder) as folder:
                yield replace(
                    basis,
                    measure=measure,
                    store=store,
                    folder=folder,
                    rounds=counts[measure],
                    size=min(size, MOST_IN_MEMORY) if store == "memory" else size,
                )


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
