"""Parts that are large or slow (RFC 9110 section 14): a resumed download, a film."""

from __future__ import annotations

import asyncio

from tests.faces.rfc9111.parts import FRESH, TAG, part
from tests.faces.rfc9111.web import Web
from tests.support.scripted import End, reply

WHOLE = bytes(range(256)) * 12_000
"""More than is read before a response is handed over."""

LINES = ('ETag: "a"', "Cache-Control: max-age=60")


def content_range(start: int, stop: int) -> str:
    return f"Content-Range: bytes {start}-{stop - 1}/{len(WHOLE)}"


async def test_a_slow_one_is_handed_over_at_once(web: Web) -> None:
    gate = asyncio.Event()
    part = reply(
        *LINES, content_range(0, 10), status=206, body=WHOLE[:10], body_gate=gate, end=End.CHUNKED
    )
    web.origin.answers("/", part)
    async with asyncio.timeout(5):
        response = await web.open(fields={"Range": "bytes=0-9"})
        assert response.status == 206
        gate.set()
        assert await response.read() == WHOLE[:10]
    seen = await web.get(fields={"Range": "bytes=2-3"})
    assert (seen.status, seen.body, seen.from_cache) == (206, WHOLE[2:4], True)


async def test_a_large_one_is_combined_at_its_end(any_web: Web) -> None:
    web = any_web
    size = len(WHOLE)
    web.origin.answers(
        "/",
        reply(*LINES, content_range(0, 100), status=206, body=WHOLE[:100]),
        reply(*LINES, content_range(100, size), status=206, body=WHOLE[100:]),
    )
    await web.get(fields={"Range": "bytes=0-99"})
    seen = await web.get(fields={"Range": "bytes=100-"})
    assert (seen.status, seen.body) == (206, WHOLE[100:])
    seen = await web.get()
    assert (seen.status, seen.body, seen.from_cache) == (200, WHOLE, True)
    assert web.origin.count() == 2


async def test_one_that_does_not_fit_is_not_stored(web: Web) -> None:
    """Nothing tells whether the stored whole is outdated by it."""
    untold = ("Cache-Control: max-age=60", content_range(100, len(WHOLE)))
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=60", body="whole"),
        reply(*untold, status=206, body=WHOLE[100:]),
    )
    await web.get()
    await web.get(fields={"Range": "bytes=100-", "Cache-Control": "no-cache"})
    seen = await web.get()
    assert (seen.body, seen.from_cache) == (b"whole", True)


async def test_a_large_rest_is_not_waited_for(web: Web) -> None:
    """The whole is asked for instead, and handed over as it comes."""
    body = "x" * (2**20 + 100)
    web.origin.answers("/", part(0, 9, body=body), reply(FRESH, TAG, body=body))
    await web.get("/", {"Range": "bytes=0-9"})
    seen = await web.get()
    assert (seen.status, len(seen.body), "Range" in web.origin.last.headers) == (
        200,
        len(body),
        False,
    )
