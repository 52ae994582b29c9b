"""Responses go when nobody holds them; no garbage collector has to find them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from weakref import ref

import pytest
from aiohttp import ClientSession

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.origin import Origin


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def goes(session: ClientSession, url: str) -> bool:
    """Whether a response is gone with the last reference to it."""
    async with session.get(url) as response:
        await response.read()
    held = ref(response)
    del response
    await asyncio.sleep(0)
    return held() is None


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize("cache_control", [False, True])
async def test_new_and_cached_ones(
    origin: Origin, open_session: OpenSession, cache_control: bool
) -> None:
    async with ClientSession() as plain:
        if not await goes(plain, origin.url("/")):
            pytest.skip("not even those of this aiohttp do")
    async with open_session(cache_control=cache_control) as session:
        for path in ("/cache/60", "/cache/60", "/echo"):
            assert await goes(session, origin.url(path))
