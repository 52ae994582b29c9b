"""Backends by name and by URL, with what they take given to the session."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from aiohttp_client_cache import (
    CacheBackend,
    CachedSession,
    CacheMiddleware,
    ConfigurationError,
    FileBackend,
    SQLiteBackend,
)
from aiohttp_client_cache.backends import choose
from http_client_cache.backends import own_options
from http_client_cache.backends.base import Backend
from http_client_cache.backends.options import CONSTRUCTION_NAMES, SETTING_NAMES
from tests.support.origin import Origin

KINDS: list[tuple[str, type[CacheBackend]]] = [
    ("memory", CacheBackend),
    ("sqlite", SQLiteBackend),
    ("filesystem", FileBackend),
]


@pytest.mark.parametrize("argument", ["cache", "backend"])
@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_a_backend_is_made_by_name(
    name: str, kind: type[CacheBackend], argument: str, origin: Origin, in_tmp_path: Path
) -> None:
    given: dict[str, Any] = {argument: name}
    for round_ in range(2):
        async with CachedSession(
            cache_name="demo", expire_after=60, serializer="json", **given
        ) as session:
            assert type(session.cache) is kind
            assert session.cache.cache_name == "demo"
            assert session.expire_after == 60
            async with session.get(origin.url("/get")) as response:
                assert response.from_cache == (round_ == 1 and name != "memory")


async def test_it_takes_what_is_its_own(in_tmp_path: Path) -> None:
    async with CachedSession(
        backend="sqlite", cache_name="demo", fast_save=True, wal=False, timeout=ClientTimeout(5)
    ) as session:
        assert session.timeout == ClientTimeout(5)
        assert session.cache._connecting["fast_save"] is True
        assert session.cache._connecting["wal"] is False


async def test_a_middleware_takes_it_too(origin: Origin, in_tmp_path: Path) -> None:
    cache = CacheMiddleware("sqlite", cache_name="demo", fast_save=True)
    async with ClientSession(middlewares=[cache]) as session:
        for _ in range(2):
            async with session.get(origin.url("/get")) as response:
                await response.read()
    assert origin.count() == 1
    await cache.cache.close()


@pytest.mark.parametrize("backend", ["nothing", "", "ftp://user:secret@host", "sqlite3"])
async def test_what_is_no_backend(backend: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"memory, sqlite, .*redis://|memory, sqlite"
    ) as told:
        CachedSession(backend=backend)
    assert "secret" not in str(told.value)


async def test_it_is_given_once() -> None:
    with pytest.raises(ConfigurationError, match="another spelling of cache"):
        CachedSession(cache="memory", backend=CacheBackend())


@pytest.mark.parametrize("option", ["wal", "host", "fast_save"])
async def test_what_it_does_not_know(option: str) -> None:
    with pytest.raises(TypeError, match=option):
        CachedSession(backend="memory", **{option: True})


@pytest.mark.parametrize("name", choose._BACKENDS)
def test_the_table_names_what_the_class_takes(name: str) -> None:
    """So that whoever adds an argument to a backend adds it to the session, too."""
    module, kind, own = choose._BACKENDS[name]
    backend = getattr(__import__(f"aiohttp_client_cache.backends.{module}", fromlist=[kind]), kind)
    common = {*SETTING_NAMES, *CONSTRUCTION_NAMES, "self", "options"}
    takes = {
        name
        for base in backend.__mro__
        if issubclass(base, Backend)
        for name in inspect.signature(base.__init__).parameters
    } - common
    if module in {"mongodb", "gridfs"}:
        takes |= own_options.MONGODB_CLIENT
    clashes = {*inspect.signature(ClientSession.__init__).parameters}
    assert set(own) == takes - clashes
