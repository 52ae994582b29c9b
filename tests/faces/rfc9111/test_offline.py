"""Requests that are to be answered by the cache alone send nothing (RFC 9111 section 5.2.1.7)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from aiohttp_client_cache import CacheBackend, CacheMixin
from tests.faces.rfc9111.web import OpenWeb, Web, only_aiohttp
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin, reply

NO_MORE = 0.05
"""Seconds in which a refresh would have begun."""


async def sends_nothing(web: Web) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(web.origin.has_received(2), NO_MORE)
    return web.origin.count() == 1


@pytest.mark.parametrize("cache_control", [True, False])
async def test_no_refresh_begins(open_session_web: OpenWeb, *, cache_control: bool) -> None:
    web = open_session_web(
        cache_control=cache_control, expire_after=10, stale_while_revalidate=True
    )
    web.origin.answers("/", reply())
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get(only_if_cached=True)).body == b"1"
    assert await sends_nothing(web)
    assert (await web.get()).body == b"1"
    await web.origin.has_received(2)


async def test_no_refresh_begins_where_the_field_says_so(open_web: OpenWeb) -> None:
    web = open_web()
    web.origin.answers("/", reply("Cache-Control: max-age=10, stale-while-revalidate=60"))
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get(fields={"Cache-Control": "only-if-cached"})).body == b"1"
    assert await sends_nothing(web)


@only_aiohttp("its like for requests is among the tests of its sessions")
@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_classes_behind_the_cache_do_not_see_them(
    scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    outgoing: list[str] = []

    class Counting:
        async def _request(self, method: str, url: Any, **kwargs: Any) -> ClientResponse:
            outgoing.append(method)
            return await super()._request(method, url, **kwargs)  # type: ignore[misc]

    class Session(CacheMixin, Counting, ClientSession):  # type: ignore[misc]
        pass

    async with Session(cache=CacheBackend(cache_control=True, clock=clock)) as session:
        alone = {"Cache-Control": "only-if-cached"}
        async with session.get(scripted.url("/"), headers=alone) as response:
            assert response.status == 504
    assert outgoing == []
