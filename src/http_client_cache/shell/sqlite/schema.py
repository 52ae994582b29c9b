"""Bringing a file into the state the store expects, and leaving alone what is not the cache's."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from http_client_cache.shell.sqlite.connection import connect, is_busy

logger = logging.getLogger("http_client_cache")

PAGE_BYTES: Final = 8192
"""Of a new file: a small response and its body fit on one page, and sweeps touch fewer."""

CACHE_KIB: Final = 8 * 1024
JOURNAL_BYTES: Final = 16 * 1024 * 1024
CHECKPOINT_PAGES: Final = 1000


def establish(connection: sqlite3.Connection, schema: Sequence[str], *, wal: bool) -> None:
    """Set up a connection, and make the tables if they are missing.

    May be repeated. Takes a lock only if there is something to make.

    Raises:
        sqlite3.Error: the file is locked, no database, or cannot be written.
    """
    execute = connection.execute
    if not execute("PRAGMA page_count").fetchone()[0]:
        execute(f"PRAGMA page_size={PAGE_BYTES}")
        execute("PRAGMA auto_vacuum=INCREMENTAL")
    mode = execute("PRAGMA journal_mode").fetchone()[0]
    if wal and mode not in {"wal", "memory"}:
        _write_ahead(connection)
    execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    execute(f"PRAGMA journal_size_limit={JOURNAL_BYTES}")
    execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    known = {name for (name,) in execute("SELECT name FROM sqlite_master")}
    if known.issuperset(_names(schema)):
        return
    execute("BEGIN IMMEDIATE")
    try:
        for statement in schema:
            if not _has_column(connection, statement):
                execute(statement)
        execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            execute("ROLLBACK")
        raise


def _has_column(connection: sqlite3.Connection, statement: str) -> bool:
    """Whether a statement would add a column that is there."""
    added = re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", statement)
    if added is None:
        return False
    columns = connection.execute("SELECT name FROM pragma_table_info(?)", (added[1],))
    return (added[2],) in columns.fetchall()


def _write_ahead(connection: sqlite3.Connection) -> None:
    try:
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise
        mode = str(error)
    if mode != "wal":
        # A network file system, perhaps. It works, only readers wait for writers.
        logger.info("SQLite keeps its journal mode (%s)", mode)


def may_be_set_aside(path: Path, schema: Sequence[str]) -> bool:
    """Whether a damaged file holds nothing that is known to be somebody else's."""
    names = _names(schema)
    # A cache with limits has more of them.
    ours = tuple({f"{name.rpartition('_')[0]}_" for name in names[:1]})
    try:
        with closing(connect(path, busy_timeout=0, cached_statements=0)) as connection:
            rows = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
    except sqlite3.Error:
        return True
    return all(name.startswith(ours) for (name,) in rows)


def _names(schema: Sequence[str]) -> list[str]:
    """The names of the tables, indexes and triggers that a schema makes."""
    return [
        name
        for statement in schema
        for name in re.findall(r"^CREATE \w+ IF NOT EXISTS (\w+)", statement)
    ]
