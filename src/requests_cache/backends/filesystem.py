"""The backend that keeps responses as files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from http_client_cache.backends.filesystem import Files
from requests_cache.backends.base import BaseCache
from requests_cache.backends.folders import placed
from requests_cache.policy.settings import DEFAULT_CACHE_NAME

if TYPE_CHECKING:
    import os

__all__ = ["FileCache"]


class FileCache(Files, BaseCache):
    """Keeps responses in a folder, one file each: for any sessions, threads and processes.

    ``FileBackend`` of ``aiohttp_client_cache`` with the same folder is the same cache.

    Args:
        cache_name: name or path of the folder, in the working directory unless it says otherwise.
        use_temp: put it into the system's folder for temporary files.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and ``loads``.
        use_cache_dir: put it into the user's folder for caches, such as ``~/.cache``.
        **options: as for :class:`~http_client_cache.backends.filesystem.Files`, and for
            :class:`~requests_cache.backends.base.BaseCache`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: ``compression`` needs a package that is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        cache_name: str | os.PathLike[str] = DEFAULT_CACHE_NAME,
        use_temp: bool = False,  # noqa: FBT001, FBT002 - by position, as its users know it
        serializer: Any = None,
        *,
        use_cache_dir: bool = False,
        **options: Any,
    ) -> None:
        place = placed(cache_name, use_cache_dir=use_cache_dir, use_temp=use_temp)
        super().__init__(place, serializer=serializer, use_temp=use_temp, **options)
        self.cache_name = cache_name

    @property
    def cache_dir(self) -> Path:
        """Where the folder is."""
        return self.path
