"""Where responses are kept: each backend is one class."""

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.filesystem import FileBackend
from aiohttp_client_cache.backends.gridfs import GridFSBackend
from aiohttp_client_cache.backends.mongodb import MongoDBBackend
from aiohttp_client_cache.backends.redis import DragonflyDBBackend, RedisBackend
from aiohttp_client_cache.backends.sqlite import SQLiteBackend, SQLiteCache
from aiohttp_client_cache.backends.storage import BaseCache, DictCache

__all__ = [
    "BaseCache",
    "CacheBackend",
    "DictCache",
    "DragonflyDBBackend",
    "FileBackend",
    "GridFSBackend",
    "MongoDBBackend",
    "RedisBackend",
    "SQLiteBackend",
    "SQLiteCache",
]
