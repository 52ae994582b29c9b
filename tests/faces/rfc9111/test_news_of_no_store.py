"""Answers that tell news of what is stored, and may not be stored themselves."""

from __future__ import annotations

from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply

TAG = 'ETag: "a"'


async def test_head(web: Web) -> None:
    """Section 5.2.2.5: no part of it is stored, in what is stored already either."""
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", TAG, "X-A: old", body="kept"),
        reply("Cache-Control: no-store, max-age=60", TAG, "X-A: new", body="kept"),
    )
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.head()).headers["X-A"] == "new"
    seen = await web.get(fields={"Cache-Control": "max-stale"})
    assert seen.headers["X-A"] == "old"
    assert not await web.is_reused()


async def test_head_of_another_response(web: Web) -> None:
    """Section 4.3.5: that is stale whatever may be stored."""
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=60", TAG),
        reply("Cache-Control: no-store", 'ETag: "b"'),
    )
    await web.get()
    await web.head(fields={"Cache-Control": "no-cache"})
    assert not await web.is_reused()


async def test_304_that_is_to_be_understood(web: Web) -> None:
    """Section 5.2.2.3: such a no-store is not meant for this cache."""
    lines = ("Cache-Control: must-understand, no-store, max-age=10", TAG)
    web.origin.answers("/", reply(*lines, body="kept"), reply(*lines, status=304))
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get()).body == b"kept"
    assert await web.is_reused()
    assert web.origin.count() == 2
