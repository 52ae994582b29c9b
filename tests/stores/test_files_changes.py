"""Files that change: what was freshened, replaced, removed or left behind while others look."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_client_cache.entry import Entry
from http_client_cache.file_statements import Freshen
from http_client_cache.shell.filesystem.tidying import remove_orphans
from http_client_cache.shell.store_driver import run_async, run_sync
from tests.stores.subjects import NOT_NOW, Subject, alias, answered_now, entry, files

SMALL = b"the body"
LARGE = bytes(range(256)) * 1000


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = files(tmp_path, fast_save=True)
    yield subject
    subject.sync_shell.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "http_cache_v1"


def save(subject: Subject, key: str, body: bytes = SMALL, **told: float) -> Entry:
    kept = entry(body=body, **told)
    run_sync(subject.store.save(key, kept, body), subject.sync_shell)
    return kept


def flush(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def freshen(subject: Subject, key: str, fresh: Entry) -> int:
    return run_sync(subject.store.freshen([(key, "", fresh)]), subject.sync_shell)


def load(subject: Subject, key: str) -> list[tuple[Entry, bytes]]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [(stored.entry, stored.body) for stored in found]


def responses(root: Path) -> list[Path]:
    return sorted(root.rglob("*.response"))


# Freshened.


def test_a_large_body_is_not_written_again(subject: Subject, root: Path) -> None:
    save(subject, "a.1", LARGE)
    flush(subject)
    (path,) = responses(root)
    before = path.stat()
    for number in (1, 2):
        fresh = entry(body=LARGE, created=2000.0 + number, expires=3000.0 + number)
        assert freshen(subject, "a.1", fresh) == 1
        assert load(subject, "a.1") == [(fresh, LARGE)]
        page = run_sync(subject.store.page("", 9, bodies=True), subject.sync_shell)
        assert [(stored.entry, stored.body) for _, stored in page] == [(fresh, LARGE)]
    after = path.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert (before.st_mtime, after.st_mtime) == (2**31 - 1, 3002)
    assert len(list(root.rglob("*.fresh"))) == 1
    assert run_sync(subject.store.sweep(3003.0, 9), subject.sync_shell) == 1
    assert list(root.rglob("*.fresh")) == list(root.rglob("*.more")) == []


def test_a_newer_head_is_never_that_of_another_body(subject: Subject, root: Path) -> None:
    save(subject, "a.1", LARGE)
    flush(subject)
    assert freshen(subject, "a.1", entry(body=LARGE, created=2000.0)) == 1
    (head,) = root.rglob("*.fresh")
    content = head.read_bytes()
    other = save(subject, "a.1", LARGE[::-1], created=3000.0)
    flush(subject)
    assert not head.exists()
    # As if the process that freshens had been slower than the one that saves.
    head.parent.mkdir(exist_ok=True)
    head.write_bytes(content)
    assert load(subject, "a.1") == [(other, LARGE[::-1])]
    fresh = entry(body=LARGE, created=4000.0)
    assert freshen(subject, "a.1", fresh) == 1
    assert load(subject, "a.1") == [(fresh, LARGE[::-1])]


def test_a_damaged_newer_head_counts_for_nothing(subject: Subject, root: Path) -> None:
    save(subject, "a.1", LARGE)
    flush(subject)
    assert freshen(subject, "a.1", entry(body=LARGE, created=2000.0)) == 1
    (head,) = root.rglob("*.fresh")
    content = head.read_bytes()
    for length in range(0, len(content), 7):
        head.write_bytes(content[:length])
        assert all(body == LARGE for _, body in load(subject, "a.1"))
    head.write_bytes(content)
    assert [found.created for found, _ in load(subject, "a.1")] == [2000.0]


@pytest.mark.parametrize("body", [SMALL, LARGE])
def test_what_was_replaced_or_removed_meanwhile_is_not_freshened(
    subject: Subject, root: Path, body: bytes
) -> None:
    save(subject, "a.1", body)
    flush(subject)
    plan = subject.store.freshen([("a.1", "", entry(body=body, created=2000.0))])
    statement = plan.send(subject.sync_shell.run(plan.send(None)))
    assert isinstance(statement, Freshen)
    kept = save(subject, "a.1", body[::-1], created=3000.0)
    assert subject.sync_shell.run(statement) == 0
    assert load(subject, "a.1") == [(kept, body[::-1])]
    run_sync(subject.store.delete(["a.1"]), subject.sync_shell)
    assert subject.sync_shell.run(statement) == 0
    assert load(subject, "a.1") == []
    assert list((root / "tmp").iterdir()) == []


def test_many_are_freshened_together(subject: Subject) -> None:
    keys = [f"a.{number}" for number in range(200)]
    for key in keys:
        save(subject, key)
    changes = [(key, "", entry(body=SMALL, created=2000.0)) for key in keys]
    changes.append(("b.1", "", entry(body=SMALL)))
    assert run_sync(subject.store.freshen(changes), subject.sync_shell) == 200
    assert all(load(subject, key)[0][0].created == 2000.0 for key in keys)


# Replaced and removed.


@pytest.mark.parametrize("how", ["save", "delete", "drop", "purge", "sweep", "clear"])
def test_an_open_file_is_read_to_its_end(subject: Subject, root: Path, how: str) -> None:
    save(subject, "a.1", LARGE, expires=2000.0)
    flush(subject)
    (path,) = responses(root)
    with path.open("rb") as file:
        head = file.read(4096)
        store = subject.store
        plan = {
            "save": store.save("a.1", entry(body=SMALL), SMALL),
            "delete": store.delete(["a.1"]),
            "drop": store.drop([("a.1", "")]),
            "purge": store.purge("a"),
            "sweep": store.sweep(3000.0, 10),
            "clear": store.clear(),
        }.pop(how)
        run_sync(plan, subject.sync_shell)
        assert flush(subject) == (how == "save")
        assert (head + file.read()).endswith(LARGE)
    assert load(subject, "a.1") == ([(entry(body=SMALL), SMALL)] if how == "save" else [])


def test_a_sweep_believes_what_is_in_a_file_and_not_its_time(subject: Subject, root: Path) -> None:
    for number in range(6):
        save(subject, f"{number}.1", LARGE if number % 2 else SMALL, expires=5000.0)
    flush(subject)
    for path in responses(root):
        # As copying without times leaves it.
        os.utime(path, (1000.0, 1000.0))
    assert run_sync(subject.store.sweep(4999.0, 10), subject.sync_shell) == 0
    assert flush(subject) == 6
    assert run_sync(subject.store.sweep(5000.0, 10), subject.sync_shell) == 6


def test_a_sweep_goes_on_where_the_last_one_ended(subject: Subject) -> None:
    for number in range(40):
        save(subject, f"{number}.1", expires=5000.0)
    sweeps = [run_sync(subject.store.sweep(6000.0, 15), subject.sync_shell) for _ in range(4)]
    assert sweeps == [15, 15, 10, 0]


def test_a_sweep_takes_damaged_files_along(subject: Subject, root: Path) -> None:
    for number in range(4):
        save(subject, f"{number}.1", expires=5000.0)
    flush(subject)
    for path, content in zip(responses(root)[:2], (b"", b"damaged"), strict=True):
        path.write_bytes(content)
        os.utime(path, (4000.0, 4000.0))
    assert run_sync(subject.store.sweep(4500.0, 10), subject.sync_shell) == 2
    assert flush(subject) == 2


def test_what_leads_nowhere_leaves_no_trace(subject: Subject, root: Path) -> None:
    save(subject, "t.1", expires=5000.0)
    save(subject, "t.2")
    for number in range(5):
        run_sync(subject.store.link(f"{number}.1", alias("t.1")), subject.sync_shell)
    run_sync(subject.store.link("0.1", alias("t.2")), subject.sync_shell)
    flush(subject)
    assert len(list(root.rglob("*.redirects/*"))) == 6
    # As if a writer had died in between.
    (path,) = [path for path in responses(root) if path.stat().st_mtime == 5000]
    path.unlink()
    assert run_sync(subject.store.sweep(5000.0, 10), subject.sync_shell) == 0
    links = run_sync(subject.store.links("", 10), subject.sync_shell)
    assert links == [("0.1", alias("t.2"))]
    assert len(list(root.rglob("*.redirects/*"))) == 1
    run_sync(subject.store.delete(["t.2"]), subject.sync_shell)
    assert {path.parent for path in root.rglob("*")} == {root}


# Left behind.


def test_what_a_dead_writer_left_is_removed_and_what_a_live_one_writes_is_not(
    subject: Subject, root: Path
) -> None:
    save(subject, "a.1")
    flush(subject)
    dead, live, foreign = (root / "tmp" / name for name in ("0" * 16, "1" * 16, "notes"))
    for path in (dead, live, foreign):
        path.write_bytes(b"half")
    with live.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run_sync(subject.store.sweep(0.0, 10), subject.sync_shell)
        assert [path.exists() for path in (dead, live, foreign)] == [False, True, True]
    remove_orphans(f"{root}/")
    assert [path.exists() for path in (dead, live, foreign)] == [False, False, True]


# What is not on disk yet.


async def test_what_is_on_its_way_is_shown(subject: Subject, root: Path) -> None:
    store, shell = subject.store, subject.async_shell
    await run_async(store.save("a.1", entry(body=SMALL), SMALL), shell)
    await run_async(store.size(), shell)
    shard = responses(root)[0].parent
    handle = os.open(shard, os.O_RDONLY)
    try:
        # Another process has its turn, and keeps it.
        fcntl.flock(handle, fcntl.LOCK_EX)
        kept = entry(body=LARGE, created=2000.0)
        assert answered_now(subject, store.save("a.1", kept, LARGE)) == LARGE
        assert answered_now(subject, store.link("a.2", alias("a.1"))) is None
        for key in ("a.1", "a.2"):
            (found,) = answered_now(subject, store.load(key, follow=True))
            assert (found.entry, found.body) == (kept, LARGE)
            assert answered_now(subject, store.contains(key, follow=True))
        dropping = asyncio.ensure_future(run_async(store.drop([("a.1", "")]), shell))
        await asyncio.sleep(0)
        assert answered_now(subject, store.load("a.1")) == ()
        assert answered_now(subject, store.size()) is NOT_NOW
        begun = time.monotonic()
    finally:
        os.close(handle)
    assert await dropping == 1
    assert time.monotonic() - begun < 1
    await shell.close()


async def test_a_turn_is_waited_for_a_second_at_most(subject: Subject, root: Path) -> None:
    save(subject, "a.1")
    flush(subject)
    handle = os.open(responses(root)[0].parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        begun = time.monotonic()
        assert await run_async(subject.store.delete(["a.1"]), subject.async_shell) == 1
        assert 0.9 < time.monotonic() - begun < 3
    finally:
        os.close(handle)
    await subject.async_shell.close()


async def test_a_cancelled_waiter_harms_nobody(subject: Subject) -> None:
    shell, store = subject.async_shell, subject.store
    await run_async(store.save("a.1", entry(body=LARGE), LARGE), shell)
    waiters = [
        asyncio.ensure_future(run_async(plan, shell))
        for plan in (store.size(), store.delete(["b.1"]), store.load("a.1"), store.page("", 5))
    ]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    (stored,) = await run_async(store.load("a.1"), shell)
    assert stored.body == LARGE
    await shell.close()
