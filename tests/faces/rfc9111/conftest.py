"""What the tests of the RFC 9111 mode share: an origin with a script, and caches before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faces.rfc9111.web import (
    MEMORY_ROUTES,
    ROUTES,
    SESSION_ROUTES,
    TABLE_ROUTES,
    OpenWeb,
    Web,
    opening,
)
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin

WAYS = {
    "open_web": MEMORY_ROUTES,
    "open_any_web": ROUTES,
    "open_session_web": SESSION_ROUTES,
    "open_table_web": TABLE_ROUTES,
}
"""The routes of each fixture that makes caches."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with both clients, unless it is about one of them."""
    alone = metafunc.definition.get_closest_marker("only_aiohttp") is not None
    for name, routes in WAYS.items():
        if name in metafunc.fixturenames:
            ways = [route for route in routes if not (alone and route.endswith("requests"))]
            metafunc.parametrize(name, ways, indirect=True)


@pytest.fixture
async def scripted(clock: StandingClock) -> AsyncIterator[ScriptedOrigin]:
    async with ScriptedOrigin(clock).serving() as origin:
        yield origin


@pytest.fixture
async def open_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches in memory, before one origin: each in the way of the parameter."""
    async with opening(request.param, scripted, clock, tmp_path) as open_web:
        yield open_web


@pytest.fixture
async def web(open_web: OpenWeb) -> Web:
    """A private cache in memory without further settings."""
    return open_web()


@pytest.fixture
async def open_any_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches in memory and in SQLite files."""
    async with opening(request.param, scripted, clock, tmp_path) as open_web:
        yield open_web


@pytest.fixture
async def any_web(open_any_web: OpenWeb) -> Web:
    """A private cache, in memory or in a file."""
    return open_any_web()


@pytest.fixture
async def open_session_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches whose requests take the cache's own arguments."""
    async with opening(request.param, scripted, clock, tmp_path) as open_web:
        yield open_web


@pytest.fixture
async def session_web(open_session_web: OpenWeb) -> Web:
    """A private cache whose requests take the cache's own arguments."""
    return open_session_web()


@pytest.fixture
async def open_table_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches for long tables, which take the shortest way of each client alone."""
    async with opening(request.param, scripted, clock, tmp_path) as open_web:
        yield open_web


@pytest.fixture
async def table_web(open_table_web: OpenWeb) -> Web:
    """A private cache for long tables."""
    return open_table_web()
