"""News of a stored response that come when another has taken its place."""

from __future__ import annotations

import asyncio

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import Received, Reply, reply

FRESH = "Cache-Control: max-age=60"
RELOAD = {"Cache-Control": "no-cache"}


class Changing:
    """Answers of a resource that changes while the second request for it is answered."""

    def __init__(self, news: Reply) -> None:
        self.gate = asyncio.Event()
        self._news = news
        self._requests = 0

    async def __call__(self, _: Received) -> Reply:
        self._requests += 1
        if self._requests == 2:
            await self.gate.wait()
            return self._news
        if self._requests == 1:
            return reply(FRESH, 'ETag: "old"', body="1111")
        return reply(FRESH, 'ETag: "new"', body="2222")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_they_change_nothing(any_web: Web, method: str) -> None:
    """Equally long bodies are all that a store could go by."""
    web = any_web
    status = 304 if method == "GET" else 200
    origin = Changing(reply(FRESH, 'ETag: "old"', status=status, body="1111"))
    web.origin.answers("/", origin)
    await web.get()
    slow = asyncio.create_task(web.request(method, "/", RELOAD))
    await web.origin.has_received(2)
    assert (await web.get(fields=RELOAD)).body == b"2222"
    origin.gate.set()
    assert (await slow).headers["ETag"] == '"old"'
    seen = await web.get()
    assert (seen.body, seen.headers["ETag"], seen.from_cache) == (b"2222", '"new"', True)


async def test_without_the_law(open_session_web: OpenWeb) -> None:
    web = open_session_web(cache_control=False)
    origin = Changing(reply('ETag: "old"', status=304))
    web.origin.answers("/", origin)
    await web.get()
    slow = asyncio.create_task(web.get(refresh=True))
    await web.origin.has_received(2)
    assert (await web.get(force_refresh=True)).body == b"2222"
    origin.gate.set()
    assert (await slow).body == b"1111"
    seen = await web.get()
    assert (seen.body, seen.headers["ETag"], seen.from_cache) == (b"2222", '"new"', True)
