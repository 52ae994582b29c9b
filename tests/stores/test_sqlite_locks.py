"""SQLite: what waits for whom, and what happens when the disk or a lock says no."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_client_cache.errors import StoreError
from http_client_cache.shell.store_driver import run_async, run_now, run_sync
from tests.stores import program
from tests.stores.subjects import NOT_NOW, Subject, alias, entry, sqlite

BODY = b"the body"


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = sqlite(tmp_path, timeout=0.3)
    save(subject, "a.1")
    save(subject, "large.1", bytes(200_000))
    assert size(subject) == 2
    yield subject
    subject.sync_shell.close()


@pytest.fixture
def other(tmp_path: Path, subject: Subject) -> Iterator[sqlite3.Connection]:
    """Another program at the same file."""
    connection = sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None, timeout=0)
    yield connection
    connection.close()


def save(subject: Subject, key: str, body: bytes = BODY) -> None:
    run_sync(subject.store.save(key, entry(body=body), body), subject.sync_shell)


def load(subject: Subject, key: str) -> list[bytes]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [stored.body for stored in found]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


async def test_a_reader_never_waits_for_a_writer(
    subject: Subject, other: sqlite3.Connection
) -> None:
    store, shell = subject.store, subject.async_shell
    await run_async(store.load("a.1"), shell)
    other.execute("BEGIN IMMEDIATE")
    await run_async(store.save("b.1", entry(body=BODY), BODY), shell)
    await run_async(store.save("b.2", entry(body=bytes(10**6)), bytes(10**6)), shell)
    await run_async(store.link("c.1", alias("b.1")), shell)
    begun = time.monotonic()
    for key, length in (("a.1", 8), ("b.1", 8), ("c.1", 8), ("b.2", 10**6)):
        (stored,) = run_now(store.load(key, follow=True), shell)
        assert len(stored.body) == length
    (stored,) = await run_async(store.load("large.1"), shell)
    assert len(stored.body) == 200_000
    assert run_now(store.load("large.1"), shell) is NOT_NOW
    assert time.monotonic() - begun < 0.2
    other.execute("COMMIT")
    assert await run_async(store.size(), shell) == 4
    assert other.execute("SELECT count(*) FROM http_cache_v1_responses").fetchone() == (4,)
    await shell.close()


def test_a_lock_that_is_held_too_long_costs_only_what_was_to_be_written(
    subject: Subject, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    other.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        for number in range(3):
            save(subject, f"b.{number}")
        assert load(subject, "b.1") == [BODY]
        assert size(subject) == 2
        assert load(subject, "b.1") == []
        with pytest.raises(StoreError, match="locked"):
            run_sync(subject.store.delete(["a.1"]), subject.sync_shell)
        other.execute("ROLLBACK")
        save(subject, "b.4")
        assert size(subject) == 3
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert "locked" in texts[0]
    assert "can be written again" in texts[1]


def test_a_lock_that_is_let_go_in_time_costs_nothing(
    subject: Subject, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    other.execute("BEGIN IMMEDIATE")
    save(subject, "b.1")
    time.sleep(0.05)
    other.execute("COMMIT")
    assert size(subject) == 3
    assert not caplog.records


def test_close_gives_up_on_a_lock_within_a_second(
    tmp_path: Path, subject: Subject, other: sqlite3.Connection
) -> None:
    subject = sqlite(tmp_path, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    save(subject, "b.1")
    begun = time.monotonic()
    subject.sync_shell.close()
    assert time.monotonic() - begun < 2


def test_an_exclusive_lock_is_waited_for_and_then_told(
    subject: Subject, other: sqlite3.Connection
) -> None:
    subject.sync_shell.close()
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM http_cache_v1_aliases")
    with pytest.raises(StoreError, match="locked"):
        load(subject, "a.1")
    other.close()
    assert load(subject, "a.1") == [BODY]


async def test_the_loop_is_never_held_up(subject: Subject, other: sqlite3.Connection) -> None:
    store, shell = subject.store, subject.async_shell
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun)

    watcher = asyncio.create_task(watch())
    other.execute("BEGIN IMMEDIATE")
    for number in range(50):
        await run_async(store.save(f"b.{number}", entry(body=BODY), BODY), shell)
        await run_async(store.load("large.1"), shell)
    with pytest.raises(StoreError):
        await run_async(store.delete(["a.1"]), shell)
    other.execute("ROLLBACK")
    await run_async(store.page("", 100, bodies=True), shell)
    await shell.close()
    watcher.cancel()
    assert longest < 0.2


def test_writes_that_wait_go_into_one_transaction(
    subject: Subject, other: sqlite3.Connection
) -> None:
    (before,) = other.execute("PRAGMA data_version").fetchone()
    other.execute("BEGIN IMMEDIATE")
    for number in range(100):
        save(subject, f"b.{number}")
    other.execute("COMMIT")
    assert size(subject) == 102
    versions = {other.execute("PRAGMA data_version").fetchone()[0]}
    assert versions != {before}
    # The journal holds each page once for each transaction.
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.execute("BEGIN IMMEDIATE")
    for number in range(100):
        save(subject, f"b.{number}")
    other.execute("COMMIT")
    size(subject)
    _, pages, _ = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert pages < 50


def test_one_write_that_cannot_be_does_not_take_the_others_along(
    subject: Subject, other: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    other.execute("BEGIN IMMEDIATE")
    save(subject, "b.1")
    save(subject, "b.\ud800")  # No text that SQLite takes.
    save(subject, "b.2")
    other.execute("COMMIT")
    assert size(subject) == 4
    assert load(subject, "b.1") == load(subject, "b.2") == [BODY]
    assert "cannot be written" in caplog.records[0].getMessage()


def test_a_full_disk_costs_only_what_was_to_be_written(
    tmp_path: Path, subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    kept = size(subject)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, before[1]))
        try:
            for number in range(5):
                save(subject, f"b.{number}", os.urandom(1_040_000))
                assert size(subject) == kept
                assert load(subject, f"b.{number}") == []
                assert load(subject, "a.1") == [BODY]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        save(subject, "b.9", bytes(10**6))
        assert size(subject) == kept + 1
        assert load(subject, "b.9") == [bytes(10**6)]
    assert len(caplog.records) == 2


def test_a_flood_of_large_bodies_waits_for_the_disk(subject: Subject) -> None:
    """What waits in memory is bounded."""
    database = subject.sync_shell.database  # type: ignore[attr-defined]
    most = 0
    for number in range(192):
        save(subject, f"b.{number}", bytes(1024 * 1024))
        most = max(most, database.pending._bytes)
    assert most <= 96 * 1024 * 1024
    assert load(subject, "b.191") == [bytes(1024 * 1024)]
    assert size(subject) == 194


def test_a_flood_of_small_bodies_waits_for_the_disk(subject: Subject) -> None:
    database = subject.sync_shell.database  # type: ignore[attr-defined]
    most = 0
    for number in range(20_000):
        save(subject, f"b.{number % 100}", b"")
        most = max(most, database.pending._writes)
    assert most <= 5000
    assert size(subject) == 102


def test_a_crowd_of_processes_never_hears_of_a_lock(tmp_path: Path) -> None:
    code = """
async def main():
    async def one(number):
        key = f'{number % 10}.{number}'
        body = f'{key} of {sys.argv[2]}'.encode() * (1 + 9000 * (number % 9 == 0))
        await run_async(store.save(key, entry(body=body), body), loop_shell)
        for stored in await run_async(store.load(f'{number % 7}.{number}'), loop_shell):
            assert stored.body.startswith(stored.key.encode())
        if number % 5 == 0:
            await run_async(store.delete([key]), loop_shell)
    for _ in range(3):
        await asyncio.gather(*(one(number) for number in range(60)))
        await run_async(store.sweep(0.0, 100), loop_shell)
    await loop_shell.close()
asyncio.run(main())
"""
    programs = [program.start(tmp_path, code, number) for number in range(4)]
    for one in programs:
        assert program.finish(one) == ""
