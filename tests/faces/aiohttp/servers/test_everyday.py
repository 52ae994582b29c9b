"""What users do every day, on each server: each test is a program of theirs."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import Any

from aiohttp import CookieJar

from aiohttp_client_cache import CacheBackend, CachedResponse, CachedSession, StoredResponse
from aiohttp_client_cache.backends import DictCache
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support import endpoints
from tests.support.clock import START, StandingClock
from tests.support.origin import Origin

ODD = [
    *("a", "b", "ab", "aa", "B", "\xe4", "\xe9", "e\u0301", "\U0001f600", "\uffff"),
    *("z" * 900, "z" * 901, "a:b", "a{b}", "*", "?", "[ab]", "%25", "a/b", "\\"),
    *(" ", "  ", "#", "$x", "a.b", "\n"),
]
"""Keys that mean something to a server, differ little, or are sorted in more than one way."""


async def collected(items: Any) -> list[Any]:
    return [item async for item in items]


async def test_a_response_is_what_it_was(origin: Origin, open_session: OpenSession) -> None:
    """Status, reason, version, fields and body, byte for byte."""
    paths = [
        *("/json", "/latin", "/binary", "/empty", "/compressed/gzip", "/compressed/br"),
        *("/chunked", "/raw/odd-headers", "/raw/http-1.0", "/raw/until-close", "/teapot"),
    ]
    async with open_session(allowed_codes=(200, 418)) as session:
        new = [await session.get(origin.url(path)) for path in paths]
    async with open_session(allowed_codes=(200, 418)) as session:
        for before in new:
            after = await session.get(before.url)
            assert (before.from_cache, after.from_cache) == (False, True)
            assert (after.status, after.reason) == (before.status, before.reason)
            assert after.version == before.version
            assert after.raw_headers == before.raw_headers
            assert await after.read() == await before.read()
    assert origin.count() == len(paths)


async def test_times(origin: Origin, open_session: OpenSession, clock: StandingClock) -> None:
    spoken: list[Any] = [30, timedelta(seconds=30), START + timedelta(seconds=30)]
    spoken += [(START + timedelta(seconds=30)).replace(tzinfo=None)]
    spoken += ["Fri, 01 Jan 2021 18:00:30 GMT", -1, None]
    async with open_session(urls_expire_after={"*/patterned": 10, "*/never/**": 0}) as session:
        for number, expire_after in enumerate(spoken):
            await session.get(origin.url(f"/serial/{number}"), expire_after=expire_after)
            kept = await session.get(origin.url(f"/serial/{number}"))
            assert (kept.from_cache, kept.created_at, kept.is_expired) == (True, START, False)
            lasts = number < 5
            assert kept.expires == (START + timedelta(seconds=30) if lasts else None)
        await session.get(origin.url("/patterned"))
        await session.get(origin.url("/never/kept"))
        assert await session.cache.size() == 8
        clock.advance(seconds=31)
        found = [
            (await session.get(origin.url(f"/serial/{number}"), only_if_cached=True)).status
            for number in range(7)
        ]
        assert found == [504] * 5 + [200] * 2
        assert (await session.get(origin.url("/patterned"), only_if_cached=True)).status == 504


async def test_redirects(origin: Origin, open_backend: OpenBackend) -> None:
    backend = open_backend()
    first = origin.url("/redirect/3")
    async with CachedSession(cache=backend) as session:
        await session.get(first)
        assert origin.count() == 4
        kept = await session.get(first)
        assert kept.from_cache
        assert kept.url.path == "/serial/end"
        assert [hop.status for hop in kept.history] == [302] * 3
        assert [hop.url.path for hop in kept.history] == [f"/redirect/{n}" for n in (3, 2, 1)]
        assert [hop.cookies.popitem()[0] for hop in kept.history] == ["hop3", "hop2", "hop1"]
        # The end answers by itself, too.
        assert (await session.get(origin.url("/serial/end"))).from_cache
        assert origin.count() == 4

        # Each hop leads to the end.
        assert await backend.redirects.size() == 3
        aliases = await collected(backend.redirects.keys())
        [key] = set(await collected(backend.redirects.values()))
        for alias in aliases:
            assert await backend.redirects.read(alias) == key
            assert await backend.redirects.contains(alias)
        assert await backend.redirects.read("nothing") is None
        assert (await backend.responses.read(key)).url.path == "/serial/end"
        assert backend.urls == [origin.url("/serial/end")]
        assert await backend.has_url(first)
        assert await backend.has_url(origin.url("/redirect/2"))

        alias = backend.create_key("GET", first)
        assert alias in aliases
        await backend.redirects.delete(alias)
        assert not await backend.has_url(first)
        assert await backend.has_url(origin.url("/redirect/2"))
        assert await backend.responses.contains(key)
        await session.get(first)
        assert origin.count("/redirect/3") == 2
        await backend.responses.delete(key)
        assert not (await session.get(first)).from_cache
        assert await backend.redirects.size() == 3
        await backend.redirects.clear()
        assert await backend.redirects.size() == 0
        assert (await session.get(origin.url("/serial/end"))).from_cache
        await session.get(first)
        await backend.clear()
        assert await backend.redirects.size() == await backend.responses.size() == 0


async def test_many_redirects_by_odd_keys(origin: Origin, open_backend: OpenBackend) -> None:
    backend = open_backend(key_fn=lambda request: ODD[int(request.url[-2:]) % len(ODD)])
    async with CachedSession(cache=backend) as session:
        for number in range(0, len(ODD) - 1, 2):
            to = origin.url(f"/serial/{number + 1:02}")
            await session.get(origin.url(f"/redirect-to?to={to}&n={number:02}"))
        assert sorted(await collected(backend.redirects.keys())) == sorted(ODD[:-1:2])
        for number in range(0, len(ODD) - 1, 2):
            assert await backend.redirects.read(ODD[number]) == ODD[number + 1]
            assert await backend.redirects.contains(ODD[number])
            assert not await backend.redirects.contains(ODD[number + 1])
            assert await backend.redirects.read(ODD[number] + "x") is None


async def test_storages(origin: Origin, open_backend: OpenBackend, clock: StandingClock) -> None:
    """``cache.responses`` is a mapping: what is read can be written, there or elsewhere."""
    backend = open_backend(expire_after=60)
    async with CachedSession(cache=backend) as session:
        for number in range(3):
            await session.get(origin.url(f"/serial/{number}"))
        responses = backend.responses
        keys = await collected(responses.keys())
        values = await collected(responses.values())
        assert len(keys) == len(values) == await responses.size() == await backend.size() == 3
        assert {await responses.contains(key) for key in keys} == {True}
        assert {type(value) for value in values} == {CachedResponse}
        assert sorted([str(value.url) for value in values]) == backend.urls

        read = await responses.read(keys[0])
        assert (await read.text(), read.is_expired, read.created_at) == ("1", False, START)
        assert (await responses.read("nothing")) is None
        assert (await backend.get_response(keys[0])).url == read.url
        await responses.delete(keys[0])
        await responses.delete("nothing")
        assert await responses.read(keys[0]) is None
        assert not await responses.contains(keys[0])
        assert await collected(responses.keys()) == sorted(keys[1:], key=keys.index)
        await responses.bulk_delete({keys[1], "nothing"})
        assert await collected(responses.keys()) == [keys[2]]
        await responses.clear()
        assert await responses.size() == 0
        assert await collected(responses.values()) == []


async def test_bytes(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        assert await session.cache.bytes() == 0
        for size in (100_000, 300_000):
            await session.get(origin.url("/large"), params={"size": size})
        assert 400_000 <= await session.cache.bytes() < 410_000
        await session.cache.delete_url(origin.url("/large?size=300000"))
        assert 100_000 <= await session.cache.bytes() < 105_000
        await session.cache.clear()
        assert await session.cache.bytes() == 0


async def test_urls(origin: Origin, open_session: OpenSession) -> None:
    async with open_session(allowed_methods=("GET", "HEAD", "POST")) as session:
        cache = session.cache
        await session.get(origin.url("/serial"), params={"b": "ü", "a": "1"})
        await session.head(origin.url("/serial/head"))
        await session.post(origin.url("/post"), json={"n": 1})
        await session.post(origin.url("/post"), json={"n": 2})
        urls = cache.urls
        assert urls == await cache.get_urls() == await cache.urls()
        assert urls == await collected(cache.get_urls())
        assert [url.partition("?")[0] for url in urls] == [
            origin.url(path) for path in ("/post", "/serial/head", "/serial")
        ]
        assert await cache.size() == 4
        assert await cache.has_url(origin.url("/serial"), params={"a": "1", "b": "ü"})
        assert not await cache.has_url(origin.url("/serial"))
        assert not await cache.has_url(origin.url("/serial/head"), "GET")
        assert await cache.delete_url(origin.url("/post")) == 2
        assert not await cache.has_url(origin.url("/post"))
        assert await cache.delete_url(origin.url("/post")) == 0
        key = cache.create_key("GET", origin.url("/serial"), params={"b": "ü", "a": "1"})
        assert await cache.contains(key)
        assert await cache.delete(key, "nothing") == 1
        assert cache.urls == [origin.url("/serial/head")]


async def test_what_has_expired(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    async with open_session(expire_after=60, keep_expired=True) as session:
        await session.get(origin.url("/redirect/1"))
        await (await session.get(origin.url("/large"))).read()
        await session.get(origin.url("/serial/longer"), expire_after=3600)
        await session.get(origin.url("/serial/ever"), expire_after=-1)
        assert await session.delete_expired_responses() == 0
        clock.advance(seconds=61)
        assert await session.cache.size() == 4
        # A new time is counted from when each was created.
        assert await session.delete_expired_responses(expire_after=120) == 0
        assert (await session.get(origin.url("/redirect/1"))).from_cache
        kept = await session.get(origin.url("/serial/ever"))
        assert kept.expires == START + timedelta(seconds=120)
        clock.advance(seconds=60)
        assert await session.cache.size() == 4
        assert await session.delete_expired_responses() == 4
        assert await session.cache.size() == await session.cache.redirects.size() == 0
        assert await session.cache.bytes() == 0


async def test_what_counts(origin: Origin, open_backend: OpenBackend) -> None:
    """``ignored_parameters``, ``include_headers``, ``filter_fn``, ``key_fn``, bodies."""
    backend = open_backend(
        ignored_parameters=["token"],
        include_headers=["Accept-Language"],
        allowed_methods=["GET", "POST"],
        filter_fn=lambda response: "refused" not in response.url.query,
    )
    url = origin.url("/get")
    async with CachedSession(cache=backend) as session:

        async def is_kept(method: str = "GET", **options: Any) -> bool:
            return (await session.request(method, url, **options)).from_cache

        assert not await is_kept(params={"token": "1", "a": "1"})
        assert await is_kept(params={"token": "2", "a": "1"})
        assert backend.urls == [f"{url}?a=1"]
        for language in ("de", "fr"):
            headers = {"Accept-Language": language, "X-Request-ID": language}
            assert not await is_kept(headers=headers)
            headers["X-Request-ID"] = "other"
            assert await is_kept(headers=headers)
        for _ in range(2):
            assert not await is_kept(params={"refused": "1"})
        assert not await is_kept("POST", json={"a": 1, "b": 2, "token": 1})
        assert await is_kept("POST", json={"b": 2, "token": 2, "a": 1})
        assert not await is_kept("POST", data={"a": "1", "b": "2"})
        assert await is_kept("POST", data={"b": "2", "a": "1"})
        assert not await is_kept("POST", data=b"\x00\xff")
        assert not await is_kept("POST", data=b"\x00\xfe")
        assert await is_kept("POST", data=b"\x00\xff")

        # Odd keys are keys, too: long ones, and those that mean something to a server.
        for key in ("k" * 3000, "a:b{c}*?[x]$.%/\\\"' \n", "ключ 🔑", "#"):
            backend.key_fn = lambda request, key=key: key + request.url[-3:]
            assert not await is_kept(headers={})
            assert await is_kept(headers={})
            assert await backend.contains(key + "get")
            assert key + "get" in await collected(backend.responses.keys())
            assert await backend.delete(key + "get") == 1
            assert not await backend.contains(key + "get")


async def test_cookies_and_methods(origin: Origin, open_backend: OpenBackend) -> None:
    backend = open_backend()
    url = origin.url("/cookies/set?flavour=oat&other=x")
    for kept in (False, True):
        async with CachedSession(cache=backend, cookie_jar=CookieJar(unsafe=True)) as session:
            response = await session.get(url)
            assert response.from_cache is kept
            assert {cookie.key: cookie.value for cookie in session.cookie_jar} == {
                "flavour": "oat",
                "other": "x",
            }
            headed = await session.head(origin.url("/lines"))
            assert (headed.from_cache, await headed.read()) == (kept, b"")
            assert headed.headers["Content-Length"] == str(len(endpoints.LINES))
            # A HEAD is not a GET.
            assert (await session.get(origin.url("/lines"))).from_cache is kept
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
                assert not (await session.request(method, origin.url("/serial"))).from_cache
            assert not (await session.get(origin.url("/status/404"))).from_cache
            assert not (await session.get(origin.url("/serial"), expire_after=0)).from_cache
            with session.disabled():
                assert not (await session.get(origin.url("/lines"))).from_cache


async def test_options_of_one_request(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    url = origin.url("/etag/abc")
    async with open_session(expire_after=60) as session:
        assert (await session.get(url, only_if_cached=True)).status == 504
        assert origin.count() == 0
        await session.get(url)
        refreshed = await session.get(url, refresh=True)
        assert (refreshed.from_cache, origin.last.headers["If-None-Match"]) == (True, '"abc"')
        forced = await session.get(url, force_refresh=True)
        assert not forced.from_cache
        assert "If-None-Match" not in origin.last.headers
        clock.advance(seconds=61)
        validated = await session.get(url)
        assert (validated.from_cache, validated.is_expired) == (True, False)
        assert validated.created_at == START.astimezone(UTC) + timedelta(seconds=61)
        assert origin.count() == 4
        assert (await session.get(url)).from_cache
        assert origin.count() == 4


async def test_stale_responses(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    settings: Any = {"stale_if_error": 600, "urls_stale_while_revalidate": {"*/serial": 600}}
    async with open_session(expire_after=60, **settings) as session:
        await session.get(origin.url("/unreliable"))
        await session.get(origin.url("/serial"))
        clock.advance(seconds=61)
        stale = await session.get(origin.url("/unreliable"))
        assert (stale.status, stale.is_expired, stale.cache.forward_status) == (200, True, 503)
        stale = await session.get(origin.url("/serial"))
        assert (await stale.text(), stale.is_expired) == ("1", True)
        async with asyncio.timeout(10):
            while (await session.get(origin.url("/serial"))).is_expired:  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.01)
        fresh = await session.get(origin.url("/serial"))
        assert (await fresh.text(), fresh.is_expired) == ("2", False)
        clock.advance(seconds=700)
        assert (await session.get(origin.url("/unreliable"))).status == 503


async def test_users(origin: Origin, open_backend: OpenBackend) -> None:
    backend = open_backend()
    async with CachedSession(cache=backend) as session:
        for kept in (False, True):
            for who in ("Bearer of Alice", "Bearer of Bob"):
                response = await session.get(origin.url("/whoami"), headers={"Authorization": who})
                assert (response.from_cache, await response.text()) == (kept, who)
        assert (await session.get(origin.url("/whoami"))).from_cache is False


async def test_settings_change(origin: Origin, open_backend: OpenBackend) -> None:
    """On the session and on the backend, at any time."""
    backend = open_backend(expire_after=60)
    async with CachedSession(cache=backend, allowed_codes=(200, 404)) as session:
        await session.get(origin.url("/status/404"))
        assert (await session.get(origin.url("/status/404"))).from_cache
        session.expire_after = timedelta(hours=1)
        await session.get(origin.url("/serial"))
        kept = await session.get(origin.url("/serial"))
        assert kept.expires == START + timedelta(hours=1)
        backend.allowed_codes = (200,)
        assert not (await session.get(origin.url("/status/404?now"))).from_cache
        assert not (await session.get(origin.url("/status/404?now"))).from_cache


async def test_what_is_written_by_hand(
    origin: Origin, open_backend: OpenBackend, clock: StandingClock
) -> None:
    """``responses.write`` and ``redirects.write``, with what a user's own storage was given."""
    url = origin.url("/lines")
    elsewhere = CacheBackend(clock=clock)
    storage = DictCache()
    elsewhere.responses = storage
    async with CachedSession(cache=elsewhere, expire_after=60) as session:
        await session.get(url)
    [(key, item)] = storage.items.items()
    assert isinstance(item, StoredResponse)

    backend = open_backend()
    await backend.responses.write(key, item)
    await backend.redirects.write("elsewhere", key)
    async with CachedSession(cache=backend) as session:
        kept = await session.get(url)
        assert (kept.from_cache, await kept.read()) == (True, endpoints.LINES)
        assert kept.expires == START + timedelta(seconds=60)
        assert await backend.redirects.read("elsewhere") == key
        assert await backend.contains("elsewhere")
    assert origin.count() == 1
