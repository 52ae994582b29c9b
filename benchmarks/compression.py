"""What compressed bodies cost, and what they save: ``python -m benchmarks.compression``.

The origin answers with JSON, which is a list of records with numbers, words and dates in them.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import ClientSession, web

from aiohttp_client_cache import CachedSession, FileBackend, SQLiteBackend
from benchmarks.cases import KIB, Case, Run, sqlite_session
from benchmarks.measure import measure

SIZES = (16 * KIB, 1024 * KIB)
ROUNDS = 15
OPERATIONS = 100


@cache
def document(size: int) -> bytes:
    """About so many bytes of JSON."""
    chance = random.Random(size)
    words = [f"{chance.getrandbits(40):x}" for _ in range(3000)]
    records: list[dict[str, Any]] = []
    length = 0
    while length < size:
        record = {
            "id": chance.randrange(10**9),
            "name": f"{chance.choice(words)} {chance.choice(words)}",
            "active": chance.random() < 0.5,
            "score": chance.random(),
            "tags": [chance.choice(words) for _ in range(4)],
            "created": f"2026-11-20T13:{chance.randrange(60):02}:{chance.randrange(60):02}Z",
        }
        records.append(record)
        length += len(json.dumps(record)) + 2
    return json.dumps(records).encode()[:size]


async def _answer(request: web.Request) -> web.Response:
    body = document(int(request.match_info["size"]))
    return web.Response(body=body, content_type="application/json")


def _serve(told: Connection) -> None:
    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/json/{size}", _answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def _origin() -> Iterator[str]:
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()


def _plain(_: Path) -> ClientSession:
    return ClientSession()


def _packed(folder: Path) -> ClientSession:
    return sqlite_session(folder, compression="zstd")


def _files(folder: Path) -> ClientSession:
    return CachedSession(cache=FileBackend(folder / "benchmark"))


def _packed_files(folder: Path) -> ClientSession:
    return CachedSession(cache=FileBackend(folder / "benchmark", compression="zstd"))


_KINDS = {
    "plain aiohttp": _plain,
    "SQLite": sqlite_session,
    "SQLite, zstd": _packed,
    "files": _files,
    "files, zstd": _packed_files,
}


def _cases() -> Iterator[Case]:
    for size in SIZES:
        for kind, open_ in _KINDS.items():
            for way in ("hit", "miss"):
                name = f"{kind} {way} {size // KIB} KiB"
                if kind != "plain aiohttp" or way == "miss":
                    yield Case(name, name, open_, size, new=way == "miss", path="json")


async def _room(size: int, compression: Any) -> int:
    with TemporaryDirectory(prefix="benchmark-") as folder, _origin() as origin:
        backend = SQLiteBackend(Path(folder) / "benchmark.sqlite", compression=compression)
        case = Case("room", "room", lambda _: CachedSession(cache=backend), size, path="json")
        async with Run(case, origin, Path(folder), 20):
            return await backend.bytes() // 20


async def main() -> None:
    """Measure, and print a table."""
    with _origin() as origin:
        cases = list(_cases())
        costs = await measure(cases, origin, rounds=ROUNDS, operations=OPERATIONS, urls=20)
    for cost in costs.values():
        sys.stdout.write(f"{cost.case.name:36} {cost.median:8.0f} µs\n")
    for size in SIZES:
        plain, packed = await _room(size, None), await _room(size, "zstd")
        sys.stdout.write(f"{size // KIB} KiB take {plain} bytes, with zstd {packed}\n")


if __name__ == "__main__":
    asyncio.run(main())
