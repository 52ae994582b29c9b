"""SQLite: limits for several processes, files from before there were any, and space given back."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from http_client_cache.clock import Clock
from http_client_cache.shell.store_driver import run_sync
from tests.stores import program
from tests.stores.subjects import NOW, Subject, alias, entry, sqlite, standing_clock

# As it was before anything left by itself.
FORMER_SCHEMA = """
CREATE TABLE http_cache_v1_responses (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, variant TEXT NOT NULL, created REAL NOT NULL,
    expires REAL, size INTEGER NOT NULL, chain INTEGER, record BLOB NOT NULL, body BLOB,
    UNIQUE (key, variant));
CREATE INDEX http_cache_v1_responses_expires
    ON http_cache_v1_responses (expires) WHERE expires IS NOT NULL;
"""


def save(
    subject: Subject, *keys: str, body: bytes = b"the body", expires: float | None = None
) -> None:
    for key in keys:
        saving = subject.store.save(key, entry(body=body, expires=expires), body)
        run_sync(saving, subject.sync_shell)


def load(subject: Subject, key: str) -> bool:
    return bool(run_sync(subject.store.load(key), subject.sync_shell))


def size(subject: Subject) -> int:
    return run_sync(subject.store.size(), subject.sync_shell)


def stored_bytes(subject: Subject) -> int:
    return run_sync(subject.store.bytes_size(), subject.sync_shell)


@pytest.fixture
def opened() -> Iterator[list[Subject]]:
    subjects: list[Subject] = []
    yield subjects
    for subject in subjects:
        subject.sync_shell.close()


def in_file(folder: Path, sql: str) -> int:
    with closing(sqlite3.connect(folder / "cache.sqlite")) as connection:
        (count,) = connection.execute(sql).fetchone()
    return int(count)


RECOUNT = """SELECT
    (SELECT coalesce(sum(256 + size + length(record) + length(key)), 0)
        FROM http_cache_v1_responses)
    + (SELECT coalesce(sum(256 + length(record) + length(key)), 0) FROM http_cache_v1_aliases)"""

WRITER = """
logging.getLogger('http_client_cache').setLevel(logging.ERROR)
subject = sqlite(Path(sys.argv[1]), max_entries=100, max_bytes=5_000_000)
store, shell = subject.store, subject.sync_shell
me, hot = sys.argv[2], [f'hot.{number}' for number in range(20)]
missed = 0
for number in range(250):
    save(f'{me}.{number}', bytes(100_000 if number % 10 == 0 else 100))
    for key in hot:
        if not load(key):
            missed += 1
            save(key)
    if number % 10 == 0: assert run_sync(store.size(), shell) <= 100
shell.close()
print(missed)
"""


def test_processes_keep_the_limits_at_every_step_and_the_hot_set(tmp_path: Path) -> None:
    first = sqlite(tmp_path, max_entries=100, max_bytes=5_000_000)
    save(first, *(f"hot.{number}" for number in range(20)))
    assert size(first) == 20
    writers = [program.start(tmp_path, WRITER, number) for number in range(4)]
    most = most_bytes = looks = 0
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        while any(writer.poll() is None for writer in writers):
            sql = f"SELECT (SELECT count(*) FROM http_cache_v1_responses), ({RECOUNT})"
            entries, held = connection.execute(sql).fetchone()
            most, most_bytes, looks = max(most, entries), max(most_bytes, held), looks + 1
    missed = [int(program.finish(writer)) for writer in writers]
    assert looks > 50
    # Each write is committed together with what goes for it.
    assert 90 < most <= 100
    assert most_bytes <= 5_000_000
    assert all(load(first, f"hot.{number}") for number in range(20))
    # Of 20,000 hits of the four of them.
    assert sum(missed) < 20
    assert size(first) == in_file(tmp_path, "SELECT count(*) FROM http_cache_v1_responses")
    assert stored_bytes(first) == in_file(tmp_path, RECOUNT)
    first.sync_shell.close()


def test_what_is_only_read_is_kept_while_others_write(tmp_path: Path) -> None:
    reader = sqlite(tmp_path, max_entries=500, clock=Clock())
    hot = [f"hot.{number}" for number in range(20)]
    save(reader, *hot)
    assert size(reader) == 20
    code = """
logging.getLogger('http_client_cache').setLevel(logging.ERROR)
subject = sqlite(Path(sys.argv[1]), max_entries=500)
store, shell = subject.store, subject.sync_shell
for number in range(80):
    for one in range(5): save(f'{sys.argv[2]}.{number}.{one}')
    time.sleep(0.04)
shell.close()
"""
    writers = [program.start(tmp_path, code, number) for number in range(4)]
    while any(writer.poll() is None for writer in writers):
        assert all(load(reader, key) for key in hot)
        time.sleep(0.005)
    for writer in writers:
        program.finish(writer)
    assert size(reader) == 500
    assert all(load(reader, key) for key in hot)
    reader.sync_shell.close()


def test_threads_keep_the_limits(tmp_path: Path, opened: list[Subject]) -> None:
    subject = sqlite(tmp_path, max_entries=50, max_bytes=500_000)
    opened.append(subject)

    def work(name: int) -> None:
        for number in range(200):
            save(subject, f"{name}.{number}", body=bytes(5000 if number % 7 else 100_000))
            load(subject, f"{name}.{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    sizes: list[int] = []
    while any(thread.is_alive() for thread in threads):
        sizes.append(size(subject))
        assert stored_bytes(subject) <= 500_000
    assert max(sizes) <= 50
    assert stored_bytes(subject) == in_file(tmp_path, RECOUNT) > 0


def test_what_another_process_reads_is_kept(tmp_path: Path, opened: list[Subject]) -> None:
    subject = sqlite(tmp_path, max_entries=5)
    opened.append(subject)
    save(subject, *"abcde")
    assert size(subject) == 5
    program.run(
        tmp_path,
        """
limited = sqlite(Path(sys.argv[1]), max_entries=5)
for _ in range(3):
    assert run_sync(limited.store.load('b'), limited.sync_shell)
    assert run_sync(limited.store.load('a'), limited.sync_shell)
""",
    )
    save(subject, *"fgh")
    assert size(subject) == 5
    assert load(subject, "a")
    assert load(subject, "b")


def test_hits_write_nothing_but_now_and_then(tmp_path: Path, opened: list[Subject]) -> None:
    clock = standing_clock()
    subject = sqlite(tmp_path, clock=clock, max_entries=10)
    opened.append(subject)
    save(subject, *"abc")
    assert size(subject) == 3
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:

        def version() -> int:
            # Changes with each transaction of others.
            size(subject)
            (number,) = connection.execute("PRAGMA data_version").fetchone()
            return int(number)

        def changed_by(hits: int) -> bool:
            before = version()
            for number in range(hits):
                load(subject, "abc"[number % 3])
            deadline = time.monotonic() + 0.1
            while version() == before and time.monotonic() < deadline:
                time.sleep(0.005)
            return version() != before

        assert changed_by(1)
        assert not changed_by(3000)
        # The quieter it is, the longer until the next time.
        for seconds in (0.021, 0.041, 0.081, 0.161, 0.321, 0.501, 0.501):
            clock.advance(seconds=seconds / 2)
            assert not changed_by(10)
            clock.advance(seconds=seconds / 2)
            assert changed_by(1)
        clock.advance(seconds=-1000)
        assert changed_by(1)
        assert not changed_by(3000)


def test_without_limits_hits_write_nothing(tmp_path: Path, opened: list[Subject]) -> None:
    clock = standing_clock()
    subject = sqlite(tmp_path, clock=clock)
    opened.append(subject)
    save(subject, "a")
    subject.sync_shell.close()
    for _ in range(10):
        clock.advance(seconds=60)
        load(subject, "a")
    assert not [one for one in threading.enumerate() if one.name == "http-cache-writer"]


def test_a_lower_limit_is_reached_by_and_by(tmp_path: Path, opened: list[Subject]) -> None:
    many = sqlite(tmp_path)
    save(many, *(str(number) for number in range(3500)))
    many.sync_shell.close()
    few = sqlite(tmp_path, max_entries=10)
    opened.append(few)
    save(few, "new")
    sizes = [size(few)]
    deadline = time.monotonic() + 10
    while sizes[-1] > 10:
        assert time.monotonic() < deadline
        sizes.append(size(few))
    assert max(sizes) > 1400
    assert load(few, "new")
    assert load(few, "3499")
    assert not load(few, "3400")


def test_a_file_of_the_former_schema_goes_on(tmp_path: Path, opened: list[Subject]) -> None:
    subject = sqlite(tmp_path)
    save(subject, *"ab", expires=NOW + 10)
    save(subject, "large", body=bytes(300_000))
    run_sync(subject.store.link("led", alias("a")), subject.sync_shell)
    subject.sync_shell.close()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        connection.executescript(f"""
            ALTER TABLE http_cache_v1_responses RENAME TO old;
            DROP INDEX http_cache_v1_responses_expires; DROP INDEX http_cache_v1_responses_leaves;
            {FORMER_SCHEMA}
            INSERT INTO http_cache_v1_responses
                SELECT id, key, variant, created, expires, size, chain, record, body FROM old;
            DROP TABLE old;""")
        names = [row[1] for row in connection.execute("PRAGMA table_info(http_cache_v1_responses)")]
        assert "leaves" not in names
    for limits in ({}, {"max_entries": 3}):
        again = sqlite(tmp_path, **limits)
        opened.append(again)
        assert load(again, "a")
        (found,) = run_sync(again.store.load("large"), again.sync_shell)
        assert found.body == bytes(300_000)
        save(again, "c", "d" if limits else "c")
        assert size(again) == (3 if limits else 4)
        assert stored_bytes(again) == in_file(tmp_path, RECOUNT)
        again.sync_shell.close()


def test_who_has_no_limits_keeps_the_books_of_those_who_have(
    tmp_path: Path, opened: list[Subject]
) -> None:
    limited, other = sqlite(tmp_path, max_entries=5), sqlite(tmp_path)
    opened += [limited, other]
    save(limited, *"abc")
    assert size(limited) == 3
    save(other, *"defgh")
    assert size(other) == 8
    assert stored_bytes(limited) == in_file(tmp_path, RECOUNT)
    save(limited, "i")
    assert size(limited) == 5
    assert [load(limited, key) for key in "abcdefghi"] == [False] * 4 + [True] * 5


def test_space_is_given_back_by_the_way(tmp_path: Path, opened: list[Subject]) -> None:
    clock = standing_clock()
    subject = sqlite(tmp_path, clock=clock)
    opened.append(subject)
    path = tmp_path / "cache.sqlite"
    save(subject, *map(str, range(2000)), body=bytes(20_000), expires=NOW + 10)
    assert size(subject) == 2000
    subject.sync_shell.close()
    full = path.stat().st_size
    assert full > 40_000_000
    clock.advance(days=1)
    for number in range(60):
        save(subject, f"new {number}", body=bytes(100))
        size(subject)
    subject.sync_shell.close()
    assert size(subject) == 60
    assert path.stat().st_size < full // 10


def test_a_full_cache_keeps_its_size(tmp_path: Path, opened: list[Subject]) -> None:
    subject = sqlite(tmp_path, max_bytes=5_000_000)
    opened.append(subject)
    for number in range(4000):
        save(subject, str(number), body=bytes(3000 + 40_000 * (number % 10 == 0)))
    assert 4_900_000 < stored_bytes(subject) <= 5_000_000
    subject.sync_shell.close()
    assert (tmp_path / "cache.sqlite").stat().st_size < 10_000_000
