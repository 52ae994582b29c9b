"""The folder beside a database, where its large bodies lie, each in a file."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from http_client_cache.body import KeptBody
from http_client_cache.shell.body_files import open_body
from http_client_cache.shell.private_files import lock
from http_client_cache.sqlite_statements import Upkeep

SUFFIX: Final = "-bodies"

_UNLOCKED_SECONDS: Final = 24 * 3600.0
"""Files that are older belong to nobody if no entry names them, where there are no locks that
tell."""


class BodyFolder:
    """The files of one database, whatever store they belong to.

    A file is locked until the entry that names it is committed. So what is not locked and has no
    entry was left by a writer that died, or lost its entry to a process that did.

    Args:
        database: its path.
    """

    def __init__(self, database: Path) -> None:
        self._folder = f"{database}{SUFFIX}"

    def path_of(self, name: str) -> str:
        """Where a file lies."""
        return f"{self._folder}/{name}"

    def open(self, name: str) -> KeptBody | None:
        """A body that is there."""
        source = open_body(self.path_of(name))
        return None if source is None else KeptBody(source, 0, source.size)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files whose entries have gone; who reads them reads on."""
        for name in names:
            with suppress(OSError):
                os.unlink(self.path_of(name))  # noqa: PTH108 - paths are text here

    def remove_orphans(self, connection: sqlite3.Connection, upkeep: Upkeep) -> None:
        """Remove the files of a store that no entry names and nobody writes.

        Raises:
            OSError: a file cannot be opened.
            sqlite3.Error: SQLite failed.
        """
        ours = re.compile(re.escape(upkeep.bodies.files) + "-([0-9a-f]{16})")
        try:
            listed = os.listdir(self._folder)  # noqa: PTH208
        except OSError:
            return
        for name in listed:
            match = ours.fullmatch(name)
            if match is not None:
                self._remove_if_lost(name, connection, upkeep.sql.has_file, -int(match[1], 16))
        with suppress(OSError):
            os.rmdir(self._folder)  # noqa: PTH106

    def _remove_if_lost(
        self, name: str, connection: sqlite3.Connection, has_file: str, chain: int
    ) -> None:
        if connection.execute(has_file, (chain,)).fetchone() is not None:
            # Most of them; to open and lock each would take ten times as long.
            return
        path = self.path_of(name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(path, flags)
        except FileNotFoundError:
            return
        try:
            locked = lock(handle)
            if locked is False:
                return
            age = time.time() - os.fstat(handle).st_mtime
            # Asked when it is locked: its writer commits before it unlocks.
            known = connection.execute(has_file, (chain,)).fetchone()
            if known is None and (locked or age > _UNLOCKED_SECONDS):
                self.remove([name])
        finally:
            os.close(handle)
