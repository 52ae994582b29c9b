"""The options that ``aiohttp.ClientSession`` takes keep their meaning on a cached session."""

from __future__ import annotations

import gzip
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse, ClientSession
from yarl import URL

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import ROUTES, describe_request, open_route, was_cached
from tests.support import endpoints
from tests.support.origin import Origin

pytestmark = pytest.mark.parity


class ShoutingResponse(ClientResponse):
    """A response class of the user's own."""

    async def shout(self) -> str:
        return (await self.text()).upper()


@pytest.mark.parametrize("route", ROUTES)
async def test_response_class(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    async with open_route(route, open_backend(), response_class=ShoutingResponse) as session:
        for expected in (False, True):
            response = await session.get(origin.url("/lines"))
            assert was_cached(response) is expected
            assert isinstance(response, ShoutingResponse)
            assert await response.shout() == endpoints.LINES.decode().upper()


# aiohttp does not tell a middleware of this option of a request, only of the session's.
@pytest.mark.parametrize("route", ["session", "traced"])
async def test_bodies_that_are_not_decompressed_are_kept_apart(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    url = origin.url("/compressed/gzip")
    async with open_route(route, open_backend()) as session:
        for _ in range(2):
            decoded = await (await session.get(url)).read()
            raw = await (await session.get(url, auto_decompress=False)).read()
            assert decoded == endpoints.POEM.encode()
            assert gzip.decompress(raw) == decoded
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_a_session_that_does_not_decompress(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    url = origin.url("/compressed/gzip")
    backend = open_backend()
    for auto_decompress in (False, True) * 2:
        async with open_route(route, backend, auto_decompress=auto_decompress) as session:
            response = await session.get(url)
            body = await response.read()
            assert response.headers["Content-Encoding"] == "gzip"
            assert (body if auto_decompress else gzip.decompress(body)) == endpoints.POEM.encode()
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_request_info_is_of_the_request_that_was_made(
    names: Origin, open_backend: OpenBackend, route: str
) -> None:
    """A hit shows the headers of its own request, not of the one that filled the cache."""
    url = names.url("/lines", host="origin.test")
    options: dict[str, Any] = {
        "headers": {"X-Session": "s", "User-Agent": "tests"},
        "cookies": {"mine": "1"},
    }
    requests: list[dict[str, Any]] = [
        {"headers": {"X-Request": "a"}},
        {"headers": {"X-Request": "b", "x-session": "replaced"}},
        {"headers": [("X-Request", "c"), ("X-Request", "d")]},
        {"skip_auto_headers": ["User-Agent", "Accept"]},
        {"cookies": {"more": "2"}},
        {"params": {}},
    ]

    async with ClientSession(**options) as plain:
        expected = [describe_request((await plain.get(url, **r)).request_info) for r in requests]

    async with open_route(route, open_backend(), **options) as session:
        await session.get(url)
        received = names.count()
        seen = []
        for request in requests:
            response = await session.get(url, **request)
            assert was_cached(response)
            seen.append(describe_request(response.request_info))
    assert seen == expected
    assert names.count() == received


@pytest.mark.parametrize("route", ROUTES)
async def test_base_url(names: Origin, open_backend: OpenBackend, route: str) -> None:
    base = names.url("/serial/", host="origin.test")
    async with open_route(route, open_backend(), base_url=base) as session:
        first = await session.get("below")
        second = await session.get("below", params={})
        assert first.url == second.url
        assert was_cached(second)
    async with open_route(route, open_backend()) as session:
        assert await (await session.get(base + "below")).read() in (b"1", b"2")


@pytest.mark.parametrize("route", ROUTES)
async def test_every_spelling_of_a_url_is_one_request(
    names: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with open_route(route, open_backend()) as session:
        await session.get("http://origin.test/serial?a=1&b=2")
        for url, params in (
            ("http://origin.test:80/serial?a=1&b=2", None),
            ("http://ORIGIN.test/serial?a=1&b=2#part", None),
            ("http://origin.test/serial?a=1", {"b": "2"}),
            ("http://origin.test/serial", {"a": 1, "b": 2}),
            ("http://origin.test/serial", [("a", "1"), ("b", "2")]),
            ("http://origin.test/serial", "a=1&b=2"),
            (URL("http://origin.test/serial?a=1&b=2"), None),
            (URL("http://origin.test/serial?a=1&b=2", encoded=True), None),
            ("http://origin.test/seri%61l?a=1&b=2", None),
        ):
            assert was_cached(await session.get(url, params=params)), (url, params)
    assert names.count() == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_urls_that_differ_are_different_requests(
    names: Origin, open_backend: OpenBackend, route: str
) -> None:
    urls = [
        "http://origin.test/serial",
        "http://origin.test/serial/",
        "http://origin.test/serial?a",
        "http://origin.test/serial?a=1",
        "http://origin.test/serial?a=1&a=2",
        "http://origin.test/serial?a=2&a=1",
        "http://origin.test/serial?a=1%262",
        "http://origin.test/Serial",
        "http://other.test/serial",
        f"http://origin.test:{names.port}/serial",
        "http://origin.test/serial%2Fa",
        "http://origin.test/serial/a",
    ]
    async with open_route(route, open_backend()) as session:
        for url in urls:
            assert not was_cached(await session.get(url)), url
    assert names.count() == len(urls)


@pytest.mark.parametrize("route", ROUTES)
async def test_head_and_get_are_kept_apart(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    url = origin.url("/lines")
    async with open_route(route, open_backend()) as session:
        for expected in (False, True):
            head, get = await session.head(url), await session.get(url)
            assert (was_cached(head), was_cached(get)) == (expected, expected)
            assert await head.read() == b""
            assert await get.read() == endpoints.LINES
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_json_serialize(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    def dumps(value: Any) -> str:
        return json.dumps(value).replace(" ", "")

    backend = open_backend(allowed_methods=("GET", "POST"))
    async with open_route(route, backend, json_serialize=dumps) as session:
        for _ in range(2):
            response = await session.post(origin.url("/echo"), json={"a": [1, 2]})
            assert await response.read() == b'{"a":[1,2]}'
    assert origin.count() == 1


async def test_timeouts_hold_for_requests_that_go_out(
    origin: Origin, open_backend: OpenBackend
) -> None:
    timeout = aiohttp.ClientTimeout(total=0.05)
    async with CachedSession(cache=open_backend(), timeout=timeout) as session:
        with pytest.raises(TimeoutError):
            await session.get(origin.url("/gated"))


async def test_attributes_of_the_session(open_backend: OpenBackend) -> None:
    """What one can ask a session, one can ask a cached one."""
    asked = [
        "auth",
        "requote_redirect_url",
        "timeout",
        "headers",
        "skip_auto_headers",
        "json_serialize",
        "raise_for_status",
        "auto_decompress",
        "trust_env",
        "version",
        "connector_owner",
        "closed",
    ]
    options: dict[str, Any] = {"headers": {"A": "b"}, "raise_for_status": True}
    async with (
        ClientSession(**options) as plain,
        CachedSession(cache=open_backend(), **options) as session,
    ):
        for name in asked:
            assert getattr(session, name) == getattr(plain, name), name
        assert session.trace_configs == []
