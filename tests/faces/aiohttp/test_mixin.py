"""``CacheMixin`` among other mixins and session classes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from aiohttp_client_cache import CacheBackend, CacheMixin, SQLiteBackend
from tests.faces.aiohttp.conftest import OpenBackend
from tests.support.origin import Origin

# aiohttp discourages subclasses of ClientSession, whoever writes them.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")


class Counting:
    """A mixin that counts the requests passing through it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "outgoing", [])

    async def _request(self, method: str, url: Any, **kwargs: Any) -> ClientResponse:
        self.outgoing.append((method, str(url), sorted(kwargs)))  # type: ignore[attr-defined]
        return await super()._request(method, url, **kwargs)  # type: ignore[misc]


class Greeting:
    """A mixin with an argument of its own."""

    def __init__(self, *args: Any, greeting: str = "hello", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "greeting", greeting)


@pytest.fixture
def both() -> type:
    class Session(CacheMixin, Counting, Greeting, ClientSession):
        """A cache in front of two mixins."""

    return Session


async def test_what_is_behind_sees_only_what_goes_out(
    origin: Origin, open_backend: OpenBackend, both: Any
) -> None:
    async with both(cache=open_backend()) as session:
        for _ in range(3):
            await session.get(origin.url("/serial"))
        assert len(session.outgoing) == 1
        for _ in range(2):
            await session.post(origin.url("/post"))
        assert [method for method, *_ in session.outgoing] == ["GET", "POST", "POST"]
    assert origin.count() == 3


async def test_what_is_behind_is_not_given_the_options_of_the_cache(
    origin: Origin, open_backend: OpenBackend, both: Any
) -> None:
    async with both(cache=open_backend()) as session:
        await session.get(origin.url("/serial"), expire_after=1, headers={"A": "b"})
        await session.get(origin.url("/serial"), force_refresh=True)
        await session.get(origin.url("/serial"), refresh=True, only_if_cached=False)
        names = {name for *_, names in session.outgoing for name in names}
        assert names.isdisjoint({"expire_after", "refresh", "force_refresh", "only_if_cached"})
        assert "headers" in names


@pytest.mark.parametrize("cache_control", [False, True])
@pytest.mark.parametrize("path", ["/serial", "/cache/60", "/gated"])
async def test_what_is_behind_sees_one_of_requests_at_once(
    origin: Origin, both: Any, cache_control: bool, path: str
) -> None:
    async with both(cache_control=cache_control, expire_after=60) as session:
        url = origin.url(path)
        origin.open(5)
        responses = await asyncio.gather(*[session.get(url) for _ in range(5)])
        assert len({await response.read() for response in responses}) == 1
        assert (len(session.outgoing), origin.count()) == (1, 1)
        await session.get(url)
        assert len(session.outgoing) == 1


@pytest.mark.parametrize(("cache_control", "seen"), [(False, [1, 1]), (True, [5, 6])])
async def test_what_is_behind_sees_of_requests_at_once_and_of_redirects(
    origin: Origin, both: Any, cache_control: bool, seen: list[int]
) -> None:
    """By the law, it also sees what is answered by a kept redirect: that may lead outside."""
    codes = (200, 302) if cache_control else None
    settings = {"cache_control": cache_control, "allowed_codes": codes, "expire_after": 60}
    async with both(**settings) as session:
        url = origin.url("/redirect/1")
        await asyncio.gather(*[session.get(url) for _ in range(5)])
        found = [len(session.outgoing)]
        assert (await session.get(url)).from_cache
        assert [*found, len(session.outgoing)] == seen
    assert origin.count() == 2


async def test_what_is_in_front_sees_everything(origin: Origin, open_backend: OpenBackend) -> None:
    class Session(Counting, CacheMixin, ClientSession):
        """A mixin in front of the cache."""

    async with Session(cache=open_backend()) as session:
        for _ in range(3):
            await session.get(origin.url("/serial"))
        assert len(session.outgoing) == 3  # type: ignore[attr-defined]
    assert origin.count() == 1


async def test_arguments_arrive_where_they_belong(
    origin: Origin, open_backend: OpenBackend, both: Any
) -> None:
    backend = open_backend()
    async with both(
        base_url=origin.url("/"),
        cache=backend,
        expire_after=60,
        greeting="tere",
        headers={"A": "b"},
    ) as session:
        assert session.greeting == "tere"
        assert session.cache is backend
        assert session.expire_after == 60
        assert session.headers["A"] == "b"
        await session.get("serial")
    assert origin.count("/serial") == 1


async def test_unknown_arguments_are_errors(both: Any) -> None:
    with pytest.raises(TypeError, match="no_such_option"):
        both(no_such_option=1)


async def test_a_class_with_a_constructor_of_its_own(
    origin: Origin, open_backend: OpenBackend
) -> None:
    class Api(CacheMixin, ClientSession):
        def __init__(self, token: str, **kwargs: Any) -> None:
            super().__init__(headers={"X-Token": token}, **kwargs)

        async def item(self, n: int) -> str:
            async with self.get(origin.url(f"/serial/{n}")) as response:
                return await response.text()

    async with Api("secret", cache=open_backend()) as api:
        assert [await api.item(1), await api.item(1), await api.item(2)] == ["1", "1", "1"]
    assert origin.count() == 2
    assert origin.last.headers["X-Token"] == "secret"


async def test_a_session_class_of_someone_else(origin: Origin, open_backend: OpenBackend) -> None:
    class TheirSession(ClientSession):
        """Overrides what aiohttp's sessions do."""

        async def _request(self, method: str, url: Any, **kwargs: Any) -> ClientResponse:  # type: ignore[override]
            headers = {**(kwargs.pop("headers", None) or {}), "X-Theirs": "1"}
            return await super()._request(method, url, headers=headers, **kwargs)

    class Session(CacheMixin, TheirSession):
        """Theirs, with a cache."""

    async with Session(cache=open_backend()) as session:
        for _ in range(2):
            await session.get(origin.url("/serial"))
    assert origin.count() == 1
    assert origin.last.headers["X-Theirs"] == "1"


async def test_two_caches_of_two_classes(origin: Origin, tmp_path: Path, both: Any) -> None:
    async with (
        both(cache=SQLiteBackend(tmp_path / "one")) as one,
        both(cache=CacheBackend()) as other,
    ):
        await one.get(origin.url("/serial"))
        await other.get(origin.url("/serial"))
    assert origin.count() == 2


async def test_redirects_through_a_mixin(
    origin: Origin, open_backend: OpenBackend, both: Any
) -> None:
    async with both(cache=open_backend()) as session:
        for _ in range(2):
            response = await session.get(origin.url("/redirect/2"))
            assert len(response.history) == 2
        assert len(session.outgoing) == 1
    assert origin.count() == 3


async def test_disabled(origin: Origin, open_backend: OpenBackend, both: Any) -> None:
    async with both(cache=open_backend()) as session:
        await session.get(origin.url("/serial"))
        with session.disabled():
            await session.get(origin.url("/serial"))
        assert len(session.outgoing) == 2
