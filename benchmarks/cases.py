"""What is measured: one kind of request per case.

Only what every distribution of this import name has is used, and what the installed one lacks is
left out, so that others can be measured with the same program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession

import aiohttp_client_cache

KIB = 1024

Open = Callable[[Path], ClientSession]


@dataclass(frozen=True)
class Case:
    """One kind of request.

    Attributes:
        name: as given on the command line.
        title: as shown.
        open: makes the session.
        size: bytes of the body.
        new: whether every request is for a URL of its own.
        baseline: the case it is compared with.
        added: whether what it costs on top of the baseline is what matters.
        path: what the origin is asked for, without the size.
        against: what the baseline is called.
    """

    name: str
    title: str
    open: Open
    size: int = KIB
    new: bool = False
    baseline: str = "get"
    added: bool = False
    path: str = "bytes"
    against: str = "a plain GET"


def _plain(_: Path) -> ClientSession:
    return ClientSession()


def memory_session(_: Path, **options: Any) -> ClientSession:
    """A session that caches in memory."""
    return aiohttp_client_cache.CachedSession(cache=aiohttp_client_cache.CacheBackend(**options))


def sqlite_session(folder: Path, **options: Any) -> ClientSession:
    """A session that caches in a file of its own."""
    return aiohttp_client_cache.CachedSession(
        cache=aiohttp_client_cache.SQLiteBackend(str(folder / "benchmark.sqlite"), **options)
    )


def _memory_middleware(_: Path, **options: Any) -> ClientSession:
    cache = aiohttp_client_cache.CacheMiddleware(aiohttp_client_cache.CacheBackend(**options))
    return ClientSession(middlewares=[cache])


def _sqlite_middleware(folder: Path) -> ClientSession:
    backend = aiohttp_client_cache.SQLiteBackend(str(folder / "benchmark.sqlite"))
    return ClientSession(middlewares=[aiohttp_client_cache.CacheMiddleware(backend)])


def _by_headers(name: str, title: str, open_: Callable[..., ClientSession]) -> tuple[Case, Case]:
    """A kind of hit where RFC 9111 decides, without and with ``Vary``."""
    opens = partial(open_, cache_control=True)
    case = Case(
        f"{name}-rfc9111",
        f"{title}, RFC 9111",
        opens,
        baseline=name,
        against="the default mode",
    )
    varying = replace(case, name=f"{case.name}-vary", title=f"{case.title}, Vary", path="vary")
    return case, varying


_ALL = (
    Case("get", "plain aiohttp, GET 1 KiB", _plain),
    Case("get-new", "plain aiohttp, GET 1 KiB, new URLs", _plain, new=True, baseline="get-new"),
    Case("get-64k", "plain aiohttp, GET 64 KiB", _plain, 64 * KIB, baseline="get-64k"),
    Case("memory-hit", "memory: hit 1 KiB", memory_session),
    *_by_headers("memory-hit", "memory: hit 1 KiB", memory_session),
    Case("memory-hit-middleware", "memory: hit 1 KiB, middleware", _memory_middleware),
    *_by_headers("memory-hit-middleware", "memory: hit 1 KiB, middleware", _memory_middleware),
    Case("memory-hit-64k", "memory: hit 64 KiB", memory_session, 64 * KIB, baseline="get-64k"),
    Case(
        "memory-miss",
        "memory: miss 1 KiB",
        memory_session,
        new=True,
        baseline="get-new",
        added=True,
    ),
    Case("sqlite-hit", "SQLite: hit 1 KiB", sqlite_session),
    *_by_headers("sqlite-hit", "SQLite: hit 1 KiB", sqlite_session),
    Case("sqlite-hit-middleware", "SQLite: hit 1 KiB, middleware", _sqlite_middleware),
    Case("sqlite-hit-64k", "SQLite: hit 64 KiB", sqlite_session, 64 * KIB, baseline="get-64k"),
    Case(
        "sqlite-miss",
        "SQLite: miss 1 KiB",
        sqlite_session,
        new=True,
        baseline="get-new",
        added=True,
    ),
    Case(
        "sqlite-miss-lease",
        "SQLite: miss 1 KiB, fetch_lease",
        partial(sqlite_session, fetch_lease=10),
        new=True,
        baseline="sqlite-miss",
        added=True,
        against="a miss without",
    ),
)


# What a part of a name asks of the installed distribution.
_NEEDED = {
    "middleware": "CacheMiddleware",
    "sqlite": "SQLiteBackend",
    "sweep": "StoredResponse",
    "lease": "FileBackend",
}

# Elsewhere a write is done when the request is, and a backend that was closed stays closed.
REOPENS = hasattr(aiohttp_client_cache, "StoredResponse")


def can_run(name: str) -> bool:
    """Whether the installed distribution has what a measurement needs."""
    return all(
        hasattr(aiohttp_client_cache, needed) for part, needed in _NEEDED.items() if part in name
    )


def cases() -> dict[str, Case]:
    """The cases that the installed distribution can run, by name."""
    return {case.name: case for case in _ALL if can_run(case.name)}


class Run:
    """A case with its session open.

    Args:
        case: what to run.
        origin: address of the origin.
        folder: an empty folder for files.
        urls: how many URLs the requests are for in turn.
    """

    def __init__(self, case: Case, origin: str, folder: Path, urls: int) -> None:
        self.case = case
        address = f"{origin}/{case.path}/{case.size}?n="
        self._known = [f"{address}{number}" for number in range(urls)]
        self._urls: Iterator[str] = (
            (f"{address}{number}" for number in count(urls)) if case.new else cycle(self._known)
        )
        self._folder = folder
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self.case.open(self._folder)
        await self._fetch(self._known)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            await self._backend_do("close")

    def batch(self, operations: int) -> list[str]:
        """The URLs of the next requests."""
        return list(islice(self._urls, operations))

    async def prepare(self) -> None:
        """What comes before each round and is not measured."""
        if self.case.new:
            await self._backend_do("clear")
        await self._fetch(self._known[:1])

    async def forget(self) -> None:
        """Delete what was stored, where that is not in a folder."""
        await self._backend_do("clear")

    async def requests(self, batch: list[str]) -> None:
        """The requests, one after the other; what they store is on disk when this returns."""
        await self._fetch(batch)
        if self.case.new and REOPENS:
            await self._backend_do("close")

    async def _fetch(self, urls: list[str]) -> None:
        session = self._session
        if session is None:
            raise RuntimeError("use `async with`")
        for url in urls:
            async with session.get(url) as response:
                await response.read()

    async def _backend_do(self, method: str) -> None:
        owners: tuple[Any, ...] = (self._session, *getattr(self._session, "_middlewares", ()))
        for owner in owners:
            if (backend := getattr(owner, "cache", None)) is not None:
                await getattr(backend, method)()
