"""One owner for each file of this process, so that its users see each other's saves at once."""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from pathlib import Path

from http_client_cache.shell.sqlite.database import Database

_Key = tuple[str, tuple[str, ...], float, bool, bool, int]

# No lock: if two threads meet here, there are two owners, which is only a little slower.
_databases: weakref.WeakValueDictionary[_Key, Database] = weakref.WeakValueDictionary()


def shared_database(
    path: Path | None,
    schema: Sequence[str],
    *,
    timeout: float = 5.0,
    fast_save: bool = False,
    wal: bool = True,
    cached_statements: int = 128,
) -> Database:
    """The database of this file that is open in this process already, or a new one.

    The arguments are those of :class:`~http_client_cache.shell.sqlite.database.Database`; one
    with other options is another one, and one in memory is never shared. Closing it is safe for
    those who share it: they open it again.
    """

    def new() -> Database:
        return Database(
            path,
            schema,
            timeout=timeout,
            fast_save=fast_save,
            wal=wal,
            cached_statements=cached_statements,
        )

    if path is None:
        return new()
    name = os.path.realpath(path)
    key = name, tuple(schema), timeout, fast_save, wal, cached_statements
    known = _databases.get(key)
    return known if known is not None else _databases.setdefault(key, new())
