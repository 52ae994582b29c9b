"""Which stored responses a 304 freshens (RFC 9111 section 4.3.4)."""

from __future__ import annotations

from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply


async def test_the_one_it_names_and_the_one_it_answers(any_web: Web) -> None:
    """All stored responses with the strong validator of the 304 are to be updated."""
    web = any_web
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", "Vary: X-A", 'ETag: "a"', body="both"),
        reply("Cache-Control: max-age=60", "Vary: X-A", 'ETag: "a"', status=304),
    )
    await web.get(fields={"X-A": "1"})
    web.clock.advance(seconds=20)
    seen = await web.get(fields={"X-A": "2"})
    assert (seen.body, seen.from_cache) == (b"both", True)
    assert web.origin.last.headers["If-None-Match"] == '"a"'
    assert await web.is_reused(fields={"X-A": "2"})
    assert await web.is_reused(fields={"X-A": "1"})
    assert web.origin.count() == 2


async def test_not_where_it_names_other_selecting_fields(any_web: Web) -> None:
    web = any_web
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", "Vary: X-A", 'ETag: "a"', body="both"),
        reply("Cache-Control: max-age=60", "Vary: X-B", 'ETag: "a"', status=304),
    )
    await web.get(fields={"X-A": "1"})
    web.clock.advance(seconds=20)
    assert (await web.get(fields={"X-A": "2", "X-B": "1"})).body == b"both"
    assert await web.is_reused(fields={"X-A": "2", "X-B": "1"})
    assert not await web.is_reused(fields={"X-A": "1", "X-B": "2"})
