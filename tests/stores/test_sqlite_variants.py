"""SQLite: what becomes of a dropped variant's blocks, and who sees it until the commit."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from http_client_cache.errors import StoreError
from http_client_cache.plan import Plan
from http_client_cache.shell.store_driver import run_async, run_now, run_sync
from http_client_cache.sqlite_statements import Write
from tests.stores.subjects import NOT_NOW, Subject, alias, entry, sqlite

SMALL, LARGE = b"the body", os.urandom(600_000)


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = sqlite(tmp_path, timeout=5)
    yield subject
    subject.sync_shell.close()


@pytest.fixture
def other(tmp_path: Path, subject: Subject) -> Iterator[sqlite3.Connection]:
    """Another program at the same file."""
    assert do(subject, subject.store.size()) == 0
    connection = sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None, timeout=0)
    yield connection
    connection.close()


def do(subject: Subject, plan: Plan[Any]) -> Any:
    return run_sync(plan, subject.sync_shell)


def save(subject: Subject, variant: str, body: bytes = SMALL, *, key: str = "a.1") -> None:
    do(subject, subject.store.save(key, entry(body=body), body, variant=variant))


def loaded(subject: Subject, key: str = "a.1") -> set[str]:
    found = do(subject, subject.store.load(key, follow=True))
    return {stored.variant for stored in found}


def blocks(other: sqlite3.Connection) -> int:
    return int(other.execute("SELECT count(*) FROM http_cache_v1_blocks").fetchone()[0])


def test_the_blocks_of_a_dropped_variant_are_freed(
    subject: Subject, other: sqlite3.Connection
) -> None:
    for variant in ("", "de", "en"):
        save(subject, variant, LARGE if variant else SMALL)
    assert do(subject, subject.store.size()) == 3
    assert blocks(other) == 6
    assert do(subject, subject.store.drop([("a.1", "de")])) == 1
    assert blocks(other) == 3
    assert {stored.body for stored in do(subject, subject.store.load("a.1"))} == {SMALL, LARGE}
    assert do(subject, subject.store.drop([("a.1", ""), ("a.1", "en")])) == 2
    assert blocks(other) == 0


def test_a_drop_is_one_transaction(subject: Subject) -> None:
    names = [str(number) for number in range(1200)]
    plan = subject.store.drop([("a.1", name) for name in names])
    assert isinstance(next(plan), Write)
    with pytest.raises(StopIteration) as ended:
        plan.send([1] * 1199 + [0])
    assert ended.value.value == 1199


async def test_readers_see_a_drop_before_its_commit(
    subject: Subject, other: sqlite3.Connection
) -> None:
    store, shell = subject.store, subject.async_shell
    save(subject, "de")
    save(subject, "en", LARGE)
    save(subject, "fr")
    save(subject, "", key="b.1")
    do(subject, store.link("x.1", alias("b.1")))
    assert do(subject, store.size()) == 4
    await run_async(store.load("a.1"), shell)
    other.execute("BEGIN IMMEDIATE")
    # One that is committed, one in blocks, one that never was, and one that waits for its commit.
    save(subject, "it")
    wanted = [("a.1", "de"), ("a.1", "en"), ("a.1", "ja"), ("a.1", "it"), ("b.1", "")]
    plan = store.drop(wanted)
    assert run_now(store.drop([("a.1", "")]), shell) is NOT_NOW
    dropping = asyncio.create_task(run_async(plan, shell))
    await asyncio.sleep(0)
    for key, left in (("a.1", ["fr"]), ("x.1", []), ("b.1", [])):
        found = run_now(store.load(key, follow=True), shell)
        assert [stored.variant for stored in found] == left
        assert loaded(subject, key) == set(left)
        assert run_now(store.contains(key, follow=True), shell) is bool(left)
    # What is saved meanwhile counts.
    await run_async(store.save("a.1", entry(body=SMALL), SMALL, variant="de"), shell)
    assert loaded(subject) == {"de", "fr"}
    assert not dropping.done()
    assert blocks(other) == 3
    other.execute("COMMIT")
    assert await dropping == 4
    assert loaded(subject) == {"de", "fr"}
    assert await run_async(store.size(), shell) == 2
    assert loaded(subject) == {"de", "fr"}
    assert (blocks(other), await run_async(store.links_size(), shell)) == (0, 0)
    assert not subject.sync_shell.database.pending.any  # type: ignore[attr-defined]
    await shell.close()


def test_threads_see_a_drop_before_its_commit(subject: Subject, other: sqlite3.Connection) -> None:
    save(subject, "de")
    save(subject, "en")
    assert do(subject, subject.store.size()) == 2
    pending = subject.sync_shell.database.pending  # type: ignore[attr-defined]
    other.execute("BEGIN IMMEDIATE")
    counts: list[int] = []
    dropping = threading.Thread(
        target=lambda: counts.append(do(subject, subject.store.drop([("a.1", "de")])))
    )
    dropping.start()
    while not pending.any:
        time.sleep(0.001)
    assert loaded(subject) == {"en"}
    assert not counts
    other.execute("COMMIT")
    dropping.join()
    assert counts == [1]
    assert loaded(subject) == {"en"}


def test_an_alias_of_that_name_takes_its_place(subject: Subject, other: sqlite3.Connection) -> None:
    save(subject, "de")
    save(subject, "en", key="b.1")
    save(subject, "fr", key="c.1")
    do(subject, subject.store.link("a.1", alias("b.1")))
    assert do(subject, subject.store.size()) == 3
    other.execute("BEGIN IMMEDIATE")
    dropping = threading.Thread(target=lambda: do(subject, subject.store.drop([("a.1", "de")])))
    dropping.start()
    while not subject.sync_shell.database.pending.any:  # type: ignore[attr-defined]
        time.sleep(0.001)
    assert loaded(subject) == set()
    do(subject, subject.store.link("a.1", alias("c.1")))
    assert loaded(subject) == {"fr"}
    other.execute("COMMIT")
    dropping.join()
    assert do(subject, subject.store.size()) == 2
    assert loaded(subject) == {"fr"}


def test_what_could_not_be_dropped_shows_again(tmp_path: Path, other: sqlite3.Connection) -> None:
    subject = sqlite(tmp_path, timeout=0.1)
    save(subject, "de")
    assert do(subject, subject.store.size()) == 1
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        do(subject, subject.store.drop([("a.1", "de")]))
    assert loaded(subject) == {"de"}
    save(subject, "en")
    with pytest.raises(StoreError, match="locked"):
        do(subject, subject.store.drop([("a.1", "en"), ("a.1", "de")]))
    other.execute("ROLLBACK")
    # The save had given up on the lock before.
    assert loaded(subject) == {"de"}
    assert do(subject, subject.store.drop([("a.1", "de")])) == 1
    assert loaded(subject) == set()
    subject.sync_shell.close()


@pytest.mark.parametrize("serializer", ["msgpack", "signed"])
@pytest.mark.parametrize(
    "change", ["created = 'x'", "created = x'00'", "variant = x'00'", "record = 'x'", "body = 'x'"]
)
def test_what_others_put_into_a_column_hides_no_other_variant(
    tmp_path: Path, subject: Subject, other: sqlite3.Connection, serializer: str, change: str
) -> None:
    if serializer == "signed":
        subject = sqlite(tmp_path, secret_key="secret")
    for variant in ("de", "en"):
        save(subject, variant)
    assert do(subject, subject.store.size()) == 2
    other.execute(f"UPDATE http_cache_v1_responses SET {change} WHERE variant = 'de'")
    assert "en" in loaded(subject) <= {"de", "en"}
    page = do(subject, subject.store.page("", 10, bodies=True))
    assert {stored.variant for _, stored in page} == loaded(subject)
    fresh = entry(body=SMALL, created=2000.0)
    changes = [("a.1", variant, fresh) for variant in ("de", "en")]
    assert do(subject, subject.store.freshen(changes)) in {1, 2}
    assert do(subject, subject.store.load("a.1"))[0].entry == fresh
    subject.sync_shell.close()
