"""The backend that keeps responses as files in a folder."""

from __future__ import annotations

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.backends.filesystem import Files

__all__ = ["FileBackend"]


class FileBackend(Files, CacheBackend):
    """Keeps responses in a folder, one file each: for any sessions, threads and processes.

    The arguments and what they raise are those of
    :class:`~http_client_cache.backends.filesystem.Files`.
    """
