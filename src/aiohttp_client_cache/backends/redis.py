"""The backend that keeps responses in Redis, or in what speaks its language."""

from __future__ import annotations

from aiohttp_client_cache.backends.base import CacheBackend
from http_client_cache.backends.redis import Redis


class RedisBackend(Redis, CacheBackend):
    """Keeps responses in Redis or Valkey: one server, a cluster, or one that sentinels watch.

    The arguments and what they raise are those of :class:`~http_client_cache.backends.redis.Redis`.
    """


class DragonflyDBBackend(RedisBackend):
    """Keeps responses in Dragonfly, which speaks the language of Redis.

    It is :class:`RedisBackend` by another name, with the same arguments.
    """
