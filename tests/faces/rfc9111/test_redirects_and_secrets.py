"""Redirects that repeat what is not to be stored."""

from __future__ import annotations

import pytest

from http_client_cache.rfc9111.reasons import Reason
from tests.faces.rfc9111.web import OpenWeb, Web, only_aiohttp
from tests.support.scripted import Received, Reply, reply

FRESH = "Cache-Control: max-age=600"


def repeats(status: int) -> Reply:
    return reply(FRESH, "Location: /target?api_key=secret", status=status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_they_always_lead_where_the_origin_says(open_web: OpenWeb, status: int) -> None:
    """Stored without the key, the redirect would lead to a place that asks for one."""
    web = open_web(ignored_parameters=["api_key"])
    web.origin.answers("/", repeats(status))
    web.origin.answers(
        "/target", lambda asked: reply("Cache-Control: max-age=10", body=asked.target)
    )
    for _ in range(2):
        assert (await web.get("/?api_key=secret")).body == b"/target?api_key=secret"
        web.clock.advance(seconds=20)
    assert web.origin.count("/") == 2


async def test_they_tell_why(open_web: OpenWeb) -> None:
    web = open_web(ignored_parameters=["api_key"])
    web.origin.answers("/", repeats(301))
    seen = await web.get("/", allow_redirects=False)
    assert (seen.response.cache.refusal, seen.response.cache.stored) == (Reason.REDACTED, False)
    assert seen.headers["Location"] == "/target?api_key=secret"


@only_aiohttp("requests sends no credentials that a redirect names")
async def test_credentials(web: Web) -> None:
    there = f"//user:secret@127.0.0.1:{web.origin.port}/target"
    web.origin.answers("/", reply(FRESH, f"Location: http:{there}", status=301))

    def target(asked: Received) -> Reply:
        return reply("Cache-Control: no-store", body=asked.headers["Authorization"][:5])

    web.origin.answers("/target", target)
    for _ in range(2):
        assert (await web.get()).body == b"Basic"


async def test_pointers_that_nobody_follows(open_web: OpenWeb) -> None:
    web = open_web(ignored_parameters=["api_key"])
    web.origin.answers("/", reply(FRESH, "Content-Location: /target?api_key=secret"))
    await web.get()
    seen = await web.get()
    assert seen.from_cache
    assert seen.headers["Content-Location"].endswith("/target")
