"""A stale response, and an origin that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.faces.rfc9111.web import LOST, Web
from tests.support.scripted import reply

TAG = 'ETag: "a"'


async def stale(web: Web, directives: str, *lines: str, by: float = 20) -> None:
    """Store a response, and wait until it has been stale for some seconds."""
    web.origin.answers("/", reply(f"Cache-Control: max-age=10{directives}", TAG, *lines))
    await web.get()
    web.clock.advance(seconds=10 + by)


ERRORS = ("away", 500, 502, 503, 504)


def fail(web: Web, error: str | int) -> None:
    web.origin.away = error == "away"
    if isinstance(error, int):
        web.origin.answers("/", reply(status=error, body="failed"))


async def outcome(web: Web, fields: Mapping[str, str] | None = None, **kwargs: Any) -> str | int:
    """`stale`, or what else came of it."""
    try:
        seen = await web.get("/", fields, **kwargs)
    except LOST:
        return "away"
    if seen.status != 200:
        assert not seen.from_cache
        return seen.status
    assert (seen.body, seen.from_cache) == (b"1", True)
    return "stale"
