"""Credentials that a middleware behind the cache adds (RFC 9111 section 3.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.rfc9111.web import Web, only_aiohttp
from tests.faces.rfc9111.web_of_aiohttp import AiohttpWeb
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin, reply

TAG = 'ETag: "a"'

pytestmark = only_aiohttp("requests has no middlewares")


class SigningIn:
    """Adds credentials as soon as somebody has signed in."""

    signed_in = False

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if self.signed_in:
            request.headers["Authorization"] = "Bearer secret"
        return await handler(request)


@pytest.fixture
def signing_in() -> SigningIn:
    return SigningIn()


@pytest.fixture
async def signed_web(
    scripted: ScriptedOrigin, clock: StandingClock, signing_in: SigningIn
) -> AsyncIterator[Web]:
    backend = CacheBackend(cache_control=True, clock=clock)
    async with CachedSession(cache=backend, middlewares=[signing_in]) as session:
        yield AiohttpWeb.of(session, backend, scripted, clock)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_their_answers_change_nothing_stored(
    signed_web: Web, signing_in: SigningIn, method: str
) -> None:
    web = signed_web
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", TAG, "X-User: nobody", body="kept"),
        reply(
            *("Cache-Control: max-age=60", TAG, "X-User: somebody"),
            status=304 if method == "GET" else 200,
            body="kept",
        ),
    )
    await web.get()
    web.clock.advance(seconds=20)
    signing_in.signed_in = True
    seen = await web.request(method)
    assert (seen.status, seen.headers["X-User"]) == (200, "somebody")
    signing_in.signed_in = False
    seen = await web.get(fields={"Cache-Control": "max-stale, only-if-cached"})
    assert (seen.body, seen.headers["X-User"]) == (b"kept", "nobody")
    assert not await web.is_reused()


@pytest.mark.parametrize("cache_control", [True, False])
async def test_those_who_wait_do_not_share_them(
    scripted: ScriptedOrigin, clock: StandingClock, signing_in: SigningIn, *, cache_control: bool
) -> None:
    backend = CacheBackend(cache_control=cache_control, expire_after=10, clock=clock)
    async with CachedSession(cache=backend, middlewares=[signing_in]) as session:
        web = AiohttpWeb.of(session, backend, scripted, clock)
        gate = asyncio.Event()
        web.origin.answers(
            "/",
            reply(TAG, "X-User: nobody", body="kept"),
            reply(TAG, "X-User: first", status=304, gate=gate),
            reply(TAG, "X-User: second", status=304),
        )
        await web.get()
        web.clock.advance(seconds=20)
        signing_in.signed_in = True
        first = asyncio.create_task(web.get())
        await web.origin.has_received(2)
        second = asyncio.create_task(web.get())
        await asyncio.sleep(0.02)
        gate.set()
        assert (await first).headers["X-User"] == "first"
        assert (await second).headers["X-User"] == "second"
