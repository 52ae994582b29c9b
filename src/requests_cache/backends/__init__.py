"""Where responses are kept: each backend is one class."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from requests_cache.backends.base import BaseCache
from requests_cache.backends.choose import BackendSpecifier
from requests_cache.backends.choose import choose_backend as _choose
from requests_cache.backends.filesystem import FileCache
from requests_cache.backends.sqlite import SQLiteCache

if TYPE_CHECKING:
    from requests_cache.backends.dynamodb import DynamoDbCache
    from requests_cache.backends.gridfs import GridFSCache
    from requests_cache.backends.mongodb import MongoCache
    from requests_cache.backends.redis import RedisCache

__all__ = [
    "BackendSpecifier",
    "BaseCache",
    "DynamoDbCache",
    "FileCache",
    "GridFSCache",
    "MongoCache",
    "RedisCache",
    "SQLiteCache",
    "init_backend",
]

# What is not imported before somebody asks for it.
_MODULES = {
    "DynamoDbCache": "dynamodb",
    "GridFSCache": "gridfs",
    "MongoCache": "mongodb",
    "RedisCache": "redis",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def init_backend(cache_name: str, backend: BackendSpecifier = None, **options: Any) -> BaseCache:
    """A backend by its name, class or URL; one that was made before stays the same."""
    return _choose(cache_name, backend, options)
