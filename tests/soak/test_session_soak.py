"""Programs full of tasks that share one file of a ``SQLiteBackend``, some of them killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.origin import origin_in_a_thread

ROOT = Path(__file__).parents[2]
PROCESSES = 4
TASKS = 100

# `/echo-query` answers with its own query, up to some ten thousand times in a row.
CODE = """
import asyncio, logging, random, sys, time
from aiohttp_client_cache import CachedSession, SQLiteBackend

# In debug mode it tells of every tenth of a second that a busy machine took away.
logging.getLogger("asyncio").setLevel(logging.ERROR)
file, base, seed, seconds, tasks = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
chance = random.Random(seed)
until = time.monotonic() + seconds

async def task(session, number):
    while time.monotonic() < until:
        query = f"?n={chance.randrange(200)}&size={chance.choice([1, 50, 3000, 30_000])}"
        options = {"expire_after": chance.choice([None, 0.2, 60, -1])}
        what = chance.random()
        if what < 0.02:
            options["force_refresh"] = True
        elif what < 0.03:
            await session.cache.delete_url(base + query)
        elif what < 0.035:
            await session.delete_expired_responses()
        path = "/via" if what > 0.9 else ""
        async with session.get(base + path + query, **options) as response:
            text = await response.text()
            size = int(response.url.query["size"])
            assert response.status == 200, response.status
            assert text == query * size, (query, text[:80])
        await asyncio.sleep(chance.random() * 0.05)

async def main():
    backend = SQLiteBackend(file)
    async with CachedSession(cache=backend) as session:
        print("under way", flush=True)
        await asyncio.gather(*(task(session, number) for number in range(int(tasks))))
    assert backend.engine.failures.count == 0

asyncio.run(main())
"""


def start(file: Path, base: str, seed: int, seconds: float, tasks: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-X", "dev", "-W", "error", "-c", CODE),
            *map(str, (file, base, seed, seconds, tasks)),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(program: subprocess.Popen[str]) -> None:
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (0, "under way\n", "")


def soak(folder: Path, seconds: float, tasks: int) -> int:
    """Let programs come and go for some seconds; answers how many were killed."""
    file, chance = folder / "cache.sqlite", random.Random(1)
    running: list[subprocess.Popen[str]] = []
    seed = killed = 0
    with origin_in_a_thread() as origin:
        base, end = origin.url("/echo-query"), time.monotonic() + seconds
        while time.monotonic() < end or running:
            while time.monotonic() < end and len(running) < PROCESSES:
                seed += 1
                running.append(start(file, base, seed, min(seconds, 5.0), tasks))
            time.sleep(0.05)
            for program in [one for one in running if one.poll() is not None]:
                finish(program)
                running.remove(program)
            if running and chance.random() < 0.05 and time.monotonic() < end:
                victim = running.pop(chance.randrange(len(running)))
                assert victim.stdout is not None
                victim.stdout.readline()
                victim.send_signal(signal.SIGKILL)
                assert victim.communicate()[1] == ""
                killed += 1
        assert origin.count() > 0
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not list(folder.glob("*.corrupt-*"))
    return killed


def test_a_little_storm(tmp_path: Path) -> None:
    soak(tmp_path, seconds=1.5, tasks=20)


@pytest.mark.soak
def test_a_long_storm(tmp_path: Path) -> None:
    assert soak(tmp_path, 60 * float(os.environ.get("SOAK_SCALE", "1")), TASKS)
