"""SQLite: where the file lies, who may read it, and what becomes of one that is none."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from http_client_cache.errors import ConfigurationError, StoreError
from http_client_cache.shell.sqlite import Database, database_path, shared_database
from http_client_cache.shell.sqlite.files import set_aside
from http_client_cache.shell.store_driver import run_sync
from tests.stores import program
from tests.stores.subjects import Subject, entry, sqlite

BODY = b"the body"


def save(subject: Subject, key: str, body: bytes = BODY) -> None:
    run_sync(subject.store.save(key, entry(body=body), body), subject.sync_shell)


def load(subject: Subject, key: str) -> list[bytes]:
    found = run_sync(subject.store.load(key, follow=True), subject.sync_shell)
    return [stored.body for stored in found]


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("demo_cache", "demo_cache.sqlite"),
        ("demo.db", "demo.db"),
        ("demo.sqlite3", "demo.sqlite3"),
        ("v1.2", "v1.2.sqlite"),
        ("a/b/demo", "a/b/demo.sqlite"),
        ("./demo", "demo.sqlite"),
        ("../demo", "../demo.sqlite"),
        (Path("a") / "demo", "a/demo.sqlite"),
        (".hidden", ".hidden.sqlite"),
        ("with space & ünïcode?#%41", "with space & ünïcode?#%41.sqlite"),
    ],
)
def test_a_name_means_a_file(name: str, path: str, in_tmp_path: Path) -> None:
    found = database_path(name)
    assert found is not None
    assert found.is_absolute()
    assert os.path.normpath(found) == os.path.normpath(in_tmp_path / path)
    database = Database(found, ())
    with database.using(database.write_handle):
        assert found.is_file()
    database.close()


def test_absolute_home_and_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database_path("~/cache") == tmp_path / "cache.sqlite"
    assert database_path(tmp_path / "x.db") == tmp_path / "x.db"
    assert database_path("x", use_temp=True) == Path(tempfile.gettempdir()) / "x.sqlite"
    assert database_path(tmp_path / "x.db", use_temp=True) == tmp_path / "x.db"


@pytest.mark.parametrize(
    "name", [":memory:", "file::memory:?cache=shared", "file:name?mode=memory&cache=shared"]
)
def test_names_of_databases_in_memory(name: str) -> None:
    assert database_path(name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "folder/", "\0", "file:x?mode=ro", 5, None, b"x"])
def test_names_of_nothing(name: object) -> None:
    with pytest.raises(ConfigurationError, match="cache_name"):
        database_path(name)  # type: ignore[arg-type]


def test_the_file_is_made_by_the_first_use_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folders"
    before = os.umask(0)
    try:
        subject = sqlite(folder)
        assert not folder.exists()
        save(subject, "a.1")
        assert size(subject) == 1
        files = sorted(folder.iterdir())
        assert [path.name for path in files] == [
            "cache.sqlite",
            "cache.sqlite-shm",
            "cache.sqlite-wal",
        ]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    finally:
        os.umask(before)
    subject.sync_shell.close()
    assert [path.name for path in folder.iterdir()] == ["cache.sqlite"]


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    first = sqlite(tmp_path)
    save(first, "a.1", bytes(300_000))
    first.sync_shell.close()
    second = sqlite(tmp_path)
    assert load(second, "a.1") == [bytes(300_000)]
    second.sync_shell.close()


@pytest.mark.parametrize("wal", [True, False])
def test_a_database_of_other_programs_is_shared(tmp_path: Path, wal: bool) -> None:
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as other:
        other.execute("CREATE TABLE responses (key TEXT PRIMARY KEY, value BLOB)")
        other.execute("INSERT INTO responses VALUES ('theirs', 'value')")
        other.execute("CREATE TABLE http_cache_v2_responses (something)")
        other.execute("INSERT INTO http_cache_v2_responses VALUES ('newer')")
        other.commit()
    subject = sqlite(tmp_path, wal=wal)
    save(subject, "a.1")
    assert size(subject) == 1
    run_sync(subject.store.clear(), subject.sync_shell)
    save(subject, "a.2")
    subject.sync_shell.close()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as other:
        assert other.execute("SELECT * FROM responses").fetchall() == [("theirs", "value")]
        assert other.execute("SELECT * FROM http_cache_v2_responses").fetchall() == [("newer",)]
        (mode,) = other.execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal" if wal else "delete")
    assert {path.name for path in tmp_path.iterdir()} <= {
        "cache.sqlite",
        "cache.sqlite-wal",
        "cache.sqlite-shm",
    }


def test_a_file_that_is_no_database_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache.sqlite").write_text("a text that somebody may want to keep\n" * 50)
    subject = sqlite(tmp_path)
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        assert load(subject, "a.1") == []
        save(subject, "a.1")
        assert size(subject) == 1
        assert load(subject, "a.1") == [BODY]
    (record,) = caplog.records
    assert "SQLite cannot read" in record.getMessage()
    assert "file is not a database" in record.getMessage()
    (aside,) = tmp_path.glob("cache.sqlite.corrupt-????????T??????Z")
    assert aside.read_text().startswith("a text that somebody may want to keep")
    subject.sync_shell.close()


@pytest.mark.parametrize("first", ["load", "save"])
def test_a_database_that_is_damaged_while_in_use_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first: str
) -> None:
    subject = sqlite(tmp_path)
    for number in range(300):
        save(subject, f"a.{number}", os.urandom(2000))
    subject.sync_shell.close()
    path = tmp_path / "cache.sqlite"
    with path.open("r+b") as file:
        # The first page, with the schema, stays.
        for page in range(1, path.stat().st_size // 8192):
            file.seek(page * 8192)
            file.write(b"\xa5" * 8192)
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        if first == "load":
            assert load(subject, "a.1") == []
        save(subject, "a.1")
        assert size(subject) == 1
        assert load(subject, "a.1") == [BODY]
    assert len(caplog.records) == 1
    assert len(list(tmp_path.glob("*.corrupt-*"))) == 1
    subject.sync_shell.close()


def test_a_damaged_database_that_holds_other_tables_is_left_where_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cache.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (value)")
        other.commit()
    subject = sqlite(tmp_path)
    for number in range(100):
        save(subject, f"a.{number}", os.urandom(3000))
    subject.sync_shell.close()
    content = path.read_bytes()
    damaged = content[:4096] + b"\xa5" * (len(content) - 4096)
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING, "http_client_cache"), pytest.raises(StoreError):
        load(subject, "a.1")
    save(subject, "a.2")
    subject.sync_shell.close()
    assert [name.name for name in tmp_path.glob("*corrupt*")] == []


def test_only_the_file_that_could_not_be_read_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_text("good")
    set_aside(path, (1, 2), "another process was faster")
    set_aside(path, None, "there was none")
    assert path.read_text() == "good"


def test_processes_that_find_the_same_broken_file_agree(tmp_path: Path) -> None:
    for _ in range(3):
        for path in tmp_path.iterdir():
            path.unlink()
        (tmp_path / "cache.sqlite").write_text("no database\n" * 100)
        code = """
import logging; logging.getLogger('http_client_cache').disabled = True
sys.stdin.readline()
for number in range(20):
    save(f'{sys.argv[2]}.{number}')
    assert load(f'{sys.argv[2]}.{number}')
"""
        programs = [program.start(tmp_path, code, number) for number in range(3)]
        for one in programs:
            program.finish(one)
        assert len(list(tmp_path.glob("*.corrupt-*"))) == 1
        with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
            query = "SELECT count(*) FROM http_cache_v1_responses"
            assert connection.execute(query).fetchone() == (60,)


def test_a_file_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    subject = sqlite(tmp_path)
    save(subject, "a.1")
    assert size(subject) == 1
    for path in tmp_path.iterdir():
        path.unlink()
    save(subject, "a.2")
    assert size(subject) == 1
    assert load(subject, "a.2") == [BODY]
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        query = "SELECT key FROM http_cache_v1_responses"
        assert connection.execute(query).fetchall() == [("a.2",)]
    subject.sync_shell.close()


def test_what_a_deleted_database_left_behind_is_not_taken_for_ours(tmp_path: Path) -> None:
    subject = sqlite(tmp_path)
    save(subject, "a.1")
    assert size(subject) == 1
    journal = (tmp_path / "cache.sqlite-wal").read_bytes()
    subject.sync_shell.close()
    (tmp_path / "cache.sqlite").unlink()
    (tmp_path / "cache.sqlite-wal").write_bytes(journal)
    assert load(subject, "a.1") == []
    subject.sync_shell.close()


@contextlib.contextmanager
def nobody_special() -> Iterator[Path]:
    """A folder of one's own; root, who may write everywhere, becomes somebody else meanwhile."""
    nobody, me = 65534, os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        if me == 0:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            os.seteuid(me)


def test_a_file_that_may_only_be_read_is_read() -> None:
    with nobody_special() as folder:
        subject = sqlite(folder)
        save(subject, "a.1")
        subject.sync_shell.close()
        (folder / "cache.sqlite").chmod(0o400)
        assert load(subject, "a.1") == [BODY]
        save(subject, "a.2")
        assert size(subject) == 1
        subject.sync_shell.close()


def test_a_path_that_cannot_be_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache.sqlite").mkdir()
    subject = sqlite(tmp_path)
    with pytest.raises(StoreError, match=r"cannot read .*cache\.sqlite"):
        load(subject, "a.1")
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        for number in range(5):
            save(subject, f"a.{number}")
            with pytest.raises(StoreError):
                size(subject)
        (tmp_path / "cache.sqlite").rmdir()
        save(subject, "a.1")
        assert size(subject) == 1
    assert [record.getMessage().partition(str(tmp_path))[0] for record in caplog.records] == [
        "The cache ",
        "The cache ",
    ]
    assert "cannot be written" in caplog.records[0].getMessage()
    assert "can be written again" in caplog.records[1].getMessage()
    subject.sync_shell.close()


def test_two_owners_of_one_file_in_one_process(tmp_path: Path) -> None:
    subjects = [sqlite(tmp_path) for _ in range(3)]

    def work(number: int) -> None:
        for item in range(30):
            save(subjects[number], f"{number}.{item}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for subject in subjects:
        size(subject)
    assert [size(subject) for subject in subjects] == [90, 90, 90]
    subjects[0].sync_shell.close()
    assert load(subjects[1], "0.1") == [BODY]
    for subject in subjects:
        subject.sync_shell.close()


def test_users_of_one_file_share_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    (tmp_path / "link.sqlite").symlink_to(path)
    first = shared_database(path, ())
    assert shared_database(tmp_path / "link.sqlite", ()) is first
    assert shared_database(path, (), timeout=1) is not first
    assert shared_database(tmp_path / "other.sqlite", ()) is not first
    assert shared_database(None, ()) is not shared_database(None, ())
