"""The stores that the contract holds, each in every colour. A new store is one function here."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from http_client_cache.clock import Clock
from http_client_cache.codec import codec_for
from http_client_cache.limits import Retention
from http_client_cache.shell.dynamodb import Account, AsyncDynamoDB, SyncDynamoDB, Table
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.redis import AsyncRedis, Source, SyncRedis
from http_client_cache.shell.redis.address import Address, parse
from http_client_cache.store.dynamodb import DynamoDBStore
from http_client_cache.store.mongodb import GridFSStore, MongoStore
from http_client_cache.store.redis import CLUSTER_SHARDS, RedisStore
from tests.stores import mongo_subjects
from tests.stores.local_subjects import (
    COLOURS,
    NOT_NOW,
    NOW,
    Subject,
    alias,
    answered_now,
    entry,
    files,
    files_limited,
    files_packed,
    files_packed_signed,
    files_signed,
    mapping,
    mapping_of_users,
    memory,
    run_as_async,
    run_as_sync,
    sqlite,
    sqlite_in_memory,
    sqlite_limited,
    sqlite_packed,
    sqlite_packed_signed,
    sqlite_signed,
    sqlite_without_wal,
    standing_clock,
)
from tests.support import servers


def redis_at(
    address: Address, *, clock: Clock | None = None, seconds: float = 5.0, **options: Any
) -> Subject:
    """A cache of its own on a server: patient, as the machine that tests may be busy."""
    store = RedisStore(
        codec_for(options.pop("serializer", None), options.pop("secret_key", None)),
        cache_name=options.pop("cache_name", None) or token_hex(),
        shards=CLUSTER_SHARDS if address.kind == "cluster" else 1,
        retention=Retention(options.pop("settings", None), clock or standing_clock()),
        **options,
    )
    guard, source = Guard(seconds), Source(address)
    shells = SyncRedis(guard, source), AsyncRedis(guard, source)
    return Subject(store, *shells, never_waits=False)


def redis(folder: Path, **options: Any) -> Subject:
    return redis_at(parse(servers.redis_url()), **options)


def redis_packed_signed(folder: Path) -> Subject:
    return redis(folder, serializer="json", secret_key=["new", "old"], compression="zstd")


def valkey(folder: Path) -> Subject:
    return redis_at(parse(servers.valkey_url()))


def redis_cluster(folder: Path) -> Subject:
    return redis_at(Address("cluster", tuple(servers.redis_cluster_nodes()), {}))


def redis_sentinel(folder: Path) -> Subject:
    sentinels, service = servers.redis_sentinels()
    return redis_at(Address("sentinel", tuple(sentinels), {}, None, service))


def mongodb(folder: Path, *, clock: Clock | None = None, **options: Any) -> Subject:
    return mongo_subjects.subject(MongoStore, folder, clock or standing_clock(), **options)


def mongodb_packed_signed(folder: Path) -> Subject:
    return mongodb(folder, secret_key=["new", "old"], compression="zstd", ttl=False)


def gridfs(folder: Path, *, clock: Clock | None = None, **options: Any) -> Subject:
    return mongo_subjects.subject(GridFSStore, folder, clock or standing_clock(), **options)


def dynamodb(
    folder: Path,
    *,
    clock: Clock | None = None,
    seconds: float = 5.0,
    table: str | None = None,
    cache_name: str = "test",
    **options: Any,
) -> Subject:
    """In a table of its own: to look through one costs what everybody has in it."""
    used = Table(table or f"test-{token_hex(12)}")
    store = DynamoDBStore(
        codec_for(options.pop("serializer", None), options.pop("secret_key", None)),
        table=used.name,
        cache_name=cache_name,
        retention=Retention(clock=clock or standing_clock()),
        **options,
    )
    guard, account = Guard(seconds), dynamodb_account()
    shells = SyncDynamoDB(guard, account, used), AsyncDynamoDB(guard, account, used)
    return Subject(store, *shells, never_waits=False, many=130)


def dynamodb_account(url: str = "") -> Account:
    """Its server takes any credentials."""
    return Account(
        {"aws_access_key_id": "key", "aws_secret_access_key": "secret"},
        {"endpoint_url": url or servers.dynamodb_url(), "region_name": "eu-west-1"},
    )


def remove_table(store: DynamoDBStore) -> None:
    client = dynamodb_client(servers.dynamodb_url())
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_table(TableName=store._table)


@cache
def dynamodb_client(url: str) -> Any:
    """One for all tests: to make it takes longer than many a test."""
    client = dynamodb_account(url).sync_client(5.0)
    atexit.register(client.close)
    return client


SUBJECTS: dict[str, Callable[[Path], Subject]] = {
    maker.__name__: maker
    for maker in (
        memory,
        mapping,
        mapping_of_users,
        sqlite,
        sqlite_in_memory,
        sqlite_limited,
        sqlite_signed,
        sqlite_packed,
        sqlite_packed_signed,
        sqlite_without_wal,
        files,
        files_limited,
        files_signed,
        files_packed,
        files_packed_signed,
        redis,
        redis_packed_signed,
        valkey,
        redis_cluster,
        redis_sentinel,
        mongodb,
        mongodb_packed_signed,
        gridfs,
        dynamodb,
    )
}

WHOLE = [name for name in SUBJECTS if "mapping" in name or name == "sqlite_in_memory"]
"""Those that take bodies whole; all others take them in pieces."""

ALONE = [name for name in SUBJECTS if name.startswith(("memory", "mapping"))]
"""Those that one process has for itself; all others have leases."""

LOCAL = [name for name in SUBJECTS if name.startswith(("memory", "mapping", "sqlite", "files"))]
"""Those that answer small hits at once, and so for whatever is saved."""


def but(*lists: list[str]) -> list[str]:
    """All subjects that are on none of these lists."""
    return [name for name in SUBJECTS if not any(name in names for names in lists)]


__all__ = [
    "ALONE",
    "COLOURS",
    "LOCAL",
    "NOT_NOW",
    "NOW",
    "SUBJECTS",
    "WHOLE",
    "Subject",
    "alias",
    "answered_now",
    "but",
    "entry",
    "files",
    "redis",
    "redis_at",
    "run_as_async",
    "run_as_sync",
    "sqlite",
]
