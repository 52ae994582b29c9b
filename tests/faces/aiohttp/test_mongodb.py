"""MongoDBBackend and GridFSBackend: their arguments, and what a program meets."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from pymongo import AsyncMongoClient, MongoClient

from aiohttp_client_cache import (
    CachedSession,
    ConfigurationError,
    GridFSBackend,
    MissingDependency,
    MongoDBBackend,
)
from http_client_cache.backends import own_options
from http_client_cache.errors import StoreError
from http_client_cache.shell.store_driver import run_async, run_sync
from http_client_cache.testing import entry
from tests.support.origin import Origin
from tests.support.servers import MongoServer, mongodb_url

ROOT = Path(__file__).parents[3]
KINDS = [MongoDBBackend, GridFSBackend]
PASSWORD = "p@ss:w/örd"

# pymongo's own tasks that watch a server leave sockets to the collector if they are cancelled while
# they connect, which happens where a server is down. It is asked to collect them here.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def database() -> Iterator[str]:
    name = f"test-{secrets.token_hex(6)}"
    yield name
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        client.drop_database(name)


@pytest.fixture(scope="module")
def faulty() -> Iterator[MongoServer]:
    with MongoServer("--setParameter", "enableTestCommands=1") as server:
        yield server


@pytest.fixture(scope="module")
def locked() -> Iterator[MongoServer]:
    with MongoServer(user=("somebody", "secret")) as server:
        with MongoClient[dict[str, Any]](server.url) as client:
            client.admin.command("createUser", "me", pwd=PASSWORD, roles=["readWriteAnyDatabase"])
        yield server


@pytest.fixture
async def patient(faulty: MongoServer) -> AsyncIterator[MongoDBBackend]:
    backend = MongoDBBackend("cache", host=faulty.url)
    await warm(backend)
    yield backend
    await close(backend)


async def warm(backend: MongoDBBackend) -> None:
    """Connect both colours, however long it takes."""
    store, asynchronous, synchronous = backend._parts
    for _ in range(100):
        try:
            await run_async(store.size(), asynchronous)
            run_sync(store.size(), synchronous)
        except StoreError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("it cannot be reached")


async def close(backend: MongoDBBackend) -> None:
    await backend.close()
    backend._parts[2].close()


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_keeps_responses(
    kind: type[MongoDBBackend], origin: Origin, database: str
) -> None:
    for round_ in range(2):
        backend = kind("cache", host=mongodb_url(), database=database, store_timeout=5)
        async with CachedSession(cache=backend) as session:
            for path in ("/serial", "/large"):
                async with session.get(origin.url(path)) as response:
                    body = await response.read()
                    assert response.from_cache == bool(round_)
            assert len(body) == 3 * 2**20
            assert await backend.responses.size() == 2
            assert len(backend.urls) == 2
        backend._parts[2].close()


@pytest.mark.parametrize("name", ["mongodb", "gridfs"])
async def test_by_name_and_by_url(name: str, origin: Origin, database: str) -> None:
    kind = {"mongodb": MongoDBBackend, "gridfs": GridFSBackend}[name]
    options: dict[str, Any] = {"cache_name": "x", "store_timeout": 5, "appname": "tests"}
    for round_ in range(2):
        async with CachedSession(
            backend=name, host=mongodb_url(), database=database, **options
        ) as session:
            assert type(session.cache) is kind
            assert (await session.get(origin.url("/serial"))).from_cache == bool(round_)
    async with CachedSession(cache=f"{mongodb_url()}{database}") as session:
        pass


@pytest.mark.parametrize(
    ("arguments", "database"),
    [
        ({}, "aiohttp-cache"),
        ({"cache_name": "mine"}, "mine"),
        ({"cache_name": "a/b"}, "aiohttp-cache"),
        ({"cache_name": "admin"}, "aiohttp-cache"),
        ({"cache_name": "x" * 64}, "aiohttp-cache"),
        ({"cache_name": "mine", "host": "mongodb://h/theirs"}, "theirs"),
        ({"cache_name": "mine", "host": "mongodb://a:b@h,i:7/theirs.things?w=1"}, "theirs"),
        ({"cache_name": "mine", "address": "mongodb://a:b@h/admin"}, "mine"),
        ({"cache_name": "mine", "address": "mongodb://a:b@h/?authSource=admin"}, "mine"),
        ({"cache_name": "mine", "address": "mongodb://h/theirs", "database": "ours"}, "ours"),
        ({"cache_name": "mine", "host": "mongodb+srv://h/theirs"}, "theirs"),
    ],
)
def test_which_database(arguments: dict[str, Any], database: str) -> None:
    assert MongoDBBackend(**arguments)._parts[1].target.database == database


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"host": "mongodb://me:p@ss@h/"}, "must be escaped"),
        ({"host": "mongodb://me:pa:ss@h/"}, "must be escaped"),
        ({"host": "mongodb://h:99999"}, "Port"),
        ({"host": "http://h"}, "mongodb://"),
        ({"host": "h", "port": "many"}, "port"),
        ({"tlsCAFile": "/no/such/file"}, "/no/such/file"),
        ({"maxPoolSize": -1}, "maxPoolSize"),
        ({"address": "mongodb://h", "host": "h"}, "another spelling"),
        ({"database": "a.b"}, "database"),
        ({"database": ""}, "database"),
        ({"database": 7}, "database"),
        ({"connection": "mongodb://me:pass@h"}, "connection must be a pymongo.AsyncMongoClient"),
        ({"max_bytes": 7}, "max_bytes"),
        ({"max_entries": 7}, "max_entries"),
        ({"ttl": 60}, "ttl"),
        ({"store_timeout": 0}, "store_timeout"),
        ({"cache_name": "\ud800"}, "cache_name"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_it_does_not_accept(
    kind: type[MongoDBBackend], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        kind(**arguments)
    assert "pa:ss" not in str(raised.value)
    assert "p@ss" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="hots"):
        MongoDBBackend(hots="h")  # type: ignore[call-arg]


def test_a_connection_is_told_nothing() -> None:
    client = MongoClient[dict[str, Any]](connect=False)
    with pytest.raises(ConfigurationError, match="password, username cannot be told"):
        MongoDBBackend(connection=client, username="me", password="secret")


def test_pymongo_knows_every_option() -> None:
    known: dict[str, Any] = {
        **dict.fromkeys(("directConnection", "tls", "journal"), True),
        **dict.fromkeys(("maxPoolSize", "heartbeatFrequencyMS", "w", "zlibCompressionLevel"), 2),
        **dict.fromkeys(("replicaSet", "appname", "readConcernLevel", "authSource"), "name"),
        "username": "me",
        "password": "secret",
    }
    known["heartbeatFrequencyMS"] = 700
    assert known.keys() <= own_options.MONGODB
    MongoDBBackend(**known)


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


# Credentials.


@pytest.mark.parametrize("how", ["address", "arguments"])
async def test_the_right_password(how: str, locked: MongoServer, origin: Origin) -> None:
    host = f"mongodb://{locked.host}:{locked.port}/"
    told: dict[str, Any] = {"host": host, "username": "me", "password": PASSWORD}
    if how == "address":
        told = {"address": host.replace("//", f"//me:{quote_plus(PASSWORD)}@")}
    backend = MongoDBBackend("cache", store_timeout=5, **told)
    async with CachedSession(cache=backend) as session:
        for round_ in range(2):
            response = await session.get(origin.url(f"/get?{how}"))
            assert response.from_cache == bool(round_)
    assert PASSWORD not in repr(backend)


@pytest.mark.parametrize(
    ("user", "reason"), [("me:wr0ng%40pass@", "Authentication failed"), ("", "authentication")]
)
async def test_the_wrong_one_is_told_in_a_line(
    user: str, reason: str, locked: MongoServer, origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    backend = MongoDBBackend(
        "cache", host=f"mongodb://{user}{locked.host}:{locked.port}/", store_timeout=5
    )
    async with CachedSession(cache=backend) as session:
        for _ in range(3):
            assert not (await session.get(origin.url("/get"))).from_cache
    (complaint,) = complaints(caplog)
    assert reason in complaint
    assert "wr0ng" not in complaint
    assert "\n" not in complaint
    assert len(complaint) < 250


async def test_nobody_listens(
    origin: Origin, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    backend = MongoDBBackend("cache", host=f"mongodb://me:hidden@127.0.0.1:{unused_port}/")
    begun = time.monotonic()
    async with CachedSession(cache=backend) as session:
        for _ in range(5):
            assert (await session.get(origin.url("/get"))).status == 200
    assert time.monotonic() - begun < 3 * 0.25 + 1
    (complaint,) = complaints(caplog)
    assert f"127.0.0.1:{unused_port}: " in complaint
    assert "refused" in complaint or "failed" in complaint
    assert "hidden" not in complaint
    assert len(complaint) < 250


# Servers that fail.


async def timed_out(backend: MongoDBBackend, colour: str) -> float:
    store, asynchronous, synchronous = backend._parts
    begun = time.monotonic()
    with pytest.raises(StoreError):
        if colour == "async":
            await run_async(store.load("a.1"), asynchronous)
        else:
            run_sync(store.load("a.1"), synchronous)
    return time.monotonic() - begun


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("fault", ["suspend", "kill"])
async def test_no_call_takes_longer_than_it_may(
    colour: str, fault: str, faulty: MongoServer, patient: MongoDBBackend
) -> None:
    getattr(faulty, fault)()
    # A signal takes a moment.
    await asyncio.sleep(0.05)
    try:
        for _ in range(3):
            assert await timed_out(patient, colour) < 0.25 + 0.15
        # From now on it is left alone.
        assert await timed_out(patient, colour) < 0.05
        begun = time.monotonic()
        await close(patient)
        assert time.monotonic() - begun < 1.5
    finally:
        faulty.resume() if fault == "suspend" else faulty.start()
    await warm(patient)


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"errorCode": 14031}, "OperationFailure"),
        ({"errorCode": 13, "extraInfo": "x"}, "OperationFailure"),
        ({"closeConnection": True}, "connection closed"),
        ({"errorCode": 189}, "Failing command"),
        ({"blockConnection": True, "blockTimeMS": 600}, "no answer within 0.25 s"),
        ({"writeConcernError": {"code": 64, "errmsg": "not replicated"}}, "not replicated"),
    ],
)
async def test_faults_that_the_server_makes_itself(
    fault: dict[str, Any], message: str, colour: str, faulty: MongoServer, patient: MongoDBBackend
) -> None:
    store, asynchronous, synchronous = patient._parts
    with MongoClient[dict[str, Any]](faulty.url) as client:

        def fail(mode: Any) -> None:
            told = {"failCommands": ["find", "update"], **fault} if mode != "off" else {}
            client.admin.command("configureFailPoint", "failCommand", mode=mode, data=told)

        plan = store.save("a.1", entry(body=b"x"), b"x")
        fail({"times": 1})
        with pytest.raises(StoreError, match=message) as raised:
            if colour == "async":
                await run_async(plan, asynchronous)
            else:
                run_sync(plan, synchronous)
        assert len(str(raised.value)) < 300
        fail("off")
    # Nothing was asked twice, and the next call goes through.
    await warm(patient)
    await run_async(store.save("a.1", entry(body=b"y"), b"y"), asynchronous)
    (found,) = run_sync(store.load("a.1"), synchronous)
    assert found.body == b"y"


# Clients of the user's own.


async def test_an_asynchronous_client_of_the_users_own(origin: Origin, database: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongodb_url()) as client:
        for round_ in range(2):
            backend = MongoDBBackend("cache", connection=client, database=database, store_timeout=5)
            async with CachedSession(cache=backend) as session:
                assert (await session.get(origin.url("/get"))).from_cache == bool(round_)
                assert await session.cache.urls() == [origin.url("/get")]
                # It cannot be asked without await, and that is not the server's failure.
                assert session.cache.urls == []
                assert await backend.responses.size() == 1
        assert (await client.admin.command("ping"))["ok"] == 1


async def test_a_blocking_client_of_the_users_own(origin: Origin, database: str) -> None:
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        for round_ in range(2):
            backend = GridFSBackend("cache", connection=client, database=database, store_timeout=5)
            async with CachedSession(cache=backend) as session:
                async with session.get(origin.url("/large")) as response:
                    assert len(await response.read()) == 3 * 2**20
                    assert response.from_cache == bool(round_)
                assert session.cache.urls == [origin.url("/large")]
            backend._parts[2].close()
        assert client.admin.command("ping")["ok"] == 1


async def test_write_concerns_are_obeyed(origin: Origin, database: str) -> None:
    backend = MongoDBBackend("cache", host=mongodb_url(), database=database, w=7, store_timeout=5)
    store, asynchronous, synchronous = backend._parts
    # A server alone cannot have seven copies; the indexes are written in the same way.
    with pytest.raises(StoreError, match=r"7|replicat|writes"):
        await run_async(store.save("a.1", entry(), b""), asynchronous)
    await close(backend)
    synchronous.close()


# Loops, threads, forks, and the end of a program.

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
