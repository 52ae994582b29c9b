"""Files that are written before they get their names."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from http_client_cache.shell.filesystem.paths import TEMP, in_folder

if sys.platform != "win32":
    import fcntl

CREATE: Final = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

SYNCING_THREADS: Final = 8
"""Wait for the disk at once: file systems join what several threads wait for."""

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


class Temp:
    """A file that is written and has no name yet.

    It is locked, because who tidies up takes one without a lock for that of a writer that died.

    Args:
        root: what all paths begin with.
        parts: what is in the file.
        stamp: its time of modification.

    Attributes:
        error: why it cannot be published.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """

    def __init__(self, root: str, parts: Sequence[bytes], stamp: float | None = None) -> None:
        self.error: OSError | None = None
        self._path = f"{root}{TEMP}/{secrets.token_hex(8)}"
        self._handle = in_folder(root + TEMP, lambda: create(self._path))
        try:
            lock(self._handle)
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[os.write(self._handle, view) :]
            if stamp is not None:
                place = self._handle if os.utime in os.supports_fd else self._path
                os.utime(place, (stamp, stamp))
        except BaseException:
            self.discard()
            raise

    def sync(self) -> None:
        """Wait for the disk; ``error`` tells of a failure."""
        try:
            _sync(self._handle)
        except OSError as error:
            self.error = error

    def publish(self, path: str) -> None:
        """Give it its name, in place of any file that has it.

        Raises:
            OSError: it does not get it; it is to be discarded.
        """
        if self.error is not None:
            raise self.error
        if sys.platform == "win32":
            # Which renames no open file.
            self._close()
        folder = os.path.dirname(path)  # noqa: PTH120 - paths are text here
        in_folder(folder, lambda: os.replace(self._path, path))  # noqa: PTH105
        self._path = ""
        self._close()

    def discard(self) -> None:
        """Remove it, unless it was published."""
        self._close()
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 - paths are text here
            self._path = ""

    def _close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


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


def create(path: str) -> int:
    """Create a file for this user alone, whatever the umask; answers its handle.

    Raises:
        OSError: there is one, or there can be none.
    """
    handle = os.open(path, CREATE, 0o600)
    if sys.platform != "win32":
        os.fchmod(handle, 0o600)
    return handle


if sys.platform != "win32":

    def lock(handle: int) -> bool | None:
        """Lock an open file: ``False`` if another one has locked it.

        ``None`` if the file system has no locks.
        """
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True

    def unlock(handle: int) -> None:
        """Give a lock back. To close the file would not do, if the process has forked since."""
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)

else:

    def lock(handle: int) -> bool | None:
        """``None``: there are no such locks."""
        del handle
        return None

    def unlock(handle: int) -> None:
        """There is none."""
        del handle
