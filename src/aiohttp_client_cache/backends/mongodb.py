"""The backend that keeps responses in MongoDB."""

from __future__ import annotations

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.backends.mongodb import MongoDB


class MongoDBBackend(MongoDB, CacheBackend):
    """Keeps responses in MongoDB, for any number of processes and machines.

    The arguments and what they raise are those of
    :class:`~http_client_cache.backends.mongodb.MongoDB`.
    """
