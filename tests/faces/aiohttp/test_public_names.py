"""What people import, and from where they import it."""

from __future__ import annotations

import importlib
import inspect

import aiohttp
import pytest

import aiohttp_client_cache as cache

PATHS = [
    ("backends", "BaseCache"),
    ("backends", "CacheBackend"),
    ("backends", "FileBackend"),
    ("backends", "SQLiteBackend"),
    ("backends.base", "BaseCache"),
    ("backends.base", "CacheBackend"),
    ("backends.filesystem", "FileBackend"),
    ("backends.sqlite", "SQLiteBackend"),
    ("session", "CachedSession"),
    ("session", "CacheMixin"),
    ("response", "CachedResponse"),
]


@pytest.mark.parametrize(("module", "name"), PATHS)
def test_modules_hold_the_names_of_the_top_level(module: str, name: str) -> None:
    held = getattr(importlib.import_module(f"aiohttp_client_cache.{module}"), name)
    assert held is getattr(cache, name)


def test_everything_public_is_there() -> None:
    assert {
        "BaseCache",
        "CacheBackend",
        "CacheError",
        "CacheMiddleware",
        "CacheMixin",
        "CachedResponse",
        "CachedSession",
        "ConfigurationError",
        "DO_NOT_CACHE",
        "FileBackend",
        "MissingDependency",
        "NEVER_EXPIRE",
        "SQLiteBackend",
        "SQLiteCache",
    } <= set(cache.__all__)
    for name in cache.__all__:
        assert hasattr(cache, name)


def test_names_that_programs_import_from_their_modules() -> None:
    from aiohttp_client_cache.backends.base import DictCache
    from aiohttp_client_cache.cache_control import DO_NOT_CACHE, NEVER_EXPIRE
    from aiohttp_client_cache.response import AnyResponse

    assert issubclass(DictCache, cache.BaseCache)
    assert (DO_NOT_CACHE, NEVER_EXPIRE) == (cache.DO_NOT_CACHE, cache.NEVER_EXPIRE)
    assert isinstance(cache.__version__, str)
    assert aiohttp.ClientResponse in AnyResponse.__args__


def test_a_key_without_a_backend() -> None:
    from aiohttp_client_cache.cache_keys import create_key

    url = "https://example.org/a"
    key = create_key("get", url, {"b": "1", "token": "2"}, ignored_params=["token"])
    backend = cache.CacheBackend(ignored_params=["token"])
    assert key == backend.create_key("GET", f"{url}?b=1")


def test_constants() -> None:
    assert cache.NEVER_EXPIRE == -1
    assert cache.DO_NOT_CACHE == 0


def test_errors_are_also_what_one_would_catch() -> None:
    assert issubclass(cache.ConfigurationError, (cache.CacheError, ValueError))
    assert issubclass(cache.ConfigurationError, ValueError)
    assert issubclass(cache.MissingDependency, ImportError)
    assert issubclass(cache.MissingDependency, cache.CacheError)


def test_a_session_is_a_client_session() -> None:
    assert issubclass(cache.CachedSession, aiohttp.ClientSession)
    assert issubclass(cache.CachedSession, cache.CacheMixin)
    assert issubclass(cache.SQLiteBackend, cache.CacheBackend)


def test_a_session_knows_how_to_be_used() -> None:
    for verb in ("get", "head", "post", "put", "patch", "delete", "options", "request"):
        assert inspect.getdoc(getattr(cache.CachedSession, verb))
