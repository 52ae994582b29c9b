"""What a client process is told to measure, and with what session."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

import aiohttp_client_cache
from benchmarks.bodies.origin import KIB, MIB
from benchmarks.cases import REOPENS, memory_session, sqlite_session

PLAIN = "plain"
TITLES = {PLAIN: "plain aiohttp", "memory": "memory", "sqlite": "SQLite", "files": "files"}

Figures = dict[str, Any]


def stores() -> list[str]:
    """The stores that the installed distribution has."""
    needed = {"sqlite": "SQLiteBackend", "files": "FileBackend"}
    known = [name for name, backend in needed.items() if hasattr(aiohttp_client_cache, backend)]
    return ["memory", *known]


@dataclass(frozen=True)
class Task:
    """One thing to measure in a process of its own.

    Attributes:
        measure: name of the measurement.
        store: one of ``TITLES``.
        server: which of the origins is asked: ``sockets`` or ``aiohttp``.
        size: bytes of the body.
        rounds: how many times, where that is not once.
        phase: ``miss`` or ``hit``, where a process measures only one of them.
        reading: how the body is read: a name in ``reading.WAYS``.
        origin: address of the origin.
        folder: where the store is; made where it is missing.
        core: the CPU to run on; any by default.
    """

    measure: str
    store: str
    server: str = "sockets"
    size: int = MIB
    rounds: int = 1
    phase: str = ""
    reading: str = "iter_any"
    origin: str = ""
    folder: str = ""
    core: int | None = None


def open_session(task: Task) -> ClientSession:
    """The session that is measured."""
    folder = Path(task.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if task.store == "memory":
        return memory_session(folder, **({"max_bytes": None} if REOPENS else {}))
    if task.store == "sqlite":
        return sqlite_session(folder)
    if task.store == "files":
        backend = aiohttp_client_cache.FileBackend(str(folder / "benchmark"))
        return aiohttp_client_cache.CachedSession(cache=backend)
    return ClientSession()


class Addresses:
    """Addresses of bodies that nobody has asked for before.

    Args:
        task: says where the origin is.
    """

    def __init__(self, task: Task) -> None:
        self._origin = task.origin
        self._numbers = count()
        self.small = f"{self._origin}/length/{KIB}/0/0"

    def new(self, size: int, framing: str = "length", pace: int = 0, wait: int = 0) -> str:
        """One more; what ``pace`` and ``wait`` mean, the origin explains."""
        return f"{self._origin}/{framing}/{size}/{pace}/{wait}?n={next(self._numbers)}"


async def warm_up(session: ClientSession, address: str) -> None:
    """Make one small request and have it answered once more, from the cache if there is one."""
    for _ in range(2):
        async with session.get(address) as response:
            await response.read()


async def settle(session: ClientSession, *, clear: bool = False) -> None:
    """Wait until what was stored is on disk; ``clear`` deletes it after that."""
    backend: Any = getattr(session, "cache", None)
    if backend is None:
        return
    if REOPENS:
        await backend.close()
    if clear:
        await backend.clear()


def expect(response: Any, *, hit: bool) -> None:
    """Refuse to measure something else.

    Raises:
        RuntimeError: a response that should come from the cache does not, or the reverse.
    """
    if getattr(response, "from_cache", False) is not hit:
        raise RuntimeError(f"not a {'hit' if hit else 'miss'}: {response.url}")
