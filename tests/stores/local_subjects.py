"""The stores that need no server: as subjects of the contract, and for programs of their own."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from http_client_cache import testing
from http_client_cache.clock import Clock
from http_client_cache.codec import codec_for
from http_client_cache.entry import Alias, Entry
from http_client_cache.limits import Retention
from http_client_cache.shell.filesystem import AsyncFiles, Folder, SyncFiles
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.shell.sqlite import AsyncSQLite, Database, SyncSQLite
from http_client_cache.statements import NOT_NOW
from http_client_cache.store.filesystem import FileStore
from http_client_cache.store.mapping import MappingStore
from http_client_cache.store.memory import MemoryStore
from http_client_cache.store.sqlite import SQLiteStore
from http_client_cache.testing import Subject
from http_client_cache.testing.subject import COLOURS, answered_now, run_as_async, run_as_sync
from tests.support.clock import StandingClock
from tests.support.mappings import CustomCacheBackend

NOW = 1000.0
"""When entries are created, and where the clock of a store stands."""


def standing_clock() -> StandingClock:
    return StandingClock(datetime.fromtimestamp(NOW, UTC))


def memory(folder: Path, *, clock: Clock | None = None, **limits: Any) -> Subject:
    retention = Retention(clock=clock or standing_clock())
    store = MemoryStore(**limits, retention=retention)
    return Subject(store, SyncImmediate(), AsyncImmediate())


def mapping(folder: Path) -> Subject:
    return Subject(MappingStore(OrderedDict()), SyncImmediate(), AsyncImmediate())


def mapping_of_users(folder: Path) -> Subject:
    return Subject(MappingStore(CustomCacheBackend()), SyncImmediate(), AsyncImmediate())


def sqlite(
    folder: Path,
    *,
    clock: Clock | None = None,
    max_entries: int | None = None,
    max_bytes: int | None = None,
    **options: Any,
) -> Subject:
    store = SQLiteStore(
        codec_for(options.pop("serializer", None), options.pop("secret_key", None)),
        max_entries=max_entries,
        max_bytes=max_bytes,
        retention=Retention(clock=clock or standing_clock()),
        compression=options.pop("compression", None),
    )
    database = Database(folder / "cache.sqlite", store.schema, **options)
    return Subject(store, SyncSQLite(database), AsyncSQLite(database))


def sqlite_in_memory(folder: Path) -> Subject:
    store = SQLiteStore(codec_for(), retention=Retention(clock=standing_clock()))
    database = Database(None, store.schema)
    return Subject(store, SyncSQLite(database), AsyncSQLite(database), never_waits=False)


def sqlite_limited(folder: Path) -> Subject:
    """What keeps uses and totals must keep the contract, too."""
    return sqlite(folder, max_entries=1_000_000, max_bytes=1_000_000_000)


def sqlite_signed(folder: Path) -> Subject:
    return sqlite(folder, serializer="json", secret_key=["new", "old"])


def sqlite_packed(folder: Path) -> Subject:
    return sqlite(folder, compression="zstd")


def sqlite_packed_signed(folder: Path) -> Subject:
    return sqlite(folder, serializer="json", secret_key="secret", compression="zstd")


def sqlite_without_wal(folder: Path) -> Subject:
    return sqlite(folder, wal=False, fast_save=True)._replace(never_waits=False)


def files(
    folder: Path,
    *,
    clock: Clock | None = None,
    max_entries: int | None = None,
    max_bytes: int | None = None,
    **options: Any,
) -> Subject:
    store = FileStore(
        codec_for(options.pop("serializer", None), options.pop("secret_key", None)),
        max_entries=max_entries,
        max_bytes=max_bytes,
        retention=Retention(clock=clock or standing_clock()),
        compression=options.pop("compression", None),
    )
    owner = Folder(folder / "cache", **options)
    return Subject(store, SyncFiles(owner), AsyncFiles(owner))


def files_limited(folder: Path) -> Subject:
    return files(folder, max_entries=1_000_000, max_bytes=1_000_000_000, fast_save=True)


def files_signed(folder: Path) -> Subject:
    return files(folder, serializer="json", secret_key=["new", "old"], fast_save=True)


def files_packed(folder: Path) -> Subject:
    return files(folder, compression="zstd", fast_save=True)


def files_packed_signed(folder: Path) -> Subject:
    return files(folder, secret_key="secret", compression="zstd", fast_save=True)


def entry(url: str = "https://example.org/", *, created: float = NOW, **what: Any) -> Entry:
    return testing.entry(url, created=created, **what)


def alias(target: str, created: float = NOW) -> Alias:
    return testing.alias(target, created)


__all__ = [
    "COLOURS",
    "NOT_NOW",
    "NOW",
    "Subject",
    "alias",
    "answered_now",
    "entry",
    "files",
    "files_limited",
    "files_packed",
    "files_packed_signed",
    "files_signed",
    "mapping",
    "mapping_of_users",
    "memory",
    "run_as_async",
    "run_as_sync",
    "sqlite",
    "sqlite_in_memory",
    "sqlite_limited",
    "sqlite_packed",
    "sqlite_packed_signed",
    "sqlite_signed",
    "sqlite_without_wal",
    "standing_clock",
]
