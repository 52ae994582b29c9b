"""The backend that keeps responses in Redis, or in what speaks its language."""

from __future__ import annotations

from typing import Any

from http_client_cache.backends.redis import Redis
from requests_cache.backends.base import BaseCache
from requests_cache.backends.options import only_name
from requests_cache.policy.settings import DEFAULT_CACHE_NAME

__all__ = ["RedisCache"]


class RedisCache(Redis, BaseCache):
    """Keeps responses in Redis or Valkey: one server, a cluster, or one that sentinels watch.

    ``RedisBackend`` of ``aiohttp_client_cache`` with the same ``cache_name`` on the same server is
    the same cache.

    Args:
        namespace: tells this cache from others on the server; default ``"http_cache"``.
        connection: a ``redis.Redis`` or ``redis.RedisCluster`` of your own.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and ``loads``.
        ttl: let the server remove what has expired.
        ttl_offset: seconds that it is kept beyond that; 3600 if left out.
        cache_name: another spelling of ``namespace``.
        **options: as for :class:`~http_client_cache.backends.redis.Redis`, such as ``address`` or
            ``host``, and for :class:`~requests_cache.backends.base.BaseCache`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: what is needed is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        namespace: str | None = None,
        connection: Any = None,
        serializer: Any = None,
        ttl: bool = True,  # noqa: FBT001, FBT002 - by position, as its users know it
        ttl_offset: float | None = None,
        *,
        cache_name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            only_name("namespace", namespace, cache_name, DEFAULT_CACHE_NAME),
            connection=connection,
            serializer=serializer,
            ttl=ttl,
            ttl_offset=ttl_offset,
            **options,
        )
