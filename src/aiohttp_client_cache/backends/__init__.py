"""Where responses are kept: each backend is one class."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.filesystem import FileBackend
from aiohttp_client_cache.backends.sqlite import SQLiteBackend, SQLiteCache
from aiohttp_client_cache.backends.storage import BaseCache, DictCache

if TYPE_CHECKING:
    from aiohttp_client_cache.backends.dynamodb import DynamoDBBackend
    from aiohttp_client_cache.backends.gridfs import GridFSBackend
    from aiohttp_client_cache.backends.mongodb import MongoDBBackend
    from aiohttp_client_cache.backends.redis import DragonflyDBBackend, RedisBackend

__all__ = [
    "BaseCache",
    "CacheBackend",
    "DictCache",
    "DragonflyDBBackend",
    "DynamoDBBackend",
    "FileBackend",
    "GridFSBackend",
    "MongoDBBackend",
    "RedisBackend",
    "SQLiteBackend",
    "SQLiteCache",
]

# What is not imported before somebody asks for it.
_MODULES = {
    "DragonflyDBBackend": "redis",
    "DynamoDBBackend": "dynamodb",
    "GridFSBackend": "gridfs",
    "MongoDBBackend": "mongodb",
    "RedisBackend": "redis",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
