"""Caches before a real nginx."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware, SQLiteBackend
from tests.servers.nginx import nginx
from tests.servers.site import OpenSite, Site
from tests.support.clock import StandingClock


@pytest.fixture(params=["memory", "sqlite", "middleware"])
async def open_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenSite]:
    """Make caches before an nginx of the test's own."""
    async with contextlib.AsyncExitStack() as opened:
        root = tmp_path / "root"
        root.mkdir()
        running = opened.enter_context(nginx(root))

        def open_site(**settings: Any) -> Site:
            # It begins at the time that the server tells.
            clock = StandingClock(datetime.now(UTC))
            settings = {"cache_control": True, "clock": clock, **settings}
            backend: CacheBackend = (
                SQLiteBackend(tmp_path / "cache.sqlite", **settings)
                if request.param == "sqlite"
                else CacheBackend(**settings)
            )
            session = (
                ClientSession(middlewares=[CacheMiddleware(backend)])
                if request.param == "middleware"
                else CachedSession(cache=backend)
            )
            opened.push_async_callback(backend.close)
            opened.push_async_callback(session.close)
            return Site(session, backend, running, root, clock)

        yield open_site


@pytest.fixture
async def site(open_site: OpenSite) -> Site:
    """A private cache without further settings."""
    return open_site()
