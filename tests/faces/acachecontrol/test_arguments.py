"""What the classes accept; whatever they do not, an error calls by its name."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import Any

import pytest

import acachecontrol
from acachecontrol import AsyncCache, AsyncCacheControl, RequestContextManager
from aiohttp_client_cache import CacheBackend, CacheError
from tests.support.mappings import CustomCacheBackend


def test_public_names() -> None:
    from acachecontrol.cache import AsyncCache as Cache
    from acachecontrol.request_context_manager import RequestContextManager as Manager

    assert set(acachecontrol.__all__) == {
        "AsyncCache",
        "AsyncCacheControl",
        "RequestContextManager",
    }
    assert (Cache, Manager) == (AsyncCache, RequestContextManager)


def test_a_cache_may_be_made_before_there_is_a_loop() -> None:
    cache = AsyncCache()
    assert dict(cache.config) == {
        "max_age": 120,
        "capacity": 100,
        "cacheable_methods": None,
        "sleep_time": 0.1,
    }
    assert isinstance(cache.cache_backend, OrderedDict)
    assert cache.settings.cache_control


def test_what_is_configured_stands_beside_the_defaults() -> None:
    given = {"max_age": None, "cacheable_methods": ["get"]}
    cache = AsyncCache(given)
    assert cache.config["max_age"] is None
    assert cache.config["capacity"] == 100
    assert cache.allowed_methods == {"GET"}
    assert given == {"max_age": None, "cacheable_methods": ["get"]}


@pytest.mark.parametrize("mapping", [OrderedDict(), CustomCacheBackend()])
def test_an_empty_mapping_is_a_mapping(mapping: Any) -> None:
    assert AsyncCache(cache_backend=mapping).cache_backend is mapping


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"maxage": 1}, "max_age, capacity, cacheable_methods, sleep_time, but not 'maxage'"),
        ({"max_age": "60"}, "max_age.*'60'"),
        ({"max_age": True}, "max_age.*True"),
        ({"max_age": -1}, "max_age.*-1"),
        ({"max_age": float("nan")}, "max_age.*nan"),
        ({"max_age": float("inf")}, "max_age.*inf"),
        ({"sleep_time": None}, "sleep_time.*None"),
        ({"sleep_time": -0.1}, "sleep_time.*-0.1"),
        ({"capacity": -1}, "capacity.*-1"),
        ({"capacity": 1.5}, "capacity.*1.5"),
        ({"cacheable_methods": "GET"}, "cacheable_methods.*'GET'"),
        ({"cacheable_methods": ["GET", 1]}, "cacheable_methods.*1"),
        (["max_age"], "config.*max_age"),
        (60, "config.*60"),
    ],
)
def test_bad_configurations(config: Any, message: str) -> None:
    with pytest.raises(CacheError, match=message) as raised:
        AsyncCache(config)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "cache_backend.*it lacks move_to_end"),
        ([], "cache_backend.*it lacks popitem, move_to_end"),
        (OrderedDict, "cache_backend.*OrderedDict"),
        ("redis://", "cache_backend.*redis"),
    ],
)
def test_bad_mappings(mapping: Any, message: str) -> None:
    with pytest.raises(CacheError, match=message):
        AsyncCache(cache_backend=mapping)


@pytest.mark.parametrize("cache", [{}, CacheBackend(), AsyncCache, CustomCacheBackend()])
async def test_bad_caches(cache: Any) -> None:
    with pytest.raises(CacheError, match="cache must be an AsyncCache"):
        AsyncCacheControl(cache=cache)


async def test_bad_context_managers() -> None:
    with pytest.raises(CacheError, match="request_context_manager_cls"):
        AsyncCacheControl(request_context_manager_cls=None)  # type: ignore[arg-type]


async def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="timout"):
        AsyncCacheControl(timout=1)
    with pytest.raises(TypeError, match="cache_backed"):
        AsyncCache(cache_backed={})  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["cache_control", "expire_after", "max_entries", "autoclose"])
async def test_settings_of_a_cached_session(name: str) -> None:
    cache = AsyncCache()
    with pytest.raises(TypeError, match=f"aiohttp.ClientSession, and not '{name}'"):
        AsyncCacheControl(cache, **{name: False})
    assert cache.cache_control


async def test_arguments_by_position() -> None:
    cache = AsyncCache({"max_age": 1}, OrderedDict())
    async with AsyncCacheControl(cache, RequestContextManager) as session:
        assert session.cache is cache


def test_every_method_says_what_it_does() -> None:
    for kind in (AsyncCache, AsyncCacheControl, RequestContextManager):
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            assert name.startswith("_") or inspect.getdoc(member), name
