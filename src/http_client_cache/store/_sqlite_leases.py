"""The leases of the SQLite store: rows of a table of their own."""

from __future__ import annotations

from typing import Final

from http_client_cache.plan import Plan
from http_client_cache.sqlite_statements import Change, Query, Write
from http_client_cache.store import CLOCK_SECONDS, FRUITLESS_SECONDS

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS {t}_leases (
        name TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL) WITHOUT ROWID""",
    """CREATE INDEX IF NOT EXISTS {t}_leases_until ON {t}_leases (until)""",
)

MOST_SECONDS: Final = 1.0
"""A claim waits for so long at most, and no longer than a lease lasts: the file may be locked."""

STRAYS: Final = 8
"""Leases whose time is up that are deleted with each that was fruitless: more than arise."""

_TEXTS: Final = {
    "claim": """INSERT INTO {t}_leases (name, owner, since, until) VALUES (?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET
        owner = excluded.owner, since = excluded.since, until = excluded.until
        WHERE owner = excluded.owner OR until <= ? OR since > ?""",
    "claimed": "SELECT owner FROM {t}_leases WHERE name = ?",
    "holder": "SELECT owner FROM {t}_leases WHERE name = ? AND until > ? AND since <= ?",
    "release": "DELETE FROM {t}_leases WHERE name = ? AND owner = ?",
    "fruitless": """UPDATE {t}_leases SET owner = '', since = ?, until = ?
        WHERE name = ? AND owner = ? AND until > ?""",
    "strays": """DELETE FROM {t}_leases WHERE name IN (
        SELECT name FROM {t}_leases WHERE until <= ? ORDER BY until LIMIT ?)""",
}

SWEEP: Final = "DELETE FROM {t}_leases WHERE until <= ?"
CLEAR: Final = "DELETE FROM {t}_leases"


class SQLiteLeases:
    """The part of the store that grants leases.

    Args:
        tables: begins the names of the tables.
    """

    def __init__(self, tables: str) -> None:
        self._leases = {name: text.format(t=tables) for name, text in _TEXTS.items()}

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        values = (name, owner, now, now + seconds, now, now + CLOCK_SECONDS)
        steps = (Change(self._leases["claim"], values), Change(self._leases["claimed"], (name,)))
        answers = yield Write(steps, patience=min(seconds, MOST_SECONDS))
        holder: str = answers[1][0][0]
        return holder

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        values = (name, now, now + CLOCK_SECONDS)
        rows = yield Query(self._leases["holder"], values, quick=True, at_once=True)
        return rows[0][0] if rows else None

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        steps = [Change(self._leases["release"], (name, owner))]
        if fruitless:
            values = (now, now + FRUITLESS_SECONDS, name, owner, now)
            steps = [
                Change(self._leases["fruitless"], values),
                Change(self._leases["strays"], (now, STRAYS)),
            ]
        yield Write(tuple(steps), unattended=True)
