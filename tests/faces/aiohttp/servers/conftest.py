"""Backends and sessions on real servers.

A module says in ``KINDS`` on which of them its tests are run; without it, on one of each.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.faces.aiohttp.servers.places import KINDS, Place
from tests.support.clock import StandingClock


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", getattr(metafunc.module, "KINDS", KINDS))


@pytest.fixture
def place(kind: str) -> Iterator[Place]:
    """An empty cache."""
    place = Place(kind)
    yield place
    place.forget()


@pytest.fixture
async def open_backend(place: Place, clock: StandingClock) -> AsyncIterator[OpenBackend]:
    """Make backends on the clock of the test; all of a test share a cache."""
    async with contextlib.AsyncExitStack() as opened:

        def open_backend(**settings: Any) -> CacheBackend:
            backend = place.backend(**{"clock": clock, **settings})
            opened.push_async_callback(backend.close)
            return backend

        yield open_backend


@pytest.fixture
def open_session(open_backend: OpenBackend) -> OpenSession:
    """Make sessions, each on a new backend that has the settings."""

    def open_session(**settings: Any) -> CachedSession:
        return CachedSession(cache=open_backend(**settings))

    return open_session
