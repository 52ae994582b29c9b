"""Leases in files and databases: what every store promises of them is in the contract."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from http_client_cache.errors import StoreError
from http_client_cache.shell.filesystem.paths import LEASES, VERSION
from http_client_cache.shell.filesystem.tidying import remove_orphans
from http_client_cache.shell.store_driver import run_async, run_sync
from http_client_cache.store import Store
from http_client_cache.testing.leases import NAME, released
from tests.stores import program
from tests.stores.conftest import Do
from tests.stores.subjects import ALONE, NOT_NOW, NOW, SUBJECTS, Subject, answered_now, but, entry

LEASING = [name for name in but(ALONE) if name.startswith(("sqlite", "files"))]

for_several = pytest.mark.parametrize("subject", LEASING, indirect=True)
in_files = pytest.mark.parametrize(
    "subject", [name for name in LEASING if name != "sqlite_in_memory"], indirect=True
)


@in_files
async def test_to_look_whose_it_is_waits_for_nothing(
    do: Do, store: Store, subject: Subject
) -> None:
    await do(store.claim(NAME, "A", NOW, 5))
    await do(store.load("a.1"))
    await do(store.save("a.1", entry(body=b"x"), b"x"))
    assert answered_now(subject, store.holder(NAME, NOW)) == "A"
    assert answered_now(subject, store.release(NAME, "A", NOW)) is not NOT_NOW


@for_several
async def test_fruitless_leases_do_not_pile_up(do: Do, store: Store, tmp_path: Path) -> None:
    for number in range(300):
        now = NOW + number
        await do(store.claim(f"{number}", "A", now, 5))
        await do(store.release(f"{number}", "A", now, fruitless=True))
    await do(store.claim("last", "A", NOW + 300, 5))
    await do(store.release("last", "A", NOW + 300))
    await released(do, store, "last", NOW + 300)
    if (tmp_path / "cache.sqlite").exists():
        assert count(tmp_path, "SELECT count(*) FROM http_cache_v1_leases") < 10
    elif (tmp_path / "cache").exists():
        assert len(list((tmp_path / "cache/http_cache_v1/leases").iterdir())) < 100


def count(folder: Path, sql: str) -> Any:
    with closing(sqlite3.connect(folder / "cache.sqlite")) as connection:
        return connection.execute(sql).fetchone()[0]


@pytest.mark.parametrize("subject", ["sqlite"], indirect=True)
async def test_a_locked_database_is_not_waited_for_longer_than_a_lease_lasts(
    do: Do, store: Store, tmp_path: Path
) -> None:
    await do(store.claim("another", "A", NOW, 5))
    with closing(sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(StoreError, match="locked"):
            await do(store.claim(NAME, "A", NOW, 0.1))
        assert time.monotonic() - begun < 0.6
        # It was on its way; what takes it back follows it.
        await do(store.release(NAME, "A", NOW))
        other.execute("ROLLBACK")
    await do(store.claim("yet another", "A", NOW, 5))
    assert await do(store.holder(NAME, NOW)) is None
    assert await do(store.holder("another", NOW)) == "A"


def test_a_database_from_before_there_were_leases(tmp_path: Path) -> None:
    before = SUBJECTS["sqlite"](tmp_path)
    run_sync(before.store.save("a.1", entry(body=b"x"), b"x"), before.sync_shell)
    before.sync_shell.close()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        connection.execute("DROP TABLE http_cache_v1_leases")
    after = SUBJECTS["sqlite"](tmp_path)
    assert run_sync(after.store.claim("a.1", "A", NOW, 5), after.sync_shell) == "A"
    assert run_sync(after.store.size(), after.sync_shell) == 1
    after.sync_shell.close()


CLAIM = """
print(run_sync(store.claim('a.1', 'A', 1000.0, 3600.0), shell), flush=True)
import threading; threading.Event().wait()
"""


@pytest.mark.parametrize("kind", ["sqlite", "files"])
def test_a_killed_holder_loses_it(tmp_path: Path, kind: str) -> None:
    code = f"subject = {kind}(Path(sys.argv[1]))\nstore, shell = subject.store, subject.sync_shell"
    holder = program.start(tmp_path, code + CLAIM)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "A\n"
    subject = SUBJECTS[kind](tmp_path)
    store, shell = subject.store, subject.sync_shell
    try:
        assert run_sync(store.claim("a.1", "B", NOW + 1, 5), shell) == "A"
        holder.kill()
        holder.communicate()
        # A file is locked only as long as its holder lives; a row has nothing but its time.
        end = NOW + 3600 if kind == "sqlite" else NOW + 1
        assert run_sync(store.holder("a.1", end), shell) is None
        assert run_sync(store.claim("a.1", "B", end, 5), shell) == "B"
    finally:
        holder.kill()
        holder.communicate()
        shell.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_does_not_hold_what_its_parent_held(tmp_path: Path) -> None:
    holder = program.start(
        tmp_path,
        """
subject = files(Path(sys.argv[1]))
store, shell = subject.store, subject.sync_shell
run_sync(store.claim('a.1', 'A', 1000.0, 3600.0), shell)
if not os.fork():
    print(os.getpid(), flush=True)
import threading; threading.Event().wait()
""",
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    subject = SUBJECTS["files"](tmp_path)
    try:
        assert run_sync(subject.store.holder("a.1", NOW + 1), subject.sync_shell) == "A"
        holder.kill()
        holder.wait()
        assert run_sync(subject.store.holder("a.1", NOW + 1), subject.sync_shell) is None
    finally:
        holder.kill()
        os.kill(child, signal.SIGKILL)
        holder.communicate()
        subject.sync_shell.close()


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"owner": 1}', b'{"owner": "A", "since": 1}'])
def test_a_file_that_says_nothing_is_no_lease(tmp_path: Path, line: bytes) -> None:
    subject = SUBJECTS["files"](tmp_path)
    store, shell = subject.store, subject.sync_shell
    assert run_sync(store.claim("a.1", "A", NOW, 5), shell) == "A"
    (file,) = (tmp_path / "cache/http_cache_v1/leases").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(line)
    assert run_sync(store.holder("a.1", NOW), shell) is None
    assert run_sync(store.claim("a.1", "B", NOW, 5), shell) == "B"
    shell.close()


async def test_a_loop_does_not_wait_for_a_turn(tmp_path: Path) -> None:
    """A process that was stopped in the middle of its turn is waited for by a thread."""
    subject = SUBJECTS["files"](tmp_path)
    shell = subject.async_shell
    await run_async(subject.store.claim("a.1", "me", NOW, 10.0), shell)
    folder = tmp_path / "cache" / f"http_cache_v{VERSION}" / LEASES
    turn = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        plan = subject.store.claim("a.2", "me", NOW, 10.0)
        claim = next(plan)
        assert shell.run_now(claim) is NOT_NOW
        waiting = asyncio.create_task(shell.run(claim))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        fcntl.flock(turn, fcntl.LOCK_UN)
        assert await waiting == "me"
    finally:
        os.close(turn)
        subject.sync_shell.close()


def test_who_tidies_up_leaves_what_is_about_to_be_a_lease(tmp_path: Path) -> None:
    subject = SUBJECTS["files"](tmp_path)
    store, shell = subject.store, subject.sync_shell
    over = threading.Event()

    def tidy() -> None:
        while not over.is_set():
            remove_orphans(f"{tmp_path}/cache/http_cache_v{VERSION}/")

    thread = threading.Thread(target=tidy)
    thread.start()
    try:
        for number in range(500):
            assert run_sync(store.claim(f"a.{number}", "me", NOW, 10.0), shell) == "me"
            assert run_sync(store.claim(f"a.{number}", "you", NOW, 10.0), shell) == "me"
    finally:
        over.set()
        thread.join()
        shell.close()
