"""The user's own mapping: what lies in it, what goes, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import pytest
from aiohttp import TraceConfig
from yarl import URL

from acachecontrol import AsyncCache, AsyncCacheControl
from tests.support.clock import StandingClock
from tests.support.mappings import CustomCacheBackend
from tests.support.scripted import ScriptedOrigin, reply


@pytest.fixture(params=[OrderedDict, CustomCacheBackend])
def mapping(request: pytest.FixtureRequest) -> Any:
    return request.param()


def order(mapping: Any) -> list[str]:
    """The keys as the mapping lists them."""
    return list(getattr(mapping, "item_order", mapping))


async def get(session: AsyncCacheControl, url: str, **params: Any) -> str:
    async with session.get(url, **params) as resp:
        return await resp.text()


async def test_one_key_for_each_url(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    """For all methods, variants and credentials together."""
    scripted.answers("/", reply("Vary: Accept-Language", "Cache-Control: max-age=60"))
    url = scripted.url()
    async with AsyncCacheControl(AsyncCache(cache_backend=mapping, clock=clock)) as session:
        for _ in range(2):
            for headers in (
                {"Accept-Language": "de"},
                {"Accept-Language": "en"},
                {"Authorization": "Basic YTpi"},
            ):
                await get(session, url, headers=headers)
            async with session.head(url):
                pass
        assert order(mapping) == [url]
        assert len(mapping[url].responses) >= 3
        assert mapping[url].url == url
        assert await session.cache.has_url(url)
        assert await session.cache.delete_url(url)
        assert order(mapping) == []
        assert len(mapping) == 0


async def test_what_was_used_longest_ago_goes_first(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    scripted.answers("/", lambda request: reply(body=request.target))
    a, b, c, d = (scripted.url(f"/?{name}") for name in "abcd")
    cache = AsyncCache({"capacity": 3}, mapping, clock=clock)
    async with AsyncCacheControl(cache) as session:
        for url in (a, b, c):
            await get(session, url)
        assert await get(session, a) == "/?a"
        assert scripted.count() == 3
        await get(session, d)
        assert order(mapping) == [c, a, d]
        for url in (c, a, d):
            await get(session, url)
        assert scripted.count() == 4
        await get(session, b)
        assert order(mapping) == [a, d, b]
    assert scripted.count() == 5


async def test_what_is_stored_again_is_used(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    scripted.answers("/", reply("Cache-Control: max-age=10"))
    a, b, c = (scripted.url(f"/?{name}") for name in "abc")
    async with AsyncCacheControl(AsyncCache({"capacity": 2}, mapping, clock=clock)) as session:
        for url in (a, b):
            await get(session, url)
        clock.advance(seconds=11)
        await get(session, a)
        assert order(mapping) == [b, a]
        await get(session, c)
        assert order(mapping) == [a, c]


async def test_no_capacity_and_no_limit(scripted: ScriptedOrigin, clock: StandingClock) -> None:
    scripted.answers("/", reply())
    for capacity, kept in ((0, 0), (None, 150)):
        cache = AsyncCache({"capacity": capacity}, clock=clock)
        async with AsyncCacheControl(cache) as session:
            for number in range(150):
                await get(session, scripted.url(f"/?{capacity}{number}"))
        assert len(cache.cache_backend) == kept


@pytest.mark.parametrize("traces", [[], [TraceConfig()]])
async def test_another_cache_finds_what_one_put_there(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock, traces: list[TraceConfig]
) -> None:
    """By the shortest way to a hit, and by that of sessions that are traced."""
    scripted.answers("/", reply())
    for _ in range(2):
        cache = AsyncCache(cache_backend=mapping, clock=clock)
        async with AsyncCacheControl(cache, trace_configs=traces) as session:
            for _ in range(2):
                assert await get(session, scripted.url()) == "1"
    assert scripted.count() == 1
    assert order(mapping) == [scripted.url()]


async def test_the_key_is_the_url_in_normal_form(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock
) -> None:
    scripted.answers("/a%2fb", reply())
    scripted.answers("/a%2Fb", reply())
    async with AsyncCacheControl(AsyncCache(cache_backend=mapping, clock=clock)) as session:
        session.cache.ignored_parameters = ["token"]
        for target in ("/a%2fb?z=%7E&token=secret", "/a%2Fb?z=~&token=other"):
            url = URL(scripted.url(target), encoded=True)
            async with session.get(url) as resp:
                assert await resp.text() == "1"
    assert order(mapping) == [scripted.url("/a%2Fb?z=~")]


@pytest.mark.parametrize("from_session", [False, True])
async def test_clear_cache(
    mapping: Any, scripted: ScriptedOrigin, clock: StandingClock, from_session: bool
) -> None:
    scripted.answers("/", reply())
    cache = AsyncCache(cache_backend=mapping, clock=clock)
    async with AsyncCacheControl(cache) as session:
        await get(session, scripted.url())
        (session if from_session else cache).clear_cache()
        assert len(mapping) == 0
        assert order(mapping) == []
        assert await get(session, scripted.url()) == "2"


FAULTS = ["__contains__", "__len__", "__getitem__", "__setitem__", "pop", "popitem", "move_to_end"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("base", [OrderedDict, CustomCacheBackend])
async def test_a_mapping_that_raises_breaks_no_request(
    scripted: ScriptedOrigin,
    clock: StandingClock,
    caplog: pytest.LogCaptureFixture,
    base: type,
    fault: str,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("the disk is full")

    mapping = type("Failing", (base,), {fault: fail})()
    scripted.answers("/", reply("Cache-Control: max-age=10"))
    async with AsyncCacheControl(AsyncCache({"capacity": 1}, mapping, clock=clock)) as session:
        for number in range(3):
            for _ in range(2):
                async with session.get(scripted.url(f"/?{number}")) as resp:
                    assert resp.status == 200
                    assert await resp.text()
            clock.advance(seconds=11)
            await get(session, scripted.url(f"/?{number}"))
        async with session.post(scripted.url("/?0")) as resp:
            assert resp.status == 200
    assert "the disk is full" in caplog.text
    assert "AsyncCache('acachecontrol')" in caplog.text


async def test_a_mapping_that_loses_things(scripted: ScriptedOrigin, clock: StandingClock) -> None:
    mapping: OrderedDict[str, Any] = OrderedDict()
    scripted.answers("/", reply())
    async with AsyncCacheControl(AsyncCache(cache_backend=mapping, clock=clock)) as session:
        assert await get(session, scripted.url()) == "1"
        mapping.clear()
        assert await get(session, scripted.url()) == "2"
        mapping[scripted.url()] = object()
        assert await get(session, scripted.url()) == "3"
        assert await get(session, scripted.url()) == "3"


async def test_many_at_once(mapping: Any, scripted: ScriptedOrigin, clock: StandingClock) -> None:
    scripted.answers("/", lambda request: reply(body=request.target))
    cache = AsyncCache({"capacity": 7}, mapping, clock=clock)
    async with AsyncCacheControl(cache) as session:

        async def one(number: int) -> None:
            target = f"/?{number % 13}"
            assert await get(session, scripted.url(target)) == target

        await asyncio.gather(*(one(number) for number in range(200)))
    assert len(order(mapping)) == len(set(order(mapping))) == len(mapping) == 7
