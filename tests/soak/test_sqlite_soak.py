"""Processes full of tasks on one SQLite file, some of them killed: no error, no wrong body."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores import program

PROCESSES = 4
TASKS = 100

# The body of a key says which key it is, how long it is and who wrote it, so that parts of two
# bodies can be told from one whole.
CODE = """
import hashlib, random
seed, until = int(sys.argv[2]), time.time() + float(sys.argv[3])
chance = random.Random(seed)

def made(key, writer, size):
    head = f'{key}|{writer}|{size}|'.encode()
    return head + hashlib.sha256(head).digest() * (size // 32)

def check(stored):
    key, writer, size = stored.body.split(b'|')[:3]
    assert key.decode() == stored.key, (key, stored.key)
    assert stored.body == made(stored.key, int(writer), int(size)), stored.key
    assert stored.entry.url == f'https://example.org/{int(writer)}', stored.entry.url
    assert len(stored.body) == stored.entry.body_size

async def task(number):
    while time.time() < until:
        key = f'{chance.randrange(20)}.{chance.randrange(40)}'
        what = chance.random()
        if what < 0.6:
            for stored in await run_async(store.load(key, follow=True), loop_shell):
                check(stored)
        elif what < 0.9:
            size = chance.choice([0, 100, 3000, 3000, 70_000, 400_000 if what > 0.88 else 10])
            body = made(key, seed, size)
            head = entry(f'https://example.org/{seed}', body=body, expires=chance.random() * 100)
            await run_async(store.save(key, head, body), loop_shell)
        elif what < 0.93:
            await run_async(store.link(f'x.{number}', alias(key)), loop_shell)
        elif what < 0.96:
            await run_async(store.delete([key]), loop_shell)
        elif what < 0.97:
            await run_async(store.purge(key.partition('.')[0]), loop_shell)
        elif what < 0.98:
            await run_async(store.sweep(chance.random() * 50, 20), loop_shell)
        elif what < 0.99:
            for _, stored in await run_async(store.page('', 20, bodies=True), loop_shell):
                check(stored)
        else:
            await run_async(store.size(), loop_shell)
        await asyncio.sleep(chance.random() * 0.02)

async def main():
    print('under way', flush=True)
    await asyncio.gather(*(task(number) for number in range(int(sys.argv[4]))))
    if chance.random() < 0.5:
        await loop_shell.close()

asyncio.run(main())
"""


def soak(folder: Path, seconds: float, tasks: int) -> int:
    """Let processes come and go for some seconds; answers how many were killed."""
    chance = random.Random(1)
    end = time.monotonic() + seconds
    running: list[subprocess.Popen[str]] = []
    seed = killed = 0
    while time.monotonic() < end or running:
        while time.monotonic() < end and len(running) < PROCESSES:
            seed += 1
            running.append(program.start(folder, CODE, seed, min(seconds, 5.0), tasks))
        time.sleep(0.05)
        for one in list(running):
            if one.poll() is not None:
                assert program.finish(one) == "under way"
                running.remove(one)
        if running and chance.random() < 0.05 and time.monotonic() < end:
            victim = running.pop(chance.randrange(len(running)))
            assert victim.stdout is not None
            victim.stdout.readline()
            victim.send_signal(signal.SIGKILL)
            _, errors = victim.communicate()
            assert not errors
            killed += 1
    with closing(sqlite3.connect(folder / "cache.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        orphans = """SELECT count(*) FROM http_cache_v1_blocks WHERE chain NOT IN
            (SELECT chain FROM http_cache_v1_responses WHERE chain IS NOT NULL)"""
        assert connection.execute(orphans).fetchone() == (0,)
    assert not list(folder.glob("*.corrupt-*"))
    return killed


def test_a_little_storm(tmp_path: Path) -> None:
    soak(tmp_path, seconds=1.5, tasks=20)


@pytest.mark.soak
def test_a_long_storm(tmp_path: Path) -> None:
    seconds = 60 * float(os.environ.get("SOAK_SCALE", "1"))
    assert soak(tmp_path, seconds=seconds, tasks=TASKS)
