"""The stores that the contract holds, each in every colour. A new store is one function here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from http_client_cache.clock import Clock
from http_client_cache.codec import codec_for
from http_client_cache.entry import Alias, Entry, Hop
from http_client_cache.limits import Retention
from http_client_cache.plan import Plan
from http_client_cache.shell.filesystem import AsyncFiles, Folder, SyncFiles
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.shell.sqlite import AsyncSQLite, Database, SyncSQLite
from http_client_cache.shell.store_driver import run_async, run_now, run_sync
from http_client_cache.statements import NOT_NOW, AsyncShell, SyncShell
from http_client_cache.store import Store
from http_client_cache.store.filesystem import FileStore
from http_client_cache.store.mapping import MappingStore
from http_client_cache.store.memory import MemoryStore
from http_client_cache.store.sqlite import SQLiteStore
from tests.support.clock import StandingClock
from tests.support.mappings import CustomCacheBackend

NOW = 1000.0
"""When entries are created, and where the clock of a store stands."""


class Subject(NamedTuple):
    store: Store
    sync_shell: SyncShell
    async_shell: AsyncShell
    # Whether a read is answered at once even while something is being written.
    never_waits: bool = True


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
    )
}

Run = Callable[[Plan[Any]], Any]


async def run_as_sync(subject: Subject, plan: Plan[Any]) -> Any:
    return run_sync(plan, subject.sync_shell)


async def run_as_async(subject: Subject, plan: Plan[Any]) -> Any:
    return await run_async(plan, subject.async_shell)


COLOURS = {"sync": run_as_sync, "async": run_as_async}


def answered_now(subject: Subject, plan: Plan[Any]) -> Any:
    return run_now(plan, subject.async_shell)


def entry(
    url: str = "https://example.org/",
    *,
    body: bytes = b"",
    created: float = NOW,
    expires: float | None = None,
    status: int = 200,
) -> Entry:
    return Entry(
        method="GET",
        url=url,
        status=status,
        reason="OK",
        version=(1, 1),
        headers=((b"Content-Type", b"text/plain"), (b"X-Odd", b"caf\xe9"), (b"X-Odd", b"")),
        request_headers=((b"Accept", b"*/*"),),
        requested=created - 1,
        created=created,
        expires=expires,
        body_size=len(body),
    )


def alias(target: str, created: float = 1000.0) -> Alias:
    hop = Hop("GET", "https://example.org/old", 302, "Found", (1, 1), ((b"Location", b"/"),))
    return Alias(target, (hop,), created)


__all__ = [
    "COLOURS",
    "NOT_NOW",
    "SUBJECTS",
    "Subject",
    "alias",
    "answered_now",
    "entry",
    "files",
    "sqlite",
]
