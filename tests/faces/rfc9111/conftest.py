"""What the tests of the RFC 9111 mode share: an origin with a script, and caches before it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faces.aiohttp.rfc9111.web import MEMORY_ROUTES, ROUTES, OpenWeb, Web, opener
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin


@pytest.fixture
async def scripted(clock: StandingClock) -> AsyncIterator[ScriptedOrigin]:
    async with ScriptedOrigin(clock).serving() as origin:
        yield origin


@pytest.fixture(params=MEMORY_ROUTES)
async def open_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches in memory, before one origin: each in the way of the parameter."""
    async with contextlib.AsyncExitStack() as opened:
        yield opener(request.param, scripted, clock, tmp_path, opened)


@pytest.fixture
async def web(open_web: OpenWeb) -> Web:
    """A private cache in memory without further settings."""
    return open_web()


@pytest.fixture(params=ROUTES)
async def open_any_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches in memory and in SQLite files."""
    async with contextlib.AsyncExitStack() as opened:
        yield opener(request.param, scripted, clock, tmp_path, opened)


@pytest.fixture
async def any_web(open_any_web: OpenWeb) -> Web:
    """A private cache, in memory or in a file."""
    return open_any_web()


@pytest.fixture(params=["session", "traced"])
async def open_session_web(
    request: pytest.FixtureRequest, scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches whose requests take the cache's own arguments."""
    async with contextlib.AsyncExitStack() as opened:
        yield opener(request.param, scripted, clock, tmp_path, opened)


@pytest.fixture
async def session_web(open_session_web: OpenWeb) -> Web:
    """A private cache whose requests take the cache's own arguments."""
    return open_session_web()


@pytest.fixture
async def open_table_web(
    scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[OpenWeb]:
    """Make caches for long tables, which take the shortest way alone."""
    async with contextlib.AsyncExitStack() as opened:
        yield opener("session", scripted, clock, tmp_path, opened)


@pytest.fixture
async def table_web(open_table_web: OpenWeb) -> Web:
    """A private cache for long tables."""
    return open_table_web()
