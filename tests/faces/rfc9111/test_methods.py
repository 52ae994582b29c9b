"""Which methods the cache answers, and what HEAD says of a stored GET (sections 4, 4.3.5)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import Received, Reply, reply

FRESH = "Cache-Control: max-age=60"


class TestHead:
    async def test_it_is_answered_from_a_stored_get(self, any_web: Web) -> None:
        web = any_web
        web.origin.answers("/", reply(FRESH, "X-Kept: 1", body="five5"))
        await web.get()
        seen = await web.head()
        assert (seen.status, seen.body, seen.from_cache) == (200, b"", True)
        assert (seen.headers["X-Kept"], seen.headers["Content-Length"]) == ("1", "5")
        assert seen.method == "HEAD"
        assert (await web.get()).body == b"five5"
        assert web.origin.count() == 1

    async def test_it_is_answered_from_a_stored_head(self, any_web: Web) -> None:
        web = any_web
        web.origin.answers("/", reply(FRESH, body="five5"))
        await web.head()
        seen = await web.head()
        assert (seen.status, seen.body, seen.from_cache) == (200, b"", True)
        assert seen.headers["Content-Length"] == "5"

    async def test_get_is_not(self, web: Web) -> None:
        """Section 4: what has no content is no answer to GET."""
        web.origin.answers("/", reply(FRESH, body="five5"))
        await web.head()
        seen = await web.get()
        assert (seen.body, seen.from_cache) == (b"five5", False)
        assert [request.method for request in web.origin.received] == ["HEAD", "GET"]

    async def test_a_stale_one_is_asked_for_again(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, 'ETag: "a"'))
        await web.get()
        web.clock.advance(seconds=61)
        assert (await web.head()).status == 200
        assert [request.method for request in web.origin.received] == ["GET", "HEAD"]

    async def test_a_304_to_it_validates(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, 'ETag: "a"', body="five5"), reply(FRESH, status=304))
        await web.get()
        web.clock.advance(seconds=61)
        seen = await web.head()
        assert (seen.status, seen.body) == (200, b"")

    async def test_the_more_recent_one_answers(self, web: Web) -> None:
        """Be it the answer to GET or to HEAD."""

        def answer(request: Received) -> Reply:
            return reply(FRESH, f'ETag: "{request.method}"')

        web.origin.answers("/", answer)
        await web.head()
        web.clock.advance(seconds=1)
        await web.get()
        assert (await web.head()).headers["ETag"] == '"GET"'
        assert web.origin.count() == 2

    async def test_it_varies_as_get_does(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, "Vary: X-A"))
        await web.get("/", {"X-A": "1"})
        assert (await web.head("/", {"X-A": "1"})).from_cache
        assert not (await web.head("/", {"X-A": "2"})).from_cache


class TestWhatHeadSaysOfGet:
    """Section 4.3.5."""

    STORED = (FRESH, 'ETag: "a"', "Last-Modified: Thu, 31 Dec 2020 08:00:00 GMT")

    async def ask_head(self, web: Web, *lines: str, status: int = 200, body: str = "four") -> None:
        def answer(request: Received) -> Reply:
            if request.method == "HEAD":
                return reply(*lines, status=status, body=body)
            return reply(*self.STORED, body="four")

        web.origin.answers("/", answer)
        await web.get()
        assert await web.is_reused()
        # It has to reach the origin.
        await web.head("/", {"Cache-Control": "no-cache"})
        assert web.origin.last.method == "HEAD"

    @pytest.mark.parametrize(
        "lines",
        [
            ('ETag: "b"',),
            ("Last-Modified: Thu, 31 Dec 2020 09:00:00 GMT",),
            ('ETag: "a"', "Content-Length: 5"),
        ],
        ids=str,
    )
    async def test_it_has_changed(self, web: Web, lines: tuple[str, ...]) -> None:
        await self.ask_head(web, FRESH, *lines)
        assert not await web.is_reused()

    async def test_it_is_the_same(self, web: Web) -> None:
        """And takes over the fields."""
        await self.ask_head(web, "Cache-Control: max-age=600", 'ETag: "a"', "X-New: 1")
        web.clock.advance(seconds=300)
        seen = await web.get()
        assert (seen.from_cache, seen.body, seen.headers["X-New"]) == (True, b"four", "1")
        assert seen.headers.getall("Cache-Control") == ["max-age=600"]
        assert seen.headers.getall("Content-Length") == ["4"]

    @pytest.mark.parametrize("status", [404, 500, 302])
    async def test_errors_say_nothing(self, web: Web, status: int) -> None:
        await self.ask_head(web, 'ETag: "b"', status=status)
        seen = await web.get()
        assert (seen.from_cache, seen.body) == (True, b"four")

    async def test_only_what_it_could_have_selected(self, web: Web) -> None:
        def answer(request: Received) -> Reply:
            return reply(FRESH, "Vary: X-A", f'ETag: "{request.method}"')

        web.origin.answers("/", answer)
        for value in ("1", "2"):
            await web.get("/", {"X-A": value})
        await web.head("/", {"X-A": "1", "Cache-Control": "no-cache"})
        assert await web.is_reused("/", {"X-A": "2"})
        assert not await web.is_reused("/", {"X-A": "1"})


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FROBNICATE"]
)
async def test_others_are_written_through(any_web: Web, method: str) -> None:
    """Section 4: each goes to the origin, whatever is stored; and is stored for none."""
    web = any_web
    web.origin.answers("/", reply(FRESH, 'ETag: "a"'))
    for _ in range(2):
        assert not (await web.request(method)).from_cache
    assert web.origin.count() == 2
    assert not (await web.get()).from_cache


class TestPost:
    """RFC 9110 section 9.3.3: only for later GETs, and only where it says so twice."""

    async def post(self, web: Web, *lines: str) -> None:
        def answer(request: Received) -> Reply:
            return reply(*lines) if request.method == "POST" else reply(FRESH)

        web.origin.answers("/", answer)
        web.origin.answers("/a", answer)
        assert (await web.request("POST", data=b"question")).body == b"1"

    async def test_what_answers_a_later_get(self, web: Web) -> None:
        await self.post(web, FRESH, "Content-Location: /")
        seen = await web.get()
        assert (seen.from_cache, seen.body) == (True, b"1")

    async def test_but_no_later_post(self, web: Web) -> None:
        await self.post(web, FRESH, "Content-Location: /")
        seen = await web.request("POST", data=b"question")
        assert (seen.from_cache, seen.body) == (False, b"2")

    @pytest.mark.parametrize(
        "lines",
        [
            (FRESH,),
            ("Content-Location: /",),
            (FRESH, "Content-Location: /a"),
            ("Cache-Control: no-store, max-age=60", "Content-Location: /"),
            ("Cache-Control: max-age=0", "Content-Location: /"),
        ],
        ids=str,
    )
    async def test_what_does_not(self, web: Web, lines: tuple[str, ...]) -> None:
        await self.post(web, *lines)
        assert not await web.is_reused()


async def test_the_house_allows_fewer(open_web: OpenWeb) -> None:
    web = open_web(allowed_methods=["HEAD"])
    web.origin.answers("/", reply(FRESH))
    for _ in range(2):
        assert not await web.is_reused()
    await web.head()
    assert (await web.head()).from_cache


async def test_the_house_cannot_allow_more_than_the_rfc(open_web: OpenWeb) -> None:
    """A set list only refuses; unsafe requests are written through in any case."""
    web = open_web(allowed_methods=["GET", "POST", "PUT"])
    web.origin.answers("/", reply(FRESH))
    for method in ("POST", "PUT"):
        for _ in range(2):
            assert not (await web.request(method)).from_cache
    assert web.origin.count() == 4
