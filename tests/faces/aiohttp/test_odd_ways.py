"""Ways to use a cache that nobody plans for and somebody takes."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, FormData, MultipartWriter
from aiohttp.payload import BytesIOPayload, Payload

from aiohttp_client_cache import (
    CacheBackend,
    CachedSession,
    CacheMiddleware,
    CacheMixin,
    ConfigurationError,
    SQLiteBackend,
)
from aiohttp_client_cache.backends import DictCache
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support.files import everything_in
from tests.support.origin import Origin

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")


# Before that, aiohttp closed what it had sent.
sends_again = pytest.mark.skipif(
    not hasattr(Payload, "as_bytes"), reason="this aiohttp sends a BytesIO but once"
)


class TestBodiesThatAreSentAgain:
    """The key is of the bytes that are sent, however often that is."""

    @sends_again
    @pytest.mark.parametrize("form", [False, True])
    async def test_after_a_redirect(
        self, origin: Origin, open_session: OpenSession, form: bool
    ) -> None:
        url = origin.url("/redirect-to?status=307&to=/echo")
        async with open_session(allowed_methods=["POST"]) as session:
            for text in (b"alice", b"bob", b"alice"):
                data: Any = io.BytesIO(text)
                if form:
                    data = FormData()
                    data.add_field("name", io.BytesIO(text), filename="name")
                response = await session.post(url, data=data)
                assert text in await response.read()

    @sends_again
    async def test_one_payload_for_two_requests(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session(allowed_methods=["POST"]) as session:
            for payload in (BytesIOPayload(io.BytesIO(b"AAA")), BytesIOPayload(io.BytesIO(b"BBB"))):
                first = await (await session.post(origin.url("/echo"), data=payload)).read()
                second = await (await session.post(origin.url("/echo"), data=payload)).read()
                assert first == second

    @sends_again
    async def test_a_middleware_that_tries_again(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        async def twice(request: Any, handler: Any) -> ClientResponse:
            await (await handler(request)).read()
            return await handler(request)

        cache = CacheMiddleware(open_backend(allowed_methods=["POST"]))
        async with ClientSession(middlewares=[twice, cache]) as session:
            for text in (b"AAA", b"BBB"):
                response = await session.post(origin.url("/echo"), data=io.BytesIO(text))
                assert await response.read() == text

    async def test_nested_multiparts(self, origin: Origin, open_session: OpenSession) -> None:
        def letter(text: str) -> MultipartWriter:
            outer, inner = MultipartWriter("mixed"), MultipartWriter("related")
            inner.append(text)
            outer.append(inner)
            return outer

        async with open_session(allowed_methods=["POST"]) as session:
            for text, cached in (("x", False), ("x", True), ("y", False)):
                response = await session.post(origin.url("/echo"), data=letter(text))
                assert response.from_cache is cached


class Counting:
    """A mixin that counts what goes through it, and has an argument of its own."""

    count = 0

    async def _request(self, *args: Any, tag: Any = None, **kwargs: Any) -> ClientResponse:
        type(self).count += 1
        return await super()._request(*args, **kwargs)  # type: ignore[misc]


@pytest.fixture
def counted() -> Any:
    class Counted(CacheMixin, Counting, ClientSession):
        """A cache in front of a mixin."""

    return Counted


class TestClassesBehindTheCache:
    async def test_their_own_arguments(
        self, origin: Origin, open_backend: OpenBackend, counted: Any
    ) -> None:
        async with counted(cache=open_backend()) as session:
            for cached in (False, True):
                response = await session.get(origin.url("/serial"), tag=1)
                assert response.from_cache is cached

    async def test_many_at_once_that_follow_no_redirects(
        self, origin: Origin, open_backend: OpenBackend, counted: Any
    ) -> None:
        async with counted(cache=open_backend()) as session:
            url = origin.url("/serial")
            await asyncio.gather(*[session.get(url, allow_redirects=False) for _ in range(10)])
        assert (counted.count, origin.count()) == (1, 1)

    async def test_a_redirect_that_is_not_followed_is_not_kept(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session() as session:
            for _ in range(2):
                response = await session.get(origin.url("/redirect/1"), allow_redirects=False)
                assert (response.status, response.from_cache) == (302, False)
            assert await session.cache.redirects.size() == 0

    async def test_only_if_cached_asks_nobody(
        self, origin: Origin, open_backend: OpenBackend, counted: Any
    ) -> None:
        async with counted(cache=open_backend()) as session:
            response = await session.post(origin.url("/post"), only_if_cached=True)
            assert response.status == 504
            with session.disabled():
                response = await session.get(origin.url("/serial"), only_if_cached=True)
                assert response.status == 504
        assert (counted.count, origin.count()) == (0, 0)


class Sized(DictCache):
    """A storage that is falsy as long as it is empty."""

    def __len__(self) -> int:
        return len(self.items)


async def test_a_storage_that_is_empty_is_a_storage(origin: Origin) -> None:
    backend, storage = CacheBackend(), Sized()
    backend.responses = backend.redirects = storage
    assert backend.responses is storage
    assert backend.redirects is storage
    async with CachedSession(cache=backend) as session:
        await session.get(origin.url("/serial"))
    assert len(storage) == 1


class TestKeysOfOnesOwn:
    async def test_raw_bodies_are_kept_apart(
        self, origin: Origin, open_backend: OpenBackend
    ) -> None:
        backend = open_backend(key_fn=lambda request: request.url)
        url = origin.url("/compressed/gzip")
        async with CachedSession(cache=backend, auto_decompress=False) as raw:
            assert (await (await raw.get(url)).read()).startswith(b"\x1f\x8b")
        async with CachedSession(cache=backend) as session:
            assert not (await (await session.get(url)).read()).startswith(b"\x1f\x8b")

    async def test_by_url(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session(key_fn=lambda request: f"mine {request.url}") as session:
            url = origin.url("/serial?a=1")
            assert not await session.cache.has_url(url)
            await session.get(url)
            assert await session.cache.has_url(url)
            assert not await session.cache.has_url(origin.url("/serial?a=2"))
            assert await session.cache.delete_url(url) == 1
            assert not (await session.get(url)).from_cache

    async def test_a_key_that_has_to_be_awaited(self, origin: Origin) -> None:
        async def key(request: Any) -> str:
            return str(request.url)

        backend = CacheBackend(key_fn=key)
        with pytest.raises(ConfigurationError, match="create_key"):
            backend.create_key("GET", origin.url("/serial"))


class TestSecretsInRedirects:
    async def test_credentials_of_the_target(
        self, origin: Origin, open_sqlite: OpenSession, tmp_path: Path
    ) -> None:
        target = origin.url("/serial").replace("//", "//user:S3CR3T@")
        # The request names the target, too; that is not what this is about.
        async with open_sqlite(ignored_parameters=["to"]) as session:
            for cached in (False, True):
                response = await session.get(origin.url("/redirect-to"), params={"to": target})
                assert response.status == 200
                assert response.from_cache is cached
        assert b"S3CR3T" not in everything_in(tmp_path)

    async def test_a_redirect_that_is_kept_as_it_is(
        self, origin: Origin, open_sqlite: OpenSession, tmp_path: Path
    ) -> None:
        settings: Any = {"allowed_codes": (200, 302), "ignored_parameters": ["token", "to"]}
        async with open_sqlite(**settings) as session:
            url = origin.url("/redirect-to")
            for _ in range(2):
                response = await session.get(url, params={"to": "/serial?a=1&token=V4LUE"})
                assert response.status == 200
            assert response.from_cache
        assert b"V4LUE" not in everything_in(tmp_path)


class TestDisabled:
    async def test_two_sessions_left_in_any_order(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        url = origin.url("/serial")
        async with open_session() as one, open_session() as other:
            first, second = one.disabled(), other.disabled()
            first.__enter__()
            second.__enter__()
            first.__exit__(None, None, None)
            await one.get(url)
            assert (await one.get(url)).from_cache
            assert not (await other.get(url)).from_cache
            second.__exit__(None, None, None)
            await other.get(url)
            assert (await other.get(url)).from_cache


class TestMistakes:
    async def test_the_cache_in_the_place_of_the_base_url(self) -> None:
        with pytest.raises(ConfigurationError, match=r"cache=SQLiteBackend\('demo_cache'\)"):
            CachedSession("demo_cache")
        with pytest.raises(ConfigurationError, match="cache=CacheBackend"):
            CachedSession(CacheBackend())  # type: ignore[arg-type]

    async def test_a_storage_class(self) -> None:
        with pytest.raises(ConfigurationError, match=r"not its class: Sized\(\)"):
            CachedSession(cache=Sized)  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", ["x", -1, 1.5, True])
    def test_counts(self, value: Any) -> None:
        with pytest.raises(ConfigurationError, match="max_bytes"):
            CacheBackend(max_bytes=value)
        with pytest.raises(ConfigurationError, match="cached_statements"):
            SQLiteBackend(cached_statements=value)

    @pytest.mark.parametrize("name", ["use_temp", "fast_save", "wal", "autoclose"])
    def test_flags(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=f"{name} must be True or False, not 'no'"):
            SQLiteBackend(**{name: "no"})  # type: ignore[arg-type]

    async def test_what_is_no_url(self) -> None:
        async with CachedSession() as session:
            cache = session.cache
            with pytest.raises(ConfigurationError, match=r"url must be str or yarl\.URL, not None"):
                await cache.has_url(None)  # type: ignore[arg-type]
            with pytest.raises(ConfigurationError, match="url must be"):
                await cache.delete_url(b"http://site.com/")  # type: ignore[arg-type]
            with pytest.raises(ConfigurationError, match="url must be"):
                cache.create_key("GET", 5)  # type: ignore[arg-type]

    def test_removing_without_a_loop(self) -> None:
        async def make() -> CachedSession:
            return CachedSession()

        session = asyncio.run(make())
        with pytest.raises(RuntimeError, match="no running event loop"):
            session.remove_expired_responses()
        asyncio.run(session.close())


async def test_another_backend_for_a_session(origin: Origin, open_backend: OpenBackend) -> None:
    url = origin.url("/serial")
    async with CachedSession(cache=CacheBackend()) as session:
        await session.get(url)
        session.cache = CacheBackend(expire_after=5)
        assert session.expire_after == 5
        assert not (await session.get(url)).from_cache
        session.expire_after = 6
        assert session.cache.expire_after == 6
        assert (await session.get(url)).from_cache
