"""MongoDB that refuses passwords, fails or hangs, and what a program notices of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from pymongo import MongoClient

from aiohttp_client_cache import CachedSession, MongoDBBackend
from http_client_cache.errors import StoreError
from http_client_cache.shell.store_driver import run_async, run_sync
from http_client_cache.testing import entry
from tests.support.origin import Origin
from tests.support.servers import MongoServer, mongodb_url

PASSWORD = "p@ss:w/örd"

# pymongo's own tasks that watch a server leave sockets to the collector if they are cancelled while
# they connect, which happens where a server is down. It is asked to collect them here.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


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


async def test_write_concerns_are_obeyed(origin: Origin, database: str) -> None:
    backend = MongoDBBackend("cache", host=mongodb_url(), database=database, w=7, store_timeout=5)
    store, asynchronous, synchronous = backend._parts
    # A server alone cannot have seven copies; the indexes are written in the same way.
    with pytest.raises(StoreError, match=r"7|replicat|writes"):
        await run_async(store.save("a.1", entry(), b""), asynchronous)
    await close(backend)
    synchronous.close()
