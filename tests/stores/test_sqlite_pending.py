"""What is committed while somebody reads is never missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from http_client_cache.shell.sqlite import AsyncSQLite, Database, SyncSQLite
from http_client_cache.shell.sqlite.pending import Pending
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.sqlite_statements import Point, Row
from tests.stores.subjects import alias, entry, sqlite


class Committing(Pending):
    """Has everything committed between the two reads that an alias takes."""

    __slots__ = ("commit", "reads")

    def look(self, point: Point, read: Callable[[str], list[Row]]) -> list[Row]:
        self.reads = 0

        def and_commit(key: str) -> list[Row]:
            rows = read(key)
            self.reads += 1
            if self.reads == 1:
                self.commit()
            return rows

        return super().look(point, and_commit)


def test_what_an_alias_leads_to_is_committed_meanwhile(tmp_path: Path) -> None:
    subject = sqlite(tmp_path)
    assert isinstance(subject.sync_shell, SyncSQLite)
    assert isinstance(subject.async_shell, AsyncSQLite)
    database: Database = subject.sync_shell.database
    database.writer.pause()
    database.pending = pending = Committing()
    pending.commit = lambda: None

    def commit() -> None:
        database.writer.resume()
        database.writer.drain()
        pending.commit = lambda: None

    try:
        run_sync(subject.store.save("b.1", entry(), b"body"), subject.sync_shell)
        run_sync(subject.store.link("a.1", alias("b.1")), subject.sync_shell)
        assert pending.any
        pending.commit = commit
        (row,) = database.read(Point(*run_point(subject.store.load("a.1", follow=True))))
        assert row[0] == "b.1"
        assert not pending.any
    finally:
        subject.sync_shell.close()


def run_point(plan: object) -> Point:
    """The statement with which a plan of the store begins."""
    point = next(plan)  # type: ignore[call-overload]
    assert isinstance(point, Point)
    return point
