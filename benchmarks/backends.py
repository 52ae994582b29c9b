"""What each backend costs, side by side, with real servers on this machine."""

from __future__ import annotations

import gc
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from aiohttp import ClientSession

import aiohttp_client_cache as face
from benchmarks.cases import KIB, Case, Run, memory_session, sqlite_session

GROUP: Final = "backends"

PLAIN: Final = "plain aiohttp"


def _cached(backend: face.CacheBackend) -> ClientSession:
    return face.CachedSession(cache=backend)


def _files(folder: Path) -> ClientSession:
    return _cached(face.FileBackend(folder / "files"))


def _redis(_: Path) -> ClientSession:
    from tests.support.servers import redis_url

    return _cached(face.RedisBackend(secrets.token_hex(4), redis_url()))


def _cluster(_: Path) -> ClientSession:
    from tests.support.servers import redis_cluster_nodes

    nodes = ",".join(f"{host}:{port}" for host, port in redis_cluster_nodes())
    return _cached(face.RedisBackend(secrets.token_hex(4), f"redis+cluster://{nodes}"))


def _mongodb(_: Path) -> ClientSession:
    from tests.support.servers import mongodb_url

    return _cached(face.MongoDBBackend(secrets.token_hex(4), host=mongodb_url()))


def _dynamodb(_: Path) -> ClientSession:
    from tests.support.servers import dynamodb_url

    backend = face.DynamoDBBackend(
        secrets.token_hex(4),
        endpoint_url=dynamodb_url(),
        region_name="eu-west-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",  # noqa: S106 - DynamoDB Local takes any
        # It is slower here than what it stands for is across a network.
        store_timeout=2,
    )
    return _cached(backend)


BACKENDS: Final[dict[str, Callable[[Path], ClientSession]]] = {
    PLAIN: lambda _: ClientSession(),
    "memory": memory_session,
    "SQLite": sqlite_session,
    "files": _files,
    "Redis": _redis,
    "Redis Cluster": _cluster,
    "MongoDB": _mongodb,
    "DynamoDB": _dynamodb,
}

KINDS: Final = {
    "hit": Case("hit", "hit, 1 KiB", memory_session),
    "hit-64k": Case("hit-64k", "hit, 64 KiB", memory_session, 64 * KIB),
    "miss": Case("miss", "miss, 1 KiB", memory_session, new=True),
}


@dataclass
class Costs:
    """What one kind of request costs with one backend.

    Attributes:
        cpu: µs of CPU time of this process per request, of each round.
        wall: µs from one request to the next, of each round.
    """

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


Measured = dict[tuple[str, str], Costs]
"""By backend and kind."""


async def measure_backends(origin: str, *, rounds: int, operations: int, urls: int) -> Measured:
    """Measure all backends; their rounds take turns.

    Args:
        origin: address of the origin.
        rounds: how many of each.
        operations: requests per round.
        urls: how many URLs a hit is for, in turn.
    """
    costs: Measured = {}
    async with AsyncExitStack() as stack:
        runs: dict[tuple[str, str], Run] = {}
        for backend, opens in BACKENDS.items():
            for kind, case in KINDS.items():
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
                own = Case(kind, case.title, opens, case.size, case.new)
                run = Run(own, origin, folder, urls)
                runs[backend, kind] = await stack.enter_async_context(run)
        for _ in range(rounds):
            for name, run in runs.items():
                await _round(run, operations, costs.setdefault(name, Costs()))
        for run in runs.values():
            await run.forget()
    return costs


async def _round(run: Run, operations: int, costs: Costs) -> None:
    batch = run.batch(operations)
    await run.prepare()
    gc.collect()
    begun, cpu = time.perf_counter(), time.process_time()
    await run.requests(batch)
    costs.cpu.append((time.process_time() - cpu) / operations * 1e6)
    costs.wall.append((time.perf_counter() - begun) / operations * 1e6)


def backends_as_table(measured: Measured) -> list[str]:
    """For people; also a table in Markdown."""
    titles = [case.title for case in KINDS.values()]
    lines = [
        f"| µs per request: CPU / wall clock | {' | '.join(titles)} |",
        f"|---|{'---:|' * len(titles)}",
    ]
    for backend in BACKENDS:
        cells = [_cell(measured[backend, kind]) for kind in KINDS]
        lines.append(f"| {backend} | {' | '.join(cells)} |")
    return lines


def _cell(costs: Costs) -> str:
    return f"{_figure(costs.cpu)} / {_figure(costs.wall)}"


def _figure(values: Sequence[float]) -> str:
    value = median(values)
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def backends_as_json(measured: Measured) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {"backend": backend, "kind": kind, "cpu_us": costs.cpu, "wall_us": costs.wall}
        for (backend, kind), costs in measured.items()
    ]
