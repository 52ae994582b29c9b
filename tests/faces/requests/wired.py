"""An origin in a thread that says when each byte leaves, and caches before it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from requests_cache import BaseCache, CachedSession, FileCache, SQLiteCache
from tests.support.wire import Answer, WireOrigin

KINDS = ("memory", "sqlite", "files")
MIB = 2**20


class Wired:
    """The origin of :mod:`tests.support.wire`, for callers in other threads."""

    def __init__(self, wire: WireOrigin, loop: asyncio.AbstractEventLoop) -> None:
        self.wire = wire
        self._loop = loop
        self._paths = 0

    def url(self, answer: Answer) -> str:
        """A URL of its own for an answer."""
        self._paths += 1
        path = f"/{self._paths}"
        self.wire.answers[path] = answer
        return self.wire.url(path)

    def says(self, url: str, answer: Answer) -> None:
        """Something else from now on."""
        self.wire.answers[url.removeprefix(self.wire.url(""))] = answer

    def count(self, url: str) -> int:
        return self.wire.count(url.removeprefix(self.wire.url("")))

    def gate(self) -> Gate:
        return Gate(self._loop)


class Gate:
    """Lets answers go on, from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._permits: asyncio.Queue[None] = asyncio.Queue()

    def open(self, times: int = 1) -> None:
        for _ in range(times):
            self._loop.call_soon_threadsafe(self._permits.put_nowait, None)

    async def permit(self) -> None:
        await self._permits.get()


@contextlib.contextmanager
def wired_origin() -> Iterator[Wired]:
    """Serve from a thread."""
    started: list[tuple[Wired, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        async with WireOrigin().serving() as wire:
            loop, done = asyncio.get_running_loop(), asyncio.Event()
            started.append((Wired(wire, loop), loop, done))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="wired origin")
    thread.start()
    assert ready.wait(10)
    wired, loop, done = started[0]
    try:
        yield wired
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)


def cache_of(kind: str, folder: Path, **settings: Any) -> BaseCache:
    """A cache of one of ``KINDS``."""
    if kind == "memory":
        return BaseCache(**settings)
    if kind == "sqlite":
        return SQLiteCache(folder / "cache.sqlite", **settings)
    return FileCache(folder / "cache", **settings)


def outcome(read: Callable[[], bytes]) -> tuple[bytes, str]:
    """What was read, or the names of what was raised, and of what that was made of."""
    try:
        return read(), ""
    except (requests.RequestException, OSError) as error:
        below = [type(each).__name__ for each in error.args if isinstance(each, Exception)]
        return b"", " ".join([type(error).__name__, *below])


def nothing_is_left(session: CachedSession) -> None:
    """Neither a response nor a part of one, under whatever name."""
    session.cache.engine.tidy_up()
    session.cache.remove_expired_responses()
    assert session.cache.size() == 0
    assert session.cache.bytes() == 0
