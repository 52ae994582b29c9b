"""What the tests of bodies share: a backend of each kind, and what is left of it on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CacheBackend, CachedSession, FileBackend, SQLiteBackend
from tests.support.clock import StandingClock
from tests.support.wire import WireOrigin

KINDS = ["memory", "sqlite", "files"]

# For what has little to do with the mode: each backend in one of them.
SOME = pytest.mark.parametrize(
    ("kind", "lawful"),
    [("memory", True), ("sqlite", False), ("files", True)],
    ids=["memory-law", "sqlite-house", "files-law"],
)
ON_DISK = pytest.mark.parametrize(
    ("kind", "lawful"),
    [("sqlite", True), ("files", False)],
    ids=["sqlite-law", "files-house"],
)
MIB = 2**20


class Scene:
    """An origin, and backends of one kind before it that share one file or folder.

    Attributes:
        kind: of ``KINDS``.
        lawful: whether RFC 9111 decides.
        clock: of the backends, if they are not to go by the real one.
    """

    def __init__(self, kind: str, folder: Path, wire: WireOrigin, *, lawful: bool) -> None:
        self.kind = kind
        self.folder = folder
        self.wire = wire
        self.lawful = lawful
        self.clock: StandingClock | None = None
        self.opened = contextlib.AsyncExitStack()

    @property
    def path(self) -> Path:
        """Of the database or the folder."""
        return self.folder / ("cache" if self.kind == "files" else "cache.sqlite")

    def backend(self, **settings: Any) -> CacheBackend:
        """Make a backend that the test's end closes, and nobody before."""
        settings.setdefault("cache_control", self.lawful)
        settings |= {"autoclose": False, "clock": self.clock}
        backend: CacheBackend
        if self.kind == "memory":
            backend = CacheBackend(**settings)
        elif self.kind == "sqlite":
            backend = SQLiteBackend(self.path, **settings)
        else:
            backend = FileBackend(self.path, **settings)
        self.opened.push_async_callback(backend.close)
        return backend

    async def session(self, backend: CacheBackend, **options: Any) -> CachedSession:
        return await self.opened.enter_async_context(CachedSession(cache=backend, **options))

    async def open(self, **settings: Any) -> CachedSession:
        """Make a session on a new backend that has the settings."""
        return await self.session(self.backend(**settings))

    def bodies(self) -> int:
        """How many bytes lie on the disk, in rows or files, without what organises them."""
        if self.kind == "files":
            return sum(size for name, size in self.files().items() if "ledger" not in name)
        database = {f"cache.sqlite{end}" for end in ("", "-wal", "-shm", "-journal")}
        beside = sum(size for name, size in self.files().items() if name not in database)
        return sum(self.tables().values()) + beside

    def files(self) -> dict[str, int]:
        """The size of each file, by its path below the folder."""
        found: dict[str, int] = {}
        for path in sorted(self.folder.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    found[str(path.relative_to(self.folder))] = path.stat().st_size
        return found

    def tables(self) -> dict[str, int]:
        """How many bytes the rows of each table of the database hold."""
        path = self.folder / "cache.sqlite"
        if not path.exists():
            return {}
        with contextlib.closing(sqlite3.connect(path)) as database:
            names = [
                name
                for (name,) in database.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            ]
            return {name: _bytes_of(database, name) for name in names}

    async def nothing_is_left(self, backend: CacheBackend) -> None:
        """Sweep, and look whether anything is stored, be it under no name."""
        await backend.delete_expired_responses()
        assert await backend.size() == 0
        assert await backend.bytes() == 0
        # Files are deleted by the way; a few rows count things, and a file tells the version.
        with contextlib.suppress(TimeoutError):
            await comes_true(lambda: self.bodies() < 1000, 1)
        assert self.bodies() < 1000, (self.files(), self.tables())


def _bytes_of(database: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    lengths = " + ".join(f"coalesce(length({column}), 0)" for column in columns)
    (size,) = database.execute(f"SELECT coalesce(sum({lengths}), 0) FROM {table}").fetchone()
    return int(size)


@contextlib.asynccontextmanager
async def scene_of(kind: str, folder: Path, *, lawful: bool) -> AsyncIterator[Scene]:
    async with WireOrigin().serving() as wire:
        scene = Scene(kind, folder, wire, lawful=lawful)
        async with scene.opened:
            yield scene


def connections(session: ClientSession) -> tuple[int, int]:
    """How many connections are in use, and how many wait to be used again."""
    connector: Any = session.connector
    idle = sum(len(waiting) for waiting in connector._conns.values())
    return len(connector._acquired), idle


async def comes_true(condition: Any, seconds: float = 5) -> None:
    """Return when ``condition()`` holds.

    Raises:
        TimeoutError: it does not come true.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
