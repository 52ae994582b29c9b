"""Looking into a cache: what is in it, and taking things out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientResponse

from aiohttp_client_cache import CachedResponse
from tests.faces.aiohttp.conftest import OpenSession
from tests.support.clock import START, StandingClock
from tests.support.origin import Origin


async def collected(items: Any) -> list[Any]:
    return [item async for item in items]


class TestUrls:
    """``session.cache.urls``, in each of the ways in which people write it."""

    async def test_list(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            assert session.cache.urls == []
            await session.get(origin.url("/json"), params={"a": "1"})
            await session.head(origin.url("/serial"))
            assert isinstance(session.cache.urls, list)
            assert sorted(session.cache.urls) == [
                origin.url("/json?a=1"),
                origin.url("/serial"),
            ]

    async def test_called(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/serial"))
            expected = [origin.url("/serial")]
            assert list(await session.cache.urls()) == expected
            assert await collected(session.cache.urls()) == expected
            assert await collected(session.cache.get_urls()) == expected

    async def test_one_url_is_listed_once(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(include_headers=True) as session:
            for accept in ("text/plain", "text/html"):
                await session.get(origin.url("/serial"), headers={"Accept": accept})
            assert session.cache.urls == [origin.url("/serial")]
            assert await session.cache.responses.size() == 2


class TestResponses:
    """``session.cache.responses``."""

    async def test_empty(self, open_session: OpenSession) -> None:
        async with open_session() as session:
            responses = session.cache.responses
            assert await responses.size() == 0
            assert await collected(responses.keys()) == []
            assert await collected(responses.values()) == []
            assert not await responses.contains("nothing")
            assert await responses.read("nothing") is None

    async def test_values(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(expire_after=60) as session:
            await session.get(origin.url("/json"))
            [stored] = await collected(session.cache.responses.values())
            assert isinstance(stored, CachedResponse | ClientResponse)
            assert (stored.status, stored.method, stored.reason) == (200, "GET", "OK")
            assert str(stored.url) == origin.url("/json")
            assert stored.from_cache is True
            assert stored.created_at == START
            assert stored.is_expired is False
            assert stored.headers["Content-Type"].startswith("application/json")
            assert (await stored.json())["name"] == "Öl"

    async def test_keys(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            for n in range(3):
                await session.get(origin.url(f"/serial/{n}"))
            responses = session.cache.responses
            keys = await collected(responses.keys())
            assert len(set(keys)) == await responses.size() == 3
            for key in keys:
                assert isinstance(key, str)
                assert await responses.contains(key)
                assert await session.cache.contains(key)
                stored = await responses.read(key)
                assert stored is not None
                assert stored.url.path.startswith("/serial/")

    async def test_reading_while_others_write(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session() as session:
            await asyncio.gather(*(session.get(origin.url(f"/serial/{n}")) for n in range(50)))
            seen = 0
            async for stored in session.cache.responses.values():
                assert await stored.read() == b"1"
                await session.get(origin.url(f"/serial/more/{seen}"))
                await session.cache.delete_url(stored.url)
                seen += 1
                if seen == 50:
                    break
            assert await session.cache.responses.size() >= 50

    async def test_expired_responses_are_shown(
        self, origin: Origin, open_session: OpenSession, clock: StandingClock
    ) -> None:
        async with open_session(expire_after=60) as session:
            await session.get(origin.url("/serial"))
            clock.advance(seconds=61)
            assert await session.cache.responses.size() == 1
            assert session.cache.urls == [origin.url("/serial")]
            [stored] = await collected(session.cache.responses.values())
            assert stored.is_expired is True

    async def test_a_large_cache(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await asyncio.gather(*(session.get(origin.url(f"/serial/{n}")) for n in range(400)))
            assert await session.cache.responses.size() == 400
            assert len(session.cache.urls) == 400
            assert len(await collected(session.cache.responses.values())) == 400
            assert len(await collected(session.cache.responses.keys())) == 400


class TestRedirects:
    """``session.cache.redirects`` maps redirect URLs to the keys of what they lead to."""

    async def test_they_lead_to_responses(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/redirect/1"))
            [alias] = await collected(session.cache.redirects.keys())
            [key] = await collected(session.cache.redirects.values())
            assert await session.cache.redirects.read(alias) == key
            assert await session.cache.responses.contains(key)
            assert await collected(session.cache.responses.keys()) == [key]

    async def test_none(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/serial"))
            assert await session.cache.redirects.size() == 0
            assert await collected(session.cache.redirects.values()) == []


class TestOneUrl:
    """``has_url`` and ``delete_url``."""

    async def test_has_url(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(allowed_methods=("GET", "POST")) as session:
            cache = session.cache
            await session.get(origin.url("/serial"), params={"a": "1"})
            await session.post(origin.url("/post"), json={"n": 1})
            assert await cache.has_url(origin.url("/serial?a=1"))
            assert await cache.has_url(origin.url("/serial"), params={"a": "1"})
            assert not await cache.has_url(origin.url("/serial"))
            assert not await cache.has_url(origin.url("/serial?a=2"))
            assert await cache.has_url(origin.url("/post"))
            assert await cache.has_url(origin.url("/serial?a=1"), method="GET")
            assert not await cache.has_url(origin.url("/serial?a=1"), method="HEAD")

    async def test_has_url_of_a_redirect(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/redirect/1"))
            assert await session.cache.has_url(origin.url("/redirect/1"))
            assert await session.cache.has_url(origin.url("/serial/end"))

    async def test_delete_url(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            for path in ("/serial/a", "/serial/b"):
                await session.get(origin.url(path))
            await session.cache.delete_url(origin.url("/serial/a"))
            assert session.cache.urls == [origin.url("/serial/b")]
            assert not (await session.get(origin.url("/serial/a"))).from_cache
            assert (await session.get(origin.url("/serial/b"))).from_cache
            await session.cache.delete_url(origin.url("/serial/never-seen"))

    async def test_delete_url_of_a_redirect(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session() as session:
            await session.get(origin.url("/redirect/1"))
            await session.cache.delete_url(origin.url("/redirect/1"))
            assert not await session.cache.has_url(origin.url("/redirect/1"))


class TestByKey:
    """``get_response``, ``delete``, ``bulk_delete``, ``contains`` and ``clear``."""

    async def test_get_response(
        self, origin: Origin, open_session: OpenSession, clock: StandingClock
    ) -> None:
        async with open_session(expire_after=60) as session:
            await session.get(origin.url("/serial"))
            [key] = await collected(session.cache.responses.keys())
            clock.advance(seconds=61)
            response = await session.cache.get_response(key)
            assert isinstance(response, CachedResponse)
            assert (await response.text(), response.is_expired) == ("1", True)
            assert await session.cache.get_response("nothing") is None

    async def test_delete(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            for n in range(3):
                await session.get(origin.url(f"/serial/{n}"))
            key, *others = await collected(session.cache.responses.keys())
            await session.cache.delete(key)
            assert not await session.cache.contains(key)
            assert sorted(await collected(session.cache.responses.keys())) == sorted(others)
            await session.cache.delete("nothing")

    async def test_bulk_delete(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            for n in range(3):
                await session.get(origin.url(f"/serial/{n}"))
            first, second, third = await collected(session.cache.responses.keys())
            await session.cache.bulk_delete([first, third, "nothing"])
            assert await collected(session.cache.responses.keys()) == [second]
            await session.cache.bulk_delete([])

    @pytest.mark.parametrize("owner", ["cache", "responses"])
    async def test_clear(self, origin: Origin, open_session: OpenSession, owner: str) -> None:
        async with open_session() as session:
            await session.get(origin.url("/redirect/2"))
            await (await session.get(origin.url("/large"))).read()
            await (session.cache if owner == "cache" else session.cache.responses).clear()
            assert await session.cache.responses.size() == 0
            assert session.cache.urls == []
            if owner == "cache":
                assert await session.cache.redirects.size() == 0
            assert not (await session.get(origin.url("/redirect/2"))).from_cache
