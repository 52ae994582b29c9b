"""What was saved or dropped and is not committed yet, as every reader of this process sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

from http_client_cache.sqlite_statements import Point, Row, Write

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 4096
"""What may wait for its commit; beyond either, whoever saves more waits, too."""


class Pending:
    """Rows and aliases on their way into the database, or out; safe for any threads.

    Attributes:
        any: whether there is anything at all.
        ended: how often something stopped being shown.
        is_full: whether so much is waiting that whoever writes more should wait, too.
    """

    __slots__ = ("_aliases", "_bytes", "_lock", "_rows", "_writes", "any", "ended", "is_full")

    def __init__(self) -> None:
        self.any = False
        self.is_full = False
        self.ended = 0
        self._lock = threading.Lock()
        self._rows: dict[str, dict[str, Row]] = {}
        self._aliases: dict[str, tuple[str, str, bytes]] = {}
        self._bytes = 0
        self._writes = 0

    def add(self, write: Write) -> None:
        """Show what a write is about to write."""
        with self._lock:
            self._writes += 1
            for row in _shown(write):
                self._rows.setdefault(row[0], {})[row[1]] = row
                self._bytes += size_of(row)
            if write.alias is not None:
                self._aliases[write.alias[0]] = write.alias
            self._count()

    def remove(self, write: Write) -> None:
        """Stop showing it: the database does, or it failed. A later one of its key stays."""
        shown, alias = _shown(write), write.alias
        if not shown and alias is None:
            return
        with self._lock:
            self._writes -= 1
            self.ended += 1
            for row in shown:
                self._bytes -= size_of(row)
                rows = self._rows.get(row[0])
                if rows is not None and rows.get(row[1]) is row:
                    del rows[row[1]]
                    if not rows:
                        del self._rows[row[0]]
            if alias is not None and self._aliases.get(alias[0]) is alias:
                del self._aliases[alias[0]]
            self._count()

    def _count(self) -> None:
        self.any = bool(self._rows or self._aliases)
        self.is_full = self._bytes > MAX_BYTES or self._writes > MAX_ROWS

    def look(self, point: Point, read: Callable[[str], list[Row]]) -> list[Row]:
        """Answer a point from what ``read`` reads of the database, and what is pending.

        What is pending is always looked at before the database is read: it stays here until
        the database shows it, so nothing can fall between the two.
        """
        rows, alias = self._of(point.key)
        written = read(point.key)
        found = _merged(written, rows)
        if found or point.marks == 1:
            return found
        if alias is None:
            led = next((row for row in written if row[5] is not None), None)
            if led is None:
                # An alias behind rows that are being deleted shows when they are gone.
                return []
            alias = (point.key, led[0], led[5] or b"")
        target, record = alias[1], alias[2]
        rows, _ = self._of(target)
        return [(*row[:5], record) for row in _merged(read(target), rows)]

    def _of(self, key: str) -> tuple[list[Row], tuple[str, str, bytes] | None]:
        with self._lock:
            return list(self._rows.get(key, {}).values()), self._aliases.get(key)


def _merged(written: Iterable[Row], pending: Iterable[Row]) -> list[Row]:
    """The rows of a key's own, one for each variant, without those that are being deleted."""
    rows = {row[1]: row for row in written if row[5] is None}
    rows.update((row[1], row) for row in pending)
    return [row for row in rows.values() if row[2] is not None]


def _shown(write: Write) -> tuple[Row, ...]:
    return write.gone if write.row is None else (write.row, *write.gone)


def size_of(row: Row) -> int:
    """Bytes of a body that is held in memory until it is written."""
    return len(row[3]) if isinstance(row[3], bytes) else 0
