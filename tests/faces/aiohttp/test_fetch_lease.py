"""One fetch for many processes (``fetch_lease``), counted at the origin."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession, FileBackend, SQLiteBackend
from http_client_cache.errors import ConfigurationError
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.fetching import fetchers
from tests.support.clock import StandingClock
from tests.support.origin import Origin

KINDS = ["sqlite", "files"]
MODES = [{"cache_control": False}, {"cache_control": True}]

in_either_mode = pytest.mark.parametrize("mode", MODES, ids=["house", "law"])
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def arrived(origin: Origin, count: int) -> None:
    """Return when so many requests have come to an origin in a thread."""
    patience = time.monotonic() + 10
    while origin.count() < count:
        assert time.monotonic() < patience
        time.sleep(0.002)


class TestProcesses:
    @of_each_kind
    @in_either_mode
    def test_of_two_hundred_tasks_in_four_processes_one_fetches(
        self, threaded_origin: Origin, tmp_path: Path, kind: str, mode: dict[str, Any]
    ) -> None:
        origin = threaded_origin
        settings = {"expire_after": 60, "fetch_lease": 20, **mode}
        with fetchers(4, kind, tmp_path / "cache", **settings) as processes:
            for path in ("/delay/50", "/delay/0"):
                for process in processes:
                    process.begin(origin.url(path), 50)
                found = [one for process in processes for one in process.end()]
                assert len(found) == 200
                assert len({one.body for one in found}) == 1
                assert [one.reason for one in found].count("MISS") == 1
                assert origin.count(path) == 1

    @in_either_mode
    def test_without_a_lease_each_process_fetches(
        self, threaded_origin: Origin, tmp_path: Path, mode: dict[str, Any]
    ) -> None:
        origin = threaded_origin
        with fetchers(2, "sqlite", tmp_path / "cache", expire_after=60, **mode) as processes:
            for process in processes:
                process.begin(origin.url("/delay/100"), 5)
            for process in processes:
                process.end()
        assert origin.count() == 2

    @of_each_kind
    def test_a_killed_process_loses_it(
        self, threaded_origin: Origin, tmp_path: Path, kind: str
    ) -> None:
        origin = threaded_origin
        # A lock goes with its process; a row has to wait for its time.
        lease = 1.0 if kind == "sqlite" else 20.0
        settings = {"expire_after": 60, "fetch_lease": lease}
        with fetchers(3, kind, tmp_path / "cache", **settings) as processes:
            holder, *others = processes
            begun = time.monotonic()
            holder.begin(origin.url("/delay/2000"))
            arrived(origin, 1)
            for process in others:
                process.begin(origin.url("/delay/2000"), 20)
            origin.second = 0.0
            holder.kill()
            found = [one for process in others for one in process.end()]
            took = time.monotonic() - begun
        assert len(found) == 40
        # When its time is up, the second of the others has waited as long as it may, too.
        assert origin.count() == 2 if kind == "files" else 2 <= origin.count() <= 3
        assert took < 2
        assert kind == "files" or took > 0.9

    @of_each_kind
    def test_a_slow_leader_is_not_waited_for_longer_than_that(
        self, threaded_origin: Origin, tmp_path: Path, kind: str
    ) -> None:
        origin = threaded_origin
        settings = {"expire_after": 60, "fetch_lease": 0.3}
        with fetchers(3, kind, tmp_path / "cache", **settings) as processes:
            holder, *others = processes
            holder.begin(origin.url("/delay/2000"))
            arrived(origin, 1)
            origin.second = 0.0
            for process in others:
                process.begin(origin.url("/delay/2000"), 10)
            found = [one for process in others for one in process.end()]
        assert len(found) == 20
        assert 0.15 < max(one.seconds for one in found) < 1.0
        assert origin.count() <= 3

    @in_either_mode
    def test_what_is_not_kept_is_not_fetched_one_after_the_other(
        self, threaded_origin: Origin, tmp_path: Path, mode: dict[str, Any]
    ) -> None:
        origin = threaded_origin
        settings = {"fetch_lease": 20, "allowed_codes": [200], **mode}
        once = 0.5
        with fetchers(4, "sqlite", tmp_path / "cache", **settings) as processes:
            for most in (2, 1):
                for process in processes:
                    process.begin(origin.url("/delay/100?status=404"), 10)
                found = [one for process in processes for one in process.end()]
                assert not any(one.from_cache for one in found)
                assert max(one.seconds for one in found) < (most + 0.9) * once
            assert origin.count() == 80

    @of_each_kind
    def test_a_cancelled_leader_passes_it_on(
        self, threaded_origin: Origin, tmp_path: Path, kind: str
    ) -> None:
        origin = threaded_origin
        settings = {"expire_after": 60, "fetch_lease": 20}
        with fetchers(2, "sqlite", tmp_path / "cache", **settings) as processes:
            impatient, patient = processes
            # All of its tasks give up, so that none of them succeeds the leader.
            impatient.begin(origin.url("/delay/2000"), 20, 0.3)
            arrived(origin, 1)
            origin.second = 0.0
            patient.begin(origin.url("/delay/2000"), 20)
            assert impatient.end() == []
            found = patient.end()
        assert max(one.seconds for one in found) < 2
        assert origin.count() == 2


@pytest.fixture(params=KINDS)
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Two sessions on backends of their own, as if in two processes."""
    kind: Any = {"sqlite": SQLiteBackend, "files": FileBackend}[request.param]
    made = [
        CachedSession(cache=kind(tmp_path / "cache", expire_after=60, fetch_lease=20))
        for _ in range(2)
    ]
    yield made
    for session in made:
        await session.close()


async def test_a_body_that_comes_later_is_waited_for(origin: Origin, two: Any) -> None:
    one, other = two
    first = await one.get(origin.url("/large"))
    assert first.status == 200
    waiting = asyncio.create_task(other.get(origin.url("/large")))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await first.read()
    response = await waiting
    assert response.from_cache
    assert await response.read() == await first.read()
    assert origin.count() == 1


async def test_a_body_that_nobody_reads_is_not_waited_for(origin: Origin, two: Any) -> None:
    one, other = two
    begun = time.monotonic()
    async with one.get(origin.url("/large")), other.get(origin.url("/large")) as response:
        assert not response.from_cache
    assert time.monotonic() - begun < 5
    assert origin.count() == 2


async def test_chains_that_cross_do_not_wait_for_each_other(origin: Origin, two: Any) -> None:
    """Each holds the lease of a redirect whose target is the other's redirect."""
    one, other = two
    begun = time.monotonic()
    paths = ("/redirect-to?to=/delay/20", "/delay/20")
    got = await asyncio.gather(
        *(session.get(origin.url(path)) for path in paths for session in (one, other))
    )
    assert {response.status for response in got} == {200}
    assert time.monotonic() - begun < 5


async def test_redirects_are_fetched_once(origin: Origin, two: Any) -> None:
    one, other = two
    path = "/redirect-to?to=/delay/20"
    got = await asyncio.gather(*(session.get(origin.url(path)) for session in [one, other] * 10))
    assert {await response.text() for response in got} == {await got[0].text()}
    assert origin.count() == 2


async def test_it_is_given_back_when_all_is_done(origin: Origin, two: Any, tmp_path: Path) -> None:
    held: list[object]
    one, other = two
    for session in two:
        for path in ("/get", "/redirect/3", "/status/404", "/large", "/unreliable", "/empty"):
            async with session.get(origin.url(path)) as response:
                await response.read()
    await one.close()
    await other.close()
    if (tmp_path / "cache").exists():
        files = (tmp_path / "cache/http_cache_v1/leases").iterdir()
        held = [owner for file in files if (owner := json.loads(file.read_bytes())["owner"])]
    else:
        with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
            found = connection.execute("SELECT * FROM http_cache_v1_leases WHERE owner <> ''")
            held = found.fetchall()
    assert held == []


@pytest.mark.parametrize("two", ["sqlite"], indirect=True)
async def test_a_locked_store_is_not_waited_for(
    origin: Origin, two: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = two
    one.fetch_lease = 0.1
    await one.get(origin.url("/get"))
    await one.cache.size()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        response = await one.get(origin.url("/empty"))
        assert time.monotonic() - begun < 1
        locking.execute("ROLLBACK")
    assert not response.from_cache
    assert "store" in caplog.text
    assert (await one.get(origin.url("/empty"))).from_cache
    caplog.clear()


@of_each_kind
async def test_a_store_that_cannot_be_written_is_told_of_once(
    origin: Origin, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    (tmp_path / "cache").write_text("a file")
    make: Any = {"sqlite": SQLiteBackend, "files": FileBackend}[kind]
    async with CachedSession(cache=make(tmp_path / "cache" / "x", fetch_lease=5)) as session:
        for _ in range(3):
            response = await session.get(origin.url("/serial"))
            assert response.status == 200
    told = [record.getMessage() for record in caplog.records]
    assert sum(" fails; " in line for line in told) == 1
    assert not any("again" in line for line in told)


async def test_a_refresh_in_the_background_is_left_to_another_process(
    origin: Origin, tmp_path: Path, clock: StandingClock
) -> None:
    settings: Any = {"expire_after": 60, "stale_while_revalidate": 600, "fetch_lease": 20}
    made = [
        CachedSession(cache=SQLiteBackend(tmp_path / "cache", clock=clock, **settings))
        for _ in range(2)
    ]
    await made[0].get(origin.url("/delay/20"))
    clock.advance(seconds=61)
    for session in [*made, *made]:
        assert (await session.get(origin.url("/delay/20"))).from_cache
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    assert origin.count() == 2
    for session in made:
        await session.close()


async def test_it_changes_while_the_session_lives(open_backend: OpenBackend) -> None:
    backend = open_backend(fetch_lease=timedelta(seconds=5))
    async with CachedSession(cache=backend) as session:
        assert session.fetch_lease == backend.fetch_lease == timedelta(seconds=5)
        session.fetch_lease = 0
        assert backend.fetch_lease == 0
        with pytest.raises(ConfigurationError, match="fetch_lease must be"):
            session.fetch_lease = -1
        assert backend.fetch_lease == 0
    with pytest.raises(ConfigurationError, match="fetch_lease must be"):
        open_backend(fetch_lease="5")


async def test_memory_has_no_use_for_it(origin: Origin) -> None:
    async with CachedSession(cache=CacheBackend(fetch_lease=5)) as session:
        got = await asyncio.gather(*(session.get(origin.url("/delay/2")) for _ in range(10)))
    assert [response.from_cache for response in got].count(False) == 1
    assert origin.count() == 1
