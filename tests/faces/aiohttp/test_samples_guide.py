"""The samples of the user guide, run as they are written, each against a server that counts."""

from __future__ import annotations

import re
import sys
import types
from datetime import datetime, timedelta

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CachedSession, SQLiteBackend, SQLiteCache
from tests.support.clock import StandingClock
from tests.support.origin import Origin
from tests.support.samples import run_sample

pytestmark = pytest.mark.usefixtures("in_tmp_path")

BASIC = """
>>> from aiohttp_client_cache import CachedSession
>>>
>>> async with CachedSession() as session:
>>>     await session.get('http://httpbin.org/delay/1')
"""

ANY_METHOD = """
>>> await session.request('GET', 'http://httpbin.org/get')
>>> await session.head('http://httpbin.org/get')
"""

DISABLED = """
>>> with session.disabled():
...     await session.get('http://httpbin.org/get')
"""

CLEAR = """
>>> await session.cache.clear()
"""

METHODS = """
>>> cache = SQLiteBackend(allowed_methods=('GET', 'POST'))
>>> async with CachedSession(cache=cache) as session:
>>>     await session.post('http://httpbin.org/post', json={'param': 'value'})
"""

CODES = """
>>> cache = SQLiteBackend(allowed_codes=(200, 418))
>>> async with CachedSession(cache=cache) as session:
>>>     await session.get('http://httpbin.org/teapot')
"""

IGNORED = """
>>> cache = SQLiteBackend(ignored_parameters=['auth-token'])
>>> async with CachedSession(cache=cache) as session:
>>>     # Only the first request will be sent
>>>     await session.get('http://httpbin.org/get', params={'auth-token': '2F63E5DF4F44'})
>>>     await session.get('http://httpbin.org/get', params={'auth-token': 'D9FAEB3449D3'})
"""

HEADERS = """
>>> cache = SQLiteBackend(include_headers=True)
>>> async with CachedSession(cache=cache) as session:
>>>     # Both of these requests will be sent and cached separately
>>>     await session.get('http://httpbin.org/headers', {'Accept': 'text/plain'})
>>>     await session.get('http://httpbin.org/headers', {'Accept': 'application/json'})
"""

EXPIRATION = """
>>> # Set expiration for the session using a value in seconds
>>> cache = SQLiteBackend(expire_after=360)
>>> # To specify a different unit of time, use a timedelta
>>> from datetime import timedelta
>>> cache = SQLiteBackend(expire_after=timedelta(days=30))
>>> # Update an existing session to disable expiration (i.e., store indefinitely)
>>> session.expire_after = -1
"""

PATTERNS = """
>>> cache = SQLiteBackend(
...     urls_expire_after={
...         '*.site_1.com': 30,
...         'site_2.com/resource_1': 60 * 2,
...         'site_2.com/resource_2': 60 * 60 * 24,
...         'site_2.com/static': -1,
...     }
... )
"""

REMOVE = """
>>> session.remove_expired_responses()
"""

REMOVE_WITH_EXPIRATION = """
>>> session.remove_expired_responses(expire_after=timedelta(days=30))
"""

ATTRIBUTES = """
>>> from aiohttp_client_cache import CachedSession
>>> session = CachedSession(expire_after=timedelta(days=1))
>>> # Placeholders are added for non-cached responses
>>> r = await session.get('http://httpbin.org/get')
>>> print(r.from_cache, r.created_at, r.expires, r.is_expired)
False None None None
>>> # Values will be populated for cached responses
>>> r = await session.get('http://httpbin.org/get')
>>> print(r.from_cache, r.created_at, r.expires, r.is_expired)
True 2021-01-01 18:00:00 2021-01-02 18:00:00 False
"""

URLS = """
>>> session = CachedSession(cache=SQLiteCache())
>>> print(session.cache.urls)
['https://httpbin.org/get', 'https://httpbin.org/stream/100']
"""

POST_URLS = """
>>> post_urls = [
>>>     response.url async for response in session.cache.responses.values()
>>>     if response.method == 'POST'
>>> ]
"""

FILTER = '''
>>> from sys import getsizeof
>>> from aiohttp_client_cache import CachedSession, SQLiteCache
>>>
>>> def filter_by_size(response):
>>>     """Don't cache responses with a body over 1 MB"""
>>>     return getsizeof(response._body) <= 1024 * 1024
>>>
>>> cache = SQLiteCache(filter_fn=filter_by_size)
'''

MIXIN = """
>>> from aiohttp import ClientSession
>>> from aiohttp_client_cache import CacheMixin
>>> from some_other_library import CustomMixin
>>>
>>> class CustomSession(CacheMixin, CustomMixin, ClientSession):
...     pass
"""


async def test_basic_usage(names: Origin) -> None:
    await run_sample(BASIC)
    assert names.count("/delay/1") == 1


async def test_any_method(names: Origin) -> None:
    async with CachedSession() as session:
        await run_sample(ANY_METHOD, session=session)
        await run_sample(ANY_METHOD, session=session)
    assert [request.method for request in names.received] == ["GET", "HEAD"]


async def test_disabled(names: Origin) -> None:
    async with CachedSession() as session:
        await session.get("http://httpbin.org/get")
        await run_sample(DISABLED, session=session)
        assert names.count() == 2
        await session.get("http://httpbin.org/get")
    assert names.count() == 2


async def test_clear(names: Origin) -> None:
    async with CachedSession() as session:
        await session.get("http://httpbin.org/get")
        await run_sample(CLEAR, session=session)
        await session.get("http://httpbin.org/get")
    assert names.count() == 2


@pytest.mark.parametrize(
    ("sample", "requests"), [(METHODS, 1), (CODES, 1), (IGNORED, 1), (HEADERS, 2)]
)
async def test_conditions(names: Origin, sample: str, requests: int) -> None:
    """The second run finds what the first one left in the file."""
    for _ in range(2):
        await run_sample(sample, SQLiteBackend=SQLiteBackend, CachedSession=CachedSession)
    assert names.count() == requests


async def test_positional_headers_are_sent(names: Origin) -> None:
    await run_sample(HEADERS, SQLiteBackend=SQLiteBackend, CachedSession=CachedSession)
    assert [request.headers["Accept"] for request in names.received] == [
        "text/plain",
        "application/json",
    ]


async def test_expiration_types(names: Origin) -> None:
    async with CachedSession(expire_after=1) as session:
        sample = await run_sample(EXPIRATION, SQLiteBackend=SQLiteBackend, session=session)
        await session.get("http://httpbin.org/get")
        response = await session.get("http://httpbin.org/get")
        assert response.from_cache
        assert response.expires is None

    async with CachedSession(cache=sample["cache"]) as session:
        await session.get("http://httpbin.org/get")
        response = await session.get("http://httpbin.org/get")
        assert response.expires - response.created_at == timedelta(days=30)


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("http://api.site_1.com/anything", 30),
        ("http://site_2.com/resource_1", 120),
        ("http://site_2.com/resource_1?page=2", 120),
        ("http://site_2.com/resource_2/below", 86400),
        ("http://site_2.com/static/logo.png", None),
        ("http://example.com/elsewhere", None),
    ],
)
async def test_url_patterns(names: Origin, url: str, seconds: int | None) -> None:
    sample = await run_sample(PATTERNS, SQLiteBackend=SQLiteBackend)
    async with CachedSession(cache=sample["cache"]) as session:
        await session.get(url)
        response = await session.get(url)
        assert response.from_cache
        if seconds is None:
            assert response.expires is None
        else:
            assert response.expires - response.created_at == timedelta(seconds=seconds)


async def test_remove_expired_responses(names: Origin, clock: StandingClock) -> None:
    """As it is written, nobody awaits it: the session sees to it by its end."""
    cache = SQLiteBackend(expire_after=60, clock=clock)
    async with CachedSession(cache=cache) as session:
        await session.get("http://httpbin.org/get")
        clock.advance(seconds=61)
        assert await session.cache.responses.size() == 1
        await run_sample(REMOVE, session=session)

    async with CachedSession(cache=SQLiteBackend()) as session:
        assert await session.cache.responses.size() == 0


async def test_remove_expired_responses_after_a_new_expiration(
    names: Origin, clock: StandingClock
) -> None:
    cache = SQLiteBackend(expire_after=60, clock=clock)
    async with CachedSession(cache=cache) as session:
        await session.get("http://httpbin.org/get")
        clock.advance(seconds=61)
        await run_sample(REMOVE_WITH_EXPIRATION, session=session, timedelta=timedelta)

    async with CachedSession(cache=SQLiteBackend(clock=clock)) as session:
        assert (await session.get("http://httpbin.org/get")).from_cache
    assert names.count() == 1


async def test_response_attributes(names: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    sample = await run_sample(ATTRIBUTES, timedelta=timedelta)

    new, cached = capsys.readouterr().out.splitlines()
    assert new == "False None None None"
    when = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*)"
    shown = re.fullmatch(rf"True {when} {when} False", cached)
    assert shown, cached
    created, expires = map(datetime.fromisoformat, shown.groups())
    assert expires - created == timedelta(days=1)
    assert names.count() == 1

    await sample["session"].close()


async def test_urls(names: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    async with CachedSession(cache=SQLiteBackend()) as session:
        await session.get("http://httpbin.org/get")
        await session.get("http://httpbin.org/stream/100")

    names_of_sample = {"CachedSession": CachedSession, "SQLiteCache": SQLiteCache}
    sample = await run_sample(URLS, **names_of_sample)

    assert capsys.readouterr().out in (
        "['http://httpbin.org/get', 'http://httpbin.org/stream/100']\n",
        "['http://httpbin.org/stream/100', 'http://httpbin.org/get']\n",
    )
    await sample["session"].close()


async def test_urls_of_a_method(names: Origin) -> None:
    cache = SQLiteBackend(allowed_methods=("GET", "POST"))
    async with CachedSession(cache=cache) as session:
        await session.get("http://httpbin.org/get")
        await session.post("http://httpbin.org/post", json={"param": "value"})
        sample = await run_sample(POST_URLS, session=session)
    assert [str(url) for url in sample["post_urls"]] == ["http://httpbin.org/post"]


async def test_filter(names: Origin) -> None:
    sample = await run_sample(FILTER)
    async with sample["CachedSession"](cache=sample["cache"]) as session:
        for _ in range(2):
            await session.get("http://httpbin.org/large?size=1000")
            await session.get("http://httpbin.org/large?size=2000000")
    assert sorted(request.query for request in names.received) == [
        "size=1000",
        "size=2000000",
        "size=2000000",
    ]


@pytest.mark.filterwarnings("ignore:Inheritance class CustomSession:DeprecationWarning")
async def test_mixin(names: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    class CustomMixin:
        """Does nothing."""

    library = types.ModuleType("some_other_library")
    library.CustomMixin = CustomMixin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_other_library", library)

    sample = await run_sample(MIXIN)

    async with sample["CustomSession"]() as session:
        assert isinstance(session, CustomMixin)
        assert isinstance(session, ClientSession)
        await session.get("http://httpbin.org/get")
        await session.get("http://httpbin.org/get")
    assert names.count() == 1


def test_the_two_names_of_the_sqlite_backend() -> None:
    assert SQLiteCache is SQLiteBackend
