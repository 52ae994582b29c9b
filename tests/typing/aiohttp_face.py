"""Checked by mypy and pyright, never run: what type checkers know of the aiohttp face.

A wrong use carries a `type: ignore`, which both complain about when it is not wrong any more.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import aiohttp

from aiohttp_client_cache import (
    DO_NOT_CACHE,
    NEVER_EXPIRE,
    BaseCache,
    CacheBackend,
    CachedResponse,
    CachedSession,
    CacheMiddleware,
    CacheMixin,
    DragonflyDBBackend,
    DynamoDBBackend,
    FileBackend,
    GridFSBackend,
    MongoDBBackend,
    RedisBackend,
    SQLiteBackend,
    SQLiteCache,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.status import CacheStatus, Forward


async def a_session_is_what_it_is() -> None:
    async with CachedSession() as session:
        assert_type(session, CachedSession)
        plain: aiohttp.ClientSession = session
        mixin: CacheMixin = session
        assert_type(plain.closed, bool)
        assert_type(mixin.cache, CacheBackend)
        assert_type(session.cache, CacheBackend)


async def responses_are_cached_responses(session: CachedSession) -> None:
    response = await session.get("https://example.com", expire_after=1)
    assert_type(response, CachedResponse)
    assert_type(response.from_cache, bool)
    assert_type(response.created_at, datetime | None)
    assert_type(response.expires, datetime | None)
    assert_type(response.is_expired, bool | None)
    assert_type(response.status, int)
    assert_type(await response.text(), str)
    plain: aiohttp.ClientResponse = response
    assert_type(plain.ok, bool)

    async with session.get("https://example.com") as opened:
        assert_type(opened, CachedResponse)
    assert_type(await session.request("GET", "https://example.com"), CachedResponse)


async def what_the_cache_did(session: CachedSession) -> None:
    response = await session.get("https://example.com")
    status = response.cache
    assert_type(status, CacheStatus)
    assert_type(status.reason, Reason)
    assert_type(status.refusal, Reason | None)
    assert_type(status.asked, Reason | None)
    assert_type(status.hit, bool)
    assert_type(status.stored, bool)
    assert_type(status.collapsed, bool)
    assert_type(status.why, str)
    assert_type(status.key, str | None)
    assert_type(status.ttl, float | None)
    assert_type(status.forward_status, int | None)
    assert_type(status.forward, Forward | None)
    status.hit = True  # type: ignore[misc]


async def every_verb_knows_the_options(session: CachedSession) -> None:
    url = "https://example.com"
    await session.get(url, refresh=True)
    await session.head(url, force_refresh=True)
    await session.post(url, json={"a": 1}, only_if_cached=True)
    await session.put(url, data=b"", expire_after=timedelta(days=1))
    await session.patch(url, expire_after=datetime(2030, 1, 1, tzinfo=UTC))
    await session.delete(url, expire_after="Fri, 01 Jan 2031 18:00:00 GMT")
    await session.options(url, expire_after=None)
    await session.request("GET", url, params={"a": "b"}, expire_after=NEVER_EXPIRE)
    await session.get(url, headers={"Accept": "text/plain"}, timeout=aiohttp.ClientTimeout(total=1))
    await session.get(url, {"Accept": "text/plain"})
    await session.get(url, stale_if_error=True, only_if_cached=True)
    await session.head(url, stale_if_error=timedelta(days=1))
    await session.post(url, stale_while_revalidate=60)
    await session.request("GET", url, stale_while_revalidate=0.5, stale_if_error=None)


async def wrong_options(session: CachedSession) -> None:
    url = "https://example.com"
    await session.get(url, expire_after=[1])  # type: ignore[call-overload]
    await session.get(url, refresh="yes")  # type: ignore[call-overload]
    await session.get(url, expire_afer=1)  # type: ignore[call-overload]
    await session.get(url, stale_if_error="a day")  # type: ignore[call-overload]
    await session.get(url, cache_control=True)  # type: ignore[call-overload]


def settings() -> None:
    CachedSession(
        cache=SQLiteBackend("cache", fast_save=True),
        expire_after=360,
        urls_expire_after={"*.example.com": 30, re.compile("x"): timedelta(days=1), "y": -1},
        allowed_codes=(200, 418),
        allowed_methods=["GET", "POST"],
        ignored_parameters=["token"],
        include_headers=True,
        filter_fn=lambda response: response.status == 200,
        headers={"A": "b"},
        timeout=aiohttp.ClientTimeout(total=1),
    )
    CachedSession(
        cache_control=True,
        shared=False,
        stale_if_error=timedelta(days=1),
        urls_stale_if_error={"*.example.com": True, re.compile("x"): 60, "y": None},
        stale_while_revalidate=60,
        urls_stale_while_revalidate={"*.example.com": -1},
        cache_status=True,
        cache_groups=True,
        no_vary_search=True,
        fetch_lease=timedelta(seconds=5),
    )
    SQLiteBackend(cache_control=True, stale_if_error=True)
    CacheMiddleware(cache_control=True, stale_while_revalidate=1.5)
    CachedSession(base_url="https://example.com", expire_after=DO_NOT_CACHE)
    CachedSession("https://example.com")
    CacheBackend("name", expire_after=timedelta(days=30), include_headers=["Accept"])
    assert_type(SQLiteCache(), SQLiteBackend)
    FileBackend("cache", 60, fast_save=True, max_bytes=None, max_entries=5, cache_control=True)
    FileBackend(wal=True)  # type: ignore[call-arg]


def backends_on_servers() -> None:
    RedisBackend("demo", "redis://localhost", store_timeout=1, ttl_offset=60, expire_after=5)
    DragonflyDBBackend(host="localhost", port=6379, ssl=True, password=None)
    MongoDBBackend("demo", host="mongodb://localhost", database="db", replicaSet="rs", tls=True)
    GridFSBackend(address="mongodb://localhost", compression="zstd", fetch_lease=5)
    DynamoDBBackend(table="cache", region_name="eu-west-1", create_if_not_exists=False)
    CachedSession(backend="redis", host="localhost", port=6379, expire_after=5)
    CachedSession(backend="redis://localhost", cache_name="demo", ttl=False)
    CachedSession(cache="dynamodb", region_name="eu-west-1", endpoint_url="http://localhost:8000")
    CachedSession(backend="mongodb", database="db", username="user", password="secret")


async def a_filter(response: aiohttp.ClientResponse) -> bool:
    return len(await response.read()) > 0


def wrong_settings() -> None:
    CachedSession(cache=1)  # type: ignore[arg-type]
    CachedSession(expire_after=[1])  # type: ignore[arg-type]
    CacheBackend(allowed_codes=200)  # type: ignore[arg-type]
    SQLiteBackend(no_such_option=1)  # type: ignore[call-arg]
    RedisBackend(no_such_option=1)  # type: ignore[call-arg]
    RedisBackend(port="6379")  # type: ignore[arg-type]
    MongoDBBackend(replica_set="rs")  # type: ignore[call-arg]
    DynamoDBBackend(ttl="yes")  # type: ignore[arg-type]
    CachedSession(backend="redis", port="6379")  # type: ignore[arg-type]
    CachedSession(cache_control="yes")  # type: ignore[arg-type]
    CacheBackend(stale_if_error="a day")  # type: ignore[arg-type]
    CacheMiddleware(urls_stale_while_revalidate=60)  # type: ignore[arg-type]
    CacheBackend(filter_fn=a_filter)


async def a_live_session(session: CachedSession) -> None:
    session.expire_after = -1
    session.expire_after = timedelta(days=1)
    session.cache.expire_after = None
    session.cache_control = True
    session.stale_if_error = timedelta(days=1)
    session.cache.urls_stale_while_revalidate = {"*": 60}
    assert_type(session.cache_status, bool)
    with session.disabled():
        await session.get("https://example.com")
    async with session.disabled():
        await session.get("https://example.com")
    await session.delete_expired_responses()
    session.remove_expired_responses()
    await session.remove_expired_responses(expire_after=timedelta(days=30))


async def inspection(session: CachedSession) -> None:
    urls: list[str] = session.cache.urls
    assert urls
    assert_type([url async for url in session.cache.get_urls()], list[str])
    assert_type(await session.cache.has_url("https://example.com"), bool)
    assert_type(await session.cache.responses.size(), int)
    await session.cache.delete_url("https://example.com")
    await session.cache.clear()
    posts = [response.url async for response in session.cache.responses.values() if response.status]
    assert posts


async def a_middleware() -> None:
    middleware = CacheMiddleware(cache=CacheBackend(), expire_after=60)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        assert_type(session, aiohttp.ClientSession)


class Api(CacheMixin, aiohttp.ClientSession):
    """A session class of one's own."""

    async def item(self, number: int) -> bytes:
        async with self.get(f"/items/{number}", expire_after=60) as response:
            assert_type(response, CachedResponse)
            return await response.read()


async def a_class_of_ones_own() -> None:
    async with Api(base_url="https://example.com", expire_after=60) as api:
        assert_type(api, Api)
        assert_type(await api.item(1), bytes)


class Shelf(BaseCache):
    """A storage of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, Any] = {}

    async def read(self, key: str) -> Any:
        return self.held.get(key)

    async def write(self, key: str, item: Any) -> None:
        self.held[key] = item

    async def contains(self, key: str) -> bool:
        return key in self.held

    async def delete(self, key: str) -> None:
        del self.held[key]

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            del self.held[key]

    async def clear(self) -> None:
        self.held.clear()

    async def size(self) -> int:
        return len(self.held)

    async def keys(self) -> AsyncIterator[str]:
        for key in self.held:
            yield key

    async def values(self) -> AsyncIterator[Any]:
        for item in self.held.values():
            yield item


def a_storage_of_ones_own() -> None:
    backend = CacheBackend()
    backend.responses = Shelf()
    backend.redirects = Shelf()
