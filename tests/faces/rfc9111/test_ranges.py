"""Requests for parts of what is stored (RFC 9110 section 14)."""

from __future__ import annotations

import gzip

import pytest

from tests.faces.rfc9111.parts import BODY, FRESH, TAG, part, serve_ranges
from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply

MODIFIED = "Thu, 31 Dec 2020 08:00:00 GMT"


class TestOfAFullResponse:
    @pytest.mark.parametrize(
        ("asked", "told", "body"),
        [
            ("bytes=0-4", "bytes 0-4/10", b"01234"),
            ("bytes=2-2", "bytes 2-2/10", b"2"),
            ("bytes=7-", "bytes 7-9/10", b"789"),
            ("bytes=5-100", "bytes 5-9/10", b"56789"),
            ("bytes=-3", "bytes 7-9/10", b"789"),
            ("bytes=-100", "bytes 0-9/10", b"0123456789"),
            ("BYTES=0-0", "bytes 0-0/10", b"0"),
            ("bytes=0-2,3-5", "bytes 0-5/10", b"012345"),
            ("bytes= 1-3", "bytes 1-3/10", b"123"),
        ],
    )
    async def test_one_range(self, any_web: Web, asked: str, told: str, body: bytes) -> None:
        web = any_web
        web.origin.answers("/", reply(FRESH, TAG, "Content-Type: text/plain", body=BODY))
        await web.get()
        seen = await web.get("/", {"Range": asked})
        assert (seen.status, seen.body, seen.from_cache) == (206, body, True)
        assert seen.reason == "Partial Content"
        assert seen.headers.getall("Content-Range") == [told]
        assert seen.headers.getall("Content-Length") == [str(len(body))]
        for name in ("Date", "Cache-Control", "ETag", "Content-Type"):
            assert name in seen.headers
        assert (await web.get()).body == BODY.encode()
        assert web.origin.count() == 1

    @pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100-200", "bytes=-0"])
    async def test_what_cannot_be_satisfied(self, web: Web, asked: str) -> None:
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        seen = await web.get("/", {"Range": asked})
        assert (seen.status, seen.body) == (416, b"")
        assert seen.headers["Content-Range"] == "bytes */10"
        assert web.origin.count() == 1
        assert (await web.get()).status == 200

    @pytest.mark.parametrize(
        "asked", ["seconds=0-4", "bytes=5-2", "bytes=a-b", "bytes", "=", "0-4"]
    )
    async def test_what_is_ignored(self, web: Web, asked: str) -> None:
        """Another unit, or no range at all (RFC 9110 section 14.2)."""
        web.origin.answers("/", reply(FRESH, body=BODY))
        await web.get()
        seen = await web.get("/", {"Range": asked})
        assert (seen.status, seen.body) == (200, BODY.encode())

    async def test_several_ranges_are_for_the_origin(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        multipart = reply(
            "Content-Type: multipart/byteranges; boundary=x", FRESH, TAG, status=206, body="--x--"
        )
        web.origin.answers("/", multipart)
        seen = await web.get("/", {"Range": "bytes=0-1, 5-6"})
        assert (seen.status, seen.body, seen.from_cache) == (206, b"--x--", False)
        assert web.origin.last.headers["Range"] == "bytes=0-1, 5-6"
        seen = await web.get()
        assert (seen.status, seen.body, seen.from_cache) == (200, BODY.encode(), True)

    @pytest.mark.parametrize(
        ("lines", "condition", "status"),
        [
            ((TAG,), '"a"', 206),
            ((TAG,), '"b"', 200),
            ((TAG,), 'W/"a"', 200),
            (('ETag: W/"a"',), 'W/"a"', 200),
            ((f"Last-Modified: {MODIFIED}",), MODIFIED, 206),
            ((f"Last-Modified: {MODIFIED}",), "Thu, 31 Dec 2020 08:00:01 GMT", 200),
            ((), '"a"', 200),
            ((TAG,), "garbage", 200),
        ],
        ids=str,
    )
    async def test_if_range(
        self, table_web: Web, lines: tuple[str, ...], condition: str, status: int
    ) -> None:
        """RFC 9110 section 13.1.5: strong comparison; if it fails, the whole."""
        table_web.origin.answers("/", reply(FRESH, *lines, body=BODY))
        await table_web.get()
        seen = await table_web.get("/", {"Range": "bytes=0-4", "If-Range": condition})
        assert (seen.status, seen.body) == (status, BODY.encode()[: 5 if status == 206 else 10])
        assert (seen.from_cache, table_web.origin.count()) == (True, 1)

    async def test_conditions_come_first(self, web: Web) -> None:
        """RFC 9110 section 13.2.2."""
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        seen = await web.get("/", {"Range": "bytes=0-4", "If-None-Match": '"a"'})
        assert (seen.status, seen.body) == (304, b"")
        seen = await web.get("/", {"Range": "bytes=0-4", "If-None-Match": '"b"'})
        assert (seen.status, seen.body) == (206, b"01234")

    async def test_a_stale_one_is_validated(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        web.clock.advance(seconds=61)
        web.origin.answers("/", serve_ranges(FRESH, 'ETag: "new"', body="abcdefghij"))
        seen = await web.get("/", {"Range": "bytes=0-4"})
        assert seen.body == b"abcde"
        assert web.origin.count() == 2

    async def test_head_has_no_ranges(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, body=BODY))
        await web.get()
        seen = await web.head("/", {"Range": "bytes=0-4"})
        assert (seen.status, seen.headers["Content-Length"]) == (200, "10")

    async def test_ranges_of_what_was_compressed(self, web: Web) -> None:
        """They count in encoded bytes, which a client that decodes does not keep."""
        packed = gzip.compress(BODY.encode())
        web.origin.answers("/", reply(FRESH, TAG, "Content-Encoding: gzip", body=packed))
        assert (await web.get()).body == BODY.encode()
        web.origin.answers("/", reply(status=416, body=""))
        assert (await web.get("/", {"Range": "bytes=0-4"})).status == 416
        assert web.origin.last.headers["Range"] == "bytes=0-4"
        assert (await web.get()).body == BODY.encode()


async def test_ranges_of_what_is_not_stored(web: Web) -> None:
    """The caller's own Range and If-Range reach the origin."""
    web.origin.answers("/", part(0, 4))
    seen = await web.get("/", {"Range": "bytes=0-4", "If-Range": '"a"'})
    assert (seen.status, seen.body, seen.from_cache) == (206, b"01234", False)
    assert web.origin.last.headers["Range"] == "bytes=0-4"
    assert web.origin.last.headers["If-Range"] == '"a"'


async def test_a_full_answer_to_a_range_is_stored(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, TAG, body=BODY))
    seen = await web.get("/", {"Range": "bytes=0-4"})
    assert (seen.status, seen.body) == (200, BODY.encode())
    seen = await web.get()
    assert (seen.status, seen.body, seen.from_cache) == (200, BODY.encode(), True)


async def test_a_416_is_not_stored_for_others(web: Web) -> None:
    web.origin.answers(
        "/",
        reply(FRESH, "Content-Range: bytes */10", status=416, body=""),
        reply(FRESH, body=BODY),
    )
    assert (await web.get("/", {"Range": "bytes=50-"})).status == 416
    assert (await web.get()).body == BODY.encode()
