"""The backend that keeps responses in MongoDB."""

from __future__ import annotations

from typing import Any

from http_client_cache.backends.mongodb import MongoDB
from requests_cache.backends.base import BaseCache
from requests_cache.policy.settings import DEFAULT_CACHE_NAME

__all__ = ["MongoCache"]


class MongoCache(MongoDB, BaseCache):
    """Keeps responses in MongoDB, for any number of processes and machines.

    ``MongoCache("demo")`` is the same cache as ``MongoDBBackend("demo")`` of
    ``aiohttp_client_cache``, in the same database, wherever the address leads;
    ``MongoCache("demo", cache_name="pages")`` is ``MongoDBBackend("pages", database="demo")``.

    Args:
        db_name: names the cache, and the database, unless ``database`` or the path of the address
            does; default ``"http_cache"``.
        connection: a ``pymongo.MongoClient`` of your own.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and ``loads``.
        cache_name: names the cache, if that is not the name of the database.
        database: another spelling of ``db_name``, where ``cache_name`` is given.
        **options: as for :class:`~http_client_cache.backends.mongodb.MongoDB`, such as ``host``,
            and for :class:`~requests_cache.backends.base.BaseCache`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: pymongo, or what ``compression`` needs, is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        db_name: str | None = None,
        connection: Any = None,
        serializer: Any = None,
        *,
        cache_name: str | None = None,
        database: str | None = None,
        **options: Any,
    ) -> None:
        if cache_name is None:
            cache_name = DEFAULT_CACHE_NAME if db_name is None else db_name
        elif database is None:
            database = db_name
        super().__init__(
            cache_name, connection=connection, serializer=serializer, database=database, **options
        )
