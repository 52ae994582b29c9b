"""From the arguments of a session to a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.storage import BaseCache
from http_client_cache.backends import own_options
from http_client_cache.backends.choose import Menu, adjust, taken
from http_client_cache.backends.options import CONSTRUCTION_NAMES
from http_client_cache.errors import ConfigurationError, describe

if TYPE_CHECKING:
    Backend = CacheBackend | BaseCache | str | None

_BACKENDS = {
    # name: module, class, what only it takes
    "memory": ("base", "CacheBackend", ()),
    "sqlite": ("sqlite", "SQLiteBackend", own_options.SQLITE),
    "filesystem": ("filesystem", "FileBackend", own_options.FILES),
    "redis": ("redis", "RedisBackend", own_options.REDIS),
    "valkey": ("redis", "RedisBackend", own_options.REDIS),
    "dragonflydb": ("redis", "DragonflyDBBackend", own_options.REDIS),
    "mongodb": ("mongodb", "MongoDBBackend", own_options.MONGODB),
    "gridfs": ("gridfs", "GridFSBackend", own_options.MONGODB),
    "dynamodb": ("dynamodb", "DynamoDBBackend", own_options.DYNAMODB),
}

_MENU = Menu("aiohttp_client_cache.backends", _BACKENDS)


def take_options(cache: Backend, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the keywords out that belong to the backend, and not to the session.

    Raises:
        ConfigurationError: ``cache`` is text, and names no backend.
    """
    own = _MENU.own(cache) if isinstance(cache, str) else ()
    return taken(kwargs, {*CONSTRUCTION_NAMES, *own})


def only_one(cache: Backend, backend: Backend) -> Backend:
    """What a session was given under either name.

    Raises:
        ConfigurationError: under both.
    """
    if cache is not None and backend is not None:
        raise ConfigurationError("backend is another spelling of cache; give one of them")
    return backend if cache is None else cache


def choose_backend(cache: object, options: dict[str, Any]) -> CacheBackend:
    """The backend that was given, with these settings; in memory if none was.

    Args:
        cache: a backend, the name or URL of one, a storage of the user's own, or ``None``.
        options: keywords of a session that belong to the backend.

    Raises:
        ConfigurationError: ``cache`` is no backend, or already has what ``options`` would set.
        MissingDependency: it needs a package that is not installed.
        TypeError: an unknown option.
    """
    given = cache
    if cache is None:
        return CacheBackend(**options)
    if isinstance(cache, str):
        backend: CacheBackend = _MENU.make(cache, options)
        return backend
    if isinstance(cache, BaseCache):
        backend = CacheBackend(**options)
        backend.responses = cache
        return backend
    if isinstance(cache, type) and issubclass(cache, CacheBackend | BaseCache):
        raise ConfigurationError(f"cache must be a backend, not its class: {cache.__name__}()")
    if not isinstance(cache, CacheBackend):
        raise ConfigurationError(
            "cache must be a backend, such as SQLiteBackend('demo_cache'), its name, "
            f"or a BaseCache, not {describe(given)}"
        )
    adjust(cache, options, CacheBackend)
    return cache
