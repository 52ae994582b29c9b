"""Redirects and cookies behave on a hit as they do without a cache."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession

from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.faces.aiohttp.parity import (
    KEEP_ALL,
    ROUTES,
    describe,
    open_route,
    outcome,
    was_cached,
)
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

HOST = "origin.test"


def jar_of(session: ClientSession) -> list[tuple[str, str, str, str]]:
    return sorted((c.key, c.value, c["domain"], c["path"]) for c in session.cookie_jar)


async def read(session: ClientSession, url: str, **kwargs: Any) -> Any:
    async with session.get(url, **kwargs) as response:
        return await describe(response)


@pytest.mark.parametrize(
    "path",
    [
        "/cookies/set?one=1&two=2",
        "/redirect/3",
        "/redirect-to?to=/cookies/set%3Fend%3D1&cookie=start",
        "/redirect-to?to=http://other.test/cookies/set%3Fend%3D1&cookie=start",
        "/redirect-to?cookie=no-location",
        "/status/404",
    ],
)
@pytest.mark.parametrize("route", ROUTES)
async def test_cookies_of_every_hop_return_to_the_jar(
    names: Origin, open_backend: OpenBackend, route: str, path: str
) -> None:
    url = names.url(path, host=HOST)
    async with ClientSession() as plain:
        await plain.get(url)
        expected = jar_of(plain)

    backend = open_backend(**KEEP_ALL)
    async with open_route(route, backend) as session:
        await (await session.get(url)).read()
        assert jar_of(session) == expected
        session.cookie_jar.clear()
        await session.get(url)
        assert jar_of(session) == expected
    async with open_route(route, backend) as session:
        await session.get(url)
        assert jar_of(session) == expected


@pytest.mark.parametrize("route", ROUTES)
async def test_cookies_of_one_name(names: Origin, open_backend: OpenBackend, route: str) -> None:
    """A jar tells cookies of one name apart by their path; so must what is stored."""
    url = names.url("/cookies/duplicate", host=HOST)
    async with ClientSession() as plain:
        await plain.get(url)
        expected = jar_of(plain)
    assert expected

    async with open_route(route, open_backend()) as session:
        await (await session.get(url)).read()
        session.cookie_jar.clear()
        assert was_cached(await session.get(url))
        assert jar_of(session) == expected


@pytest.mark.parametrize("route", ROUTES)
async def test_cookies_are_sent_by_the_requests_after_a_hit(
    names: Origin, open_backend: OpenBackend, route: str
) -> None:
    backend = open_backend()
    for _ in range(2):
        async with open_route(route, backend) as session:
            await (await session.get(names.url("/cookies/set?user=me", host=HOST))).read()
            await session.get(names.url("/status/404", host=HOST))
            assert names.last.headers["Cookie"] == "user=me"
    assert names.count("/cookies/set") == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_a_jar_that_keeps_nothing(
    names: Origin, open_backend: OpenBackend, route: str
) -> None:
    url = names.url("/cookies/set?user=me", host=HOST)
    async with open_route(route, open_backend(), cookie_jar=aiohttp.DummyCookieJar()) as session:
        for _ in range(2):
            response = await session.get(url)
            assert response.cookies["user"].value == "me"
            assert jar_of(session) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 0])
@pytest.mark.parametrize("route", ROUTES)
async def test_max_redirects(
    names: Origin, open_backend: OpenBackend, route: str, limit: int
) -> None:
    """A chain that was followed once is not followed by who would not have followed it."""
    url = names.url("/redirect/3", host=HOST)
    async with ClientSession() as plain:
        expected = await outcome(read(plain, url, max_redirects=limit))

    async with open_route(route, open_backend()) as session:
        names.served.clear()
        assert await outcome(read(session, url, max_redirects=limit)) == expected

    async with open_route(route, open_backend()) as session:
        names.served.clear()
        await read(session, url)
        session.cookie_jar.clear()
        assert await outcome(read(session, url, max_redirects=limit)) == expected


@pytest.mark.parametrize("path", ["/redirect/2", "/redirect-to?cookie=only", "/loop"])
@pytest.mark.parametrize("route", ROUTES)
async def test_redirects_that_are_not_followed(
    names: Origin, open_backend: OpenBackend, route: str, path: str
) -> None:
    url = names.url(path, host=HOST)
    async with ClientSession() as plain:
        expected = await read(plain, url, allow_redirects=False)
    assert expected["status"] == 302

    async with open_route(route, open_backend()) as session:
        assert await read(session, url, allow_redirects=False) == expected
        await outcome(read(session, url))
        session.cookie_jar.clear()
        assert await read(session, url, allow_redirects=False) == expected


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_chain_answers_under_its_first_url(
    names: Origin, open_session: OpenSession, code: int
) -> None:
    url = names.url(f"/redirect-to?to=/serial&status={code}", host=HOST)
    async with open_session() as session:
        first = await session.get(url)
        second = await session.get(url)
        assert (first.from_cache, second.from_cache) == (False, True)
        assert await second.read() == await first.read() == b"1"
        assert [hop.status for hop in second.history] == [code]
        assert second.url.path == "/serial"

        # And the end of the chain is itself an answer.
        assert (await session.get(names.url("/serial", host=HOST))).from_cache
    assert names.count() == 2


async def test_a_chain_is_followed_from_a_hop_that_is_known(
    names: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        await session.get(names.url("/redirect/3", host=HOST))
        response = await session.get(names.url("/redirect/2", host=HOST))
        assert await response.read() == b"1"
        assert len(response.history) == 2
    assert names.count("/serial/end") == 1


async def test_a_chain_whose_end_is_not_stored_is_walked_again(
    names: Origin, open_session: OpenSession
) -> None:
    url = names.url("/redirect-to?to=/status/404", host=HOST)
    async with open_session() as session:
        for _ in range(2):
            response = await session.get(url)
            assert not response.from_cache
            assert response.status == 404
        assert await session.cache.redirects.size() == 0
    assert names.count() == 4


async def test_a_chain_falls_with_its_end(names: Origin, open_session: OpenSession) -> None:
    url = names.url("/redirect/1", host=HOST)
    async with open_session() as session:
        await session.get(url)
        await session.cache.delete_url(names.url("/serial/end", host=HOST))
        response = await session.get(url)
        assert await response.read() == b"2"
    assert names.count("/redirect/1") == 2


async def test_a_chain_expires_with_its_end(
    names: Origin, open_session: OpenSession, clock: Any
) -> None:
    url = names.url("/redirect/1", host=HOST)
    async with open_session(expire_after=60) as session:
        await session.get(url)
        clock.advance(seconds=61)
        assert await (await session.get(url)).read() == b"2"


async def test_a_chain_is_walked_anew_and_its_end_validated(
    names: Origin, open_session: OpenSession, clock: Any
) -> None:
    url = names.url("/redirect-to?to=/conditional", host=HOST)
    async with open_session(expire_after=60) as session:
        await session.get(url)
        clock.advance(seconds=61)
        response = await session.get(url)
        assert (response.status, await response.text()) == (200, "validated")
        assert names.last.headers["If-None-Match"] == '"v1"'
        assert (await session.get(url)).from_cache
    assert names.count() == 4


async def test_a_redirect_that_becomes_a_page(names: Origin, open_session: OpenSession) -> None:
    """And the other way round: what was learned last is what counts."""
    url = names.url("/now-and-then", host=HOST)
    async with open_session() as session:
        for _ in range(2):
            names.moved = True
            await session.get(url, force_refresh=True)
            moved = await session.get(url)
            assert (moved.from_cache, moved.url.path, len(moved.history)) == (True, "/lines", 1)

            names.moved = False
            await session.get(url, force_refresh=True)
            page = await session.get(url)
            assert (page.from_cache, await page.text(), page.history) == (True, "here", ())


async def test_a_loop_is_an_error_each_time(names: Origin, open_session: OpenSession) -> None:
    url = names.url("/loop", host=HOST)
    async with open_session() as session:
        for _ in range(2):
            with pytest.raises(aiohttp.TooManyRedirects):
                await session.get(url, max_redirects=3)
        assert await session.cache.responses.size() == 0
    assert names.count() == 6
