"""Serving what has expired while it is fetched anew (RFC 5861 section 3)."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.faces.rfc9111.stale import TAG, fail, outcome, stale
from tests.faces.rfc9111.web import OpenWeb, Web, eventually, only_aiohttp
from tests.support.scripted import Received, Reply, reply


async def settled(web: Web, requests: int) -> None:
    """The refresh has arrived, and what came of it is stored."""
    await web.origin.has_received(requests)

    async def replaced() -> bool:
        return (await web.get()).body != b"1"

    await eventually(replaced)


async def test_within_the_window(any_web: Web) -> None:
    web = any_web
    await stale(web, ", stale-while-revalidate=30", by=29)
    gate = asyncio.Event()
    web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "b"', gate=gate))
    for _ in range(3):
        seen = await web.get()
        assert (seen.body, seen.from_cache, seen.age) == (b"1", True, "39")
    await web.origin.has_received(2)
    gate.set()
    await settled(web, 2)
    seen = await web.get()
    assert (seen.body, seen.from_cache, seen.headers["ETag"]) == (b"2", True, '"b"')
    assert web.origin.count() == 2
    assert web.origin.last.headers["If-None-Match"] == '"a"'


async def test_beyond_it(web: Web) -> None:
    await stale(web, ", stale-while-revalidate=30", by=31)
    seen = await web.get()
    assert (seen.body, seen.from_cache) == (b"2", False)


async def test_a_304_freshens(web: Web) -> None:
    await stale(web, ", stale-while-revalidate=30")
    web.origin.answers("/", reply("Cache-Control: max-age=10", "X-New: 1", status=304))
    assert (await web.get()).body == b"1"
    await web.origin.has_received(2)

    async def freshened() -> bool:
        return "X-New" in (await web.get()).headers

    await eventually(freshened)
    seen = await web.get()
    assert (seen.body, seen.age, web.origin.count()) == (b"1", "0", 2)


@pytest.mark.parametrize("error", ["away", 503])
async def test_a_refresh_that_fails(web: Web, error: str | int) -> None:
    """Nobody hears of it, and it is tried again."""
    await stale(web, ", stale-while-revalidate=30")
    fail(web, error)
    assert (await web.get()).body == b"1"

    async def tried() -> bool:
        return web.origin.refused + web.origin.count() > 1

    await eventually(tried)
    await asyncio.sleep(0.05)
    web.origin.away = False
    web.origin.answers("/", reply("Cache-Control: max-age=10", body="new"))
    assert (await web.get()).body == b"1"
    await settled(web, 2)
    assert (await web.get()).body == b"new"


async def test_a_refresh_that_must_not_be_stored(web: Web) -> None:
    await stale(web, ", stale-while-revalidate=30")
    web.origin.answers("/", reply("Cache-Control: no-store", body="new"))
    assert (await web.get()).body == b"1"
    await settled(web, 2)
    assert await web.size() == 0


@pytest.mark.parametrize("directive", ["must-revalidate", "no-cache"])
async def test_what_must_be_validated(open_web: OpenWeb, directive: str) -> None:
    web = open_web(stale_while_revalidate=True)
    await stale(web, f", stale-while-revalidate=100, {directive}")
    assert (await web.get()).body == b"2"


@pytest.mark.parametrize("directive", ["no-cache", "max-age=5", "min-fresh=1"])
async def test_the_request_wants_none(web: Web, directive: str) -> None:
    await stale(web, ", stale-while-revalidate=100")
    assert (await web.get("/", {"Cache-Control": directive})).body == b"2"


async def test_as_a_setting(open_web: OpenWeb) -> None:
    web = open_web(stale_while_revalidate=30)
    await stale(web, "", by=29)
    assert (await web.get()).body == b"1"
    await settled(web, 2)
    web.clock.advance(seconds=41)
    assert (await web.get()).body != b"2"
    assert web.origin.count() == 3


async def test_by_url(open_web: OpenWeb) -> None:
    web = open_web(
        stale_while_revalidate=100, urls_stale_while_revalidate={re.compile("/never"): 0}
    )
    web.origin.answers("/never", reply("Cache-Control: max-age=10"))
    await web.get("/never")
    await stale(web, "")
    assert (await web.get("/never")).body == b"2"
    assert (await web.get()).body == b"1"


async def test_per_request(open_session_web: OpenWeb) -> None:
    web = open_session_web()
    await stale(web, "")
    seen = await web.get(stale_while_revalidate=100)
    assert (seen.body, seen.from_cache) == (b"1", True)
    await settled(web, 2)


async def test_each_variant_is_refreshed(web: Web) -> None:
    def answer(request: Received) -> Reply:
        line = "Cache-Control: max-age=10, stale-while-revalidate=30"
        return reply(line, "Vary: X-A", body=request.headers["X-A"])

    web.origin.answers("/", answer)
    for value in ("1", "2"):
        await web.get("/", {"X-A": value})
    web.clock.advance(seconds=20)

    async def fresh() -> bool:
        seen = [await web.get("/", {"X-A": value}) for value in ("1", "2")]
        assert [(each.from_cache, each.body) for each in seen] == [(True, b"1"), (True, b"2")]
        return {each.age for each in seen} == {"0"}

    await eventually(fresh)
    assert sorted(request.headers["X-A"] for request in web.origin.received[2:]) == ["1", "2"]


async def test_the_session_is_closed_meanwhile(web: Web) -> None:
    """Nothing hangs, nothing is left behind."""
    await stale(web, ", stale-while-revalidate=30")
    web.origin.answers("/", reply(gate=asyncio.Event()))
    assert (await web.get()).body == b"1"
    await web.origin.has_received(2)
    async with asyncio.timeout(2):
        await web.close()


async def test_both_windows(web: Web) -> None:
    """First it is served meanwhile, then only if the origin fails."""
    await stale(web, ", stale-while-revalidate=30, stale-if-error=60", by=20)
    fail(web, 503)
    assert (await web.get()).body == b"1"
    await web.origin.has_received(2)
    web.clock.advance(seconds=20)
    assert await outcome(web) == "stale"
    web.clock.advance(seconds=30)
    assert await outcome(web) == 503


@pytest.mark.parametrize(
    ("method", "fields", "status", "body"),
    [
        ("HEAD", {}, 200, b""),
        ("GET", {"If-None-Match": '"a"'}, 304, b""),
        ("GET", {"Range": "bytes=0-1"}, 206, b"ab"),
    ],
)
async def test_whatever_is_made_of_it(
    web: Web, method: str, fields: dict[str, str], status: int, body: bytes
) -> None:
    line = "Cache-Control: max-age=10, stale-while-revalidate=30"
    web.origin.answers("/", reply(line, TAG, body="abcd"), reply(line, 'ETag: "b"', body="new"))
    await web.get()
    web.clock.advance(seconds=20)
    seen = await web.request(method, "/", fields)
    assert (seen.status, seen.body, seen.from_cache, seen.age) == (status, body, True, "20")
    await web.origin.has_received(2)
    assert web.origin.last.headers["If-None-Match"] == '"a"'
    assert "Range" not in web.origin.last.headers


async def test_each_hop_of_a_redirect(web: Web) -> None:
    line = "Cache-Control: max-age=10, stale-while-revalidate=30"
    web.origin.answers("/", reply(line, "Location: /a", status=302))
    web.origin.answers("/a", reply(line))
    await web.get()
    web.clock.advance(seconds=20)
    assert (await web.get()).body == b"1"
    await settled(web, 4)
    assert (web.origin.count("/"), web.origin.count("/a")) == (2, 2)


async def test_each_user(web: Web) -> None:
    def answer(request: Received) -> Reply:
        line = "Cache-Control: max-age=10, stale-while-revalidate=30"
        return reply(line, body=request.headers["Authorization"])

    web.origin.answers("/", answer)
    users = ["Basic YTox", "Basic Yjoy"]
    for user in users:
        await web.get("/", {"Authorization": user})
    web.clock.advance(seconds=20)

    async def fresh() -> bool:
        seen = [await web.get("/", {"Authorization": user}) for user in users]
        assert [each.body.decode() for each in seen] == users
        return {each.age for each in seen} == {"0"}

    await eventually(fresh)


@only_aiohttp("an adapter knows no jar: the next hit brings the cookie")
async def test_cookies_of_a_refresh(web: Web) -> None:
    url = web.origin.url(host="localhost")
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10, stale-while-revalidate=30"),
        reply("Cache-Control: max-age=10", "Set-Cookie: a=1"),
    )
    await web.get(url)
    web.clock.advance(seconds=20)
    await web.get(url)

    async def set_() -> bool:
        return [cookie.value for cookie in web.session.cookie_jar] == ["1"]

    await eventually(set_)
