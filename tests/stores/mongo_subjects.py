"""The stores in MongoDB, in one database, which belongs to one test after the other."""

from __future__ import annotations

import atexit
import os
from functools import cache
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

_folders: list[Path] = []


def database_of(folder: Path) -> str:
    """The database of the tests of this process; empty for the first to come from a folder.

    To make collections anew for every test would take longer than all the rest.
    """
    name = f"test-{os.getpid()}"
    if folder not in _folders:
        client = _client_of(mongodb_url())
        for collection in client[name].list_collection_names():
            client[name][collection].delete_many({})
        _folders[:] = [folder]
    return name


@cache
def _client_of(url: str) -> MongoClient[dict[str, Any]]:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    atexit.register(client.close)
    return client


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
