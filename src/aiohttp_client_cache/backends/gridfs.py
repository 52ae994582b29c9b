"""The backend that keeps responses in MongoDB, and large bodies in GridFS."""

from __future__ import annotations

from aiohttp_client_cache.backends.mongodb import MongoDBBackend
from http_client_cache.backends.gridfs import GridFS


class GridFSBackend(GridFS, MongoDBBackend):
    """Keeps responses in MongoDB, and bodies over 1 MiB as files in a GridFS bucket.

    See :class:`~http_client_cache.backends.gridfs.GridFS`. The arguments and what they raise are
    those of ``MongoDBBackend``.
    """
