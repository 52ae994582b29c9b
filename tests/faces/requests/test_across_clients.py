"""What one client stored, the other one serves: on every backend, in both modes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import pytest

import aiohttp_client_cache
import requests_cache
from tests.faces.aiohttp.servers.places import KINDS, made
from tests.support.origin import Origin

OF_REQUESTS = {
    "SQLiteBackend": "SQLiteCache",
    "FileBackend": "FileCache",
    "RedisBackend": "RedisCache",
    "MongoDBBackend": "MongoCache",
    "GridFSBackend": "GridFSCache",
    "DynamoDBBackend": "DynamoDbCache",
}


class Fetched(NamedTuple):
    """What a client was handed."""

    body: bytes
    from_cache: bool
    hops: int
    status: int
    content_type: str | None


class Both(NamedTuple):
    """How each client fetches, from one cache."""

    aiohttp: Callable[..., Fetched]
    requests: Callable[..., Fetched]


@pytest.fixture(params=["sqlite", "filesystem", *KINDS])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Both]]:
    name, arguments = f"both-{token_hex(4)}", {}
    if request.param in ("sqlite", "filesystem"):
        kind = {"sqlite": "SQLiteBackend", "filesystem": "FileBackend"}[request.param]
        name = str(tmp_path / name)
    else:
        kind, arguments = made(request.param)
        arguments["store_timeout"] = 5.0

    def use(**settings: Any) -> Both:
        def by_aiohttp(url: str, method: str = "GET", **asked: Any) -> Fetched:
            async def fetch() -> Fetched:
                backend = getattr(aiohttp_client_cache, kind)(name, **arguments, **settings)
                async with (
                    aiohttp_client_cache.CachedSession(cache=backend) as session,
                    session.request(method, url, **asked) as response,
                ):
                    body = await response.read()
                    return Fetched(
                        *(body, response.from_cache, len(response.history), response.status),
                        response.headers.get("Content-Type"),
                    )

            return asyncio.run(fetch())

        def by_requests(url: str, method: str = "GET", **asked: Any) -> Fetched:
            backend = getattr(requests_cache, OF_REQUESTS[kind])(
                cache_name=name, **arguments, **settings
            )
            with requests_cache.CachedSession(backend=backend) as session:
                response = session.request(method, url, **asked)
                return Fetched(
                    *(response.content, response.from_cache, len(response.history)),
                    *(response.status_code, response.headers.get("Content-Type")),
                )

        return Both(by_aiohttp, by_requests)

    yield use
    with getattr(requests_cache, OF_REQUESTS[kind])(cache_name=name, **arguments) as cache:
        cache.clear()
        assert cache.size() == 0


@pytest.mark.parametrize("cache_control", [False, True])
@pytest.mark.parametrize(
    "path", ["/cache/600?{}", "/redirect-to?to=/cache/600?{}", "/large?size=1200000&of={}"]
)
def test_every_backend(
    threaded_origin: Origin, both: Callable[..., Both], path: str, cache_control: bool
) -> None:
    clients = both(cache_control=cache_control, expire_after=600)
    for number, (first, second) in enumerate(
        ((clients.aiohttp, clients.requests), (clients.requests, clients.aiohttp))
    ):
        url = threaded_origin.url(path.format(number))
        new = first(url)
        asked = threaded_origin.count()
        cached = second(url)
        assert (new.from_cache, cached) == (False, new._replace(from_cache=True))
        # By the law, each hop is stored or not for itself.
        assert threaded_origin.count() - asked == (new.hops if cache_control else 0)


REQUESTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # name: method, as aiohttp takes it, as requests takes it
    "plain": ("GET", {}, {}),
    "params": ("GET", {"params": {"q": "a b", "r": "ü+"}}, {"params": {"q": "a b", "r": "ü+"}}),
    "form": ("POST", {"data": {"a": "1", "b": "ü x"}}, {"data": {"a": "1", "b": "ü x"}}),
    "json": ("POST", {"json": {"a": "ü", "b": [1, None]}}, {"json": {"b": [1, None], "a": "ü"}}),
    "bytes": ("POST", {"data": b"\x00\xff"}, {"data": b"\x00\xff"}),
    "text": ("POST", {"data": "ü"}, {"data": "ü".encode()}),
    "field": ("GET", {"headers": {"X-Mode": "1"}}, {"headers": {"x-mode": "1"}}),
    "auth": ("GET", {"headers": {"Authorization": "Basic bWU6eA=="}}, {"auth": ("me", "x")}),
    "cookies": ("GET", {"cookies": {"a": "b"}}, {"cookies": {"a": "b"}}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_keys_agree(threaded_origin: Origin, both: Callable[..., Both], name: str) -> None:
    clients = both(allowed_methods=("GET", "POST"), include_headers=["X-Mode"])
    method, of_aiohttp, of_requests = REQUESTS[name]
    for number in range(2):
        url = threaded_origin.url(f"/serial/{name}-{number}?z=1&a=2")
        first = clients.aiohttp if number else clients.requests
        second = clients.requests if number else clients.aiohttp
        new = first(url, method, **(of_aiohttp if number else of_requests))
        assert second(url, method, **(of_requests if number else of_aiohttp)) == new._replace(
            from_cache=True
        )
        other = f"{url}&other=1"
        assert not second(other, method, **(of_requests if number else of_aiohttp)).from_cache
