"""Files that are written before they are published."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from http_client_cache.shell.private_files import create, in_folder, lock

SYNCING_THREADS: Final = 8
"""Wait for the disk at once: file systems join what several threads wait for."""

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


_ATTEMPTS: Final = 100
"""To get a name that a sweep of another process holds: it is about to remove it."""


class Temp:
    """A file that is written and not published yet.

    It is locked, because who tidies up takes one without a lock for that of a writer that died.

    Args:
        path: where it is written.

    Attributes:
        error: why it cannot be published.
    """

    def __init__(self, path: str) -> None:
        self.error: Exception | None = None
        self._path = path
        self._handle = -1
        self._pid = os.getpid()

    @classmethod
    def of(cls, path: str, parts: Sequence[bytes], stamp: float | None = None) -> Temp:
        """Write one that has these parts, and this time of modification.

        Raises:
            OSError: it cannot be written; nothing is left of it.
        """
        temp = cls(path)
        try:
            temp.open()
            temp.write(parts)
            if stamp is not None:
                temp.stamp(stamp)
        except BaseException:
            temp.discard()
            raise
        return temp

    def open(self) -> None:
        """Create it.

        Raises:
            OSError: it cannot be created.
        """
        folder = os.path.dirname(self._path)  # noqa: PTH120 - paths are text here
        for attempt in range(_ATTEMPTS):
            try:
                self._handle = in_folder(folder, lambda: create(self._path))
            except FileExistsError:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                # Who sweeps may have come between the two.
                if lock(self._handle) is not False and os.fstat(self._handle).st_nlink:
                    return
                self.close()
            time.sleep(0.001)
        raise FileExistsError(f"{self._path} cannot be locked")

    def write(self, parts: Sequence[bytes | bytearray | memoryview]) -> None:
        """Add to it.

        Raises:
            OSError: it cannot be written.
        """
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[os.write(self._handle, view) :]

    def stamp(self, then: float) -> None:
        """Set its time of modification, in seconds.

        Raises:
            OSError: it cannot be set.
        """
        place = self._handle if os.utime in os.supports_fd else self._path
        os.utime(place, (then, then))

    def sync(self) -> None:
        """Wait for the disk; ``error`` tells of a failure."""
        try:
            _sync(self._handle)
        except OSError as error:
            self.error = error

    def publish(self, path: str) -> None:
        """Give it its name, in place of any file that has it.

        Raises:
            Exception: it does not get it; it is to be discarded.
        """
        self._rename(path)
        self.keep()

    def publish_locked(self, path: str) -> int:
        """The same; answers the handle, which holds the lock, or -1 where none can be open.

        Raises:
            Exception: as above.
        """
        self._rename(path)
        handle, self._handle, self._path = self._handle, -1, ""
        return handle

    def _rename(self, path: str) -> None:
        if self.error is not None:
            raise self.error
        if sys.platform == "win32":
            # Which renames no open file.
            self.close()
        folder = os.path.dirname(path)  # noqa: PTH120 - paths are text here
        in_folder(folder, lambda: os.replace(self._path, path))  # noqa: PTH105

    def keep(self) -> None:
        """Let it stay as it is."""
        self._path = ""
        self.close()

    def discard(self) -> None:
        """Remove it, unless it is published."""
        # The process that forked this one goes on writing it.
        is_ours = self._handle >= 0 and self._pid == os.getpid()
        self.close()
        if is_ours and self._path:
            with suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 - paths are text here
        self._path = ""

    def close(self) -> None:
        """Let go of it; without a lock, it will be swept unless it is published."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __del__(self) -> None:
        self.discard()


def sync_all(temps: Sequence[Temp]) -> None:
    """Wait for the disk until it has all of these files; each tells of its own failure."""
    rest = iter(temps)
    threads: list[threading.Thread] = []
    with suppress(RuntimeError):
        # There may be no more threads, or it is too late for them; then this one does it all.
        for _ in range(min(SYNCING_THREADS, len(temps)) - 1):
            thread = threading.Thread(target=_sync_each, args=(rest,), name="http-cache-file-sync")
            thread.start()
            threads.append(thread)
    _sync_each(rest)
    for thread in threads:
        thread.join()


def _sync_each(temps: Iterator[Temp]) -> None:
    # The iterator of a list hands each of them out once, whoever asks.
    for temp in temps:
        temp.sync()
