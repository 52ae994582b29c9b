"""Serving what has expired (RFC 9111 section 4.2.4, RFC 5861)."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.faces.rfc9111.stale import ERRORS, TAG, fail, outcome, stale
from tests.faces.rfc9111.web import DISCONNECTED, LOST, TOO_SLOW, UNREACHABLE, OpenWeb, Web
from tests.support.scripted import reply


class TestLostConnection:
    async def test_with_nothing_stored(self, any_web: Web) -> None:
        any_web.origin.away = True
        with pytest.raises(DISCONNECTED):
            await any_web.get()

    async def test_nobody_listens(self, open_web: OpenWeb, unused_port: int) -> None:
        web = open_web(stale_if_error=True)
        with pytest.raises(UNREACHABLE):
            await web.get(f"http://127.0.0.1:{unused_port}/")

    @pytest.mark.parametrize("directives", ["", ", must-revalidate", ", no-cache"])
    async def test_what_is_stale_is_not_served(self, any_web: Web, directives: str) -> None:
        """The error is the client's own, and is raised (sections 4.2.4 and 5.2.2.2)."""
        await stale(any_web, directives)
        any_web.origin.away = True
        with pytest.raises(DISCONNECTED):
            await any_web.get()
        any_web.origin.away = False
        any_web.origin.answers("/", reply(status=304))
        assert (await any_web.get()).body == b"1"

    async def test_what_is_fresh_is(self, web: Web) -> None:
        await stale(web, "", by=-5)
        web.origin.away = True
        assert (await web.get()).from_cache
        assert web.origin.refused == 0

    async def test_an_answer_that_makes_no_sense(self, open_web: OpenWeb) -> None:
        for allowed in (False, True):
            web = open_web(stale_if_error=allowed)
            await stale(web, "")
            web.origin.answers("/", reply(raw=b"what is this\r\n\r\n"))
            if allowed:
                assert (await web.get()).from_cache
            else:
                with pytest.raises(LOST):
                    await web.get()

    async def test_timeouts(self, open_web: OpenWeb) -> None:
        gate = asyncio.Event()
        for allowed in (False, True):
            web = open_web(stale_if_error=allowed)
            await stale(web, "")
            web.origin.answers("/", reply(gate=gate))
            timeout = web.timeout(read=0.05)
            if allowed:
                assert (await web.get(timeout=timeout)).from_cache
            else:
                with pytest.raises(TOO_SLOW):
                    await web.get(timeout=timeout)
        gate.set()


@pytest.mark.parametrize("error", ERRORS)
class TestIfError:
    """RFC 5861 section 4."""

    async def test_within_the_window(self, any_web: Web, error: str | int) -> None:
        await stale(any_web, ", stale-if-error=30", by=29)
        fail(any_web, error)
        seen = await any_web.get()
        assert (seen.status, seen.body, seen.from_cache, seen.age) == (200, b"1", True, "39")

    async def test_beyond_it(self, web: Web, error: str | int) -> None:
        await stale(web, ", stale-if-error=30", by=31)
        fail(web, error)
        assert await outcome(web) == error

    async def test_as_a_setting(self, open_web: OpenWeb, error: str | int) -> None:
        web = open_web(stale_if_error=30)
        await stale(web, "", by=29)
        fail(web, error)
        assert await outcome(web) == "stale"
        web.clock.advance(seconds=2)
        assert await outcome(web) == error

    async def test_the_response_speaks_before_the_setting(
        self, open_web: OpenWeb, error: str | int
    ) -> None:
        web = open_web(stale_if_error=True)
        await stale(web, ", stale-if-error=5", by=10)
        fail(web, error)
        assert await outcome(web) == error

    @pytest.mark.parametrize("directive", ["must-revalidate", "no-cache"])
    async def test_what_must_be_validated(
        self, open_web: OpenWeb, error: str | int, directive: str
    ) -> None:
        web = open_web(stale_if_error=True)
        await stale(web, f", stale-if-error=100, {directive}")
        fail(web, error)
        assert await outcome(web) == error
        assert await outcome(web, {"Cache-Control": "stale-if-error=100"}) == error

    async def test_the_request_allows_it(self, web: Web, error: str | int) -> None:
        await stale(web, "")
        fail(web, error)
        assert await outcome(web) == error
        assert await outcome(web, {"Cache-Control": "stale-if-error=10"}) == error
        assert await outcome(web, {"Cache-Control": "stale-if-error=30"}) == "stale"

    async def test_the_request_wants_none(self, open_web: OpenWeb, error: str | int) -> None:
        web = open_web(stale_if_error=True)
        await stale(web, "")
        fail(web, error)
        for directive in ("no-cache", "max-age=5", "min-fresh=1", "stale-if-error=5"):
            assert await outcome(web, {"Cache-Control": directive}) == error

    async def test_it_recovers(self, open_web: OpenWeb, error: str | int) -> None:
        web = open_web(stale_if_error=True)
        await stale(web, "")
        fail(web, error)
        for _ in range(2):
            assert await outcome(web) == "stale"
        web.origin.away = False
        web.origin.answers("/", reply("Cache-Control: max-age=10", body="new"))
        assert (await web.get()).body == b"new"

    async def test_a_shared_cache(self, open_web: OpenWeb, error: str | int) -> None:
        """`proxy-revalidate` and `s-maxage` forbid it there (sections 5.2.2.8 and 5.2.2.10)."""
        for shared in (False, True):
            for more in (", proxy-revalidate", ", s-maxage=10"):
                web = open_web(shared=shared, stale_if_error=True)
                web.origin.away = False
                await stale(web, more)
                fail(web, error)
                if shared:
                    assert await outcome(web) == error
                else:
                    assert (await web.get()).from_cache


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 501, 505])
async def test_other_statuses_are_answers(open_table_web: OpenWeb, status: int) -> None:
    web = open_table_web(stale_if_error=True)
    await stale(web, ", stale-if-error=100")
    web.origin.answers("/", reply(status=status))
    assert (await web.get()).status == status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((30, 30), (timedelta(seconds=30), 30), (30.0, 30)),
        *((True, None), (-1, None), (False, 0), (0, 0), (None, 0)),
    ],
    ids=str,
)
async def test_values_of_the_settings(
    open_table_web: OpenWeb, value: Any, seconds: int | None
) -> None:
    web = open_table_web(stale_if_error=value)
    await stale(web, "", by=1 if seconds == 0 else 29 if seconds else 86_400)
    fail(web, 503)
    assert await outcome(web) == (503 if seconds == 0 else "stale")
    web.clock.advance(seconds=2)
    assert await outcome(web) == ("stale" if seconds is None else 503)


async def test_by_url(open_web: OpenWeb) -> None:
    web = open_web(
        stale_if_error=15,
        urls_stale_if_error={
            "127.0.0.1:*/never": 0,
            re.compile(r"/long$"): 100,
            "127.0.0.1:*/unset": None,
        },
    )
    for path in ("/never", "/long", "/unset", "/other"):
        web.origin.answers(path, reply("Cache-Control: max-age=10"))
        await web.get(path)
    web.origin.away = True
    served: dict[int, list[str]] = {}
    for by in (5, 20):
        web.clock.advance(seconds=15)
        served[by] = []
        for path in ("/never", "/long", "/unset", "/other"):
            try:
                await web.get(path)
            except LOST:
                continue
            served[by].append(path)
    assert served == {5: ["/long", "/unset", "/other"], 20: ["/long"]}


async def test_per_request(open_session_web: OpenWeb) -> None:
    web = open_session_web()
    await stale(web, "")
    fail(web, "away")
    assert await outcome(web, stale_if_error=True) == "stale"
    assert await outcome(web, stale_if_error=30) == "stale"
    assert await outcome(web, stale_if_error=10) == "away"
    assert await outcome(web) == "away"
    web = open_session_web(stale_if_error=True)
    await stale_again(web)
    assert await outcome(web, stale_if_error=False) == "away"
    assert await outcome(web) == "stale"


async def stale_again(web: Web) -> None:
    web.origin.away = False
    await web.clear()
    web.origin.answers("/", reply("Cache-Control: max-age=10", TAG, body="1"))
    await web.get()
    web.clock.advance(seconds=30)
    web.origin.away = True


async def test_whatever_is_made_of_it(open_web: OpenWeb) -> None:
    web = open_web(stale_if_error=True)
    web.origin.answers("/", reply("Cache-Control: max-age=10", "Location: /a", status=302))
    web.origin.answers("/a", reply("Cache-Control: max-age=10", TAG, body="abc"))
    assert (await web.get()).body == b"abc"
    web.clock.advance(seconds=20)
    web.origin.away = True
    assert (await web.get()).body == b"abc"
    seen = await web.head("/a")
    assert (seen.status, seen.headers["Content-Length"]) == (200, "3")
    seen = await web.get("/a", {"Range": "bytes=0-1"})
    assert (seen.status, seen.body) == (206, b"ab")
    assert (await web.get("/a", {"If-None-Match": '"a"'})).status == 304


async def test_not_for_other_selecting_fields(open_web: OpenWeb) -> None:
    web = open_web(stale_if_error=True)
    await stale(web, "", "Vary: X-A")
    fail(web, "away")
    assert await outcome(web, {"X-A": "1"}) == "away"
    assert await outcome(web) == "stale"


async def test_expired_responses_know_it(open_session_web: OpenWeb) -> None:
    web = open_session_web(stale_if_error=True)
    await stale(web, "")
    fail(web, 503)
    response = (await web.get()).response
    assert response.is_expired is True
    assert response.expires.timestamp() == web.clock.time() - 20


@pytest.mark.parametrize("error", ERRORS)
async def test_the_setting_without_this_mode(open_any_web: OpenWeb, error: str | int) -> None:
    """There `expire_after` alone says when a response expires."""
    web = open_any_web(cache_control=False, expire_after=10, stale_if_error=30)
    web.origin.answers("/", reply("Cache-Control: no-cache, must-revalidate"))
    await web.get()
    web.clock.advance(seconds=39)
    fail(web, error)
    assert await outcome(web) == "stale"
    web.clock.advance(seconds=2)
    assert await outcome(web) == error
