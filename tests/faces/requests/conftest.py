"""Backends and sessions for the tests of the face for requests, which blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requests_cache import BaseCache, CachedSession, SQLiteCache
from tests.support.clock import StandingClock
from tests.support.origin import Origin, origin_in_a_thread

OpenCache = Callable[..., BaseCache]
OpenSession = Callable[..., CachedSession]


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A server in a thread."""
    with origin_in_a_thread() as origin:
        yield origin


@pytest.fixture(params=["memory", "sqlite"])
def open_cache(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock
) -> Iterator[OpenCache]:
    """Make backends on the clock of the test; all SQLite ones of a test share a file."""
    with contextlib.ExitStack() as opened:

        def open_cache(**settings: Any) -> BaseCache:
            cache: BaseCache
            if request.param == "memory":
                cache = BaseCache(clock=clock, **settings)
            else:
                cache = SQLiteCache(tmp_path / "cache.sqlite", clock=clock, **settings)
            opened.callback(cache.close)
            return cache

        yield open_cache


@pytest.fixture
def open_session(open_cache: OpenCache) -> OpenSession:
    """Make sessions, each on a new backend that has the settings."""

    def open_session(**settings: Any) -> CachedSession:
        return CachedSession(backend=open_cache(**settings))

    return open_session
