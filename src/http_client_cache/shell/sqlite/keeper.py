"""What the thread that writes does beside the writes: limits, uses, and what leaves by itself."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable
from typing import Final, NamedTuple
from weakref import WeakSet

from http_client_cache.limits import FULL
from http_client_cache.sqlite_statements import FLUSH_SECONDS, MOST_USES, Upkeep, Write

logger = logging.getLogger("http_client_cache")

SWEEP_WRITES: Final = 64
SWEEP_SECONDS: Final = 10.0
SWEEP_ROWS: Final = 256
"""So many rows that have left are deleted with every so many writes, or with the first one after
so many seconds: more than are written, in about 3 ms."""

EVICTED_ROWS: Final = 1000
"""Rows that go at most in one transaction, beside as many as it writes: about 20 ms."""


BUSY_SHARE: Final = 8
"""Others are busy if since the last time they used or wrote one entry of so many."""


class _Totals(NamedTuple):
    """What there is, or is too much."""

    entries: int
    size: int
    aliases: int

    def over(self, upkeep: Upkeep) -> _Totals:
        """How much there is beyond the limits."""
        entries, size = upkeep.limits
        return _Totals(
            0 if entries is None else max(self.entries - entries, 0),
            0 if size is None else max(self.size - size, 0),
            0 if entries is None else max(self.aliases - entries, 0),
        )


class Keeper:
    """Does what the writes of a transaction bring along, once for each store.

    Args:
        name: how the log calls the database.

    Attributes:
        unfinished: stores that are still over their limits; the next transaction goes on.
        removed: whether anything was deleted in the last transaction.
        trash: names of files that can go, once it is committed.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: WeakSet[Upkeep] = WeakSet()
        self._lock = threading.Lock()
        self.unfinished: list[Upkeep] = []
        self.removed = False
        self.trash: list[str] = []

    def waiting(self) -> list[Upkeep]:
        """Stores whose uses are not written down yet."""
        with self._lock:
            return [upkeep for upkeep in self._known if upkeep.used or upkeep.was_read]

    def keep(self, connection: sqlite3.Connection, writes: Iterable[Write]) -> None:
        """At the end of a transaction, before it is committed.

        Raises:
            sqlite3.Error: SQLite failed.
        """
        self.unfinished, self.removed, self.trash = [], False, []
        by_store: dict[Upkeep, list[Write]] = {}
        for write in writes:
            if write.upkeep is not None:
                by_store.setdefault(write.upkeep, []).append(write)
        for upkeep, some in by_store.items():
            self._let_leave(connection, upkeep, len(some))
            if upkeep.limits.any:
                with self._lock:
                    self._known.add(upkeep)
                self._keep_within(connection, upkeep, some)
            chains = connection.execute(upkeep.sql.trash).fetchall()
            if chains:
                connection.execute(upkeep.sql.empty_trash)
                self.trash += [upkeep.bodies.file_of(chain) for (chain,) in chains]

    def _keep_within(
        self, connection: sqlite3.Connection, upkeep: Upkeep, writes: list[Write]
    ) -> None:
        totals = _totals(connection, upkeep)
        over = totals.over(upkeep)
        if _note_uses(upkeep, writes) or any(over):
            _write_uses(connection, upkeep, totals.entries)
        if any(over):
            self.removed = True
            over = self._make_room(connection, upkeep, over, EVICTED_ROWS + len(writes))
            if any(over):
                self.unfinished.append(upkeep)

    def _let_leave(self, connection: sqlite3.Connection, upkeep: Upkeep, writes: int) -> None:
        upkeep.writes += writes
        now = upkeep.now()
        soon = upkeep.swept <= now < upkeep.swept + SWEEP_SECONDS
        if soon and upkeep.writes < SWEEP_WRITES:
            return
        gone = connection.execute(upkeep.sql.leave, (now, SWEEP_ROWS)).rowcount
        self.removed = self.removed or gone > 0
        upkeep.swept = now
        # There may be more of them.
        upkeep.writes = 0 if gone < SWEEP_ROWS else SWEEP_WRITES

    def _make_room(
        self, connection: sqlite3.Connection, upkeep: Upkeep, over: _Totals, budget: int
    ) -> _Totals:
        """Delete what is too much, this many rows at most; answers what is left of it."""
        now = (upkeep.now(),)
        while budget > 0 and (over.entries or over.size):
            row_ids = _enough(connection.execute(upkeep.sql.expired, now), over, budget)
            if not row_ids:
                row_ids = _enough(connection.execute(upkeep.sql.oldest), over, budget)
                if not row_ids:
                    break
                self._tell(upkeep)
            connection.executemany(upkeep.sql.remove, row_ids)
            budget -= len(row_ids)
            # Aliases have gone along.
            over = _totals(connection, upkeep).over(upkeep)
        if budget > 0 and any(over):
            wanted = over._replace(entries=over.aliases)
            row_ids = _enough(connection.execute(upkeep.sql.links), wanted, budget)
            connection.executemany(upkeep.sql.unlink, row_ids)
            over = _totals(connection, upkeep).over(upkeep)
        return over

    def _tell(self, upkeep: Upkeep) -> None:
        if not upkeep.told:
            upkeep.told = True
            logger.warning(FULL, self._name, upkeep.limits)


def _note_uses(upkeep: Upkeep, writes: Iterable[Write]) -> bool:
    """Put the uses in their order; answers whether it is time to write them down."""
    noted, now = upkeep.noted, False
    for write in writes:
        upkeep.was_read = upkeep.was_read or bool(write.used)
        now = now or not write.steps
        for key in write.used:
            noted.pop(key, None)
            noted[key] = None
        if write.row is not None:
            noted.pop(write.row[0], None)
            noted[write.row[0]] = None
    # What was only written is in its order already.
    return now or not upkeep.was_read or len(noted) >= MOST_USES


def _write_uses(connection: sqlite3.Connection, upkeep: Upkeep, entries: int) -> None:
    keys, was_read = [(key,) for key in upkeep.noted], upkeep.was_read
    upkeep.noted, upkeep.was_read = {}, False
    if not was_read:
        return
    (before,) = connection.execute(upkeep.sql.latest).fetchone()
    connection.executemany(upkeep.sql.use, keys)
    soon, late = FLUSH_SECONDS
    # Where much is used and written, what is read only here would be forgotten there.
    if before - upkeep.latest > entries // BUSY_SHARE:
        upkeep.flush_after = max(upkeep.flush_after / 2, soon)
    else:
        upkeep.flush_after = min(upkeep.flush_after * 2, late)
    upkeep.latest = before + len(keys)
    upkeep.flush_at = upkeep.now() + upkeep.flush_after


def _totals(connection: sqlite3.Connection, upkeep: Upkeep) -> _Totals:
    return _Totals(*connection.execute(upkeep.sql.totals).fetchone())


def _enough(rows: sqlite3.Cursor, over: _Totals, most: int) -> list[tuple[int]]:
    """The first of these rows that are enough to get within the limits."""
    entries, size = over.entries, over.size
    found: list[tuple[int]] = []
    for row_id, row_bytes in rows:
        found.append((row_id,))
        entries -= 1
        size -= row_bytes
        if (entries <= 0 and size <= 0) or len(found) >= most:
            break
    rows.close()
    return found
