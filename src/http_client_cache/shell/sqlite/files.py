"""Where the database lies, who may read it, and what becomes of a file that is none."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from http_client_cache.errors import ConfigurationError, describe

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("http_client_cache")

COMPANIONS: Final = ("-wal", "-shm", "-journal")

_LOCK_SECONDS: Final = 1.0


def database_path(cache_name: str | os.PathLike[str], *, use_temp: bool = False) -> Path | None:
    """The file that a ``cache_name`` means; nothing is created.

    ``demo_cache`` is ``demo_cache.sqlite`` in the working directory; an extension that begins
    with a letter is kept (``demo.db``, while ``v1.2`` becomes ``v1.2.sqlite``); ``~`` is the
    user's home.

    Args:
        cache_name: name or path, or ``":memory:"`` for a database of its own in memory.
        use_temp: whether a relative name lies in the system's folder for temporary files.

    Returns:
        An absolute path, or ``None`` for a database in memory.

    Raises:
        ConfigurationError: it names no file.
    """
    name = _text(cache_name)
    if _is_memory(name):
        return None
    if name.startswith("file:"):
        raise ConfigurationError(f"cache_name must be a path, not the URI {describe(name)}")
    path = Path(name)
    if path.name in {"", ".."} or "\0" in name or name.endswith(("/", os.sep)):
        raise ConfigurationError(f"cache_name must name a file, not {describe(name)}")
    if name.startswith("~"):
        with suppress(RuntimeError):
            path = path.expanduser()
    if not re.match(r"\.[A-Za-z]", path.suffix):
        path = path.with_name(f"{path.name}.sqlite")
    base = Path(tempfile.gettempdir()) if use_temp else Path.cwd()
    return base / path


def _text(cache_name: object) -> str:
    name = os.fspath(cache_name) if isinstance(cache_name, Path) else cache_name
    if not isinstance(name, str):
        raise ConfigurationError(f"cache_name must be str or Path, not {describe(cache_name)}")
    return name


def _is_memory(name: str) -> bool:
    return name == ":memory:" or (
        name.startswith("file:") and (":memory:" in name or "mode=memory" in name)
    )


def create(path: Path) -> None:
    """Create an empty file for this user alone, with missing folders, if there is none.

    Raises:
        OSError: it cannot be created.
    """
    if path.exists():
        return
    for folder in reversed(path.parents):
        with suppress(FileExistsError):
            if not folder.exists():
                folder.mkdir(mode=0o700)
    with _locked(path.parent):
        if path.exists():
            return
        # Left over from a database that somebody deleted; SQLite would take them for ours.
        for companion in COMPANIONS:
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{companion}")  # noqa: PTH108 - the name is no path of its own
        with suppress(FileExistsError):
            # SQLite gives the companions the permissions of the file.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; ``None`` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def set_aside(path: Path, known: tuple[int, int] | None, why: str) -> None:
    """Rename a file that SQLite cannot read, unless another process has done so already.

    Args:
        path: of the database.
        known: the identity of the file that could not be read.
        why: what SQLite said.

    Raises:
        OSError: it cannot be renamed.
    """
    with _locked(path.parent):
        if known is None or identity(path) != known:
            return
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        aside, number = Path(f"{path}.corrupt-{stamp}"), 1
        while aside.exists():
            aside, number = Path(f"{path}.corrupt-{stamp}-{number}"), number + 1
        path.rename(aside)
        for companion in COMPANIONS:
            with suppress(FileNotFoundError):
                Path(f"{path}{companion}").rename(f"{aside}{companion}")
    logger.warning(
        "SQLite cannot read %s (%s); it is kept as %s, and a new cache is started",
        path,
        why,
        aside.name,
    )


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Hold the folder's lock, so that two processes do not set aside each other's new file."""
    if sys.platform == "win32":
        # Which does not rename files that are open anyway.
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        patience = time.monotonic() + _LOCK_SECONDS
        while not _flock(handle) and time.monotonic() < patience:
            time.sleep(0.005)
        yield
    finally:
        os.close(handle)


if sys.platform != "win32":

    def _flock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Held by another process; or the file system has no locks, and we go on alone.
            return False
        return True
