"""The cache as a middleware, and other middlewares beside it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import ClientRequest, ClientResponse, ClientSession

from aiohttp_client_cache import CachedSession, CacheMiddleware
from tests.faces.aiohttp.conftest import OpenBackend
from tests.support import endpoints
from tests.support.clock import StandingClock
from tests.support.origin import Origin


class Counting:
    """A middleware that counts the requests it passes on."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def __call__(self, request: ClientRequest, handler: Any) -> ClientResponse:
        self.requests.append(str(request.url))
        return await handler(request)


class TestUnmodifiedSession:
    """``aiohttp.ClientSession(middlewares=[CacheMiddleware(…)])``."""

    async def test_hit(self, origin: Origin, open_backend: OpenBackend) -> None:
        middleware = CacheMiddleware(cache=open_backend())
        async with ClientSession(middlewares=[middleware]) as session:
            for _ in range(3):
                async with session.get(origin.url("/lines")) as response:
                    assert await response.read() == endpoints.LINES
            assert response.from_cache  # type: ignore[attr-defined]
        assert origin.count() == 1

    async def test_settings(
        self, origin: Origin, open_backend: OpenBackend, clock: StandingClock
    ) -> None:
        middleware = CacheMiddleware(
            cache=open_backend(), expire_after=60, allowed_codes=(200, 404), ignored_params=["q"]
        )
        async with ClientSession(middlewares=[middleware]) as session:
            for q in ("a", "b"):
                await session.get(origin.url("/status/404"), params={"q": q})
            assert origin.count() == 1
            clock.advance(seconds=61)
            await session.get(origin.url("/status/404"))
            assert origin.count() == 2

    async def test_without_a_backend(self, origin: Origin) -> None:
        async with ClientSession(middlewares=[CacheMiddleware()]) as session:
            for _ in range(2):
                await session.get(origin.url("/serial"))
        assert origin.count() == 1

    async def test_one_middleware_in_two_sessions(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        middleware = CacheMiddleware(cache=open_backend())
        for _ in range(2):
            async with ClientSession(middlewares=[middleware]) as session:
                await session.get(origin.url("/serial"))
        assert origin.count() == 1

    async def test_per_request(self, origin: Origin, open_backend: OpenBackend) -> None:
        middleware = CacheMiddleware(cache=open_backend())
        async with ClientSession() as session:
            for _ in range(2):
                await session.get(origin.url("/serial"), middlewares=[middleware])
            assert origin.count() == 1
            await session.get(origin.url("/serial"))
            assert origin.count() == 2

    async def test_single_hops(self, origin: Origin, open_backend: OpenBackend) -> None:
        """A middleware does not see chains: redirects go out, what they lead to is cached."""
        middleware = CacheMiddleware(cache=open_backend())
        async with ClientSession(middlewares=[middleware]) as session:
            for _ in range(2):
                response = await session.get(origin.url("/redirect/2"))
                assert await response.read() == b"1"
        assert origin.count("/serial/end") == 1
        assert origin.count() == 5

    async def test_shared_with_a_cached_session(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        backend = open_backend()
        async with ClientSession(middlewares=[CacheMiddleware(cache=backend)]) as session:
            await session.get(origin.url("/serial"))
        async with CachedSession(cache=backend) as session:
            assert (await session.get(origin.url("/serial"))).from_cache
        assert origin.count() == 1

    async def test_chains_of_a_cached_session(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        """What a chain led to does not answer for its first hop."""
        backend = open_backend()
        async with CachedSession(cache=backend) as session:
            await session.get(origin.url("/redirect/1"))
        async with ClientSession(middlewares=[CacheMiddleware(cache=backend)]) as session:
            response = await session.get(origin.url("/redirect/1"), allow_redirects=False)
            assert response.status == 302
            response = await session.get(origin.url("/redirect/1"))
            assert response.url.path == "/serial/end"
            assert len(response.history) == 1
        assert origin.count("/serial/end") == 1

    async def test_unknown_settings_are_errors(self) -> None:
        with pytest.raises(TypeError, match="no_such_option"):
            CacheMiddleware(no_such_option=1)  # type: ignore[call-arg]


class TestBesideOthers:
    """Middlewares of the user run when a request goes out, and only then."""

    async def test_of_the_session(self, origin: Origin, open_backend: OpenBackend) -> None:
        counting = Counting()
        async with CachedSession(cache=open_backend(), middlewares=[counting]) as session:
            for _ in range(3):
                await session.get(origin.url("/serial"))
        assert len(counting.requests) == 1

    async def test_of_a_request(self, origin: Origin, open_backend: OpenBackend) -> None:
        """They take the place of the session's, but not of the cache."""
        replaced, counting = Counting(), Counting()
        async with CachedSession(cache=open_backend(), middlewares=[replaced]) as session:
            for _ in range(3):
                response = await session.get(origin.url("/serial"), middlewares=[counting])
            assert response.from_cache
            assert (await session.get(origin.url("/serial"), middlewares=[])).from_cache
            assert (await session.get(origin.url("/serial"), middlewares=())).from_cache
        assert len(counting.requests) == 1
        assert replaced.requests == []

    async def test_every_hop(self, origin: Origin, open_backend: OpenBackend) -> None:
        counting = Counting()
        async with CachedSession(cache=open_backend()) as session:
            for _ in range(2):
                await session.get(origin.url("/redirect/2"), middlewares=[counting])
        assert len(counting.requests) == 3

    async def test_one_that_answers_itself(self, origin: Origin, open_backend: OpenBackend) -> None:
        """What a middleware makes of a response is what is cached."""

        async def teapot(request: ClientRequest, handler: Any) -> ClientResponse:
            response: ClientResponse = await handler(request)
            response.status = 200 if response.status == 418 else response.status
            return response

        async with CachedSession(cache=open_backend(), middlewares=[teapot]) as session:
            for _ in range(2):
                assert (await session.get(origin.url("/teapot"))).status == 200
        assert origin.count() == 1

    async def test_one_that_fails(self, origin: Origin, open_backend: OpenBackend) -> None:
        async def fail(request: ClientRequest, handler: Any) -> ClientResponse:
            raise aiohttp.ClientError("refused by a middleware")

        async with CachedSession(cache=open_backend()) as session:
            for _ in range(2):
                with pytest.raises(aiohttp.ClientError, match="refused by a middleware"):
                    await session.get(origin.url("/serial"), middlewares=[fail])
            assert (await session.get(origin.url("/serial"))).status == 200
        assert origin.count() == 1

    async def test_one_that_asks_by_the_same_session(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        """A request within a request has options of its own."""

        async def ask_first(request: ClientRequest, handler: Any) -> ClientResponse:
            await session.get(origin.url("/serial/token"), middlewares=[])
            return await handler(request)

        async with CachedSession(cache=open_backend()) as session:
            options: dict[str, Any] = {"middlewares": [ask_first], "expire_after": 0}
            for _ in range(2):
                await session.get(origin.url("/serial/page"), **options)
        assert origin.count("/serial/page") == 2
        assert origin.count("/serial/token") == 1
