"""How much there is, kept by all processes that use a folder, and what goes when it is too much."""

from __future__ import annotations

import heapq
import logging
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

from http_client_cache.file_statements import (
    FRESH_HEAD,
    LINK,
    MAIN,
    SHARDS,
    TRACES,
    Found,
    List,
    Upkeep,
)
from http_client_cache.limits import FULL
from http_client_cache.shell.filesystem.paths import FRESH, LEADS, MORE, RESPONSE
from http_client_cache.shell.filesystem.reading import list_folder, list_shards, path_of
from http_client_cache.shell.private_files import in_folder, lock, unlock

logger = logging.getLogger("http_client_cache")

NAME: Final = "ledger"

CANDIDATES: Final = 256
CANDIDATE_SHARE: Final = 16
"""So many of those to go next are remembered, or that share of all, before all are looked at
again."""

_CHUNK: Final = 1000

_TURN_SECONDS: Final = 1.0

_LINE: Final = "%-5s %15d %15d %15d\n"


@dataclass(slots=True)
class Tally:
    """What there is.

    Attributes:
        entries: responses.
        size: bytes of all files.
        links: redirects.
    """

    entries: int = 0
    size: int = 0
    links: int = 0

    def count(self, path: str, size: int, sign: int) -> None:
        """Count a file in, or out with a ``sign`` of -1."""
        self.size += sign * size
        if path.endswith(RESPONSE):
            self.entries += sign
        elif path.endswith(LEADS):
            self.links += sign


class Ledger:
    """One process's hand on the ledger, which is a file; for one thread at a time.

    It is made by the first one that has limits, and kept from then on by all who write. While
    one of them changes what is there, it says ``dirty``: who finds it so counts anew.

    When a file was last used is its time of access, which is set by whoever writes next; hits set
    none. It is the time when somebody asked for it, or saved it, and not that of the writing.

    Args:
        root: what all paths begin with.
        name: how the log calls the cache.

    Attributes:
        tally: what there is, while this process has the ledger.
    """

    def __init__(self, root: str, name: str) -> None:
        self._root = root
        self._name = name
        self._upkeeps: WeakSet[Upkeep] = WeakSet()
        self.tally: Tally | None = None
        # Those to go next: by the times when they expire, by their last use, and redirects.
        self._expiring: list[tuple[float, str, str]] = []
        self._unused: list[tuple[int, str, str]] = []
        self._links: list[tuple[int, str, str]] = []
        # What was used later than this is not among the second.
        self._known_until = -1

    def register(self, upkeep: Upkeep | None) -> None:
        """Keep to limits, as long as who has them is there."""
        if upkeep is not None and upkeep.limits.any:
            self._upkeeps.add(upkeep)

    def waiting(self) -> list[Upkeep]:
        """Those whose uses are not written down."""
        return [upkeep for upkeep in list(self._upkeeps) if upkeep.used]

    @contextmanager
    def held(self) -> Generator[None]:
        """Change what is there, with nobody else changing it, if it is counted at all."""
        path = self._root + NAME
        if self.tally is not None or (not self._upkeeps and not os.access(path, os.F_OK)):
            yield
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = in_folder(self._root, lambda: os.open(path, flags, 0o600))
        try:
            _wait_for(handle)
            self.tally = _read(handle) or self._count()
            _write(handle, "dirty", self.tally)
            yield
            _write(handle, "clean", self.tally)
        finally:
            self.tally = None
            unlock(handle)
            os.close(handle)

    @contextmanager
    def still(self) -> Generator[None]:
        """Look at what is there while nobody changes it, if it is counted at all."""
        try:
            handle = os.open(self._root + NAME, os.O_RDONLY)
        except OSError:
            yield
            return
        try:
            _wait_for(handle)
            yield
        finally:
            unlock(handle)
            os.close(handle)

    # What is counted.

    def placed(self, path: str, name: str, file: str, used: int) -> None:
        """A file lies there now, which was last used then (nanoseconds)."""
        if self.tally is None:
            return
        status = os.lstat(path)
        self.tally.count(path, status.st_size, 1)
        os.utime(path, ns=(used, status.st_mtime_ns))
        if path.endswith(RESPONSE):
            heapq.heappush(self._expiring, (status.st_mtime, name, file))
            self._remember(used, name, file)
            known = len(self._expiring) + len(self._unused)
            if known > 8 * max(CANDIDATES, self.tally.entries // CANDIDATE_SHARE):
                # Most of it is not there any more.
                self._expiring, self._unused, self._known_until = [], [], -1

    def size_of(self, path: str) -> int:
        """How much a file counts for that is about to go, or to be replaced; -1 if none does."""
        if self.tally is None:
            return -1
        try:
            return os.lstat(path).st_size
        except OSError:
            return -1

    def gone(self, path: str, size: int) -> None:
        """A file of this size lies there no more."""
        if self.tally is not None and size >= 0:
            self.tally.count(path, size, -1)

    def note_uses(self) -> None:
        """Write down what was read."""
        for upkeep in list(self._upkeeps):
            used, upkeep.used = upkeep.used, {}
            for name, then in list(used.items()):
                for file, path in self._responses(name):
                    with suppress(OSError):
                        status = os.lstat(path)
                        if status.st_atime_ns < then:
                            os.utime(path, ns=(then, status.st_mtime_ns))
                            self._remember(then, name, file)

    def _responses(self, name: str) -> list[tuple[str, str]]:
        base = self._root + name
        more = [
            (listed.removesuffix(RESPONSE), f"{base}{MORE}/{listed}")
            for listed in list_folder(base + MORE)
            if listed.endswith(RESPONSE)
        ]
        return [(MAIN, base + RESPONSE), *more]

    def _remember(self, used: int, name: str, file: str) -> None:
        if used <= self._known_until:
            heapq.heappush(self._unused, (used, name, file))

    # What goes.

    def make_room(self, drop: Callable[[str, str], object]) -> None:
        """Remove what is too much.

        Args:
            drop: removes a response or a link, by name and file.
        """
        tally = self.tally
        if tally is None:
            return
        for upkeep in list(self._upkeeps):
            entries, size = upkeep.limits
            if _is_over(tally.entries, entries) or _is_over(tally.size, size):
                self.note_uses()
            while tally.entries and (
                _is_over(tally.entries, entries) or _is_over(tally.size, size)
            ):
                victim = self._victim(upkeep)
                if victim is None:
                    break
                drop(*victim)
            while tally.links and (_is_over(tally.links, entries) or _is_over(tally.size, size)):
                victim = self._oldest_link()
                if victim is None:
                    break
                drop(*victim)

    def _victim(self, upkeep: Upkeep) -> tuple[str, str] | None:
        for look_again in (False, True):
            if look_again or not self._unused:
                self._count()
            now = upkeep.now()
            while self._expiring and self._expiring[0][0] <= now:
                stamp, name, file = heapq.heappop(self._expiring)
                status = self._status(name, file)
                if status is not None and status.st_mtime == stamp:
                    return name, file
            while self._unused:
                used, name, file = heapq.heappop(self._unused)
                status = self._status(name, file)
                if status is not None and status.st_atime_ns == used:
                    if not upkeep.told:
                        upkeep.told = True
                        logger.warning(FULL, self._name, upkeep.limits)
                    return name, file
        return None

    def _oldest_link(self) -> tuple[str, str] | None:
        for look_again in (False, True):
            if look_again:
                self._count()
            while self._links:
                used, name, file = heapq.heappop(self._links)
                status = self._status(name, file)
                if status is not None and status.st_atime_ns == used:
                    return name, file
        return None

    def _status(self, name: str, file: str) -> os.stat_result | None:
        try:
            return os.lstat(path_of(self._root, name, file))
        except OSError:
            return None

    def _count(self) -> Tally:
        """Count all that is there, and remember what is to go next."""
        tally, shard, counted = self.tally or Tally(), 0, time.time_ns()
        tally.entries = tally.size = tally.links = 0
        expiring: list[tuple[float, str, str]] = []
        unused: list[tuple[int, str, str]] = []
        links: list[tuple[int, str, str]] = []
        while shard < SHARDS:
            found, shard = list_shards(self._root, List(shard, enough=_CHUNK, measures=True))
            for one in found:
                _add(tally, one)
                if one.file == LINK:
                    links.append((one.used, one.name, one.file))
                elif one.file not in {TRACES, FRESH_HEAD}:
                    expiring.append((one.stamp, one.name, one.file))
                    unused.append((one.used, one.name, one.file))
        most = max(CANDIDATES, tally.entries // CANDIDATE_SHARE)
        # Sorted lists are heaps.
        self._expiring = heapq.nsmallest(most, expiring)
        self._unused = heapq.nsmallest(most, unused)
        self._links = heapq.nsmallest(most, links)
        # Other processes may have used something since.
        self._known_until = self._unused[-1][0] if len(unused) > most else counted
        return tally


def _add(tally: Tally, one: Found) -> None:
    ending = {LINK: LEADS, FRESH_HEAD: FRESH, TRACES: ""}.get(one.file, RESPONSE)
    if ending:
        tally.count(ending, one.size, 1)


def _is_over(count: int, limit: int | None) -> bool:
    return limit is not None and count > limit


def _wait_for(handle: int) -> None:
    end = time.monotonic() + _TURN_SECONDS
    while lock(handle) is False and time.monotonic() < end:
        time.sleep(0.001)


def _read(handle: int) -> Tally | None:
    try:
        state, *numbers = os.read(handle, 200).decode("ascii").split()
        entries, size, links = map(int, numbers)
    except ValueError:
        return None
    return Tally(entries, size, links) if state == "clean" else None


def _write(handle: int, state: str, tally: Tally) -> None:
    line = _LINE % (state, tally.entries, tally.size, tally.links)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, line.encode())
