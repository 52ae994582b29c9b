"""Checked by mypy and pyright: how backends of the face for requests are used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import assert_type

from requests import Request

from requests_cache import (
    DO_NOT_CACHE,
    NEVER_EXPIRE,
    BaseCache,
    CachedResponse,
    FileCache,
    MongoCache,
    RedisCache,
    SQLiteCache,
    create_key,
    init_backend,
)


def made() -> None:
    BaseCache("demo", 60, allowable_codes=[200, 404], match_headers=True, max_bytes=None)
    SQLiteCache("demo", "json", use_temp=True, busy_timeout=100, wal=True, expire_after=-1)
    FileCache("demo", True, use_cache_dir=True)
    RedisCache("demo", None, None, True, 60, host="localhost")
    MongoCache("demo", cache_name="pages")
    assert_type(init_backend("demo", SQLiteCache, expire_after=timedelta(days=1)), BaseCache)


def looked_through(cache: BaseCache) -> None:
    cache.expire_after = DO_NOT_CACHE
    cache.expire_after = NEVER_EXPIRE
    cache.match_headers = ["Accept"]
    assert_type(cache.contains("key"), bool)
    assert_type(cache.contains(request=Request("GET", "http://a/")), bool)
    assert_type(cache.filter(expired=False), Iterator[CachedResponse])
    assert_type(cache.responses["key"], CachedResponse)
    assert_type(cache.redirects["key"], str)
    assert_type(cache.urls[0], str)
    assert_type(cache.urls(expired=False), list[str])
    assert_type(cache.delete("key", older_than=timedelta(days=1), urls=["http://a/"]), int)
    assert_type(cache.size(), int)
    assert_type(create_key(Request("GET", "http://a/")), str)
    with cache as same:
        assert_type(same, BaseCache)
