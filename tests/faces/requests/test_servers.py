"""Looking around and changing things, on servers that are reached without ``await``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
from requests import Request

import requests_cache
from requests_cache import BaseCache, CachedSession
from tests.faces.aiohttp.servers.places import KINDS, PATIENCE, made
from tests.support.origin import Origin

CLASSES = {
    "redis": "RedisCache",
    "mongodb": "MongoCache",
    "gridfs": "GridFSCache",
    "dynamodb": "DynamoDbCache",
}


@pytest.fixture(params=KINDS)
def cache(request: pytest.FixtureRequest) -> Iterator[BaseCache]:
    """A cache that nobody else has."""
    kind: Any = getattr(requests_cache, CLASSES[request.param])
    arguments = {"store_timeout": PATIENCE, **made(request.param).arguments}
    with kind(cache_name=f"cache-{token_hex(6)}", **arguments) as cache:
        yield cache
        cache.clear()


def test_inspection_and_upkeep(cache: BaseCache, origin: Origin) -> None:
    redirect, large = origin.url("/redirect/1"), origin.url("/large?size=1500000")
    with CachedSession(backend=cache, expire_after=60, autoclose=False) as session:
        for url in (redirect, large):
            assert not session.get(url).from_cache
            assert session.get(url).from_cache
        asked = origin.count()
        target = session.get(redirect).url

        assert (cache.size(), len(cache.redirects)) == (2, 1)
        assert cache.urls == sorted([target, large])
        assert cache.contains(url=redirect)
        assert cache.contains(Request("GET", target))
        assert sorted(one.url for one in cache.filter(expired=False)) == cache.urls
        assert list(cache.filter(valid=False)) == []
        assert len(cache.responses[cache.create_key(Request("GET", large))].content) == 1_500_000

        copied = BaseCache()
        assert copied.update(cache) == 2
        cache.clear()
        assert cache.urls == []
        assert cache.update(copied) == 2
        assert len(session.get(large).content) == 1_500_000
        assert session.get(redirect).from_cache
        assert origin.count() == asked

        cache.settings.key_fn = lambda request: f"mine.{request.method} {request.url}"
        assert cache.recreate_keys() == 2
        assert len(session.get(large).content) == 1_500_000
        assert session.get(target).from_cache
        assert origin.count() == asked

        cache.reset_expiration(timedelta(hours=1))
        assert cache.delete(expired=True) == 0
        assert cache.delete(older_than=timedelta(hours=1)) == 0
        assert cache.delete(urls=[large]) == 1
        assert cache.remove_expired_responses(expire_after=timedelta(microseconds=1)) == 1
        assert cache.size() == 0
