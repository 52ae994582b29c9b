"""A persistent cache for aiohttp: change ``ClientSession`` to ``CachedSession``."""

from typing import TYPE_CHECKING, Any

from aiohttp_client_cache import backends
from aiohttp_client_cache.backends import (
    BaseCache,
    CacheBackend,
    FileBackend,
    SQLiteBackend,
    SQLiteCache,
)
from aiohttp_client_cache.cache_control import DO_NOT_CACHE, NEVER_EXPIRE
from aiohttp_client_cache.middleware import CacheMiddleware
from aiohttp_client_cache.response import CachedResponse
from aiohttp_client_cache.session import CachedSession, CacheMixin
from http_client_cache.errors import CacheError, ConfigurationError, MissingDependency
from http_client_cache.filters import head_only
from http_client_cache.item import StoredResponse
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.status import CacheStatus

if TYPE_CHECKING:
    from aiohttp_client_cache.backends import (
        DragonflyDBBackend,
        DynamoDBBackend,
        GridFSBackend,
        MongoDBBackend,
        RedisBackend,
    )

__version__ = "1.0.0"

__all__ = [
    "DO_NOT_CACHE",
    "NEVER_EXPIRE",
    "BaseCache",
    "CacheBackend",
    "CacheError",
    "CacheMiddleware",
    "CacheMixin",
    "CacheStatus",
    "CachedResponse",
    "CachedSession",
    "ConfigurationError",
    "DragonflyDBBackend",
    "DynamoDBBackend",
    "FileBackend",
    "GridFSBackend",
    "MissingDependency",
    "MongoDBBackend",
    "Reason",
    "RedisBackend",
    "SQLiteBackend",
    "SQLiteCache",
    "StoredResponse",
    "head_only",
]


def __getattr__(name: str) -> Any:
    # A backend on a server is not imported before somebody asks for it.
    if name in __all__:
        return getattr(backends, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
