"""The backend that keeps responses in a SQLite database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from http_client_cache.backends.base import Backend, Parts
from http_client_cache.codec import codec_for
from http_client_cache.errors import ConfigurationError, check_count, check_flag, describe
from http_client_cache.shell.sqlite import AsyncSQLite, SyncSQLite, database_path, shared_database
from http_client_cache.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from http_client_cache.backends.options import BackendOptions
    from http_client_cache.expiry import ExpireAfter


class SQLite(Backend):
    """Keeps responses in a SQLite database: one file, for any sessions, threads and processes.

    The file is created with the first request, readable and writable by its owner alone, in
    write-ahead mode. Other tables in it are left alone.

    Args:
        cache_name: name or path of the file: ``demo_cache`` is ``demo_cache.sqlite`` in the
            working directory, ``~`` the home directory, ``:memory:`` a database without a file.
            Missing folders are created.
        expire_after: how long responses are fresh.
        max_bytes: how many bytes may be kept, about; ``None`` for no limit. The file is larger
            by its indexes and by unused parts of its pages.
        use_temp: put the file into the system's folder for temporary files.
        fast_save: do not wait for the disk; a power failure may damage the file.
        timeout: seconds that a write waits for another process, in the background.
        wal: use write-ahead logging; without it readers and writers wait for each other.
        cached_statements: as for ``sqlite3.connect``.
        check_same_thread: as all the following, taken for the sake of programs that pass it to
            ``sqlite3.connect``; the cache's connections are its own, and it changes nothing.
        isolation_level: see ``check_same_thread``.
        detect_types: see ``check_same_thread``.
        **options: as for :class:`Backend`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: ``compression`` needs a package that is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        cache_name: str | os.PathLike[str] = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        max_bytes: int | None = None,
        use_temp: bool = False,
        fast_save: bool = False,
        timeout: float = 5.0,
        wal: bool = True,
        cached_statements: int = 128,
        check_same_thread: bool | None = None,
        isolation_level: str | None = None,
        detect_types: int | None = None,
        **options: Unpack[BackendOptions],
    ) -> None:
        del check_same_thread, isolation_level, detect_types
        given = cast("object", timeout)
        if not isinstance(given, int | float) or isinstance(given, bool) or given < 0:
            raise ConfigurationError(
                f"timeout must be a number of seconds, 0 or more, not {describe(given)}"
            )
        check_count(cached_statements, "cached_statements", "a number of statements")
        check_flag(use_temp, "use_temp")
        self.path: Path | None = database_path(cache_name, use_temp=use_temp)
        self._connecting: dict[str, Any] = {
            "timeout": timeout,
            "fast_save": check_flag(fast_save, "fast_save"),
            "wal": check_flag(wal, "wal"),
            "cached_statements": cached_statements,
        }
        super().__init__(cache_name, expire_after, max_bytes=max_bytes, **options)

    def _open(self) -> Parts:
        store = SQLiteStore(
            codec_for(self._serializer, self._secret_key),
            **self._limits._asdict(),
            retention=self._retention,
            compression=self._compression,
        )
        database = shared_database(self.path, store.schema, **self._connecting)
        return store, AsyncSQLite(database), SyncSQLite(database)
