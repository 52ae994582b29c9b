"""The backend that keeps responses in MongoDB, and large bodies in GridFS."""

from __future__ import annotations

from http_client_cache.backends.gridfs import GridFS
from requests_cache.backends.mongodb import MongoCache

__all__ = ["GridFSCache"]


class GridFSCache(GridFS, MongoCache):
    """Keeps responses in MongoDB, and bodies over 1 MiB as files in a GridFS bucket.

    ``GridFSBackend`` of ``aiohttp_client_cache`` with the same name is the same cache. See
    :class:`~http_client_cache.backends.gridfs.GridFS`. The arguments and what they raise are those
    of :class:`~requests_cache.backends.mongodb.MongoCache`.
    """
