"""Several responses for one URL (RFC 9111 section 4.1)."""

from __future__ import annotations

import pytest
from aiohttp import CookieJar
from yarl import URL

from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.rfc9111.web import Fields, Web
from tests.support.clock import StandingClock
from tests.support.scripted import Answerer, Received, Reply, ScriptedOrigin, reply

FRESH = "Cache-Control: max-age=60"


def by_language() -> Answerer:
    """Answer with the language that was asked for."""

    def answer(request: Received) -> Reply:
        language = request.headers.get("Accept-Language", "none")
        return reply("Vary: Accept-Language", FRESH, body=language)

    return answer


def by_language_with_tag() -> Answerer:
    def answer(request: Received) -> Reply:
        language = request.headers["Accept-Language"]
        return reply(FRESH, "Vary: Accept-Language", f'ETag: "{language}"', body=language)

    return answer


async def test_variants_lie_side_by_side(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", by_language())
    for _ in range(3):
        for language in ("et", "de"):
            seen = await web.get("/", {"Accept-Language": language})
            assert seen.body.decode() == language
        assert (await web.get("/")).body == b"none"
    assert web.origin.count() == 3


async def test_each_ages_for_itself(web: Web) -> None:
    web.origin.answers("/", by_language())
    await web.get("/", {"Accept-Language": "et"})
    web.clock.advance(seconds=40)
    await web.get("/", {"Accept-Language": "de"})
    web.clock.advance(seconds=40)
    assert await web.is_reused("/", {"Accept-Language": "de"})
    assert not await web.is_reused("/", {"Accept-Language": "et"})


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Accept-Language", {"Accept-Language": "et,de"}, {"Accept-Language": "et, de"}),
        ("Accept-Language", {"Accept-Language": "et, de"}, {"accept-language": "ET,DE"}),
        ("accept-language", {"Accept-Language": "et"}, {"ACCEPT-LANGUAGE": " et "}),
        ("Accept", {"Accept": "text/html;q=0.5, a/b"}, {"Accept": "a/b,text/html; q=0.5"}),
        ("Accept-Encoding", {"Accept-Encoding": "gzip, br"}, {"Accept-Encoding": "br,gzip"}),
        (
            "Accept",
            {"Accept": "a/b, c/d"},
            [("Accept", "a/b"), ("Accept", "c/d")],
        ),
        ("X-Any", [("X-Any", "1"), ("X-Any", "2")], {"X-Any": "1, 2"}),
        ("X-Absent", {}, {"X-Other": "1"}),
        ("X-A, x-b", {"X-A": "1", "X-B": "2"}, {"x-a": "1", "x-b": "2"}),
        (",, X-A ,", {"X-A": "1"}, {"X-A": "1"}),
    ],
    ids=str,
)
async def test_requests_that_match(table_web: Web, name: str, one: Fields, other: Fields) -> None:
    table_web.origin.answers("/", reply(FRESH, f"Vary: {name}"))
    await table_web.get("/", one)
    assert await table_web.is_reused("/", other)


@pytest.mark.parametrize(
    ("vary", "one", "other"),
    [
        (["X-A"], {"X-A": "1"}, {"X-A": "2"}),
        (["X-A"], {"X-A": "1"}, {}),
        (["X-A"], {}, {"X-A": "1"}),
        (["X-A"], {}, {"X-A": ""}),
        (["X-A"], {"X-A": "a"}, {"X-A": "A"}),
        (["X-A"], {"X-A": "1, 2"}, {"X-A": "2, 1"}),
        (["X-A, X-B"], {"X-A": "1", "X-B": "2"}, {"X-A": "1", "X-B": "3"}),
        (["X-A", "X-B"], {"X-A": "1", "X-B": "2"}, {"X-A": "1", "X-B": "3"}),
        (["x-a"], {"X-A": "1"}, {"X-A": "2"}),
        (["Accept-Encoding"], {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}),
        (["Cookie"], {"Cookie": "a=1"}, {"Cookie": "a=2"}),
        (["User-Agent"], {"User-Agent": "one"}, {"User-Agent": "two"}),
    ],
    ids=str,
)
async def test_requests_that_do_not(
    table_web: Web, vary: list[str], one: Fields, other: Fields
) -> None:
    table_web.origin.answers("/", reply(FRESH, *[f"Vary: {names}" for names in vary]))
    await table_web.get("/", one)
    assert not await table_web.is_reused("/", other)
    assert await table_web.is_reused("/", one)


@pytest.mark.parametrize("vary", ["*", "X-A, *", "*, X-A", " * "])
async def test_a_star_matches_nothing(web: Web, vary: str) -> None:
    web.origin.answers("/", reply(FRESH, f"Vary: {vary}"))
    for _ in range(2):
        assert not await web.is_reused("/", {"X-A": "1"})


async def test_what_matches_nothing_can_be_validated(web: Web) -> None:
    """Section 4.3: `Vary: *` asks for the origin, which may say that it is the same."""
    web.origin.answers(
        "/",
        reply(FRESH, "Vary: *", 'ETag: "a"', body="kept"),
        reply(FRESH, "Vary: *", 'ETag: "a"', status=304),
    )
    await web.get()
    seen = await web.get()
    assert (seen.status, seen.body, web.origin.count()) == (200, b"kept", 2)
    assert web.origin.last.headers["If-None-Match"] == '"a"'


async def test_fields_that_are_not_named_do_not_count(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Vary: X-A"))
    await web.get("/", {"X-A": "1", "X-B": "1", "Accept-Language": "et"})
    assert await web.is_reused("/", {"X-A": "1", "X-B": "2"})


async def test_the_most_recent_of_those_that_match(web: Web) -> None:
    """Sections 4 and 4.1: by Date, not by the order of arrival."""
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=600", "Vary: X-A", f"Date: {web.origin.date(-10)}"),
        reply("Cache-Control: max-age=600", "Vary: X-B", f"Date: {web.origin.date(-100)}"),
    )
    await web.get("/", {"X-A": "1", "X-B": "1"})
    await web.get("/", {"X-A": "2", "X-B": "2"})
    # Matches both.
    seen = await web.get("/", {"X-A": "1", "X-B": "2"})
    assert (seen.from_cache, seen.body) == (True, b"1")


async def test_a_default_without_vary_does_not_hide_the_others(web: Web) -> None:
    """Section 4.1: where one says what it depends on, one that does not is not selected by all."""

    def answer(request: Received) -> Reply:
        if "X-A" in request.headers:
            return reply(FRESH, "Vary: X-A", body="special")
        return reply(FRESH, body="default")

    web.origin.answers("/", answer)
    await web.get("/", {"X-A": "1"})
    web.clock.advance(seconds=5)
    assert (await web.get("/")).body == b"default"
    seen = await web.get("/", {"X-A": "1"})
    assert (seen.from_cache, seen.body) == (True, b"special")
    assert not await web.is_reused("/", {"X-A": "2"})
    assert await web.is_reused("/")


async def test_all_tags_go_out_in_one_request(web: Web) -> None:
    """Section 4.3.1: the origin may select one of them."""
    web.origin.answers("/", by_language_with_tag())
    await web.get("/", {"Accept-Language": "et"})
    await web.get("/", {"Accept-Language": "de"})
    web.origin.answers("/", reply(FRESH, "Vary: Accept-Language", 'ETag: "de"', status=304))
    seen = await web.get("/", {"Accept-Language": "fr, de"})
    tags = web.origin.last.headers["If-None-Match"]
    assert sorted(tags.split(", ")) == ['"de"', '"et"']
    assert (seen.status, seen.body, seen.headers["ETag"]) == (200, b"de", '"de"')


async def test_a_new_variant_is_stored_beside_the_others(web: Web) -> None:
    web.origin.answers("/", by_language_with_tag())
    for _ in range(2):
        for language in ("et", "de", "fr"):
            seen = await web.get("/", {"Accept-Language": language})
            assert seen.body.decode() == language
    assert web.origin.count() == 3


async def test_a_304_freshens_the_variant_that_it_names(web: Web) -> None:
    """Section 4.3.4: and no other."""
    web.origin.answers("/", by_language_with_tag())
    for language in ("et", "de"):
        await web.get("/", {"Accept-Language": language})
    web.clock.advance(seconds=61)
    web.origin.answers(
        "/", reply(FRESH, "Vary: Accept-Language", 'ETag: "et"', "X-New: 1", status=304)
    )
    seen = await web.get("/", {"Accept-Language": "et"})
    assert (seen.body, seen.headers["X-New"]) == (b"et", "1")
    assert await web.is_reused("/", {"Accept-Language": "et"})
    web.origin.answers("/", by_language_with_tag())
    assert not await web.is_reused("/", {"Accept-Language": "de"})


async def test_a_new_answer_replaces_the_variant_of_its_fields(web: Web) -> None:
    web.origin.answers("/", reply(FRESH, "Vary: X-A"))
    await web.get("/", {"X-A": "1"})
    await web.get("/", {"X-A": "2"})
    web.clock.advance(seconds=61)
    assert (await web.get("/", {"X-A": "1"})).body == b"3"
    assert (await web.get("/", {"X-A": "1"})).body == b"3"
    assert web.origin.count() == 3


async def test_there_is_an_end_to_variants(any_web: Web) -> None:
    """Or the list of tags would outgrow what servers read, and nobody would sweep them."""

    def answer(request: Received) -> Reply:
        value = request.headers["X-A"]
        return reply(FRESH, "Vary: X-A", f'ETag: "{value * 30}"', body=value)

    any_web.origin.answers("/", answer)
    for number in range(150):
        seen = await any_web.get("/", {"X-A": str(number)})
        assert seen.body.decode() == str(number)
    assert len(any_web.origin.last.headers["If-None-Match"]) < 8000
    assert await any_web.size() < 150
    assert await any_web.is_reused("/", {"X-A": "149"})


async def test_fields_of_the_session_count(scripted: ScriptedOrigin, clock: StandingClock) -> None:
    """Those that nobody gave with the request: defaults, and cookies of the jar."""
    scripted.answers("/", reply(FRESH, "Vary: X-A, Cookie"))
    cache = CacheBackend(clock=clock, cache_control=True)
    jar = CookieJar(unsafe=True)
    async with CachedSession(cache=cache, headers={"X-A": "1"}, cookie_jar=jar) as session:

        async def is_reused(**headers: str) -> bool:
            return (await session.get(scripted.url("/"), headers=headers)).from_cache

        assert [await is_reused() for _ in range(2)] == [False, True]
        session.headers["X-A"] = "2"
        assert [await is_reused() for _ in range(2)] == [False, True]
        assert await is_reused(**{"X-A": "1"})
        jar.update_cookies({"a": "1"}, URL(scripted.url("/")))
        assert [await is_reused() for _ in range(2)] == [False, True]
