"""The shells of the SQLite store, in both colours, over one ``Database``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from http_client_cache.body_statements import BodyStatement
from http_client_cache.errors import StoreError
from http_client_cache.shell.jobs import Job, apart, awaited, blocking, within
from http_client_cache.shell.sqlite.database import Database
from http_client_cache.shell.sqlite.files import database_path
from http_client_cache.shell.sqlite.registry import shared_database
from http_client_cache.sqlite_statements import Point, Query, Write
from http_client_cache.statements import NOT_NOW

__all__ = ["AsyncSQLite", "Database", "SyncSQLite", "database_path", "shared_database"]

Statement = Point | Query | Write | BodyStatement


def _is_taken(write: Write, *, full: bool) -> bool:
    """Whether a write is answered before it is done."""
    if write.row is not None or write.alias is not None:
        return not full
    return write.unattended or (write.upkeep is not None and not write.steps)


def _is_ordered(statement: Statement) -> bool:
    """Whether it comes after what was written before."""
    return isinstance(statement, Query) and not statement.at_once


def _given_up(write: Write) -> StoreError:
    return StoreError(f"SQLite has not written it after {write.patience} s: the file is locked")


class SyncSQLite:
    """Carries out statements in the calling thread; only writes have a thread of their own.

    Args:
        database: may be shared with other shells, of either colour.
    """

    __slots__ = ("database",)

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, statement: Statement) -> Any:
        """Answer a statement.

        Raises:
            StoreError: SQLite failed.
        """
        if isinstance(statement, Write):
            return self._write(statement)
        if isinstance(statement, BodyStatement):
            bodies = self.database.bodies
            return None if bodies is None else bodies.run_blocking(statement)
        answer = self.database.read_now(statement)
        if answer is NOT_NOW:
            if _is_ordered(statement) and self.database.pending.any:
                self._wait(Write(()))
            answer = self.database.read(statement)
        return answer

    def _write(self, write: Write) -> Any:
        if _is_taken(write, full=self.database.pending.is_full):
            return self.database.write(write)
        return self._wait(write)

    def _wait(self, write: Write) -> Any:
        future, tell = blocking()
        self.database.write(write, tell)
        try:
            return future.result(write.patience)
        except TimeoutError as error:
            raise _given_up(write) from error

    def close(self) -> None:
        """Write what is waiting and close everything; the next statement opens it again."""
        self.database.close()


class AsyncSQLite:
    """Carries out statements for any running event loop, without ever blocking it.

    Args:
        database: may be shared with other shells, of either colour.
    """

    __slots__ = ("database",)

    def __init__(self, database: Database) -> None:
        self.database = database

    def run_now(self, statement: Statement) -> Any:
        """Answer a small read, or take a write that will be shown; else ``NOT_NOW``.

        Raises:
            StoreError: SQLite failed.
        """
        if isinstance(statement, Point | Query):
            return self.database.read_now(statement)
        if not isinstance(statement, Write):
            bodies = self.database.bodies
            return None if bodies is None else bodies.run_now(statement)
        if _is_taken(statement, full=self.database.pending.is_full):
            return self.database.write(statement)
        return NOT_NOW

    async def run(self, statement: Statement) -> Any:
        """Answer a statement, by a thread if it takes long.

        Raises:
            StoreError: SQLite failed.
        """
        database = self.database
        if isinstance(statement, Write):
            return await self._write(statement)
        if not isinstance(statement, Point | Query):
            return None if database.bodies is None else await database.bodies.run(statement)
        if _is_ordered(statement) and database.pending.any:
            await self._write(Write(()))
        if not database.has_reader:
            database.adopt(await self._read(database.new_reader))
            answer = database.read_now(statement)
            if answer is not NOT_NOW:
                return answer
        return await self._read(lambda: database.read(statement))

    async def _write(self, write: Write) -> Any:
        future, tell = awaited()
        self.database.write(write, tell)
        if write.patience is None:
            return await future
        try:
            return await within(write.patience, future)
        except TimeoutError as error:
            raise _given_up(write) from error

    async def _read(self, work: Callable[[], Any]) -> Any:
        future, tell = awaited()
        self.database.reader.put(Job(work, tell))
        return await future

    async def close(self) -> None:
        """Write what is waiting and close everything; the next statement opens it again."""
        await apart(self.database.close, "http-cache-closer")
