"""The backend that keeps responses in MongoDB, and large bodies in GridFS."""

from __future__ import annotations

from typing import ClassVar

from http_client_cache.backends.mongodb import MongoDB
from http_client_cache.store.mongodb import GridFSStore, MongoStore


class GridFS(MongoDB):
    """Keeps responses in MongoDB, and bodies over 1 MiB in a GridFS bucket.

    It is :class:`~http_client_cache.backends.mongodb.MongoDB` with one difference: a
    large body is a file of the bucket ``<cache_name>.grid.v1.bodies``, named by its URL, so that
    other programs and GridFS tools can list and read it. That costs a collection, two indexes and
    a write for each such body. With ``compression`` only this cache can read them. Responses of
    the one backend are not found by the other.

    The arguments and what they raise are those of ``MongoDB``.
    """

    _kind: ClassVar[type[MongoStore]] = GridFSStore
