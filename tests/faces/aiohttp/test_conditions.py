"""Which responses are kept, and which requests share one."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support.origin import Origin

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize("method", ALL_METHODS)
async def test_get_and_head_are_kept(
    origin: Origin, open_session: OpenSession, method: str
) -> None:
    async with open_session() as session:
        for _ in range(2):
            await session.request(method, origin.url("/serial"))
    assert origin.count() == (1 if method in ("GET", "HEAD") else 2)


@pytest.mark.parametrize("method", ALL_METHODS)
async def test_other_methods_are_kept_when_they_are_allowed(
    origin: Origin, open_session: OpenSession, method: str
) -> None:
    async with open_session(allowed_methods=[method.lower()]) as session:
        for _ in range(2):
            await getattr(session, method.lower())(origin.url("/serial"))
        other = "GET" if method != "GET" else "HEAD"
        for _ in range(2):
            await session.request(other, origin.url("/serial"))
    assert origin.count(method=method) == 1
    assert origin.count(method=other) == 2


@pytest.mark.parametrize("code", [201, 204, 301, 404, 410, 418, 500, 503])
async def test_only_200_is_kept(origin: Origin, open_session: OpenSession, code: int) -> None:
    url = origin.url(f"/status/{code}")
    async with open_session() as session:
        for _ in range(2):
            response = await session.get(url, allow_redirects=False)
            assert (response.status, response.from_cache) == (code, False)
        assert await session.cache.responses.size() == 0
    assert origin.count() == 2


@pytest.mark.parametrize("code", [200, 201, 204, 404, 418, 500])
async def test_other_codes_are_kept_when_they_are_allowed(
    origin: Origin, open_session: OpenSession, code: int
) -> None:
    async with open_session(allowed_codes=[code]) as session:
        for asked in (code, 410):
            for _ in range(2):
                await session.get(origin.url(f"/status/{asked}"))
    assert origin.count(f"/status/{code}") == 1
    assert origin.count("/status/410") == 2


async def test_settings_are_taken_by_the_session_and_by_the_backend(
    origin: Origin, open_backend: OpenBackend
) -> None:
    """A value that the session was given holds on its backend, too."""
    settings: dict[str, Any] = {
        "expire_after": 60,
        "urls_expire_after": {"example.com": 5},
        "allowed_codes": (200, 404),
        "allowed_methods": ("GET", "POST"),
        "ignored_parameters": ["token"],
        "include_headers": ["Accept"],
        "filter_fn": lambda response: True,
    }
    plain = open_backend()
    async with CachedSession(cache=plain, **settings) as session:
        of_session = {name: getattr(session, name) for name in settings}
        assert {name: getattr(session.cache, name) for name in settings} == of_session
    async with CachedSession(cache=open_backend(**settings)) as session:
        assert {name: getattr(session, name) for name in settings} == of_session
    assert of_session["expire_after"] == 60
    assert set(of_session["allowed_codes"]) == {200, 404}
    assert set(of_session["allowed_methods"]) == {"GET", "POST"}


async def test_settings_without_a_backend(names: Origin) -> None:
    async with CachedSession(allowed_codes=(418,), expire_after=60) as session:
        for _ in range(2):
            await session.get("http://httpbin.org/teapot")
    assert names.count() == 1


async def test_settings_change_on_a_live_session(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        session.allowed_codes = (404,)
        session.allowed_methods = ("POST",)
        for _ in range(2):
            await session.post(origin.url("/status/404"))
            await session.get(origin.url("/status/200"))
    assert origin.count("/status/404") == 1
    assert origin.count("/status/200") == 2


class TestIncludeHeaders:
    """Request headers tell requests apart only when they are asked to."""

    async def ask(self, session: CachedSession, origin: Origin, **headers: str) -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await session.get(origin.url("/headers"), headers=named)
        return response.from_cache

    async def test_by_default_they_do_not_count(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session() as session:
            assert not await self.ask(session, origin, Accept="text/plain")
            assert await self.ask(session, origin, Accept="application/json", X_Other="1")

    async def test_all_of_them(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(include_headers=True) as session:
            assert not await self.ask(session, origin, Accept="text/plain")
            assert not await self.ask(session, origin, Accept="text/plain", X_Other="1")
            assert not await self.ask(session, origin, Accept="application/json")
            assert await self.ask(session, origin, accept="text/plain")
            assert await self.ask(session, origin, X_Other="1", Accept="text/plain")

    async def test_a_list_of_them(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(include_headers=["accept", "Accept-Language"]) as session:
            assert not await self.ask(session, origin, Accept="text/plain")
            assert not await self.ask(session, origin, Accept="text/html")
            assert not await self.ask(session, origin, Accept="text/html", Accept_Language="et")
            assert await self.ask(session, origin, Accept="text/html", X_Other="1")

    async def test_ignored_headers_do_not_count_among_all(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session(include_headers=True, ignored_params=["X-Token"]) as session:
            assert not await self.ask(session, origin, Accept="text/plain", X_Token="1")
            assert await self.ask(session, origin, Accept="text/plain", x_token="2")
            assert not await self.ask(session, origin, Accept="text/html", X_Token="1")

    async def test_headers_of_the_session_count(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        backend = open_backend(include_headers=["X-Tenant"])
        for tenant in ("a", "b", "a", "b"):
            async with CachedSession(cache=backend, headers={"X-Tenant": tenant}) as session:
                body = await (await session.get(origin.url("/headers"))).json()
                assert body["headers"]["X-Tenant"] == tenant
        assert origin.count() == 2


class TestKeyFunction:
    """``key_fn`` says itself which requests are equal."""

    async def test_plain(self, origin: Origin, open_session: OpenSession) -> None:
        def first_letter(request: Any, **_: Any) -> str:
            return str(request.url).rpartition("/")[2][0]

        async with open_session(key_fn=first_letter) as session:
            await session.get(origin.url("/serial/apple"))
            response = await session.get(origin.url("/serial/avocado"))
            assert (response.from_cache, await response.read()) == (True, b"1")
            await session.get(origin.url("/serial/banana"))
        assert origin.count() == 2

    async def test_coroutine(self, origin: Origin, open_session: OpenSession) -> None:
        async def one_for_all(request: Any, **_: Any) -> str:
            return "everything"

        async with open_session(key_fn=one_for_all) as session:
            await session.get(origin.url("/serial/apple"))
            assert (await session.get(origin.url("/serial/banana"))).from_cache
        assert origin.count() == 1

    @pytest.mark.parametrize("answer", [None, "", 5, KeyError("a bug in the function")], ids=str)
    async def test_one_that_gives_no_key(
        self, origin: Origin, open_session: OpenSession, answer: Any
    ) -> None:
        """Without a key nothing is cached, and no request fails for it."""

        def no_key(request: Any, **_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        async with open_session(key_fn=no_key) as session:
            for _ in range(2):
                assert (await session.get(origin.url("/serial"))).status == 200
        assert origin.count() == 2
