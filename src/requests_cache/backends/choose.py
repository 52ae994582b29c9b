"""From the arguments of a session to a backend."""

from __future__ import annotations

import os
from typing import Any, Final, cast

from http_client_cache.backends.choose import Menu, adjust, taken
from http_client_cache.errors import ConfigurationError, describe
from requests_cache.backends import options as known
from requests_cache.backends.base import BaseCache
from requests_cache.policy.spellings import respelled

BackendSpecifier = str | BaseCache | type[BaseCache] | None
"""A backend, its class, its name or its URL; ``None`` for SQLite."""

BACKENDS: Final = {
    # name: module, class, what only it takes
    "memory": ("base", "BaseCache", ()),
    "sqlite": ("sqlite", "SQLiteCache", known.SQLITE),
    "filesystem": ("filesystem", "FileCache", known.FILES),
    "redis": ("redis", "RedisCache", known.REDIS),
    "valkey": ("redis", "RedisCache", known.REDIS),
    "dragonflydb": ("redis", "RedisCache", known.REDIS),
    "mongodb": ("mongodb", "MongoCache", known.MONGODB),
    "gridfs": ("gridfs", "GridFSCache", known.MONGODB),
    "dynamodb": ("dynamodb", "DynamoDbCache", known.DYNAMODB),
}

DEFAULT: Final = "sqlite"

_MENU: Final = Menu("requests_cache.backends", BACKENDS)


def take_options(backend: BackendSpecifier, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the keywords out that belong to the backend or are settings.

    Raises:
        ConfigurationError: ``backend`` is text, and names none.
    """
    if backend is None or isinstance(backend, str):
        own = _MENU.own(DEFAULT if backend is None else backend)
    elif isinstance(backend, type):
        kinds = {kind.__name__ for kind in backend.__mro__}
        own = {name for _, kind, names in BACKENDS.values() if kind in kinds for name in names}
    else:
        own = ()
    return taken(kwargs, {*known.COMMON, *own})


def choose_backend(
    cache_name: str | os.PathLike[str] | None, backend: object, options: dict[str, Any]
) -> BaseCache:
    """The backend that was asked for, with these settings.

    Args:
        cache_name: of a backend that is made; one that was made before has a name.
        backend: see :data:`BackendSpecifier`.
        options: keywords of a session that belong to the backend or are settings.

    Raises:
        ConfigurationError: ``backend`` is none, or already has what ``options`` would set.
        MissingDependency: it needs a package that is not installed.
        TypeError: an unknown option.
    """
    if isinstance(backend, BaseCache):
        adjust(backend, respelled(options), BaseCache)
        return backend
    if cache_name is not None:
        options = {**options, "cache_name": cache_name}
    if backend is None or isinstance(backend, str):
        made: BaseCache = _MENU.make(DEFAULT if backend is None else backend, options)
        return made
    if isinstance(backend, type) and issubclass(backend, BaseCache):
        return backend(**options)
    raise ConfigurationError(
        "backend must be a backend, such as SQLiteCache('demo_cache'), its class, its name or "
        f"its URL, not {describe(cast('Any', backend))}"
    )
