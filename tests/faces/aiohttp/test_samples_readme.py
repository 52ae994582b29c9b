"""The samples of the README that users know, run as they are written."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CachedSession, CacheMixin
from tests.support.origin import Origin
from tests.support.samples import run_sample

pytestmark = pytest.mark.usefixtures("in_tmp_path")

USAGE = """
from aiohttp_client_cache import CachedSession, SQLiteBackend

async with CachedSession(cache=SQLiteBackend()) as session:
    for i in range(10):
        await session.get('http://httpbin.org/delay/1')
"""

MIXIN = """
from aiohttp import ClientSession
from aiohttp_client_cache import CacheMixin

class CustomSession(CacheMixin, CustomMixin, ClientSession):
    pass
"""

EXPIRATION = """
session = CachedSession(expire_after=3)   # Cached responses expire after 3 hours
await session.remove_expired_responses()  # Remove any responses over 3 hours old
"""


async def test_usage_example_fetches_once(names: Origin, tmp_path: Path) -> None:
    names.second = 0.1

    started = time.monotonic()
    await run_sample(USAGE)

    assert names.count("/delay/1") == 1
    assert time.monotonic() - started < 5 * names.second
    assert (tmp_path / "aiohttp-cache.sqlite").is_file()


@pytest.mark.filterwarnings("ignore:Inheritance class CustomSession:DeprecationWarning")
async def test_mixin_example(names: Origin) -> None:
    class CustomMixin:
        def greet(self) -> str:
            return "hello"

    sample = await run_sample(MIXIN, CustomMixin=CustomMixin)

    async with sample["CustomSession"]() as session:
        assert isinstance(session, CacheMixin)
        assert isinstance(session, ClientSession)
        assert session.greet() == "hello"
        await session.get("http://httpbin.org/get")
        response = await session.get("http://httpbin.org/get")
        assert response.from_cache
    assert names.count() == 1


async def test_expiration_example(names: Origin) -> None:
    sample = await run_sample(EXPIRATION, CachedSession=CachedSession)

    async with sample["session"] as session:
        await session.get("http://httpbin.org/get")
        response = await session.get("http://httpbin.org/get")
        assert response.expires - response.created_at == timedelta(seconds=3)


async def test_the_linked_class_has_the_conditions_listed() -> None:
    from aiohttp_client_cache.backends.base import CacheBackend

    backend = CacheBackend(
        allowed_codes=(200, 418),
        allowed_methods=("GET", "HEAD", "POST"),
        include_headers=True,
        ignored_parameters=["auth-token"],
        filter_fn=lambda response: True,
    )
    await backend.close()


def test_backends_of_ones_own_start_from_base_cache() -> None:
    from aiohttp_client_cache.backends import BaseCache

    assert issubclass(type("Mine", (BaseCache,), {}), BaseCache)
