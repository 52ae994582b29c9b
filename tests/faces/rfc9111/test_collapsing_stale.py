"""Equal requests at the same time, where the answer is stale on arrival."""

from __future__ import annotations

import asyncio

from http_client_cache.rfc9111.reasons import Reason
from tests.faces.rfc9111.web import OpenWeb
from tests.support.scripted import reply


async def test_it_is_no_error(open_web: OpenWeb) -> None:
    """``stale_if_error`` lets nobody be served what only its own request may have."""
    web = open_web(stale_if_error=True)
    gate = asyncio.Event()
    web.origin.answers("/", reply("Cache-Control: max-age=0", 'ETag: "a"', gate=gate))
    requests = [asyncio.create_task(web.get()) for _ in range(3)]
    await web.origin.has_received(1)
    # The others are in threads of their own, with requests.
    await asyncio.sleep(0.1)
    gate.set()
    seen = await asyncio.gather(*requests)
    assert {each.response.cache.reason for each in seen} == {Reason.MISS}
    assert {each.body for each in seen} == {b"1", b"2", b"3"}


async def test_those_who_wait_share_an_error(open_web: OpenWeb) -> None:
    web = open_web(stale_if_error=True)
    gate = asyncio.Event()
    web.origin.answers(
        "/", reply("Cache-Control: max-age=10", 'ETag: "a"'), reply(status=503, gate=gate)
    )
    await web.get()
    web.clock.advance(seconds=20)
    requests = [asyncio.create_task(web.get()) for _ in range(3)]
    await web.origin.has_received(2)
    await asyncio.sleep(0.02)
    gate.set()
    seen = await asyncio.gather(*requests)
    assert {each.response.cache.reason for each in seen} == {Reason.STALE_IF_ERROR}
    assert web.origin.count() == 2
