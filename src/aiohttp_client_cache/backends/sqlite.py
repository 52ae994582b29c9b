"""The backend that keeps responses in a SQLite database."""

from __future__ import annotations

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.backends.sqlite import SQLite

__all__ = ["SQLiteBackend", "SQLiteCache"]


class SQLiteBackend(SQLite, CacheBackend):
    """Keeps responses in a SQLite database: one file, for any sessions, threads and processes.

    The arguments and what they raise are those of
    :class:`~http_client_cache.backends.sqlite.SQLite`.
    """


SQLiteCache = SQLiteBackend
"""The name that the guide uses."""
