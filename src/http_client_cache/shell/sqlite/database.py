"""The owner of everything that is open on one database: connections, threads, what is pending."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from http_client_cache.errors import StoreError
from http_client_cache.shell.bodies import Bodies as BodyWorkers
from http_client_cache.shell.jobs import Job, Tell, call
from http_client_cache.shell.lifetime import watch_over
from http_client_cache.shell.sqlite import files
from http_client_cache.shell.sqlite.body_folder import BodyFolder
from http_client_cache.shell.sqlite.connection import (
    Handle,
    connect,
    is_busy,
    is_unreadable,
    patiently,
    with_bodies,
)
from http_client_cache.shell.sqlite.pending import Pending
from http_client_cache.shell.sqlite.schema import establish, may_be_set_aside
from http_client_cache.shell.sqlite.writer import Writer
from http_client_cache.shell.worker import Worker
from http_client_cache.sqlite_statements import Bodies, Point, Query, Row, Write
from http_client_cache.statements import NOT_NOW

logger = logging.getLogger("http_client_cache")

_READ_PATIENCE: Final = 1.0
"""Seconds for which a read that meets a lock is tried again; in WAL mode it meets none."""


_READ_ATTEMPTS: Final = 4
"""Of a read that found nothing while something was committed: then it is nothing indeed."""


class Database:
    """One SQLite database of this process, for any threads and event loops.

    Reads use a connection per thread. Writes go through one thread that groups whatever is
    waiting; until they are committed, reads see them in ``pending``. Everything is opened when
    it is needed first, and again after ``close``. Before the process forks, everything is
    closed, as SQLite demands, and what was waiting is written by the parent.

    Args:
        path: absolute, or ``None`` for a database in memory that lives until ``close``.
        schema: idempotent statements that make the tables.
        timeout: seconds that a write waits for a lock of another process.
        fast_save: does not wait for the disk; a power failure may damage the file.
        wal: whether a file is switched to write-ahead logging, without which readers and
            writers of other processes wait for each other.
        cached_statements: that a connection keeps prepared.
    """

    def __init__(
        self,
        path: Path | None,
        schema: Sequence[str],
        *,
        timeout: float = 5.0,
        fast_save: bool = False,
        wal: bool = True,
        cached_statements: int = 128,
    ) -> None:
        self.path = path
        self.timeout = timeout
        self.name = "in memory" if path is None else str(path)
        self._schema = tuple(schema)
        self.fast_save = fast_save
        self._wal = wal
        self._cached_statements = cached_statements
        self._ready = False
        self._identity: tuple[int, int] | None = None
        # Whoever opens connections holds it; taken before the lock of a handle, never after.
        self._gate = threading.Lock()
        self._handles: weakref.WeakSet[Handle] = weakref.WeakSet()
        # Held apart from this object, so that they are closed in an orderly way when nobody
        # has closed it and the garbage collector finds it.
        self._connections: set[sqlite3.Connection] = set()
        weakref.finalize(self, _close_all, self._connections).atexit = False
        self.write_handle = Handle(self._connections)
        self._local: Any = threading.local()
        if path is None:
            # Other connections would see another database.
            self._local = SimpleNamespace(handle=self.write_handle)
        self.pending = Pending()
        self.folder = None if path is None else BodyFolder(path)
        self.bodies = None if self.folder is None else BodyWorkers(self.folder.path_of)
        self.writer = Writer(self)
        self.reader: Worker[Job[Callable[[], Any]]] = Worker("http-cache-reader", call)
        watch_over(self)

    # Reading.

    def read_now(self, statement: Point | Query) -> Any:
        """Answer if that takes microseconds, else ``NOT_NOW``.

        Raises:
            StoreError: SQLite failed for good.
        """
        handle: Handle | None = getattr(self._local, "handle", None)
        if handle is None or not handle.lock.acquire(blocking=False):
            return NOT_NOW
        try:
            connection = handle.connection
            if connection is None:
                return NOT_NOW
            rows: list[Row]
            if isinstance(statement, Query):
                if not statement.quick or (self.pending.any and not statement.at_once):
                    return NOT_NOW
                return connection.execute(statement.sql, statement.arguments).fetchall()
            if self.pending.any:
                rows = self._look(connection, statement)
            else:
                arguments = (statement.key,) * statement.marks
                rows = connection.execute(statement.sql, arguments).fetchall()
        except sqlite3.Error as error:
            if is_busy(error) or is_unreadable(error):
                # The long way waits, or starts a new file.
                return NOT_NOW
            raise self._failure(error) from error
        finally:
            handle.lock.release()
        for row in rows:
            if row[4] is not None:
                return self._bodies_now(connection, rows, statement.bodies)
        return rows

    def _bodies_now(
        self, connection: sqlite3.Connection, rows: list[Row], bodies: Bodies
    ) -> list[Row] | Any:
        """To open a file takes microseconds, to put blocks together does not."""
        if any(row[4] is not None and row[4] > 0 for row in rows):
            return NOT_NOW
        return with_bodies(connection, rows, bodies, self.folder)

    def read(self, statement: Point | Query) -> Any:
        """Answer, however long it takes.

        Raises:
            StoreError: SQLite failed for good.
        """
        end = time.monotonic() + _READ_PATIENCE
        for last in (False, True):
            try:
                return patiently(lambda: self._read(statement), lambda: end)
            except (sqlite3.Error, OSError) as error:
                if last or not is_unreadable(error):
                    raise self._failure(error) from error
                self.condemn(error)
        raise AssertionError

    def _read(self, statement: Point | Query) -> Any:
        attempts = _READ_ATTEMPTS
        with self.using(self._own_handle()) as connection:
            while True:
                ended = self.pending.ended
                rows = self._read_once(connection, statement)
                attempts -= 1
                # What an alias leads to may have been committed after the transaction began, and
                # before it was looked for among what is pending.
                last = attempts == 0 or ended == self.pending.ended
                if rows or last or isinstance(statement, Query):
                    return rows

    def _read_once(self, connection: sqlite3.Connection, statement: Point | Query) -> Any:
        connection.execute("BEGIN")
        try:
            if isinstance(statement, Query):
                rows = connection.execute(statement.sql, statement.arguments).fetchall()
            else:
                rows = self._look(connection, statement)
            if statement.bodies is not None:
                rows = with_bodies(connection, rows, statement.bodies, self.folder)
        finally:
            with suppress(sqlite3.Error):
                connection.execute("COMMIT")
        return rows

    def _look(self, connection: sqlite3.Connection, point: Point) -> list[Row]:
        def read(key: str) -> list[Row]:
            return connection.execute(point.sql, (key,) * point.marks).fetchall()

        return self.pending.look(point, read)

    def _failure(self, error: BaseException) -> StoreError:
        return StoreError(f"SQLite cannot read {self.name}: {error}")

    # Writing.

    def write(self, write: Write, tell: Tell | None = None) -> None:
        """Put a write into the queue; readers see at once what it shows."""
        if write.row is not None or write.alias is not None or write.gone:
            self.pending.add(write)
        self.writer.put(Job(write, tell))

    # Opening and closing.

    @property
    def has_reader(self) -> bool:
        """Whether this thread can read without opening anything."""
        handle: Handle | None = getattr(self._local, "handle", None)
        return handle is not None and handle.connection is not None

    def _own_handle(self) -> Handle:
        handle: Handle | None = getattr(self._local, "handle", None)
        if handle is None:
            handle = self._local.handle = Handle(self._connections)
        return handle

    @contextmanager
    def using(self, handle: Handle) -> Generator[sqlite3.Connection]:
        """Hold a handle, with an open connection.

        Raises:
            sqlite3.Error: SQLite cannot open the file.
            OSError: the file cannot be created.
        """
        while True:
            if handle.connection is None:
                self._open_into(handle)
            with handle.lock:
                # Another thread may have closed it meanwhile.
                if handle.connection is not None:
                    yield handle.connection
                    return

    def adopt(self, handle: Handle) -> None:
        """Let this thread read through a handle that another thread has opened."""
        self._local.handle = handle

    def new_reader(self) -> Handle:
        """A handle with an open connection, for a thread that must not wait for it itself.

        Raises:
            StoreError: SQLite cannot open the file.
        """
        handle = self.write_handle if self.path is None else Handle(self._connections)
        try:
            self._open_into(handle)
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error
        return handle

    def _open_into(self, handle: Handle) -> None:
        end = time.monotonic() + self.timeout
        with self._gate:
            self._handles.add(handle)
            for last in (False, True):
                if handle.connection is not None:
                    return
                known = self._place()
                try:
                    connection = self._connect(handle is self.write_handle, end)
                except sqlite3.Error as error:
                    if last or not is_unreadable(error) or self.path is None:
                        raise
                    files.set_aside(self.path, known, str(error))
                    continue
                self._ready, self._identity = True, known
                handle.open(connection)

    def _place(self) -> tuple[int, int] | None:
        """Make sure that there is a file, and that nothing is open on a former one."""
        if self.path is None:
            return None
        files.create(self.path)
        known = files.identity(self.path)
        if known != self._identity:
            self._close_handles()
        return known

    def _connect(self, for_writing: bool, end: float) -> sqlite3.Connection:  # noqa: FBT001
        connection = connect(
            self.path,
            # A reader on an event loop's thread never waits.
            busy_timeout=0.05 if for_writing else 0,
            cached_statements=self._cached_statements,
        )
        try:
            if for_writing or not self._ready:
                patiently(lambda: establish(connection, self._schema, wal=self._wal), lambda: end)
            if for_writing:
                connection.execute(f"PRAGMA synchronous={'OFF' if self.fast_save else 'NORMAL'}")
        except BaseException:
            connection.close()
            raise
        return connection

    def is_in_place(self) -> bool:
        """Whether the open file is still the one of that name."""
        return self.path is None or files.identity(self.path) == self._identity

    def let_go(self) -> None:
        """Close every connection, each when whoever uses it has done."""
        with self._gate:
            self._close_handles()

    def _close_handles(self) -> None:
        self._ready = False
        for handle in list(self._handles):
            handle.close()

    def condemn(self, error: BaseException) -> None:
        """Close a file that turned out to be damaged, and set it aside if it is ours alone."""
        if self.path is None:
            return
        with self._gate:
            known, self._identity = self._identity, None
            if known is None:
                return
            ours = may_be_set_aside(self.path, self._schema)
            self._close_handles()
            if ours:
                try:
                    files.set_aside(self.path, known, str(error))
                except OSError as failure:
                    logger.warning("%s cannot be set aside: %s", self.path, failure)

    def close(self) -> None:
        """Write what is waiting, end the threads, close the connections.

        A lock of another process is waited for a second at most. The next operation opens
        everything again.
        """
        if self.bodies is not None:
            self.bodies.close()
        self.writer.drain()
        self.reader.drain()
        self.let_go()

    # Forking: SQLite's locks belong to the process, so nothing may be open.

    def freeze(self) -> None:
        """Before a fork: no thread, and no connection to a file."""
        if self.bodies is not None:
            self.bodies.freeze()
        self.writer.pause()
        self.reader.pause()
        self._gate.acquire()
        if self.path is None:
            self.write_handle.lock.acquire()
        else:
            self._close_handles()

    def thaw(self) -> None:
        """After a fork, in the parent."""
        if self.path is None:
            self.write_handle.lock.release()
        self._gate.release()
        if self.bodies is not None:
            self.bodies.thaw()
        self.writer.resume()
        self.reader.resume()

    def start_over(self) -> None:
        """After a fork, in the child: what was waiting is the parent's to write."""
        self._gate = threading.Lock()
        # Threads that are not here may have held one.
        self.write_handle.lock = threading.Lock()
        for handle in list(self._handles):
            handle.lock = threading.Lock()
        self.pending = Pending()
        if self.bodies is not None:
            self.bodies.start_over()
        self.writer.reset()
        self.reader.reset()


def _close_all(connections: set[sqlite3.Connection]) -> None:
    while connections:
        with suppress(sqlite3.Error):
            connections.pop().close()
