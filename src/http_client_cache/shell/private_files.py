"""Files and folders for this user alone, and locks on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

if sys.platform != "win32":
    import fcntl

T = TypeVar("T")

CREATE: Final = (
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

_ATTEMPTS: Final = 100


def make_folder(path: str) -> None:
    """Make a folder, and those above it, for this user alone, whatever the umask.

    Raises:
        OSError: it cannot be made.
    """
    for attempt in range(_ATTEMPTS):
        try:
            os.mkdir(path, 0o700)  # noqa: PTH102 - paths are text here
        except FileExistsError:
            return
        except FileNotFoundError:
            above = os.path.dirname(path.rstrip("/\\"))  # noqa: PTH120
            # One that is there and takes none: a link that leads nowhere, a drive that is gone.
            if not above or attempt == _ATTEMPTS - 1:
                raise
            make_folder(above)
        else:
            # It may have gone already, being empty.
            with suppress(FileNotFoundError):
                os.chmod(path, 0o700)  # noqa: PTH101
            return


def in_folder(folder: str, do: Callable[[], T]) -> T:
    """Do something in a folder that is made if it is not there.

    Other processes may remove it as long as it is empty.

    Raises:
        OSError: it cannot be done, or the folder cannot be made.
    """
    for _ in range(_ATTEMPTS):
        try:
            return do()
        except FileNotFoundError:
            make_folder(folder)
    return do()


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
