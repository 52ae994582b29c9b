"""Backends in MongoDB, and the loops, threads, forks and ends of programs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from aiohttp_client_cache import MissingDependency, MongoDBBackend
from http_client_cache.shell.store_driver import run_sync
from tests.support.servers import mongodb_url

ROOT = Path(__file__).parents[3]


def test_without_pymongo() -> None:
    code = """
import sys
sys.modules["pymongo"] = sys.modules["bson"] = None
from aiohttp_client_cache import GridFSBackend, MissingDependency
try:
    GridFSBackend()
except MissingDependency as error:
    print(error)
"""
    assert run_program(code) == (
        "GridFSBackend needs pymongo: pip install aiohttp-client-cache[mongodb]"
    )
    assert issubclass(MissingDependency, ImportError)


def run_program(code: str, *arguments: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.strip()


PROGRAM = """
import asyncio, gc, os, sys, threading, warnings
from aiohttp_client_cache import MongoDBBackend
from http_client_cache.shell.store_driver import run_async, run_sync
from http_client_cache.testing.subject import entry
backend = MongoDBBackend("cache", host=sys.argv[1], database=sys.argv[2], store_timeout=10)
store, shell, sync_shell = backend._parts
async def save(key):
    await run_async(store.save(key, entry(body=b"x"), b"x"), shell)
    assert len(await run_async(store.load(key), shell)) == 1
"""


def test_several_loops_without_close(database: str) -> None:
    code = """
asyncio.run(save("a.1"))
asyncio.run(save("a.2"))
gc.collect()
with asyncio.Runner() as runner:
    runner.run(save("a.3"))
threads = [threading.Thread(target=asyncio.run, args=(save(f"b.{n}"),)) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
async def size():
    await save("a.4")
    print(await run_async(store.size(), shell))
    await backend.close()
asyncio.run(size())
asyncio.run(save("a.5"))
"""
    assert run_program(PROGRAM + code, mongodb_url(), database) == "8"


def test_a_loop_that_ends_closes_its_client(database: str) -> None:
    code = """
warnings.simplefilter("always", ResourceWarning)
asyncio.run(save("a.1"))
gc.collect()
print(len(os.listdir("/proc/self/fd")) < 12 if os.path.exists("/proc/self/fd") else True)
"""
    assert run_program(PROGRAM + code, mongodb_url(), database) == "True"


def test_a_fork_makes_connections_of_its_own(database: str) -> None:
    code = """
warnings.simplefilter("error")
run_sync(store.save("a.1", entry(body=b"x"), b"x"), sync_shell)
child = os.fork()
if not child:
    run_sync(store.save("a.2", entry(body=b"y"), b"y"), sync_shell)
    asyncio.run(save("a.3"))
    sync_shell.close()
    sys.stdout.flush()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
print(run_sync(store.size(), sync_shell))
"""
    assert run_program(PROGRAM + code, mongodb_url(), database) == "3"


def test_a_program_that_never_closes_ends_at_once(database: str) -> None:
    code = """
import time
run_sync(store.save("a.1", entry(body=b"x"), b"x"), sync_shell)
asyncio.run(save("a.2"))
print(time.time())
"""
    begun = float(run_program(PROGRAM + code, mongodb_url(), database))
    assert time.time() - begun < 2


def test_two_processes_make_the_indexes_at_once(database: str) -> None:
    code = """
print("ready", flush=True)
sys.stdin.readline()
run_sync(store.save(sys.argv[3], entry(body=b"x"), b"x"), sync_shell)
"""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM + code, mongodb_url(), database, f"a.{number}"],
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    for program in programs:
        _, err = program.communicate(timeout=40)
        assert (program.returncode, err) == (0, "")
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        entries = client[database]["cache.v1.entries"]
        assert entries.count_documents({}) == 4
        assert len(entries.index_information()) == 5


async def test_threads_connect_once(database: str) -> None:
    backend = MongoDBBackend("cache", host=mongodb_url(), database=database, store_timeout=10)
    store, _, synchronous = backend._parts
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda: sizes.append(run_sync(store.size(), synchronous)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert sizes == [0] * 20
    synchronous.close()
