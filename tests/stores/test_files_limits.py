"""Files: limits that several processes keep, and the ledger in which they count."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from http_client_cache.shell.filesystem import SyncFiles
from http_client_cache.shell.store_driver import run_sync
from tests.stores import program
from tests.stores.subjects import Subject, alias, entry, files

BODY = b"the body"


def save(subject: Subject, *keys: str, body: bytes = BODY) -> None:
    for key in keys:
        run_sync(subject.store.save(key, entry(body=body), body), subject.sync_shell)


def load(subject: Subject, *keys: str) -> list[bool]:
    return [bool(run_sync(subject.store.load(key), subject.sync_shell)) for key in keys]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def keys(subject: Subject) -> str:
    page = run_sync(subject.store.page("", 1000), subject.sync_shell)
    return "".join(sorted(stored.key for _, stored in page))


def ledger(folder: Path) -> Path:
    return folder / "cache" / "http_cache_v1" / "ledger"


def counted(folder: Path) -> tuple[str, int, int, int]:
    state, entries, size, links = ledger(folder).read_text().split()
    return state, int(entries), int(size), int(links)


def really(folder: Path) -> tuple[str, int, int, int]:
    # What has no name yet lies in another folder.
    found = list((folder / "cache" / "http_cache_v1").glob("[0-9a-f][0-9a-f]/**/*.*"))
    sizes = [path.stat().st_size for path in found if path.is_file()]
    kinds = [path.suffix for path in found]
    return "clean", kinds.count(".response"), sum(sizes), kinds.count(".redirect")


def test_the_ledger_tells_what_is_there(tmp_path: Path) -> None:
    subject = files(tmp_path, max_entries=30)
    large = bytes(100_000)
    for number in range(100):
        key = f"{number % 40}.1"
        body = large if number % 3 == 0 else BODY
        run_sync(
            subject.store.save(key, entry(body=body), body, variant="de" * (number % 2)),
            subject.sync_shell,
        )
        run_sync(subject.store.link(f"{number}.2", alias(key)), subject.sync_shell)
        fresh = [(key, "de" * (number % 2), entry(body=body, created=2000.0))]
        run_sync(subject.store.freshen(fresh), subject.sync_shell)
        if number % 7 == 0:
            run_sync(subject.store.delete([f"{number % 30}.1"]), subject.sync_shell)
        assert counted(tmp_path) == really(tmp_path)
        assert counted(tmp_path)[1] <= 30
    run_sync(subject.store.clear(), subject.sync_shell)
    assert counted(tmp_path) == really(tmp_path) == ("clean", 0, 0, 0)
    subject.sync_shell.close()


def test_only_limits_need_a_ledger_and_then_all_keep_it(tmp_path: Path) -> None:
    free = files(tmp_path)
    save(free, *"abcdef")
    size(free)
    assert not ledger(tmp_path).exists()
    limited = files(tmp_path, max_entries=3)
    save(limited, "g")
    assert size(limited) == 3
    save(free, *"hij")
    assert size(free) == 6
    assert counted(tmp_path) == really(tmp_path)
    save(limited, "k")
    assert keys(limited) == "ijk"
    for subject in (free, limited):
        subject.sync_shell.close()


@pytest.mark.parametrize("content", ["", "dirty 1 1 1\n", "clean 0 0\n", "\xff", "clean a b c"])
def test_a_ledger_that_cannot_be_believed_is_written_anew(tmp_path: Path, content: str) -> None:
    subject = files(tmp_path, max_entries=3)
    save(subject, *"abc")
    size(subject)
    ledger(tmp_path).write_text(content, "latin-1")
    save(subject, "d")
    assert keys(subject) == "bcd"
    assert counted(tmp_path) == really(tmp_path)
    ledger(tmp_path).unlink()
    save(subject, "e")
    assert keys(subject) == "cde"
    subject.sync_shell.close()


def test_what_somebody_else_deleted_is_noticed(tmp_path: Path) -> None:
    subject = files(tmp_path, max_entries=4)
    save(subject, *"abcd")
    size(subject)
    for path in (tmp_path / "cache").rglob("*.response"):
        path.unlink()
    save(subject, *"efghi")
    assert keys(subject) == "fghi"
    assert counted(tmp_path) == really(tmp_path)
    subject.sync_shell.close()


def test_uses_of_a_program_that_ended_are_known(tmp_path: Path) -> None:
    for number in range(3):
        subject = files(tmp_path, max_entries=3)
        if number == 0:
            save(subject, *"abc")
        assert load(subject, "a") == [True]
        subject.sync_shell.close()
        save(subject, "de"[number % 2])
        subject.sync_shell.close()
    assert "a" in keys(files(tmp_path))


def test_a_hit_writes_nothing(tmp_path: Path) -> None:
    subject = files(tmp_path, max_entries=3)
    save(subject, "a")
    assert load(subject, "a") == [True]
    subject.sync_shell.close()

    def state() -> list[tuple[int, int, int]]:
        found = sorted((tmp_path / "cache").rglob("*"))
        return [(s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns) for s in map(os.lstat, found)]

    before = state()
    assert load(subject, *"aaaaaaaa") == [True] * 8
    size(subject)
    # Folders have a time of access, too, which is the system's.
    assert [times[1:] for times in state()] == [times[1:] for times in before]
    subject.sync_shell.close()


def test_a_lock_is_given_back_though_the_process_forked_meanwhile(tmp_path: Path) -> None:
    subject = files(tmp_path, max_entries=3)
    save(subject, "a")
    size(subject)
    assert isinstance(subject.sync_shell, SyncFiles)
    hear, tell = os.pipe()
    with subject.sync_shell.folder._ledger.still():
        pid = os.fork()
        if pid == 0:
            os.read(hear, 1)
            os._exit(0)
    try:
        with ledger(tmp_path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.write(tell, b"!")
        os.waitpid(pid, 0)
        os.close(hear)
        os.close(tell)
    subject.sync_shell.close()


WORK = """
subject = files(Path(sys.argv[1]), fast_save=True, max_entries=40, max_bytes=60_000)
store, shell = subject.store, subject.sync_shell
me = sys.argv[2]
logging.getLogger('http_client_cache').disabled = True
for number in range(100):
    for hot in range(8):
        if not load(f'hot.{hot}'):
            save(f'hot.{hot}')
    save(f'{me}.{number}', bytes(1000))
    if number % 10 == 0:
        run_sync(store.delete([f'{me}.{number - 3}']), shell)
"""


def test_processes_keep_the_limit_and_what_is_hot(tmp_path: Path) -> None:
    programs = [program.start(tmp_path, WORK, number) for number in range(4)]
    seen = 0
    while any(one.poll() is None for one in programs):
        time.sleep(0.005)
        if not ledger(tmp_path).exists():
            continue
        with ledger(tmp_path).open("rb") as file:
            # Nobody is in the middle of a change.
            fcntl.flock(file, fcntl.LOCK_EX)
            _, entries, total, _ = really(tmp_path)
            seen += 1
        assert entries <= 40
        assert total <= 60_000
    for one in programs:
        program.finish(one)
    assert seen > 5
    assert counted(tmp_path) == really(tmp_path)
    assert size(files(tmp_path)) > 20
    assert load(files(tmp_path), *(f"hot.{number}" for number in range(8))) == [True] * 8


def test_a_writer_that_was_killed_leaves_the_limit_kept(tmp_path: Path) -> None:
    for turn in range(5):
        writer = program.start(tmp_path, WORK.replace("range(100)", "range(100_000)"), turn)
        patience = time.monotonic() + 20
        while len(list((tmp_path / "cache").rglob("*.response"))) < 20:
            assert time.monotonic() < patience
        time.sleep(0.02 * turn)
        writer.kill()
        writer.communicate()
        subject = files(tmp_path, max_entries=40)
        save(subject, "mine")
        assert size(subject) <= 40
        state, entries, _, _ = counted(tmp_path)
        assert (state, entries) == really(tmp_path)[:2]
        subject.sync_shell.close()
