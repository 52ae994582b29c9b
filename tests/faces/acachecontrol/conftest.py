"""Sessions of the acachecontrol face, before an origin that is told what to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from acachecontrol import AsyncCache, AsyncCacheControl
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin


@pytest.fixture
async def scripted(clock: StandingClock) -> AsyncIterator[ScriptedOrigin]:
    async with ScriptedOrigin(clock).serving() as origin:
        yield origin


@pytest.fixture
def cache(clock: StandingClock) -> AsyncCache:
    return AsyncCache(clock=clock)


@pytest.fixture
async def session(cache: AsyncCache) -> AsyncIterator[AsyncCacheControl]:
    async with AsyncCacheControl(cache=cache) as session:
        yield session
