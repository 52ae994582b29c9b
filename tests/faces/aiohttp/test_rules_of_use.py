"""``always_revalidate``, ``read_only`` and ``redacted_parameters``, also on the shortest way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.origin import Origin

MODES = pytest.mark.parametrize("settings", [{}, {"cache_control": True}], ids=["house", "law"])


@MODES
async def test_every_use_is_validated(
    origin: Origin, open_session: OpenSession, settings: dict[str, Any]
) -> None:
    url = origin.url("/etag/a")
    async with open_session(always_revalidate=True, expire_after=600, **settings) as session:
        for count in (1, 2, 3):
            async with session.get(url) as response:
                assert response.from_cache == (count > 1)
                assert origin.count() == count
        session.always_revalidate = False
        async with session.get(url) as response:
            assert response.from_cache
    assert origin.count() == 3


@MODES
async def test_what_is_only_read_does_not_change(
    origin: Origin, open_session: OpenSession, settings: dict[str, Any]
) -> None:
    stored, other = origin.url("/cache/600?stored"), origin.url("/cache/600?other")
    async with open_session(expire_after=600, **settings) as session:
        await session.get(stored)
        session.read_only = True
        for _ in range(2):
            assert (await session.get(stored)).from_cache
            assert not (await session.get(other)).from_cache
            await session.get(stored, force_refresh=True)
            await session.post(stored)
        async with session.get(origin.url("/large")) as large:
            assert len(await large.read()) == 3 * 2**20
        assert await session.cache.get_urls() == [stored]


async def test_redacted_names_are_told_apart(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(redacted_parameters=["api_key"]) as session:
        for first_time in (True, False):
            for secret in "12":
                url = origin.url(f"/serial?api_key={secret}")
                assert (await session.get(url)).from_cache is not first_time
        assert await session.cache.get_urls() == [origin.url("/serial")]
