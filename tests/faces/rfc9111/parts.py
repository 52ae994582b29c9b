"""Parts of a body, and an origin that sends them."""

from __future__ import annotations

from tests.support.scripted import Answerer, Received, Reply, reply

FRESH = "Cache-Control: max-age=60"
TAG = 'ETag: "a"'
BODY = "0123456789"


def part(first: int, last: int, *lines: str, body: str = BODY, size: str | None = None) -> Reply:
    told = f"Content-Range: bytes {first}-{last}/{size or len(body)}"
    return reply(*(lines or (FRESH, TAG)), told, status=206, body=body[first : last + 1])


def serve_ranges(*lines: str, body: str = BODY) -> Answerer:
    """An origin that knows single ranges."""

    def answer(request: Received) -> Reply:
        asked = request.headers.get("Range")
        condition = request.headers.get("If-Range")
        if asked is None or (condition is not None and f"ETag: {condition}" not in lines):
            return reply(*lines, body=body)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        return part(int(first), int(last or len(body) - 1), *lines, body=body)

    return answer
