"""What is stored (RFC 9111 section 3), and what of it (section 3.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web, only_aiohttp
from tests.support.files import everything_in
from tests.support.scripted import End, reply

DAY = 86_400
HEURISTICALLY_CACHEABLE = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 451, 501)
OTHERS = (201, 202, 302, 303, 307, 400, 403, 409, 418, 422, 500, 502, 503, 504)


async def test_a_fresh_response_is_reused(any_web: Web) -> None:
    any_web.origin.answers("/", reply("Cache-Control: max-age=60", "X-Kept: yes", body="text"))
    new, stored = await any_web.get(), await any_web.get()
    assert (new.from_cache, stored.from_cache) == (False, True)
    assert (stored.status, stored.body, stored.headers["X-Kept"]) == (200, b"text", "yes")
    assert any_web.origin.count() == 1


async def test_another_target_is_another_resource(web: Web) -> None:
    """Section 4: target URIs match, and the order of a query is part of them."""
    fresh = reply("Cache-Control: max-age=60")
    for path in ("/", "/a", "/A"):
        web.origin.answers(path, fresh)
    for target in ("/", "/a", "/A", "/a?x=1&y=2", "/a?y=2&x=1", "/a?x=1&y=2&x=1"):
        assert not await web.is_reused(target)
    assert await web.is_reused("/a?x=1&y=2")
    assert await web.is_reused("/a#part")


@pytest.mark.parametrize("end", [End.LENGTH, End.CHUNKED, End.CLOSED])
async def test_bodies_of_every_framing(web: Web, end: End) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60", body="whole", end=end))
    assert [(await web.get()).body for _ in range(2)] == [b"whole"] * 2
    assert web.origin.count() == 1


@pytest.mark.parametrize("status", HEURISTICALLY_CACHEABLE)
async def test_some_statuses_are_stored_without_a_word(table_web: Web, status: int) -> None:
    modified = f"Last-Modified: {table_web.origin.date(-10 * DAY)}"
    table_web.origin.answers("/", reply(modified, status=status))
    assert not await table_web.is_reused()
    assert await table_web.is_reused()
    assert (await table_web.get(allow_redirects=False)).status == status


@pytest.mark.parametrize("status", OTHERS)
async def test_others_are_not(table_web: Web, status: int) -> None:
    modified = f"Last-Modified: {table_web.origin.date(-10 * DAY)}"
    table_web.origin.answers("/", reply(modified, 'ETag: "a"', status=status))
    for _ in range(2):
        assert not await table_web.is_reused()
    assert "If-None-Match" not in table_web.origin.last.headers
    assert await table_web.size() == 0


@pytest.mark.parametrize("status", [*OTHERS, *HEURISTICALLY_CACHEABLE, 299, 499, 599])
@pytest.mark.parametrize("word", ["Cache-Control: max-age=60", "Expires: {soon}"])
async def test_any_final_status_is_stored_where_it_says_for_how_long(
    table_web: Web, status: int, word: str
) -> None:
    table_web.origin.answers("/", reply(word.format(soon=table_web.origin.date(60)), status=status))
    assert not await table_web.is_reused()
    assert await table_web.is_reused()
    assert (await table_web.get(allow_redirects=False)).status == status


@pytest.mark.parametrize("status", [302, 403, 503])
async def test_public_allows_a_guess(web: Web, status: int) -> None:
    """Section 5.2.2.9: heuristics apply to what is marked as cacheable."""
    modified = f"Last-Modified: {web.origin.date(-10 * DAY)}"
    web.origin.answers("/", reply("Cache-Control: public", modified, status=status))
    assert not await web.is_reused()
    assert await web.is_reused()


async def test_private_allows_storing_in_a_private_cache(open_web: OpenWeb) -> None:
    web = open_web()
    web.origin.answers("/", reply("Cache-Control: private, max-age=60"))
    assert not await web.is_reused()
    assert await web.is_reused()


async def test_private_forbids_it_in_a_shared_cache(open_web: OpenWeb) -> None:
    web = open_web(shared=True)
    web.origin.answers("/", reply("Cache-Control: private, max-age=60"))
    for _ in range(2):
        assert not await web.is_reused()


@pytest.mark.parametrize("status", [428, 429, 431, 511])
async def test_statuses_that_are_never_stored(web: Web, status: int) -> None:
    """RFC 6585 sections 3 to 6."""
    web.origin.answers("/", reply("Cache-Control: max-age=60", status=status))
    for _ in range(2):
        assert not await web.is_reused()


async def test_nothing_that_could_be_of_use(web: Web) -> None:
    """Neither freshness nor a validator: section 3, last note."""
    web.origin.answers("/", reply())
    for _ in range(2):
        assert not await web.is_reused()


@pytest.mark.parametrize(
    "lines",
    [
        ("Cache-Control: no-store",),
        ("Cache-Control: no-store, max-age=60",),
        ("Cache-Control: max-age=60, NO-STORE",),
        ("Cache-Control: max-age=60", "Cache-Control: no-store"),
        ('Cache-Control: max-age=60, no-store="why"',),
        ("Cache-Control: public, no-store, max-age=60",),
    ],
    ids=str,
)
async def test_no_store_in_a_response(any_web: Web, lines: tuple[str, ...]) -> None:
    any_web.origin.answers("/", reply(*lines, 'ETag: "a"'))
    for _ in range(2):
        assert not await any_web.is_reused()
    assert "If-None-Match" not in any_web.origin.last.headers
    assert await any_web.size() == 0


async def test_no_store_leaves_nothing_in_files(open_any_web: OpenWeb, tmp_path: Path) -> None:
    """Sections 5.2.1.5 and 5.2.2.5: neither of the response nor of the request."""
    web = open_any_web()
    web.origin.answers("/kept", reply("Cache-Control: max-age=60", body="kept body"))
    web.origin.answers("/first", reply("Cache-Control: no-store, max-age=60", body="hush one"))
    web.origin.answers("/second", reply("Cache-Control: max-age=60", body="hush two"))
    await web.get("/kept")
    await web.get("/first?hush=three", {"X-Hush": "hush four"})
    await web.get("/second?hush=five", {"Cache-Control": "no-store", "X-Hush": "hush six"})
    assert await web.size() == 1
    await web.close()
    contents = everything_in(tmp_path)
    assert b"hush" not in contents
    assert (b"kept body" in contents) == bool(contents)


async def test_no_store_in_a_refetch_takes_what_is_stored_with_it(any_web: Web) -> None:
    web = any_web
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=60", 'ETag: "a"'),
        reply("Cache-Control: no-store", 'ETag: "b"'),
    )
    await web.get()
    web.clock.advance(seconds=61)
    assert (await web.get()).body == b"2"
    assert await web.size() == 0
    assert (await web.get()).body == b"3"
    assert "If-None-Match" not in web.origin.last.headers


async def test_no_store_in_a_request_stores_nothing(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    for _ in range(2):
        assert not await web.is_reused("/", {"Cache-Control": "no-store"})
    assert not await web.is_reused()
    assert await web.is_reused()


async def test_no_store_in_a_request_leaves_what_is_stored(web: Web) -> None:
    """Section 5.2.1.5, last paragraph."""
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    await web.get()
    await web.get("/", {"Cache-Control": "no-store"})
    await web.get("/", {"Cache-Control": "no-store, no-cache"})
    seen = await web.get()
    assert (seen.from_cache, seen.body) == (True, b"1")


async def test_must_understand(web: Web) -> None:
    """Section 5.2.2.3: it overrules `no-store` where the status is understood, and only there."""
    understood = reply("Cache-Control: must-understand, no-store, max-age=60")
    web.origin.answers("/known", understood)
    web.origin.answers("/unknown", reply("Cache-Control: must-understand, max-age=60", status=299))
    assert not await web.is_reused("/known")
    assert await web.is_reused("/known")
    for _ in range(2):
        assert not await web.is_reused("/unknown")


async def test_what_was_given_a_cookie_is_stored(web: Web) -> None:
    """Set-Cookie forbids nothing (RFC 9111 section 7.3)."""
    web.origin.answers("/", reply("Cache-Control: max-age=60", "Set-Cookie: a=1"))
    assert not await web.is_reused()
    assert (await web.get()).cookies["a"] == "1"
    assert web.origin.count() == 1


class TestFields:
    """Section 3.1."""

    async def test_all_fields_are_stored(self, any_web: Web) -> None:
        any_web.origin.answers(
            "/",
            reply(
                "Cache-Control: max-age=60, community=UCI",
                "X-Repeated: a",
                "x-repeated: b",
                "X-Empty:",
                b"X-Latin: caf\xe9",
                "Content-Language: et",
                "Warning: 199 - old",
            ),
        )
        new, stored = await any_web.get(), await any_web.get()
        assert stored.from_cache
        before = [pair for pair in new.raw_headers if pair[0] != b"Age"]
        after = [pair for pair in stored.raw_headers if pair[0] != b"Age"]
        assert after == before

    async def test_those_of_one_connection_are_not(self, web: Web) -> None:
        web.origin.answers(
            "/",
            reply(
                "Cache-Control: max-age=60",
                "Connection: keep-alive, X-Hop",
                "Connection: x-other-hop",
                "Keep-Alive: timeout=5",
                "X-Hop: 1",
                "X-Other-Hop: 2",
                "Proxy-Authenticate: Basic",
                "Proxy-Authentication-Info: x=1",
                "Proxy-Connection: keep-alive",
                "X-Kept: 3",
            ),
        )
        await web.get()
        stored = await web.get()
        assert stored.from_cache
        assert stored.headers["X-Kept"] == "3"
        for name in ("Connection", "Keep-Alive", "X-Hop", "X-Other-Hop"):
            assert name not in stored.headers
        assert not [name for name in stored.headers if name.lower().startswith("proxy-")]

    async def test_connection_cannot_take_away_what_the_rest_depends_on(self, web: Web) -> None:
        """A field that decides about reuse counts, whoever lists it."""
        web.origin.answers(
            "/", reply("Cache-Control: max-age=5", "Connection: Cache-Control, Vary", "Vary: X-A")
        )
        await web.get("/", {"X-A": "1"})
        assert not await web.is_reused("/", {"X-A": "2"})
        assert await web.is_reused("/", {"X-A": "1"})
        web.clock.advance(seconds=6)
        assert not await web.is_reused("/", {"X-A": "1"})

    @pytest.mark.parametrize("names", ['"X-Secret"', '"x-other, x-secret"', "X-SECRET"])
    async def test_those_that_no_cache_names_are_not_reused(self, web: Web, names: str) -> None:
        """Section 5.2.2.4: excluded, unless the response is validated."""
        web.origin.answers(
            "/",
            reply(f"Cache-Control: max-age=60, no-cache={names}", "X-Secret: s", "X-Kept: k"),
        )
        assert (await web.get()).headers["X-Secret"] == "s"
        again = await web.get()
        assert again.headers["X-Kept"] == "k"
        assert ("X-Secret" in again.headers) == (not again.from_cache)

    async def test_those_that_private_names(self, open_web: OpenWeb) -> None:
        """Section 5.2.2.7: a shared cache must not store them, a private one has to."""
        lines = ('Cache-Control: max-age=60, private="x-secret"', "X-Secret: s")
        for shared in (False, True):
            web = open_web(shared=shared)
            web.origin.answers("/", reply(*lines))
            await web.get()
            again = await web.get()
            if shared:
                assert ("X-Secret" in again.headers) == (not again.from_cache)
            else:
                assert again.from_cache
                assert again.headers["X-Secret"] == "s"

    async def test_trailers_are_no_header_fields(self, web: Web) -> None:
        web.origin.answers(
            "/",
            reply(
                "Cache-Control: max-age=60",
                "Trailer: X-Trailer, Cache-Control",
                end=End.CHUNKED,
                body="chunked",
                trailers=("X-Trailer: late", "Cache-Control: no-store", "X-Kept: late"),
            ),
        )
        await web.get()
        stored = await web.get()
        assert (stored.from_cache, stored.body) == (True, b"chunked")
        assert "X-Trailer" not in stored.headers
        assert "X-Kept" not in stored.headers
        assert stored.headers.getall("Cache-Control") == ["max-age=60"]

    @only_aiohttp("http.client takes some for the final response")
    async def test_interim_responses_are_not_stored(self, web: Web) -> None:
        early = ("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "X-Early: 1")
        carry_on = ("HTTP/1.1 102 Processing", "Cache-Control: no-store")
        web.origin.answers(
            "/", reply("Cache-Control: max-age=60", interim=(early, carry_on), body="final")
        )
        new, stored = await web.get(), await web.get()
        assert (new.status, new.body) == (200, b"final")
        assert (stored.status, stored.body, stored.from_cache) == (200, b"final", True)
        assert "X-Early" not in stored.headers
        assert stored.headers.getall("Cache-Control") == ["max-age=60"]
