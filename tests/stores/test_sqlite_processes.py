"""SQLite: processes, forks, loops, threads, and the end of a program."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from http_client_cache.shell.store_driver import run_async, run_sync
from tests.stores import program
from tests.stores.subjects import Subject, alias, entry, sqlite, sqlite_in_memory

BODY = b"the body"


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = sqlite(tmp_path)
    yield subject
    subject.sync_shell.close()


def save(subject: Subject, *keys: str, body: bytes = BODY) -> None:
    for key in keys:
        run_sync(subject.store.save(key, entry(body=body), body), subject.sync_shell)


def load(subject: Subject, key: str) -> list[bytes]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [stored.body for stored in found]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def in_file(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "cache.sqlite")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM http_cache_v1_responses").fetchone()
    return int(count)


def test_a_program_that_never_closes_exits_at_once_and_loses_nothing(tmp_path: Path) -> None:
    begun = program.run(
        tmp_path, "for number in range(300): save(f'a.{number}')\nprint(time.time())"
    )
    # Most of it is the interpreter's own way out.
    assert time.time() - float(begun) < 1.5
    assert in_file(tmp_path) == 300


def test_a_loop_that_is_closed_around_it_loses_nothing(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        """
async def main():
    for number in range(100):
        await run_async(store.save(f'a.{number}', entry(body=b'x'), b'x'), loop_shell)
    for number in range(3):
        asyncio.ensure_future(run_async(store.delete([f'a.{number}']), loop_shell))
    await asyncio.sleep(0)
asyncio.run(main())
""",
    )
    assert in_file(tmp_path) == 97


def test_what_is_saved_after_the_end_of_the_main_thread_is_written(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        """
def late():
    threading.main_thread().join()
    for number in range(5):
        save(f'late.{number}')
        time.sleep(0.02)
    assert load('late.1')
threading.Thread(target=late).start()
import atexit
atexit.register(save, 'latest.1')
save('early.1')
""",
    )
    assert in_file(tmp_path) == 7


def test_what_is_saved_by_a_handler_that_comes_after_ours_is_written(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        """
shell.close()
# Handlers run in the reverse order of their registration; ours was registered long ago.
import atexit
from http_client_cache.shell import lifetime, worker
atexit.unregister(lifetime._at_exit); atexit.unregister(worker._Exit.begin)
atexit.register(lambda: (save('a.1'), print(load('a.1'))))
atexit.register(worker._Exit.begin); atexit.register(lifetime._at_exit)
save('a.2')
""",
    )
    assert in_file(tmp_path) == 2


def test_sys_exit_and_an_exception_lose_nothing(tmp_path: Path) -> None:
    ended = program.start(tmp_path, "save('a.1')\nraise SystemExit(3)")
    ended.communicate(timeout=30)
    assert ended.returncode == 3
    failed = program.start(tmp_path, "save('a.2')\n1/0")
    failed.communicate(timeout=30)
    assert failed.returncode == 1
    assert in_file(tmp_path) == 2


def test_a_program_exits_while_another_holds_the_lock(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    size(subject)
    holder = sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ended = program.start(tmp_path, "save('a.2')\nprint(time.time())")
    out, err = ended.communicate(timeout=30)
    assert ended.returncode == 0
    assert time.time() - float(out) < 3
    assert "cannot be written" in err
    assert err.count("\n") == 1
    holder.close()


def test_an_abandoned_cache_leaves_nothing_open(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        """
import gc
from http_client_cache.shell import worker
worker.LINGER = 0.2
save('a.1'); load('a.1')
del subject, shell, store, loop_shell, save, load
patience = time.monotonic() + 5
while threading.active_count() > 1 or any(
    'cache.sqlite' in os.readlink(f'/proc/self/fd/{fd}')
    for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}')
):
    gc.collect(); time.sleep(0.01)
    assert time.monotonic() < patience
""",
    )


def test_processes_share_a_file(tmp_path: Path) -> None:
    code = """
me = sys.argv[2]
for number in range(50):
    save(f'{me}.{number}', f'{me} {number}'.encode())
    other = str((int(me) + 1) % 4)
    for body in load(f'{other}.{number}'):
        assert body == f'{other} {number}'.encode()
"""
    programs = [program.start(tmp_path, code, number) for number in range(4)]
    for one in programs:
        program.finish(one)
    assert in_file(tmp_path) == 200


def test_another_process_sees_a_save_soon(tmp_path: Path, subject: Subject) -> None:
    reader = program.start(
        tmp_path,
        """
load('a.1'); print('ready', flush=True)
begun = time.monotonic()
while not load('a.1'):
    assert time.monotonic() < begun + 10
    time.sleep(0.001)
""",
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    save(subject, "a.1")
    program.finish(reader)


@pytest.mark.parametrize("large", [False, True])
def test_a_killed_writer_leaves_whole_entries(tmp_path: Path, large: bool) -> None:
    code = """
large = bool(int(sys.argv[2]))
for number in range(1_000_000):
    key = f'a.{number % 50}'
    save(key, key.encode() * (40_000 if large and number % 3 == 0 else 20))
    if number == 20: run_sync(store.size(), shell); print('under way', flush=True)
"""
    for _ in range(2):
        writer = program.start(tmp_path, code, int(large))
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        subject = sqlite(tmp_path)
        for number in range(50):
            for body in load(subject, f"a.{number}"):
                assert body == f"a.{number}".encode() * (len(body) // len(f"a.{number}"))
        assert size(subject) > 0
        save(subject, "b.1")
        subject.sync_shell.close()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kind", [sqlite, sqlite_in_memory])
def test_a_fork_reopens(tmp_path: Path, kind: type) -> None:
    subject = kind(tmp_path)
    save(subject, *(f"a.{number}" for number in range(20)))
    assert load(subject, "a.1") == [BODY]
    pid = os.fork()
    if pid == 0:
        # The child says how it went by its exit code, and runs nobody's handlers.
        try:
            known = {f"a.{number}": load(subject, f"a.{number}") for number in range(20)}
            save(subject, "child.1")
            good = load(subject, "child.1") == [BODY] and known["a.3"] == [BODY]
            subject.sync_shell.close()
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    save(subject, "parent.1")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert load(subject, "parent.1") == [BODY]
    assert size(subject) == (22 if kind is sqlite else 21)
    subject.sync_shell.close()


def test_forks_under_load(tmp_path: Path, subject: Subject) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(name: str) -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                save(subject, f"{name}.{number % 100}")
                assert load(subject, f"{name}.{number % 100}") == [BODY]
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(str(name),)) for name in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(4):
            pid = os.fork()
            if pid == 0:
                try:
                    save(subject, f"child.{number}")
                    good = load(subject, f"child.{number}") == [BODY]
                    subject.sync_shell.close()
                    os._exit(0 if good else 1)
                finally:
                    os._exit(2)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert all(load(subject, f"child.{number}") for number in range(4))


def _in_a_child(subject: Subject) -> None:
    save(subject, "child.1")


def test_a_forked_worker_of_multiprocessing_loses_nothing(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")
    child = multiprocessing.get_context("fork").Process(target=_in_a_child, args=(subject,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert load(subject, "child.1") == [BODY]


def test_two_loops_one_after_the_other(subject: Subject) -> None:
    async def main(number: int) -> int:
        shell, store = subject.async_shell, subject.store
        large = bytes(200_000)
        await run_async(store.save(f"a.{number}", entry(body=large), large), shell)
        await run_async(store.link(f"b.{number}", alias(f"a.{number}")), shell)
        assert await run_async(store.load("b.0", follow=True), shell)
        return await run_async(store.size(), shell)

    assert [asyncio.run(main(number)) for number in range(3)] == [1, 2, 3]


def test_loops_in_threads_at_the_same_time(subject: Subject) -> None:
    async def main(name: str) -> None:
        async def one(number: int) -> None:
            key, body = f"{name}.{number}", f"{name} {number}".encode() * 3000
            await run_async(subject.store.save(key, entry(body=body), body), subject.async_shell)
            for _ in range(3):
                (stored,) = await run_async(subject.store.load(key), subject.async_shell)
                assert stored.body == body
                await asyncio.sleep(0)
            await run_async(subject.store.size(), subject.async_shell)

        await asyncio.gather(*(one(number) for number in range(20)))

    failures: list[BaseException] = []

    def run(name: str) -> None:
        try:
            asyncio.run(main(name))
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert size(subject) == 80


def test_a_thread_that_ends_takes_its_connection_along(tmp_path: Path, subject: Subject) -> None:
    save(subject, "a.1")

    def open_files() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(str(tmp_path) in str(link.readlink()) for link in links if link.is_symlink())

    assert load(subject, "a.1")
    size(subject)
    before = open_files()
    for _ in range(20):
        thread = threading.Thread(target=load, args=(subject, "a.1"))
        thread.start()
        thread.join()
    # SQLite keeps a file for the next one to open it, as closing it would drop our locks.
    assert open_files() <= before + 2
    subject.sync_shell.close()
    assert open_files() == 0


def test_closing_while_others_use_it(subject: Subject) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(name: str) -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                save(subject, f"{name}.{number}")
                assert load(subject, f"{name}.{number}") == [BODY]
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(str(name),)) for name in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            subject.sync_shell.close()
            time.sleep(0.005)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


async def test_a_cancelled_waiter_harms_nobody(subject: Subject) -> None:
    shell, store = subject.async_shell, subject.store
    body = bytes(300_000)
    await run_async(store.save("a.1", entry(body=body), body), shell)
    waiters = [
        asyncio.ensure_future(run_async(plan, shell))
        for plan in (store.size(), store.delete(["b.1"]), store.load("a.1"), store.page("", 5))
    ]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    (stored,) = await run_async(store.load("a.1"), shell)
    assert stored.body == body
    await shell.close()
