"""Ranges that only the origin can answer (RFC 9110 section 14.2)."""

from __future__ import annotations

import gzip

import pytest

from tests.faces.rfc9111.web import Web
from tests.support.scripted import Received, Reply, reply

PLAIN = b"0123456789" * 10
CODED = gzip.compress(PLAIN)
LINES = ("Cache-Control: max-age=60", 'ETag: "a"')


@pytest.mark.parametrize("wanted", ["bytes=0-1", "bytes=0-1, 4-5"])
async def test_they_go_out_once(web: Web, wanted: str) -> None:
    """To validate first what is fresh, and of no use here, would take another trip."""
    coded = "," not in wanted

    def answer(request: Received) -> Reply:
        if '"a"' in request.headers.get("If-None-Match", ""):
            return reply(*LINES, status=304)
        if "Range" in request.headers:
            return reply(*LINES, "Content-Range: bytes 0-1/100", status=206, body="xy")
        coding = ("Content-Encoding: gzip",) if coded else ()
        return reply(*LINES, *coding, body=CODED if coded else PLAIN)

    web.origin.answers("/", answer)
    assert (await web.get()).body == PLAIN
    seen = await web.get(fields={"Range": wanted})
    assert (seen.status, seen.body) == (206, b"xy")
    assert web.origin.count() == 2
    assert await web.is_reused()
