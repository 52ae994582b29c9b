"""One connection, who may use it, and what SQLite's errors mean."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from http_client_cache.body import AnyBody
from http_client_cache.shell.sqlite.body_folder import BodyFolder
from http_client_cache.sqlite_statements import Bodies, Row

T = TypeVar("T")

_BUSY: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL))
_UNREADABLE: Final = frozenset((sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT))
# What will be no better for the next statement.
_WHOLE: Final = (
    _BUSY
    | _UNREADABLE
    | {
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    }
)


def _code(error: BaseException) -> int:
    # The low byte is the class of the error, the rest the kind.
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def is_busy(error: BaseException) -> bool:
    """Whether somebody else holds a lock for now."""
    return _code(error) in _BUSY


def is_unreadable(error: BaseException) -> bool:
    """Whether the file is no database, or a damaged one."""
    return _code(error) in _UNREADABLE


def concerns_all(error: BaseException) -> bool:
    """Whether the next write would fail just the same."""
    return isinstance(error, OSError) or _code(error) in _WHOLE


class Handle:
    """A connection, and the lock of whoever uses it; closed with the last reference.

    Args:
        connections: of all handles, as far as they are open.
    """

    __slots__ = ("__weakref__", "_connections", "connection", "lock")

    def __init__(self, connections: set[sqlite3.Connection]) -> None:
        self._connections = connections
        self.connection: sqlite3.Connection | None = None
        self.lock = threading.Lock()

    def open(self, connection: sqlite3.Connection) -> None:
        """Take a connection that was opened for this handle."""
        self._connections.add(connection)
        with self.lock:
            self.connection = connection

    def close(self) -> None:
        """Close the connection, when whoever uses it has done."""
        with self.lock:
            self._close()

    def _close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
            self._connections.discard(connection)

    def __del__(self) -> None:
        self._close()


def connect(
    path: Path | None, *, busy_timeout: float, cached_statements: int
) -> sqlite3.Connection:
    """Open a connection in autocommit mode that any thread may use, one at a time.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    return sqlite3.connect(
        # Never creates a file: others could read it.
        ":memory:" if path is None else f"{path.as_uri()}?mode=rw",
        uri=path is not None,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=cached_statements,
    )


def patiently(attempt: Callable[[], T], deadline: Callable[[], float]) -> T:
    """Try again while somebody else holds a lock.

    Args:
        attempt: what to do; it may raise anything.
        deadline: monotonic seconds, asked anew each time.

    Raises:
        sqlite3.OperationalError: it was still locked at the deadline.
    """
    pause = 0.001
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline():
                raise
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def with_bodies(
    connection: sqlite3.Connection,
    rows: list[Row],
    bodies: Bodies,
    folder: BodyFolder | None,
) -> list[Row]:
    """Put the bodies of rows together that lie in blocks, and open those that lie in files."""
    whole: list[Row] = []
    for row in rows:
        chain = row[4]
        if chain is not None and row[3] is None:
            body: AnyBody | None
            if chain < 0:
                body = None if folder is None else folder.open(bodies.file_of(chain))
            else:
                blocks = connection.execute(bodies.blocks, (chain,))
                body = b"".join([block for (block,) in blocks])
            row = (*row[:3], body, *row[4:])  # noqa: PLW2901
        whole.append(row)
    return whole
