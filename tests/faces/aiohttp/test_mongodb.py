"""MongoDBBackend and GridFSBackend: their arguments, and clients of the user's own."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from aiohttp_client_cache import CachedSession, ConfigurationError, GridFSBackend, MongoDBBackend
from http_client_cache.backends import own_options
from tests.support.origin import Origin
from tests.support.servers import mongodb_url

KINDS = [MongoDBBackend, GridFSBackend]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_keeps_responses(
    kind: type[MongoDBBackend], origin: Origin, database: str
) -> None:
    for round_ in range(2):
        backend = kind("cache", host=mongodb_url(), database=database, store_timeout=5)
        async with CachedSession(cache=backend) as session:
            for path in ("/serial", "/large"):
                async with session.get(origin.url(path)) as response:
                    body = await response.read()
                    assert response.from_cache == bool(round_)
            assert len(body) == 3 * 2**20
            assert await backend.responses.size() == 2
            assert len(backend.urls) == 2
        backend._parts[2].close()


@pytest.mark.parametrize("name", ["mongodb", "gridfs"])
async def test_by_name_and_by_url(name: str, origin: Origin, database: str) -> None:
    kind = {"mongodb": MongoDBBackend, "gridfs": GridFSBackend}[name]
    options: dict[str, Any] = {"cache_name": "x", "store_timeout": 5, "appname": "tests"}
    for round_ in range(2):
        async with CachedSession(
            backend=name, host=mongodb_url(), database=database, **options
        ) as session:
            assert type(session.cache) is kind
            assert (await session.get(origin.url("/serial"))).from_cache == bool(round_)
    async with CachedSession(cache=f"{mongodb_url()}{database}") as session:
        pass


@pytest.mark.parametrize(
    ("arguments", "database"),
    [
        ({}, "aiohttp-cache"),
        ({"cache_name": "mine"}, "mine"),
        ({"cache_name": "a/b"}, "aiohttp-cache"),
        ({"cache_name": "admin"}, "aiohttp-cache"),
        ({"cache_name": "x" * 64}, "aiohttp-cache"),
        ({"cache_name": "mine", "host": "mongodb://h/theirs"}, "theirs"),
        ({"cache_name": "mine", "host": "mongodb://a:b@h,i:7/theirs.things?w=1"}, "theirs"),
        ({"cache_name": "mine", "address": "mongodb://a:b@h/admin"}, "mine"),
        ({"cache_name": "mine", "address": "mongodb://a:b@h/?authSource=admin"}, "mine"),
        ({"cache_name": "mine", "address": "mongodb://h/theirs", "database": "ours"}, "ours"),
        ({"cache_name": "mine", "host": "mongodb+srv://h/theirs"}, "theirs"),
    ],
)
def test_which_database(arguments: dict[str, Any], database: str) -> None:
    assert MongoDBBackend(**arguments)._parts[1].target.database == database


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"host": "mongodb://me:p@ss@h/"}, "must be escaped"),
        ({"host": "mongodb://me:pa:ss@h/"}, "must be escaped"),
        ({"host": "mongodb://h:99999"}, "Port"),
        ({"host": "http://h"}, "mongodb://"),
        ({"host": "h", "port": "many"}, "port"),
        ({"tlsCAFile": "/no/such/file"}, "/no/such/file"),
        ({"maxPoolSize": -1}, "maxPoolSize"),
        ({"address": "mongodb://h", "host": "h"}, "another spelling"),
        ({"database": "a.b"}, "database"),
        ({"database": ""}, "database"),
        ({"database": 7}, "database"),
        ({"connection": "mongodb://me:pass@h"}, "connection must be a pymongo.AsyncMongoClient"),
        ({"max_bytes": 7}, "max_bytes"),
        ({"max_entries": 7}, "max_entries"),
        ({"ttl": 60}, "ttl"),
        ({"store_timeout": 0}, "store_timeout"),
        ({"cache_name": "\ud800"}, "cache_name"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_it_does_not_accept(
    kind: type[MongoDBBackend], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        kind(**arguments)
    assert "pa:ss" not in str(raised.value)
    assert "p@ss" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="hots"):
        MongoDBBackend(hots="h")  # type: ignore[call-arg]


def test_a_connection_is_told_nothing() -> None:
    client = MongoClient[dict[str, Any]](connect=False)
    with pytest.raises(ConfigurationError, match="password, username cannot be told"):
        MongoDBBackend(connection=client, username="me", password="secret")


def test_pymongo_knows_every_option() -> None:
    known: dict[str, Any] = {
        **dict.fromkeys(("directConnection", "tls", "journal"), True),
        **dict.fromkeys(("maxPoolSize", "heartbeatFrequencyMS", "w", "zlibCompressionLevel"), 2),
        **dict.fromkeys(("replicaSet", "appname", "readConcernLevel", "authSource"), "name"),
        "username": "me",
        "password": "secret",
    }
    known["heartbeatFrequencyMS"] = 700
    assert known.keys() <= own_options.MONGODB
    MongoDBBackend(**known)


async def test_an_asynchronous_client_of_the_users_own(origin: Origin, database: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongodb_url()) as client:
        for round_ in range(2):
            backend = MongoDBBackend("cache", connection=client, database=database, store_timeout=5)
            async with CachedSession(cache=backend) as session:
                assert (await session.get(origin.url("/get"))).from_cache == bool(round_)
                assert await session.cache.urls() == [origin.url("/get")]
                # It cannot be asked without await, and that is not the server's failure.
                assert session.cache.urls == []
                assert await backend.responses.size() == 1
        assert (await client.admin.command("ping"))["ok"] == 1


async def test_a_blocking_client_of_the_users_own(origin: Origin, database: str) -> None:
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        for round_ in range(2):
            backend = GridFSBackend("cache", connection=client, database=database, store_timeout=5)
            async with CachedSession(cache=backend) as session:
                async with session.get(origin.url("/large")) as response:
                    assert len(await response.read()) == 3 * 2**20
                    assert response.from_cache == bool(round_)
                assert session.cache.urls == [origin.url("/large")]
            backend._parts[2].close()
        assert client.admin.command("ping")["ok"] == 1
