"""A backend of each kind, and what its server has of it, asked with a client of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, NamedTuple

from aiohttp_client_cache import CacheBackend, backends
from tests.support import servers

KINDS = ["redis", "mongodb", "gridfs", "dynamodb"]
"""Of servers that differ in what they are asked."""

RELATIVES = ["valkey", "dragonflydb", "cluster", "sentinel", "tls"]
"""Of servers that are asked what Redis is asked."""

PATIENCE = 5.0
"""Seconds that a call may take: the machine that tests may be busy."""

DATABASE = f"tests-{os.getpid()}"

AT_AWS = {
    "region_name": "eu-central-1",
    "aws_access_key_id": "anyone",
    "aws_secret_access_key": "anything",
}


class Made(NamedTuple):
    """How a backend is made: the name of its class, and what leads to the server."""

    backend: str
    arguments: dict[str, Any]


def cluster_address() -> str:
    nodes = ",".join(f"{host}:{port}" for host, port in servers.redis_cluster_nodes())
    return f"redis+cluster://{nodes}"


def sentinel_address() -> str:
    sentinels, service = servers.redis_sentinels()
    nodes = ",".join(f"{host}:{port}" for host, port in sentinels)
    return f"redis+sentinel://{nodes}/{service}"


def made(kind: str, table: str = DATABASE) -> Made:
    match kind:
        case "redis":
            return Made("RedisBackend", {"address": servers.redis_url()})
        case "valkey":
            return Made("RedisBackend", {"address": servers.valkey_url()})
        case "dragonflydb":
            return Made("DragonflyDBBackend", {"address": servers.redis_url()})
        case "cluster":
            return Made("RedisBackend", {"address": cluster_address()})
        case "sentinel":
            return Made("RedisBackend", {"address": sentinel_address()})
        case "tls":
            url, authority = servers.redis_tls()
            return Made("RedisBackend", {"address": url, "ssl_ca_certs": authority})
        case "mongodb":
            place = {"host": servers.mongodb_url(), "database": DATABASE}
            return Made("MongoDBBackend", place)
        case "gridfs":
            place = {"host": servers.mongodb_url(), "database": DATABASE}
            return Made("GridFSBackend", place)
        case "dynamodb":
            place = {"table": table, "endpoint_url": servers.dynamodb_url()}
            return Made("DynamoDBBackend", place | AT_AWS)
    raise ValueError(kind)


class Place:
    """A cache that nobody else has, on a server of a kind.

    Attributes:
        kind: of ``KINDS`` or ``RELATIVES``.
        name: of the cache.
    """

    def __init__(self, kind: str, name: str | None = None) -> None:
        self.kind = kind
        self.name = name or f"cache-{token_hex(6)}"
        # A table that only grows slows down who looks through it.
        self.table = f"tests-{token_hex(6)}"

    @property
    def made(self) -> Made:
        return made(self.kind, self.table)

    def backend(self, **settings: Any) -> CacheBackend:
        kind, arguments = self.made
        given = {"cache_name": self.name, "store_timeout": PATIENCE, **arguments, **settings}
        backend: CacheBackend = getattr(backends, kind)(**given)
        return backend

    @contextmanager
    def server(self) -> Iterator[Any]:
        """A client of one's own, which waits."""
        if self.kind == "dynamodb":
            import boto3

            with _closing(
                boto3.client("dynamodb", endpoint_url=servers.dynamodb_url(), **AT_AWS)
            ) as client:
                yield client
        elif self.kind in ("mongodb", "gridfs"):
            from pymongo import MongoClient

            with MongoClient[dict[str, Any]](servers.mongodb_url()) as client:
                yield client
        else:
            from redis import Redis, RedisCluster

            address = self.made.arguments["address"]
            if self.kind == "cluster":
                host, port = servers.redis_cluster_nodes()[0]
                with RedisCluster(host=host, port=port) as cluster:
                    yield cluster
            else:
                options = {"ssl_ca_certs": servers.redis_tls()[1]} if self.kind == "tls" else {}
                with Redis.from_url(address, **options) as client:
                    yield client

    def records(self) -> list[Any]:
        """The keys, documents or items that hold what is known of responses and redirects."""
        with self.server() as server:
            if self.kind == "dynamodb":
                return [item for item in self.items(server) if "record" in item]
            if self.kind in ("mongodb", "gridfs"):
                found = self.collections(server)
                return [one for each in found for one in each.find() if "record" in one]
            return [key for key in self.keys(server) if b":e:" in key]

    def keys(self, server: Any) -> list[bytes]:
        """All keys of the cache in a Redis."""
        return sorted(server.scan_iter(match=f"*{self.name}*", count=1000))

    def collections(self, server: Any) -> list[Any]:
        """All collections of the cache in a MongoDB."""
        database = server[DATABASE]
        names = sorted(database.list_collection_names())
        return [database[name] for name in names if name.startswith(f"{self.name}.")]

    def items(self, server: Any) -> list[dict[str, Any]]:
        """All items of the cache in a DynamoDB."""
        try:
            pages = list(server.get_paginator("scan").paginate(TableName=self.table))
        except server.exceptions.ResourceNotFoundException:
            return []
        return [item for page in pages for item in page["Items"]]

    def forget(self) -> None:
        """Remove everything from the server, whatever there is."""
        with self.server() as server:
            if self.kind == "dynamodb":
                try:
                    server.delete_table(TableName=self.table)
                except server.exceptions.ResourceNotFoundException:
                    return
            elif self.kind in ("mongodb", "gridfs"):
                for collection in self.collections(server):
                    collection.drop()
            elif keys := self.keys(server):
                for key in keys:
                    server.delete(key)


@contextmanager
def _closing(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.close()
