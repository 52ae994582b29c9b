"""Files: processes, forks, a disk that is full, and the end of a program."""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_client_cache.shell.store_driver import run_async, run_sync
from tests.stores import program
from tests.stores.subjects import Subject, alias, entry, files

BODY = b"the body"

# Programs use the store in a folder, unless they say otherwise.
SHELLS = """
store, shell, loop_shell = subject.store, subject.sync_shell, subject.async_shell
"""
FILES = f"subject = files(Path(sys.argv[1]), fast_save=True){SHELLS}"

# A body that says by bytes and length which entry it belongs to.
TELLING = """
def telling(number):
    body = f'{number} '.encode() * (40_000 + number if number % 3 == 0 else 100 + number)
    return entry(f'https://example.org/{number}', body=body, expires=5000.0), body
"""


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = files(tmp_path)
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


def in_folder(folder: Path) -> int:
    return len(list((folder / "cache").rglob("*.response")))


# The end of a program.


@pytest.mark.parametrize("fast_save", [True, False])
def test_a_program_that_never_closes_exits_at_once_and_loses_nothing(
    tmp_path: Path, fast_save: bool
) -> None:
    code = (
        f"subject = files(Path(sys.argv[1]), fast_save={fast_save})"
        """
for number in range(100):
    run_sync(subject.store.save(f'a.{number}', entry(body=b'x'), b'x'), subject.sync_shell)
print(time.time())
"""
    )
    begun = program.run(tmp_path, code)
    # Most of it is the interpreter's own way out.
    assert time.time() - float(begun) < 3
    assert in_folder(tmp_path) == 100
    assert list((tmp_path / "cache" / "http_cache_v1" / "tmp").iterdir()) == []


def test_a_loop_that_is_closed_around_it_loses_nothing(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        FILES
        + """
async def main():
    for number in range(100):
        await run_async(store.save(f'a.{number}', entry(body=b'x'), b'x'), loop_shell)
    for number in range(3):
        asyncio.ensure_future(run_async(store.delete([f'a.{number}']), loop_shell))
    await asyncio.sleep(0)
asyncio.run(main())
""",
    )
    assert in_folder(tmp_path) == 97


def test_what_is_saved_after_the_end_of_the_main_thread_is_written(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        FILES
        + """
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
    assert in_folder(tmp_path) == 7


def test_a_program_ends_while_another_keeps_its_turn(tmp_path: Path, subject: Subject) -> None:
    keys = [f"a.{number}" for number in range(5)]
    save(subject, *keys)
    size(subject)
    (shard,) = (tmp_path / "cache" / "http_cache_v1").glob("[0-9a-f][0-9a-f]")
    handle = os.open(shard, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    ended = program.start(
        tmp_path, FILES + "for number in range(5): save(f'a.{number}')\nprint(time.time())"
    )
    out, _ = ended.communicate(timeout=30)
    assert ended.returncode == 0
    assert time.time() - float(out) < 3
    os.close(handle)


def test_an_abandoned_cache_leaves_nothing_open(tmp_path: Path) -> None:
    program.run(
        tmp_path,
        FILES
        + """
import gc
from http_client_cache.shell import worker
worker.LINGER = 0.2
save('a.1'); load('a.1')
del subject, shell, store, loop_shell, save, load
patience = time.monotonic() + 5
while threading.active_count() > 1 or any(
    'http_cache' in os.readlink(f'/proc/self/fd/{fd}')
    for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}')
):
    gc.collect(); time.sleep(0.01)
    assert time.monotonic() < patience
""",
    )


# Several processes.


def test_processes_share_a_folder(tmp_path: Path) -> None:
    code = (
        FILES
        + """
me = sys.argv[2]
for number in range(50):
    save(f'{me}.{number}', f'{me} {number}'.encode())
    other = str((int(me) + 1) % 4)
    for body in load(f'{other}.{number}'):
        assert body == f'{other} {number}'.encode()
"""
    )
    programs = [program.start(tmp_path, code, number) for number in range(4)]
    for one in programs:
        program.finish(one)
    assert in_folder(tmp_path) == 200


def test_another_process_sees_a_save_soon(tmp_path: Path, subject: Subject) -> None:
    reader = program.start(
        tmp_path,
        FILES
        + """
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


def test_processes_that_change_the_same_keys_agree(tmp_path: Path, subject: Subject) -> None:
    """Saved, freshened, deleted, linked and swept by several at once: each entry is whole."""
    code = (
        FILES
        + TELLING
        + """
import random, msgspec
chance = random.Random(int(sys.argv[2]))
def check(found):
    for stored in found:
        number = int(stored.entry.url.rpartition('/')[2])
        assert stored.body == telling(number)[1], (number, stored)
end = time.monotonic() + 2
while time.monotonic() < end:
    key = f'{chance.randrange(3)}.{chance.randrange(3)}'
    kept, body = telling(chance.randrange(9))
    what = chance.randrange(10)
    if what < 4:
        variant = chance.choice(['', '', 'de'])
        run_sync(store.save(key, kept, body, variant=variant), shell)
    elif what < 6:
        for stored in run_sync(store.load(key), shell):
            fresh = msgspec.structs.replace(stored.entry, created=chance.random() * 1000)
            run_sync(store.freshen([(stored.key, stored.variant, fresh)]), shell)
    elif what == 6:
        run_sync(store.delete([key]), shell)
    elif what == 7:
        run_sync(store.link(f'x.{chance.randrange(3)}', alias(key)), shell)
        check(run_sync(store.load('x.1', follow=True), shell))
    elif what == 8:
        run_sync(store.sweep(chance.choice([0.0, 6000.0]), 5), shell)
    else:
        check([stored for _, stored in run_sync(store.page('', 20, bodies=True), shell)])
    check(run_sync(store.load(key), shell))
"""
    )
    programs = [program.start(tmp_path, code, number) for number in range(4)]
    for one in programs:
        program.finish(one)
    run_sync(subject.store.clear(), subject.sync_shell)
    root = tmp_path / "cache" / "http_cache_v1"
    assert [path for path in root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("fast_save", [True, False])
def test_a_killed_writer_leaves_whole_entries(
    tmp_path: Path, subject: Subject, fast_save: bool
) -> None:
    code = (
        f"subject = files(Path(sys.argv[1]), fast_save={fast_save})"
        + SHELLS
        + TELLING
        + """
import msgspec
print('under way', flush=True)
for number in range(1_000_000):
    kept, body = telling(number % 9)
    run_sync(store.save(f'{number % 9}.1', kept, body), shell)
    if number % 5 == 0:
        fresh = msgspec.structs.replace(kept, created=2000.0)
        run_sync(store.freshen([(f'{number % 9}.1', '', fresh)]), shell)
    if number % 7 == 0:
        run_sync(store.delete([f'{(number + 4) % 9}.1']), shell)
"""
    )
    tmp = tmp_path / "cache" / "http_cache_v1" / "tmp"
    for turn in range(6):
        writer = program.start(tmp_path, code)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.03 + 0.011 * turn)
        writer.kill()
        writer.communicate()
        for number in range(9):
            for stored in run_sync(subject.store.load(f"{number}.1"), subject.sync_shell):
                assert stored.entry.url == f"https://example.org/{number}"
                assert stored.body.startswith(f"{number} {number} ".encode())
                assert len(stored.body) == 2 * (number + (40_000 if number % 3 == 0 else 100))
        pages = run_sync(subject.store.page("", 20, bodies=True), subject.sync_shell)
        assert len(pages) == size(subject)
    # They wrote something, and what they left half-written is no entry.
    assert tmp.is_dir()


def test_orphans_are_found_by_the_next_program(tmp_path: Path) -> None:
    tmp = tmp_path / "cache" / "http_cache_v1" / "tmp"
    tmp.mkdir(parents=True)
    (tmp / ("0" * 16)).write_bytes(b"half")
    code = (
        FILES
        + """
from http_client_cache.shell.filesystem import tidying
tidying.time.time = lambda: 120 + os.lstat(sys.argv[2]).st_ctime
save('a.1')
"""
    )
    program.run(tmp_path, code, tmp / ("0" * 16))
    assert list(tmp.iterdir()) == []
    assert in_folder(tmp_path) == 1


# Forks.


def test_a_fork_shares_what_is_written_and_goes_on_alone(tmp_path: Path, subject: Subject) -> None:
    save(subject, *(f"a.{number}" for number in range(20)))
    pid = os.fork()
    if pid == 0:
        try:
            save(subject, "child.1")
            good = load(subject, "child.1") == [BODY]
            subject.sync_shell.close()
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    save(subject, "parent.1")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert load(subject, "parent.1") == load(subject, "child.1") == [BODY]
    assert size(subject) == 22


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


# Loops and threads.


def test_two_loops_one_after_the_other(subject: Subject) -> None:
    async def main(number: int) -> int:
        shell, store = subject.async_shell, subject.store
        large = bytes(200_000)
        await run_async(store.save(f"a.{number}", entry(body=large), large), shell)
        await run_async(store.link(f"b.{number}", alias(f"a.{number}")), shell)
        assert await run_async(store.load("b.0", follow=True), shell)
        return await run_async(store.size(), shell)

    assert [asyncio.run(main(number)) for number in range(3)] == [1, 2, 3]


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
        for _ in range(5):
            subject.sync_shell.close()
            time.sleep(0.005)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
