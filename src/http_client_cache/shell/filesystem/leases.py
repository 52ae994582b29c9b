"""Leases as files: a line of JSON that is locked as long as its holder lives.

A killed holder loses its lease at once, as its lock goes with it. Where a file system has no
locks, and where a holder is slow, the time in the file decides.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple, cast

from http_client_cache.file_statements import Claim, Holder, Release
from http_client_cache.shell.filesystem.paths import LEASES, TEMP
from http_client_cache.shell.filesystem.reading import list_folder
from http_client_cache.shell.private_files import in_folder, lock, unlock
from http_client_cache.shell.temps import Temp

NOBODY: Final = ""

PATIENCE: Final = 0.2
"""Seconds that a turn is waited for; others need microseconds."""

SWEEP: Final = 64
"""With every so many fruitless leases, those are removed whose time is up."""

_FILES: Final = re.compile("[0-9a-f]{32}")
_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class _Told(NamedTuple):
    """What a file says: whose the lease is, since when and until when (UTC seconds)."""

    owner: str
    since: float
    until: float


class Leases:
    """The leases of one folder, for any threads of this process.

    Args:
        root: what all paths begin with.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = f"{root}{LEASES}/"
        self._lock = threading.Lock()
        self._fruitless = 0
        # Whose each file is, as far as it is this process's; open, so that its lock lasts.
        self._held: dict[str, tuple[str, int]] = {}

    def claim(self, claim: Claim) -> str:
        """Take a lease if it is to be had; answers whose it is.

        Raises:
            OSError: the folder cannot be written, or others are at it for too long.
        """
        with self._lock, self._turn():
            return self._claim(claim)

    def claim_now(self, claim: Claim) -> str | None:
        """The same, or ``None`` where others are at it just now.

        Raises:
            OSError: the folder cannot be written.
        """
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with self._turn(patience=0.0):
                return self._claim(claim)
        except TimeoutError:
            return None
        finally:
            self._lock.release()

    def _claim(self, claim: Claim) -> str:
        told = self._living(claim.file, claim.since, claim.latest)
        if told is not None and told.owner != claim.owner:
            return told.owner
        handle = self._write(claim.file, _Told(claim.owner, claim.since, claim.until))
        self._let_go(claim.file)
        self._held[claim.file] = claim.owner, handle
        return claim.owner

    def holder(self, asked: Holder) -> str | None:
        """Whose a lease is; ``None`` if it is free.

        Raises:
            OSError: the folder cannot be read.
        """
        told = self._living(asked.file, asked.now, asked.latest)
        return None if told is None else told.owner

    def release(self, release: Release) -> None:
        """Give a lease back, if it is still its owner's.

        Raises:
            OSError: the folder cannot be written.
        """
        file, owner, now, until = release
        with self._lock, self._turn():
            told = self._read(file)
            if told is not None and told.owner == owner:
                if told.since > now:
                    # Its owner has taken it anew before this one's turn has come.
                    return
                if until is None or told.until <= now:
                    self._remove(file)
                else:
                    self._close(self._write(file, _Told(NOBODY, now, until)))
                    self._fruitless += 1
            if self._held.get(file, ("", -1))[0] == owner:
                self._let_go(file)
        if self._fruitless >= SWEEP:
            self._fruitless = 0
            self.sweep(now)

    def sweep(self, until: float | None) -> None:
        """Remove leases whose time was up by then (UTC seconds); ``None`` for all of them.

        Raises:
            OSError: the folder cannot be listed or written.
        """
        files = [name for name in list_folder(self._folder) if _FILES.fullmatch(name)]
        for file in files:
            # One at a time: others want a turn, too.
            with self._lock, self._turn(), suppress(OSError):
                # Its time of modification is when it ends.
                if until is None or os.lstat(self._folder + file).st_mtime <= until:
                    self._remove(file)
                    self._let_go(file)

    def start_over(self) -> None:
        """After a fork, in the child: what is held is the parent's."""
        self._lock = threading.Lock()
        for file in list(self._held):
            self._let_go(file)

    def _let_go(self, file: str) -> None:
        # To close is not to unlock: where the process has forked, the lock is the parent's.
        _, handle = self._held.pop(file, (NOBODY, -1))
        self._close(handle)

    def _close(self, handle: int) -> None:
        if handle >= 0:
            os.close(handle)

    def _living(self, file: str, now: float, latest: float) -> _Told | None:
        """What a file says, if its time is not up and its owner not dead."""
        told = self._read(file, test=True)
        return told if told is not None and told.since <= latest and now < told.until else None

    def _read(self, file: str, *, test: bool = False) -> _Told | None:
        try:
            handle = os.open(self._folder + file, _READ)
        except FileNotFoundError:
            return None
        try:
            told = _parsed(os.read(handle, 4096))
            if test and told is not None and told.owner != NOBODY and lock(handle):
                # Whoever could lock it would have.
                unlock(handle)
                return None
            return told
        finally:
            os.close(handle)

    def _write(self, file: str, told: _Told) -> int:
        """Publish a lease; answers the handle that holds its lock."""
        line = json.dumps(told._asdict()).encode() + b"\n"
        temp = Temp.of(f"{self._root}{TEMP}/{secrets.token_hex(8)}", (line,), told.until)
        try:
            return temp.publish_locked(self._folder + file)
        except BaseException:
            temp.discard()
            raise

    def _remove(self, file: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._folder + file)  # noqa: PTH108 - paths are text here

    @contextmanager
    def _turn(self, patience: float = PATIENCE) -> Generator[None]:
        """Let no other process change leases meanwhile."""
        if sys.platform == "win32":
            yield
            return
        handle = in_folder(self._folder, lambda: os.open(self._folder, os.O_RDONLY))
        try:
            end = time.monotonic() + patience
            while lock(handle) is False:
                if time.monotonic() >= end:
                    raise TimeoutError("another process changes leases for too long")
                time.sleep(0.0005)
            yield
        finally:
            unlock(handle)
            os.close(handle)


def _parsed(line: bytes) -> _Told | None:
    try:
        known: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(known, dict):
        return None
    found = cast("dict[str, object]", known)
    owner, since, until = found.get("owner"), found.get("since"), found.get("until")
    if isinstance(owner, str) and isinstance(since, float) and isinstance(until, float):
        return _Told(owner, since, until)
    return None
