"""What `Cache-Control` says is done, and what `max_age` says where it is silent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from acachecontrol import AsyncCache, AsyncCacheControl
from tests.support.clock import StandingClock
from tests.support.scripted import Received, Reply, ScriptedOrigin, reply

Open = Callable[..., AsyncCacheControl]


@pytest.fixture
async def open_session(clock: StandingClock) -> AsyncIterator[Open]:
    """Open sessions, each with a cache of its own that is configured so."""
    async with AsyncExitStack() as opened:

        def open_session(**config: Any) -> AsyncCacheControl:
            session = AsyncCacheControl(AsyncCache(config, clock=clock))
            opened.push_async_callback(session.close)
            return session

        yield open_session


async def get(session: AsyncCacheControl, url: str, **headers: str) -> str:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.get(url, headers=fields) as resp:
        return await resp.text()


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("Cache-Control: max-age=10", 10),
        ('cache-control: public, MAX-AGE="600"', 600),
        ("Cache-Control: private, max-age=300", 300),
        # A private cache of one user.
        ("Cache-Control: s-maxage=10", 120),
        ("X-Nothing: to do with it", 120),
        ("Cache-Control: max-age=soon", 0),
        ("Cache-Control: no-cache", 0),
        ("Cache-Control: no-store", 0),
        ("Expires: 0", 0),
    ],
)
async def test_how_long_a_response_is_fresh(
    session: AsyncCacheControl,
    scripted: ScriptedOrigin,
    clock: StandingClock,
    line: str,
    seconds: int,
) -> None:
    scripted.answers("/", reply(line))
    assert await get(session, scripted.url()) == "1"
    if seconds:
        clock.advance(seconds=seconds - 1)
        assert await get(session, scripted.url()) == "1"
        clock.advance(seconds=1)
    assert await get(session, scripted.url()) == "2"


@pytest.mark.parametrize("line", ["Cache-Control: max-age=10", "Expires: {}"])
async def test_header_fields_come_before_max_age(
    open_session: Open, scripted: ScriptedOrigin, clock: StandingClock, line: str
) -> None:
    scripted.answers("/", reply(line.format(scripted.date(10))))
    session = open_session(max_age=3600)
    assert await get(session, scripted.url()) == "1"
    clock.advance(seconds=10)
    assert await get(session, scripted.url()) == "2"


@pytest.mark.parametrize("max_age", [1, 2.5, 3600])
async def test_max_age(
    open_session: Open, scripted: ScriptedOrigin, clock: StandingClock, max_age: float
) -> None:
    scripted.answers("/", reply())
    session = open_session(max_age=max_age)
    assert await get(session, scripted.url()) == "1"
    clock.advance(seconds=max_age - 0.5)
    assert await get(session, scripted.url()) == "1"
    clock.advance(seconds=0.5)
    assert await get(session, scripted.url()) == "2"


async def test_a_max_age_of_0_is_for_the_silent_alone(
    open_session: Open, scripted: ScriptedOrigin
) -> None:
    session = open_session(max_age=0)
    scripted.answers("/silent", reply())
    scripted.answers("/clear", reply("Cache-Control: max-age=10"))
    assert [await get(session, scripted.url("/silent")) for _ in range(2)] == ["1", "2"]
    assert [await get(session, scripted.url("/clear")) for _ in range(2)] == ["1", "1"]


async def test_without_max_age_the_silent_are_left_to_the_rfc(
    open_session: Open, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    session = open_session(max_age=None)
    scripted.answers("/silent", reply())
    scripted.answers("/old", reply(f"Last-Modified: {scripted.date(-1000)}"))
    assert [await get(session, scripted.url("/silent")) for _ in range(2)] == ["1", "2"]
    assert await get(session, scripted.url("/old")) == "1"
    clock.advance(seconds=99)
    assert await get(session, scripted.url("/old")) == "1"
    clock.advance(seconds=2)
    assert await get(session, scripted.url("/old")) == "2"


async def test_an_expired_response_is_validated(
    session: AsyncCacheControl, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    def answer(request: Received) -> Reply:
        lines = ('ETag: "v1"', "Cache-Control: max-age=10")
        if request.headers.get("If-None-Match") == '"v1"':
            return reply(*lines, "X-Answer: second", status=304)
        return reply(*lines, body="the page")

    scripted.answers("/", answer)
    assert await get(session, scripted.url()) == "the page"
    clock.advance(seconds=11)
    async with session.get(scripted.url()) as resp:
        assert (resp.status, resp.headers["X-Answer"]) == (200, "second")
        assert await resp.text() == "the page"
    assert await get(session, scripted.url()) == "the page"
    assert scripted.count() == 2


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_unsafe_methods_invalidate(
    session: AsyncCacheControl, scripted: ScriptedOrigin, method: str
) -> None:
    scripted.answers("/", lambda request: reply(body=request.method))
    scripted.answers("/other", reply())
    await get(session, scripted.url())
    await get(session, scripted.url("/other"))
    assert len(session.cache.cache_backend) == 2
    async with getattr(session, method)(scripted.url()) as resp:
        assert resp.status == 200
    assert len(session.cache.cache_backend) == 1
    await get(session, scripted.url())
    await get(session, scripted.url("/other"))
    assert scripted.count("/", method="GET") == 2
    assert scripted.count("/other") == 1


async def test_requests_have_directives_too(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", reply("Cache-Control: max-age=60"))
    url = scripted.url()
    async with session.get(url, headers={"Cache-Control": "only-if-cached"}) as resp:
        assert resp.status == 504
    assert await get(session, url) == "1"
    assert await get(session, url, Cache_Control="no-cache") == "2"
    assert await get(session, url) == "2"
    assert await get(session, url, Cache_Control="no-store") in {"2", "3"}


async def test_variants_lie_side_by_side(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    def answer(request: Received) -> Reply:
        return reply("Vary: Accept-Language", body=request.headers["Accept-Language"])

    scripted.answers("/", answer)
    for _ in range(2):
        for language in ("de", "en"):
            assert await get(session, scripted.url(), Accept_Language=language) == language
    assert scripted.count() == 2


async def test_two_users_are_kept_apart(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", lambda request: reply(body=request.headers["Authorization"]))
    for _ in range(2):
        for user in ("Bearer a", "Bearer b"):
            assert await get(session, scripted.url(), Authorization=user) == user
    assert scripted.count() == 2


async def test_cacheable_methods(open_session: Open, scripted: ScriptedOrigin) -> None:
    scripted.answers("/", reply("Cache-Control: max-age=60"))
    session = open_session(cacheable_methods=["HEAD"])
    assert [await get(session, scripted.url()) for _ in range(2)] == ["1", "2"]


async def test_a_response_to_get_answers_head(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", reply("Cache-Control: max-age=60", "X: y", body="it"))
    await get(session, scripted.url())
    async with session.head(scripted.url()) as resp:
        assert (resp.status, resp.headers["X"], await resp.text()) == (200, "y", "")
    assert scripted.count() == 1


async def test_large_bodies(session: AsyncCacheControl, scripted: ScriptedOrigin) -> None:
    session.cache.max_entry_bytes = 10
    scripted.answers("/small", reply(body="x" * 10))
    scripted.answers("/large", reply(body="x" * 11))
    for _ in range(2):
        await get(session, scripted.url("/small"))
        await get(session, scripted.url("/large"))
    assert (scripted.count("/small"), scripted.count("/large")) == (1, 2)


async def test_of_one_url_no_more_than_a_hundred(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", reply())
    for number in range(105):
        await get(session, scripted.url(), Authorization=f"Bearer {number}")
    assert await session.cache.size() == 100
    await get(session, scripted.url(), Authorization="Bearer 104")
    assert scripted.count() == 105
    await get(session, scripted.url(), Authorization="Bearer 0")
    assert scripted.count() == 106
