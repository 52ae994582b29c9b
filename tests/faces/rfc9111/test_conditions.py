"""The caller's own conditional requests (RFC 9111 section 4.3.2, RFC 9110 section 13)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import Web
from tests.support.scripted import Received, Reply, reply

FRESH = "Cache-Control: max-age=60"
MODIFIED = "Thu, 31 Dec 2020 08:00:00 GMT"
EARLIER = "Thu, 31 Dec 2020 07:59:59 GMT"
LATER = "Thu, 31 Dec 2020 08:00:01 GMT"
BOTH = (FRESH, 'ETag: "a"', f"Last-Modified: {MODIFIED}")


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (BOTH, {"If-None-Match": '"a"'}),
        (BOTH, {"If-None-Match": 'W/"a"'}),
        (BOTH, {"If-None-Match": '"x", "a" , W/"y"'}),
        (BOTH, {"If-None-Match": '"x, y","a"'}),
        (BOTH, {"If-None-Match": "*"}),
        (BOTH, {"If-None-Match": '"a"', "If-Modified-Since": EARLIER}),
        ((FRESH, 'ETag: W/"a"'), {"If-None-Match": '"a"'}),
        (BOTH, {"If-Modified-Since": MODIFIED}),
        (BOTH, {"If-Modified-Since": LATER}),
        (BOTH, {"If-Modified-Since": "Thursday, 31-Dec-20 08:00:00 GMT"}),
        ((FRESH,), {"If-Modified-Since": "Fri, 01 Jan 2021 18:00:00 GMT"}),
    ],
    ids=str,
)
async def test_whoever_has_it_is_told_so(
    any_web: Web, lines: tuple[str, ...], fields: dict[str, str]
) -> None:
    any_web.origin.answers("/", reply(*lines, "Content-Location: /b", "X-Other: 1", body="kept"))
    await any_web.get()
    seen = await any_web.get("/", fields)
    assert (seen.status, seen.body, seen.from_cache) == (304, b"", True)
    assert seen.reason == "Not Modified"
    assert any_web.origin.count() == 1
    for name in ("Cache-Control", "Date", "Content-Location"):
        assert name in seen.headers
    if 'ETag: "a"' in lines:
        assert seen.headers["ETag"] == '"a"'
    assert (await any_web.get()).body == b"kept"


@pytest.mark.parametrize(
    "fields",
    [
        {"If-None-Match": '"b"'},
        {"If-None-Match": '"b"', "If-Modified-Since": LATER},
        {"If-None-Match": '"A"'},
        {"If-None-Match": '"a b"'},
        {"If-Modified-Since": EARLIER},
        {"If-Modified-Since": "garbage"},
        {"If-Modified-Since": ""},
    ],
    ids=str,
)
async def test_whoever_has_not_is_given_it(table_web: Web, fields: dict[str, str]) -> None:
    table_web.origin.answers("/", reply(*BOTH, body="kept"))
    await table_web.get()
    seen = await table_web.get("/", fields)
    assert (seen.status, seen.body, seen.from_cache) == (200, b"kept", True)
    assert table_web.origin.count() == 1


async def test_the_date_stands_in_for_the_modification(web: Web) -> None:
    """Section 4.3.2, last but one paragraph."""
    web.origin.answers("/", reply(FRESH))
    await web.get()
    assert (await web.get("/", {"If-Modified-Since": web.origin.date(-1)})).status == 200
    assert (await web.get("/", {"If-Modified-Since": web.origin.date(0)})).status == 304


@pytest.mark.parametrize(
    "fields",
    [
        {"If-Match": '"a"'},
        {"If-Match": '"b"'},
        {"If-Unmodified-Since": MODIFIED},
        {"If-Unmodified-Since": EARLIER},
        {"If-Match": '"a"', "If-None-Match": '"a"'},
    ],
    ids=str,
)
async def test_what_only_the_origin_can_weigh_goes_there(web: Web, fields: dict[str, str]) -> None:
    web.origin.answers("/", reply(*BOTH, body="kept"))
    await web.get()
    web.origin.answers("/", reply(status=412, body=""))
    assert (await web.get("/", fields)).status == 412
    for name, value in fields.items():
        assert web.origin.last.headers[name] == value
    assert (await web.get()).body == b"kept"


@pytest.mark.parametrize(
    "fields",
    [{"If-None-Match": '"a"'}, {"If-Modified-Since": MODIFIED}, {"If-None-Match": "*"}],
    ids=str,
)
async def test_with_nothing_stored_they_go_to_the_origin(web: Web, fields: dict[str, str]) -> None:
    """And a 304 is the caller's, and not stored."""
    web.origin.answers("/", reply(*BOTH, status=304), reply(*BOTH, body="full"))
    seen = await web.get("/", fields)
    assert (seen.status, seen.body, seen.from_cache) == (304, b"", False)
    for name, value in fields.items():
        assert web.origin.last.headers[name] == value
    seen = await web.get()
    assert (seen.status, seen.body, seen.from_cache) == (200, b"full", False)


async def test_a_full_answer_to_them_is_stored(web: Web) -> None:
    web.origin.answers("/", reply(*BOTH, body="full"))
    assert (await web.get("/", {"If-None-Match": '"old"'})).body == b"full"
    seen = await web.get()
    assert (seen.body, seen.from_cache) == (b"full", True)


class TestWhenItIsStale:
    """Section 4.3.2: the lists of tags become one."""

    async def stale(self, web: Web) -> None:
        web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "a"', body="kept"))
        await web.get()
        web.clock.advance(seconds=20)

    async def test_the_origin_vouches_for_what_is_stored(self, web: Web) -> None:
        """The caller does not have it, so it is given it."""
        await self.stale(web)
        web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "a"', status=304))
        seen = await web.get("/", {"If-None-Match": '"theirs"'})
        assert (seen.status, seen.body) == (200, b"kept")
        sent = web.origin.last.headers["If-None-Match"]
        assert sorted(sent.split(", ")) == ['"a"', '"theirs"']
        assert await web.is_reused()

    async def test_the_origin_vouches_for_what_the_caller_has(self, web: Web) -> None:
        await self.stale(web)
        web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "theirs"', status=304))
        seen = await web.get("/", {"If-None-Match": '"theirs"'})
        assert (seen.status, seen.body) == (304, b"")
        web.origin.answers("/", reply("Cache-Control: max-age=10", body="new"))
        assert (await web.get()).body == b"new"

    async def test_both_have_it(self, web: Web) -> None:
        await self.stale(web)
        web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "a"', status=304))
        seen = await web.get("/", {"If-None-Match": '"a"'})
        assert (seen.status, seen.body) == (304, b"")
        seen = await web.get()
        assert (seen.status, seen.body, seen.from_cache) == (200, b"kept", True)
        assert web.origin.count() == 2

    async def test_nobody_has_it(self, web: Web) -> None:
        await self.stale(web)
        web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "new"', body="new"))
        seen = await web.get("/", {"If-None-Match": '"theirs"'})
        assert (seen.status, seen.body, seen.from_cache) == (200, b"new", False)
        assert await web.is_reused()

    async def test_by_modification(self, web: Web) -> None:
        lines = ("Cache-Control: max-age=10", f"Last-Modified: {MODIFIED}")
        web.origin.answers("/", reply(*lines, body="kept"))
        await web.get()
        web.clock.advance(seconds=20)

        def answer(request: Received) -> Reply:
            since = request.headers.get("If-Modified-Since")
            return reply(*lines, status=200 if since in (None, EARLIER) else 304, body="kept")

        web.origin.answers("/", answer)
        seen = await web.get("/", {"If-Modified-Since": LATER})
        assert (seen.status, seen.body) == (304, b"")
        web.clock.advance(seconds=20)
        seen = await web.get("/", {"If-Modified-Since": EARLIER})
        assert (seen.status, seen.body) == (200, b"kept")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_conditions_of_other_methods_are_left_alone(web: Web, method: str) -> None:
    web.origin.answers("/", reply(*BOTH, body="kept"), reply(status=412))
    await web.get()
    fields = {"If-None-Match": "*", "If-Modified-Since": MODIFIED}
    assert (await web.request(method, "/", fields)).status == 412
    assert [web.origin.last.headers[name] for name in fields] == ["*", MODIFIED]


async def test_errors_are_no_answer_to_them(web: Web) -> None:
    """RFC 9110 section 13.2.1: conditions count where the answer would be a success."""
    web.origin.answers("/", reply(*BOTH, status=404))
    await web.get()
    seen = await web.get("/", {"If-None-Match": '"a"'})
    assert (seen.status, seen.from_cache) == (404, True)
