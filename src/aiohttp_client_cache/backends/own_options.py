"""What single backends take beside the options of all, where a session makes them by name."""

from __future__ import annotations

from typing import TypedDict


class FileOptions(TypedDict, total=False):
    """Of :class:`~aiohttp_client_cache.backends.filesystem.FileBackend`."""

    use_temp: bool
    fast_save: bool


class SQLiteOptions(FileOptions, total=False):
    """Of :class:`~aiohttp_client_cache.backends.sqlite.SQLiteBackend`.

    Less ``timeout``, which is the session's own.
    """

    wal: bool
    cached_statements: int
    check_same_thread: bool | None
    isolation_level: str | None
    detect_types: int | None


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
REDIS = MONGODB = DYNAMODB = frozenset[str]()
