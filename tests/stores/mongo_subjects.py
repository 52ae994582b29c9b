"""The stores in MongoDB, each in a database that belongs to the folder of a test."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from http_client_cache.clock import Clock
from http_client_cache.codec import codec_for
from http_client_cache.limits import Retention
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.mongodb import AsyncMongo, SyncMongo, Target
from http_client_cache.store.mongodb import MongoStore
from http_client_cache.testing import Subject
from tests.support.servers import mongodb_url

SECONDS = 5.0
"""That a call may take: who tests what is stored does not test how long it takes."""

_used: list[str] = []


def database_of(folder: Path) -> str:
    """The database of a test; those of tests before it are dropped."""
    name = f"test-{sha256(bytes(folder)).hexdigest()[:16]}"
    if name not in _used:
        if _used:
            with MongoClient[dict[str, Any]](mongodb_url()) as client:
                for used in _used:
                    client.drop_database(used)
            _used.clear()
        _used.append(name)
    return name


def subject(
    kind: type[MongoStore],
    folder: Path,
    clock: Clock,
    *,
    url: str | None = None,
    name: str = "http_cache",
    seconds: float = SECONDS,
    **options: Any,
) -> Subject:
    codec = codec_for(options.pop("serializer", None), options.pop("secret_key", None))
    store = kind(codec, cache_name=name, retention=Retention(clock=clock), **options)
    host = mongodb_url() if url is None else url
    target = Target(database_of(folder), store.schema, {"host": host})
    guard = Guard(seconds)
    return Subject(store, SyncMongo(guard, target), AsyncMongo(guard, target), never_waits=False)
