"""Answers that nobody is handed give their connections back."""

from __future__ import annotations

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import reply

LARGE = b"x" * 3_000_000
"""More than a connection takes in on its own."""


async def test_a_rest_that_may_not_be_stored(web: Web) -> None:
    """Section 3.4: the whole is asked for, and the rest is of no use."""
    rest = LARGE[: 2**20]
    size = len(rest) + 1
    tag = 'ETag: "a"'
    web.origin.answers(
        "/",
        reply(tag, "Cache-Control: max-age=60", f"Content-Range: bytes 0-0/{size}", status=206),
        reply(
            *(tag, "Cache-Control: no-store", f"Content-Range: bytes 1-{size - 1}/{size}"),
            status=206,
            body=rest,
        ),
        reply(tag, "Cache-Control: no-store", body="whole"),
    )
    await web.get(fields={"Range": "bytes=0-0"})
    assert (await web.get()).body == b"whole"
    assert [request.headers.get("Range") for request in web.origin.received] == [
        *("bytes=0-0", "bytes=1-", None),
    ]
    assert web.in_use() == 0


async def test_an_error_in_whose_place_something_stale_is_served(open_web: OpenWeb) -> None:
    web = open_web(stale_if_error=True)
    web.origin.answers("/", reply("Cache-Control: max-age=10"), reply(status=503, body=LARGE))
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get()).from_cache
    assert web.in_use() == 0
