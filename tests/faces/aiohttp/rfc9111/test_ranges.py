"""Requests for parts, and parts that are stored (RFC 9110 section 14, RFC 9111 3.3 and 3.4)."""

from __future__ import annotations

import gzip

import aiohttp
import pytest

from tests.faces.aiohttp.rfc9111.web import Web
from tests.support.scripted import Answerer, End, Received, Reply, reply

FRESH = "Cache-Control: max-age=60"
TAG = 'ETag: "a"'
BODY = "0123456789"
MODIFIED = "Thu, 31 Dec 2020 08:00:00 GMT"


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
        assert seen.response.reason == "Partial Content"
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


class TestParts:
    """Sections 3.3 and 3.4."""

    async def test_a_part_answers_what_lies_in_it(self, any_web: Web) -> None:
        web = any_web
        web.origin.answers("/", part(0, 5))
        seen = await web.get("/", {"Range": "bytes=0-5"})
        assert (seen.status, seen.body, seen.from_cache) == (206, b"012345", False)
        for asked, told, body in (
            ("bytes=0-5", "bytes 0-5/10", b"012345"),
            ("bytes=2-3", "bytes 2-3/10", b"23"),
        ):
            seen = await web.get("/", {"Range": asked})
            assert (seen.status, seen.body, seen.from_cache) == (206, body, True)
            assert seen.headers["Content-Range"] == told
        assert web.origin.count() == 1

    async def test_but_nothing_beyond_it(self, web: Web) -> None:
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        await web.get("/", {"Range": "bytes=0-4"})
        for asked, body in (("bytes=3-6", b"3456"), ("bytes=-2", b"89")):
            if asked == "bytes=-2":
                web.origin.answers("/", part(8, 9))
            seen = await web.get("/", {"Range": asked})
            assert (seen.status, seen.body) == (206, body)

    async def test_no_whole_is_made_of_a_part(self, any_web: Web) -> None:
        """A partial response is never sent as a full one."""
        web = any_web
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        await web.get("/", {"Range": "bytes=0-4"})
        seen = await web.get()
        assert (seen.status, seen.body) == (200, BODY.encode())
        assert "Content-Range" not in seen.headers
        assert seen.headers["Content-Length"] == "10"
        seen = await web.get()
        assert (seen.status, seen.body, seen.from_cache) == (200, BODY.encode(), True)

    async def test_parts_are_combined(self, any_web: Web) -> None:
        web = any_web
        web.origin.answers("/", serve_ranges(FRESH, TAG, "X-Kept: 1"))
        await web.get("/", {"Range": "bytes=0-4"})
        await web.get("/", {"Range": "bytes=5-9"})
        seen = await web.get()
        assert (seen.status, seen.body, seen.from_cache) == (200, BODY.encode(), True)
        assert seen.headers["Content-Length"] == "10"
        assert "Content-Range" not in seen.headers
        assert seen.headers["X-Kept"] == "1"
        seen = await web.get("/", {"Range": "bytes=3-6"})
        assert (seen.status, seen.body) == (206, b"3456")
        assert web.origin.count() == 2

    async def test_overlapping_parts_are_combined(self, web: Web) -> None:
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        await web.get("/", {"Range": "bytes=0-6"})
        await web.get("/", {"Range": "bytes=4-8"})
        seen = await web.get("/", {"Range": "bytes=1-8"})
        assert (seen.status, seen.body, seen.from_cache) == (206, b"12345678", True)
        assert web.origin.count() == 2

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ((FRESH, TAG), (FRESH, 'ETag: "b"')),
            ((FRESH, 'ETag: W/"a"'), (FRESH, 'ETag: W/"a"')),
            ((FRESH,), (FRESH,)),
        ],
        ids=str,
    )
    async def test_what_is_not_the_same_is_not_combined(
        self, web: Web, first: tuple[str, ...], second: tuple[str, ...]
    ) -> None:
        """Only with the same strong validator."""
        web.origin.answers("/", part(0, 4, *first, body="aaaaaaaaaa"))
        await web.get("/", {"Range": "bytes=0-4"})
        web.origin.answers("/", part(5, 9, *second, body="bbbbbbbbbb"))
        await web.get("/", {"Range": "bytes=5-9"})
        web.origin.answers("/", reply(FRESH, 'ETag: "c"', body="cccccccccc"))
        assert (await web.get()).body == b"cccccccccc"

    async def test_a_part_of_another_version_does_not_spoil_the_whole(self, web: Web) -> None:
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        web.origin.answers("/", part(0, 4, FRESH, 'ETag: "b"', body="bbbbbbbbbb"))
        await web.get("/", {"Range": "bytes=0-4", "Cache-Control": "no-cache"})
        web.origin.answers("/", reply(FRESH, 'ETag: "b"', body="bbbbbbbbbb"))
        assert (await web.get()).body in (BODY.encode(), b"bbbbbbbbbb")

    @pytest.mark.parametrize(
        "told",
        [
            "bytes 0-4",
            "bytes 0-4/3",
            "bytes 4-0/10",
            "bytes 0-5/10",
            "seconds 0-4/10",
            "garbage",
            "bytes */10",
            "",
        ],
    )
    async def test_content_ranges_that_make_no_sense(self, table_web: Web, told: str) -> None:
        """RFC 9110 section 14.4: handed over, and not stored."""
        table_web.origin.answers(
            "/", reply(FRESH, TAG, f"Content-Range: {told}", status=206, body="01234")
        )
        seen = await table_web.get("/", {"Range": "bytes=0-4"})
        assert (seen.status, seen.body) == (206, b"01234")
        table_web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        assert not await table_web.is_reused("/", {"Range": "bytes=0-4"})

    async def test_parts_expire(self, web: Web) -> None:
        web.origin.answers("/", part(0, 4))
        await web.get("/", {"Range": "bytes=0-4"})
        web.clock.advance(seconds=61)
        web.origin.answers("/", part(0, 4, FRESH, 'ETag: "b"', body="bbbbbbbbbb"))
        assert (await web.get("/", {"Range": "bytes=0-4"})).body == b"bbbbb"

    async def test_parts_that_must_not_be_stored(self, web: Web) -> None:
        web.origin.answers("/", part(0, 4, "Cache-Control: no-store", TAG))
        for _ in range(2):
            await web.get("/", {"Range": "bytes=0-4"})
        assert web.origin.count() == 2
        assert await web.backend.responses.size() == 0


class TestIncomplete:
    """Section 3.3: a body that broke off is completed, or of no use."""

    async def broken(self, web: Web, *lines: str, end: End = End.CUT_OFF) -> None:
        web.origin.answers("/", reply(*lines, body=BODY[:4], end=end, missing=6))
        response = await web.session.get(web.origin.url("/"))
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    async def test_the_rest_is_asked_for(self, any_web: Web) -> None:
        web = any_web
        await self.broken(web, FRESH, TAG)
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        seen = await web.get()
        assert (seen.status, seen.body) == (200, BODY.encode())
        assert "Content-Range" not in seen.headers
        asked = web.origin.last
        if "Range" in asked.headers:
            assert (asked.headers["Range"], asked.headers["If-Range"]) == ("bytes=4-", '"a"')
        seen = await web.get()
        assert (seen.status, seen.body, seen.from_cache) == (200, BODY.encode(), True)

    async def test_it_has_changed_meanwhile(self, web: Web) -> None:
        await self.broken(web, FRESH, TAG)
        web.origin.answers("/", serve_ranges(FRESH, 'ETag: "b"', body="abcdefghij"))
        for _ in range(2):
            seen = await web.get()
            assert (seen.status, seen.body) == (200, b"abcdefghij")

    @pytest.mark.parametrize("end", [End.CUT_OFF, End.CUT_CHUNK])
    @pytest.mark.parametrize("lines", [(FRESH,), (FRESH, 'ETag: W/"a"'), (FRESH, TAG)], ids=str)
    async def test_nobody_is_given_half_of_it(
        self, any_web: Web, lines: tuple[str, ...], end: End
    ) -> None:
        web = any_web
        await self.broken(web, *lines, end=end)
        web.origin.answers("/", serve_ranges(*lines))
        for _ in range(2):
            seen = await web.get()
            assert (seen.status, seen.body) == (200, BODY.encode())

    async def test_a_part_of_it_may_be_reused(self, web: Web) -> None:
        await self.broken(web, FRESH, TAG)
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        seen = await web.get("/", {"Range": "bytes=1-2"})
        assert (seen.status, seen.body) == (206, b"12")

    async def test_the_rest_breaks_off_too(self, web: Web) -> None:
        await self.broken(web, FRESH, TAG)
        web.origin.answers(
            "/",
            reply(
                FRESH,
                TAG,
                "Content-Range: bytes 4-9/10",
                status=206,
                body=BODY[4:6],
                end=End.CUT_OFF,
                missing=4,
            ),
            serve_ranges(FRESH, TAG),
        )
        with pytest.raises(aiohttp.ClientPayloadError):
            await web.get()
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
