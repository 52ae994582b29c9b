"""What Redis keeps, for sessions."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis
import redis.asyncio

from aiohttp_client_cache import (
    CachedSession,
    ConfigurationError,
    DragonflyDBBackend,
    RedisBackend,
)
from tests.faces.aiohttp.parity import KEEP_ALL, KINDS, describe
from tests.support import servers
from tests.support.origin import Origin

OpenRedis = Callable[..., RedisBackend]


@pytest.fixture
async def open_redis() -> AsyncIterator[OpenRedis]:
    """Make backends; all of a test share a cache, which nobody else has."""
    name, opened = secrets.token_hex(), list[RedisBackend]()

    def open_redis(kind: type[RedisBackend] = RedisBackend, **options: Any) -> RedisBackend:
        options.setdefault("address", servers.redis_url())
        # The machine that tests may be busy.
        opened.append(kind(name, store_timeout=5, **options))
        return opened[-1]

    yield open_redis
    for backend in opened:
        await backend.clear()
        await backend.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_survives_a_restart(
    names: Origin, open_redis: OpenRedis, kind: str
) -> None:
    wanted = KINDS[kind]
    url = names.url(wanted.path, host="origin.test")
    seen = []
    for _ in range(2):
        async with CachedSession(cache=open_redis(**KEEP_ALL)) as session:
            response = await session.request(wanted.method, url, **wanted.kwargs)
            seen.append(await describe(response))
    assert response.from_cache
    assert seen[0] == seen[1]
    assert names.count() == 1 + wanted.hops


async def test_sessions_see_each_others_responses(origin: Origin, open_redis: OpenRedis) -> None:
    async with (
        CachedSession(cache=open_redis()) as first,
        CachedSession(cache=open_redis(DragonflyDBBackend)) as second,
    ):
        for session in (first, second):
            for path in ("/serial", "/large?size=3000000", "/redirect/2"):
                response = await session.get(origin.url(path))
                await response.read()
                assert response.from_cache == (session is second)
        urls = await second.cache.get_urls()
        assert sorted(url.removeprefix(origin.url("")) for url in urls) == [
            "/large?size=3000000",
            "/serial",
            "/serial/end",
        ]
        # A property, which cannot wait with `await`.
        assert sorted(second.cache.urls) == sorted(urls)
        assert await first.cache.size() == 3
        assert await first.cache.bytes() > 3_000_000
        assert await first.cache.delete_url(origin.url("/serial/end")) == 1
        assert not await second.cache.has_url(origin.url("/redirect/2"))
        await second.cache.clear()
        assert await first.cache.size() == 0


async def test_a_hit_is_one_command(origin: Origin, open_redis: OpenRedis) -> None:
    async with CachedSession(cache=open_redis()) as session:
        await session.get(origin.url("/get"))
        with servers.counting(servers.redis_url()) as trips:
            response = await session.get(origin.url("/get"))
        assert response.from_cache
        assert trips.names == ["EVALSHA"]


async def test_an_unsafe_request_deletes_what_is_kept(
    origin: Origin, open_redis: OpenRedis
) -> None:
    url = origin.url("/cacheable")
    async with CachedSession(cache=open_redis(cache_control=True, expire_after=60)) as session:
        for _ in range(2):
            response = await session.get(url)
        assert response.from_cache
        await session.delete(url)
        assert not await session.cache.has_url(url)


async def test_a_server_that_dies_is_told_once(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.RedisServer(password="hunter2") as server:
        backend = RedisBackend("demo", server.url)
        assert "hunter2" not in repr(backend) + repr(vars(backend))
        async with CachedSession(cache=backend) as session:
            await session.get(origin.url("/get"))
            assert (await session.get(origin.url("/get"))).from_cache
            server.kill()
            caplog.set_level(logging.WARNING)
            for _ in range(3):
                response = await session.get(origin.url("/get"))
                assert not response.from_cache
                assert response.status == 200
    (line,) = caplog.messages
    assert "RedisBackend('demo') fails" in line
    assert "hunter2" not in caplog.text


async def test_a_wrong_password_is_said_in_a_line(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.RedisServer(password="hunter2") as server:
        backend = RedisBackend("demo", f"redis://:hunter3@127.0.0.1:{server.port}")
        async with CachedSession(cache=backend) as session:
            assert (await session.get(origin.url("/get"))).status == 200
    (line,) = caplog.messages
    assert "password" in line
    assert "\n" not in line
    assert "hunter" not in line


async def test_a_url_makes_one(origin: Origin) -> None:
    name = secrets.token_hex()
    for round_ in range(2):
        async with CachedSession(
            cache=servers.redis_url(), cache_name=name, store_timeout=5
        ) as session:
            assert isinstance(session.cache, RedisBackend)
            assert (await session.get(origin.url("/get"))).from_cache == (round_ == 1)
    await session.cache.clear()
    await session.cache.close()


@pytest.mark.parametrize("kind", [redis.Redis, redis.asyncio.Redis])
async def test_a_client_of_the_users_own(origin: Origin, kind: Any) -> None:
    client = kind.from_url(servers.redis_url())
    backend = RedisBackend(secrets.token_hex(), connection=client, store_timeout=5)
    async with CachedSession(cache=backend) as session:
        for _ in range(2):
            response = await session.get(origin.url("/get"))
        assert response.from_cache
        assert session.cache.urls == [origin.url("/get")]
        await session.cache.clear()
    if kind is redis.Redis:
        client.close()
    else:
        await client.aclose()


async def test_host_and_port() -> None:
    with servers.RedisServer(password="secret") as server:
        backend = RedisBackend("demo", host="127.0.0.1", port=server.port, password="secret", db=3)
        assert await backend.size() == 0
        assert backend.engine.failures.count == 0
        await backend.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"address": "http://localhost"}, "address.*redis://"),
        ({"address": 5}, "address"),
        ({"port": "6379"}, "port must be a whole number"),
        ({"port": 0}, "port"),
        ({"db": True}, "db"),
        ({"password": b"secret"}, "password must be text, not bytes"),
        ({"protocol": 4}, "protocol"),
        ({"ssl": "yes"}, "ssl"),
        ({"ssl_ca_certs": "file"}, "ssl_ca_certs"),
        ({"max_connections": 0}, "max_connections"),
        ({"connection": "redis://localhost"}, "connection"),
        ({"connection": redis.Redis(), "address": "redis://localhost"}, "address"),
        ({"connection": redis.Redis(), "db": 1}, "db"),
        ({"max_bytes": 5}, "maxmemory"),
        ({"max_entries": 5}, "maxmemory"),
        ({"ttl": 1}, "ttl"),
        ({"ttl_offset": "x"}, "ttl_offset"),
        ({"store_timeout": 0}, "store_timeout"),
    ],
)
def test_what_it_does_not_accept(options: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as told:
        RedisBackend(**options)
    assert "secret" not in str(told.value)


def test_an_argument_that_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="socket_timeout"):
        RedisBackend(socket_timeout=5)  # type: ignore[call-arg]


def test_without_its_driver() -> None:
    program = """
import sys
sys.modules["redis"] = None
from aiohttp_client_cache import MissingDependency, RedisBackend
try:
    RedisBackend()
except MissingDependency as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "RedisBackend needs redis: pip install aiohttp-client-cache[redis]\n"
