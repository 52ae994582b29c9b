"""Backends and sessions for the tests of the aiohttp face."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from aiohttp_client_cache import CacheBackend, CachedSession, SQLiteBackend
from tests.support.clock import StandingClock
from tests.support.servers import mongodb_url

OpenBackend = Callable[..., CacheBackend]
OpenSession = Callable[..., CachedSession]


@pytest.fixture(params=["memory", "sqlite"])
async def open_backend(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock
) -> AsyncIterator[OpenBackend]:
    """Make backends on the clock of the test; all SQLite ones of a test share a file."""
    async with contextlib.AsyncExitStack() as opened:

        def open_backend(**settings: Any) -> CacheBackend:
            backend: CacheBackend
            if request.param == "memory":
                backend = CacheBackend(clock=clock, **settings)
            else:
                backend = SQLiteBackend(tmp_path / "cache.sqlite", clock=clock, **settings)
            opened.push_async_callback(backend.close)
            return backend

        yield open_backend


@pytest.fixture
def open_session(open_backend: OpenBackend) -> OpenSession:
    """Make sessions, each on a new backend that has the settings."""

    def open_session(**settings: Any) -> CachedSession:
        return CachedSession(cache=open_backend(**settings))

    return open_session


@pytest.fixture
def open_sqlite(tmp_path: Path, clock: StandingClock) -> OpenSession:
    """Make sessions on one SQLite file."""

    def open_sqlite(**settings: Any) -> CachedSession:
        return CachedSession(
            cache=SQLiteBackend(tmp_path / "cache.sqlite", clock=clock, **settings)
        )

    return open_sqlite


@pytest.fixture
def database() -> Iterator[str]:
    """The name of a database in MongoDB; it is dropped afterwards."""
    name = f"test-{secrets.token_hex(6)}"
    yield name
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        client.drop_database(name)
