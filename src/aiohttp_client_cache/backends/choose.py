"""From the arguments of a session to a backend."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.storage import BaseCache
from http_client_cache.backends import own_options
from http_client_cache.backends.options import CONSTRUCTION_NAMES, SETTING_NAMES
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

_SCHEMES = {
    # scheme: name, the argument that takes the URL
    **dict.fromkeys(("redis", "rediss", "unix", "valkey", "valkeys"), ("redis", "address")),
    **dict.fromkeys(("redis+cluster", "rediss+cluster"), ("redis", "address")),
    **dict.fromkeys(("redis+sentinel", "rediss+sentinel"), ("redis", "address")),
    **dict.fromkeys(("mongodb", "mongodb+srv"), ("mongodb", "host")),
}


def take_options(cache: Backend, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the keywords out that belong to the backend, and not to the session.

    Raises:
        ConfigurationError: ``cache`` is text, and names no backend.
    """
    names = set(CONSTRUCTION_NAMES)
    if isinstance(cache, str):
        names.update(_BACKENDS[_named(cache)[0]][2])
    return {name: kwargs.pop(name) for name in names & kwargs.keys()}


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
        return _made(cache, options)
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
    settings = {name: value for name, value in options.items() if name in SETTING_NAMES}
    for name, value in options.items():
        if name == "autoclose":
            cache.autoclose = value
        elif name not in SETTING_NAMES:
            raise ConfigurationError(
                f"{name} belongs to the backend; give it to {type(cache).__name__}(…)"
            )
    CacheBackend(**settings)  # So that nothing is changed where one of them is wrong.
    for name, value in settings.items():
        if value is not None:
            setattr(cache, name, value)
    return cache


def _made(cache: str, options: dict[str, Any]) -> CacheBackend:
    name, argument = _named(cache)
    module, kind, _ = _BACKENDS[name]
    backend: type[CacheBackend]
    backend = getattr(import_module(f"aiohttp_client_cache.backends.{module}"), kind)
    if argument is None:
        return backend(**options)
    if options.get(argument) is not None:
        raise ConfigurationError(f"{argument} is in the URL already; give one of them")
    given: dict[str, Any] = {**options, argument: cache}
    return backend(**given)


def _named(cache: str) -> tuple[str, str | None]:
    """The name of a backend, and the argument that takes ``cache`` if that is a URL."""
    if cache in _BACKENDS:
        return cache, None
    # What follows the scheme may hold a password.
    scheme, separator, _ = cache.partition("://")
    if separator and scheme in _SCHEMES:
        return _SCHEMES[scheme]
    shown = f"{scheme}://…" if separator else cache
    raise ConfigurationError(
        f"a backend's name must be one of {', '.join(_BACKENDS)}, or a URL of one of the schemes "
        f"{', '.join(_SCHEMES)}, not {describe(shown)}"
    )
