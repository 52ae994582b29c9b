"""From the arguments of a session to a backend."""

from __future__ import annotations

from typing import Any

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.options import SETTING_NAMES
from aiohttp_client_cache.backends.storage import BaseCache
from http_client_cache.errors import ConfigurationError, describe


def choose_backend(cache: object, options: dict[str, Any]) -> CacheBackend:
    """The backend that was given, with these settings; in memory if none was.

    Args:
        cache: a backend, a storage of the user's own, or ``None``.
        options: keywords of a session that belong to the backend.

    Raises:
        ConfigurationError: ``cache`` is no backend, or already has what ``options`` would set.
        TypeError: an unknown option.
    """
    given = cache
    if cache is None:
        return CacheBackend(**options)
    if isinstance(cache, BaseCache):
        backend = CacheBackend(**options)
        backend.responses = cache
        return backend
    if isinstance(cache, type) and issubclass(cache, CacheBackend | BaseCache):
        raise ConfigurationError(f"cache must be a backend, not its class: {cache.__name__}()")
    if not isinstance(cache, CacheBackend):
        raise ConfigurationError(
            "cache must be a backend, such as SQLiteBackend('demo_cache'), "
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
