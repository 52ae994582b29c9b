"""The backend that keeps responses in a SQLite database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from http_client_cache.backends.sqlite import SQLite
from http_client_cache.errors import ConfigurationError, check_count, check_flag
from requests_cache.backends.base import BaseCache
from requests_cache.backends.folders import placed
from requests_cache.backends.options import only_name
from requests_cache.policy.settings import DEFAULT_CACHE_NAME

if TYPE_CHECKING:
    from requests_cache.backends.options import Path

__all__ = ["SQLiteCache"]

_SECONDS = 5.0


class SQLiteCache(SQLite, BaseCache):
    """Keeps responses in a SQLite database: one file, for any sessions, threads and processes.

    ``SQLiteBackend`` of ``aiohttp_client_cache`` with the same file is the same cache.

    Args:
        db_path: name or path of the file: ``demo_cache`` is ``demo_cache.sqlite`` in the working
            directory; default ``"http_cache"``.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and ``loads``.
        cache_name: another spelling of ``db_path``.
        use_cache_dir: put the file into the user's folder for caches, such as ``~/.cache``.
        use_temp: put it into the system's folder for temporary files.
        use_memory: use a database without a file, which goes with the backend.
        timeout: seconds that a write waits for another process; default 5.
        busy_timeout: the same in milliseconds.
        **options: as for :class:`~http_client_cache.backends.sqlite.SQLite`, such as ``wal`` and
            ``fast_save``, and for :class:`~requests_cache.backends.base.BaseCache`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: ``compression`` needs a package that is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        db_path: Path | None = None,
        serializer: Any = None,
        *,
        cache_name: Path | None = None,
        use_cache_dir: bool = False,
        use_temp: bool = False,
        use_memory: bool = False,
        timeout: float | None = None,
        busy_timeout: int | None = None,
        **options: Any,
    ) -> None:
        name = only_name("db_path", db_path, cache_name, DEFAULT_CACHE_NAME)
        if check_flag(use_memory, "use_memory"):
            place: Path = ":memory:"
        else:
            place = placed(name, use_cache_dir=use_cache_dir, use_temp=use_temp)
        super().__init__(
            place,
            serializer=serializer,
            use_temp=use_temp,
            timeout=_seconds(timeout, busy_timeout),
            **options,
        )
        self.cache_name = name

    @property
    def db_path(self) -> Path:
        """Where the file is; ``":memory:"`` if there is none."""
        return ":memory:" if self.path is None else self.path


def _seconds(timeout: float | None, busy_timeout: int | None) -> float:
    if busy_timeout is None:
        return _SECONDS if timeout is None else timeout
    if timeout is not None:
        raise ConfigurationError("busy_timeout is timeout in milliseconds; give one of them")
    check_count(busy_timeout, "busy_timeout", "a number of milliseconds")
    return busy_timeout / 1000
