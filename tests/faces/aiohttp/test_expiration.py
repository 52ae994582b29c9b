"""How long a response is kept: every way to say it, and what wins."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from aiohttp_client_cache import DO_NOT_CACHE, NEVER_EXPIRE, CachedSession
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support.clock import START, StandingClock
from tests.support.origin import Origin

EAST = timezone(timedelta(hours=5))

# (what is said, after how many seconds it ends); the clock starts at 18:00 UTC.
SPELLINGS: list[tuple[Any, float | None]] = [
    (30, 30),
    (0.5, 0.5),
    (timedelta(minutes=2), 120),
    (START + timedelta(seconds=90), 90),
    ((START + timedelta(seconds=90)).astimezone(EAST), 90),
    ((START + timedelta(seconds=90)).replace(tzinfo=None), 90),
    ("Fri, 01 Jan 2021 18:01:00 GMT", 60),
    (None, None),
    (-1, None),
    (NEVER_EXPIRE, None),
]


@pytest.mark.parametrize("where", ["backend", "session", "request", "url", "assigned"])
@pytest.mark.parametrize(("said", "seconds"), SPELLINGS, ids=str)
async def test_every_spelling_everywhere(
    origin: Origin,
    open_backend: OpenBackend,
    clock: StandingClock,
    said: Any,
    seconds: float | None,
    where: str,
) -> None:
    url = origin.url("/serial")
    backend = open_backend(
        expire_after=said if where == "backend" else None,
        urls_expire_after={"*/serial": said} if where == "url" else None,
    )
    settings = {"expire_after": said} if where == "session" else {}
    request = {"expire_after": said} if where == "request" else {}

    async with CachedSession(cache=backend, **settings) as session:
        if where == "assigned":
            session.expire_after = said
        await session.get(url, **request)
        cached = await session.get(url)
        assert cached.from_cache
        assert cached.created_at == START
        assert cached.is_expired is False
        if seconds is None:
            assert cached.expires is None
            clock.advance(days=36500)
            assert (await session.get(url)).from_cache
            return

        assert cached.expires == START + timedelta(seconds=seconds)
        clock.advance(seconds=seconds - 0.1)
        assert (await session.get(url)).from_cache
        clock.advance(seconds=0.2)
        assert not (await session.get(url)).from_cache
    assert origin.count() == 2


@pytest.mark.parametrize("where", ["backend", "session", "request", "url", "assigned"])
async def test_zero_stores_nothing(origin: Origin, open_backend: OpenBackend, where: str) -> None:
    url = origin.url("/serial")
    backend = open_backend(
        expire_after=DO_NOT_CACHE if where == "backend" else None,
        urls_expire_after={"*/serial": 0} if where == "url" else None,
    )
    settings = {"expire_after": 0} if where == "session" else {}
    request = {"expire_after": 0} if where == "request" else {}

    async with CachedSession(cache=backend, **settings) as session:
        if where == "assigned":
            session.expire_after = 0
        for _ in range(2):
            assert not (await session.get(url, **request)).from_cache
        assert await session.cache.responses.size() == 0
    assert origin.count() == 2


async def test_times_are_told_in_utc(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(expire_after=60) as session:
        await session.get(origin.url("/serial"))
        cached = await session.get(origin.url("/serial"))
        assert cached.created_at.tzinfo is UTC
        assert cached.expires.tzinfo is UTC


async def test_new_responses_have_placeholders(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(expire_after=60) as session:
        new = await session.get(origin.url("/serial"))
        assert (new.from_cache, new.created_at, new.expires, new.is_expired) == (
            False,
            None,
            None,
            None,
        )


PRECEDENCE = [
    # request, url, session, what counts
    (10, 20, 30, 10),
    (None, 20, 30, 20),
    (None, None, 30, 30),
    (None, None, None, None),
    (-1, 20, 30, None),
    (10, -1, 30, 10),
    (None, -1, 30, None),
    (10, 0, 0, 10),
    (None, 20, 0, 20),
]


@pytest.mark.parametrize(("request_says", "url_says", "session_says", "seconds"), PRECEDENCE)
async def test_precedence(
    origin: Origin,
    open_session: OpenSession,
    request_says: int | None,
    url_says: int | None,
    session_says: int | None,
    seconds: int | None,
) -> None:
    patterns = {} if url_says is None else {"127.0.0.1:*/serial": url_says}
    url = origin.url("/serial")
    async with open_session(expire_after=session_says, urls_expire_after=patterns) as session:
        await session.get(url, expire_after=request_says)
        cached = await session.get(url, expire_after=request_says)
        assert cached.from_cache
        expected = None if seconds is None else START + timedelta(seconds=seconds)
        assert cached.expires == expected


async def test_the_expiration_of_one_request_is_forgotten_after_it(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session(expire_after=60) as session:
        await session.get(origin.url("/serial/a"), expire_after=5)
        await session.get(origin.url("/serial/b"))
        cached = await session.get(origin.url("/serial/b"))
        assert cached.expires == START + timedelta(seconds=60)
        assert session.expire_after == 60


URL_PATTERNS: list[tuple[Any, str, bool]] = [
    ("example.com", "http://example.com/", True),
    ("example.com", "http://example.com/a/b?c=d", True),
    ("example.com", "http://www.example.com/", False),
    ("*.example.com", "http://www.example.com/a", True),
    ("*.example.com", "http://a.b.example.com/", True),
    ("*.example.com", "http://example.com/", False),
    ("example.com/a/", "http://example.com/a/b", True),
    ("example.com/a/", "http://example.com/b", False),
    ("example.com/*/b", "http://example.com/a/b", True),
    ("http://example.com", "http://example.com/a", True),
    ("https://example.com", "http://example.com/a", False),
    ("http*://example.com/**", "http://example.com/a/b", True),
    ("*", "http://example.com/a", True),
    ("example.com/a", "http://other.com/example.com/a", False),
    (re.compile(r"/item/\d+$"), "http://example.com/item/12", True),
    (re.compile(r"/item/\d+$"), "http://example.com/item/x", False),
]


@pytest.mark.parametrize(("pattern", "url", "matches"), URL_PATTERNS, ids=str)
async def test_url_patterns(
    names: Origin, open_session: OpenSession, pattern: Any, url: str, matches: bool
) -> None:
    async with open_session(expire_after=60, urls_expire_after={pattern: 5}) as session:
        await session.get(url)
        cached = await session.get(url)
        assert cached.expires == START + timedelta(seconds=5 if matches else 60)


async def test_the_first_pattern_that_matches_wins(
    names: Origin, open_session: OpenSession
) -> None:
    patterns = {"example.com/a": 1, "example.com": 2, "*": 3, "example.com/b": 4}
    async with open_session(urls_expire_after=patterns) as session:
        for path, seconds in (("example.com/a", 1), ("example.com/b", 2), ("other.com/b", 3)):
            await session.get(f"http://{path}")
            cached = await session.get(f"http://{path}")
            assert cached.expires == START + timedelta(seconds=seconds)


@pytest.mark.parametrize("owner", ["session", "backend"])
async def test_settings_of_a_live_session(
    names: Origin, open_session: OpenSession, clock: StandingClock, owner: str
) -> None:
    """What is set on the session is read on the backend, and the other way round."""
    async with open_session(expire_after=60) as session:
        settings = session if owner == "session" else session.cache
        assert session.expire_after == session.cache.expire_after == 60

        settings.expire_after = timedelta(seconds=5)
        settings.urls_expire_after = {"example.com": 7}
        for url, seconds in (("http://other.com/", 5), ("http://example.com/", 7)):
            await session.get(url)
            assert (await session.get(url)).expires == START + timedelta(seconds=seconds)

        assert session.expire_after == session.cache.expire_after == timedelta(seconds=5)


async def test_an_expired_response_is_replaced_when_it_is_asked_for(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    url = origin.url("/serial")
    async with open_session(expire_after=60) as session:
        await session.get(url)
        clock.advance(seconds=61)

        # Until then it stays, and says that it is expired.
        assert await session.cache.responses.size() == 1
        [stored] = [response async for response in session.cache.responses.values()]
        assert stored.is_expired is True

        new = await session.get(url)
        assert (new.from_cache, await new.read()) == (False, b"2")
        cached = await session.get(url)
        assert (cached.from_cache, await cached.read()) == (True, b"2")
        assert cached.created_at == clock.now
        assert await session.cache.responses.size() == 1
    assert origin.count() == 2


async def test_an_expired_response_whose_successor_is_not_stored_leaves(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    url = origin.url("/serial")
    async with open_session(expire_after=60) as session:
        await session.get(url)
        clock.advance(seconds=61)
        origin.out_of_order = True
        assert (await session.get(url)).status == 503
        assert await session.cache.responses.size() == 0


async def test_an_expired_response_is_validated(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    """Nothing but 304 travels when the origin still has what is stored."""
    url = origin.url("/conditional")
    async with open_session(expire_after=60) as session:
        await session.get(url)
        clock.advance(seconds=61)
        renewed = await session.get(url)
        assert (renewed.status, await renewed.text()) == (200, "validated")
        assert origin.last.headers["If-None-Match"] == '"v1"'

        clock.advance(seconds=59)
        cached = await session.get(url)
        assert cached.from_cache
        assert await cached.text() == "validated"
    assert origin.count() == 2


async def test_headers_do_not_decide(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    """Unless ``cache_control`` is asked for, the settings alone say what is kept."""
    async with open_session() as session:
        await session.get(origin.url("/no-store"))
        assert (await session.get(origin.url("/no-store"))).from_cache


async def test_a_clock_that_goes_back_makes_nothing_fresh(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    async with open_session(expire_after=60) as session:
        await session.get(origin.url("/serial"))
        clock.advance(days=-1)
        assert not (await session.get(origin.url("/serial"))).from_cache
