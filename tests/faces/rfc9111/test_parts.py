"""Parts that are stored, and bodies that broke off (RFC 9111 sections 3.3 and 3.4)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.parts import BODY, FRESH, TAG, part, serve_ranges
from tests.faces.rfc9111.web import BROKEN_OFF, Web
from tests.support.scripted import End, Received, Reply, reply


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
        assert await web.size() == 0

    async def test_the_whole_is_completed(self, any_web: Web) -> None:
        web = any_web
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        await web.get("/", {"Range": "bytes=0-4"})
        seen = await web.get()
        assert (seen.status, seen.body) == (200, BODY.encode())
        asked = web.origin.last.headers
        assert (asked["Range"], asked["If-Range"]) == ("bytes=5-", '"a"')
        assert "If-None-Match" not in asked

    @pytest.mark.parametrize(
        "lie",
        [
            part(7, 9),
            part(5, 9, FRESH, 'ETag: "b"', body="bbbbbbbbbb"),
            part(5, 9, FRESH),
            part(5, 11, body="012345678901"),
            reply(FRESH, TAG, "Content-Range: bytes */10", status=416, body=""),
            reply(FRESH, TAG, "Content-Range: garbage", status=206, body="56789"),
        ],
    )
    async def test_what_does_not_complete_it(self, web: Web, lie: Reply) -> None:
        """The request is made again, without a word of ranges."""

        def answer(request: Received) -> Reply:
            return lie if "Range" in request.headers else reply(FRESH, TAG, body="abcdefghij")

        web.origin.answers("/", part(0, 4))
        await web.get("/", {"Range": "bytes=0-4"})
        web.origin.answers("/", answer)
        seen = await web.get()
        assert (seen.status, seen.body) == (200, b"abcdefghij")

    async def test_parts_of_variants(self, web: Web) -> None:
        def answer(request: Received) -> Reply:
            return part(0, 4, FRESH, TAG, "Vary: X-A", body=request.headers["X-A"] * 10)

        web.origin.answers("/", answer)
        for _ in range(2):
            for value in ("1", "2"):
                seen = await web.get("/", {"Range": "bytes=0-4", "X-A": value})
                assert seen.body.decode() == value * 5
        assert web.origin.count() == 2


class TestIncomplete:
    """Section 3.3: a body that broke off is of no use to anybody."""

    async def broken(self, web: Web, *lines: str, end: End = End.CUT_OFF) -> None:
        web.origin.answers("/", reply(*lines, body=BODY[:4], end=end, missing=6))
        response = await web.open()
        with pytest.raises(BROKEN_OFF):
            await response.read()

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

    async def test_nor_is_it_passed_off_as_a_part(self, web: Web) -> None:
        await self.broken(web, FRESH, TAG)
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        for asked, body in (("bytes=1-2", b"12"), ("bytes=3-6", b"3456")):
            seen = await web.get("/", {"Range": asked})
            assert (seen.status, seen.body) == (206, body)

    async def test_what_is_stored_outlives_it(self, web: Web) -> None:
        """An answer that broke off says nothing against what may still be served."""
        web.origin.answers("/", reply(FRESH, TAG, body=BODY))
        await web.get()
        web.origin.answers("/", reply(FRESH, 'ETag: "b"', body="abc", end=End.CUT_OFF))
        with pytest.raises(BROKEN_OFF):
            await web.get("/", {"Cache-Control": "no-cache"})
        assert (await web.get()).body == BODY.encode()

    async def test_the_rest_of_a_part_breaks_off(self, web: Web) -> None:
        web.origin.answers("/", part(0, 3))
        await web.get("/", {"Range": "bytes=0-3"})
        told = "Content-Range: bytes 4-9/10"
        web.origin.answers(
            "/", reply(FRESH, TAG, told, status=206, body="45", end=End.CUT_OFF, missing=4)
        )
        with pytest.raises(BROKEN_OFF):
            await web.get()
        web.origin.answers("/", serve_ranges(FRESH, TAG))
        for _ in range(2):
            assert (await web.get()).body == BODY.encode()


@pytest.mark.parametrize("status", [304, 412, 416])
async def test_an_answer_to_what_the_caller_did_not_ask(any_web: Web, status: int) -> None:
    """Of the cache's own request for the rest; then the whole is asked for."""
    any_web.origin.answers("/", part(0, 4))
    await any_web.get("/", {"Range": "bytes=0-4"})

    def answer(request: Received) -> Reply:
        if "Range" in request.headers:
            return reply(FRESH, TAG, status=status)
        return reply(FRESH, TAG, body=BODY)

    any_web.origin.answers("/", answer)
    seen = await any_web.get()
    assert (seen.status, seen.body) == (200, BODY.encode())
