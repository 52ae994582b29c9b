"""What was saved or dropped and is not on disk yet, as every reader of this process sees it."""

from __future__ import annotations

import threading
from typing import Final

from http_client_cache.file_statements import AnyWrite, Drop, Link, Raw, Save

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_FILES: Final = 4096
"""What may wait for the disk; beyond either, whoever saves more waits, too."""


class Pending:
    """Files on their way to the disk, or away; safe for any threads.

    Attributes:
        any: whether there is anything at all.
        is_full: whether so much is waiting that whoever writes more should wait, too.
    """

    __slots__ = ("_bytes", "_count", "_files", "_links", "_lock", "any", "is_full")

    def __init__(self) -> None:
        self.any = False
        self.is_full = False
        self._lock = threading.Lock()
        # A drop stands for what is not there any more.
        self._files: dict[str, dict[str, Save | Drop]] = {}
        self._links: dict[str, Link] = {}
        self._bytes = 0
        self._count = 0

    def add(self, work: AnyWrite) -> None:
        """Show what is about to be written or dropped."""
        with self._lock:
            if isinstance(work, Save):
                self._files.setdefault(work.name, {})[work.raw.file] = work
                self._weigh(size_of(work), 1)
            elif isinstance(work, Link):
                self._links[work.name] = work
                self._weigh(size_of(work), 1)
            elif isinstance(work, Drop) and work.until is None:
                for name, file in work.files:
                    self._files.setdefault(name, {})[file] = work
                self._weigh(0, 1)

    def remove(self, work: AnyWrite) -> None:
        """Stop showing it: the disk does, or it failed. A later one of its name stays."""
        with self._lock:
            if isinstance(work, Save):
                self._forget(work.name, work.raw.file, work)
                self._weigh(-size_of(work), -1)
            elif isinstance(work, Link):
                if self._links.get(work.name) is work:
                    del self._links[work.name]
                self._weigh(-size_of(work), -1)
            elif isinstance(work, Drop) and work.until is None:
                for name, file in work.files:
                    self._forget(name, file, work)
                self._weigh(0, -1)

    def _forget(self, name: str, file: str, work: Save | Drop) -> None:
        files = self._files.get(name)
        if files is not None and files.get(file) is work:
            del files[file]
            if not files:
                del self._files[name]

    def _weigh(self, size: int, count: int) -> None:
        self._bytes += size
        self._count += count
        self.any = self._count > 0
        self.is_full = self._bytes > MAX_BYTES or self._count > MAX_FILES

    # Who reads looks here before looking at the disk: what is here stays until the disk has it, so
    # nothing can fall between the two.

    def files_of(self, name: str) -> dict[str, Raw | None]:
        """What is pending of a name; ``None`` for what is being dropped."""
        with self._lock:
            files = self._files.get(name, {})
            return {
                file: work.raw if isinstance(work, Save) else None for file, work in files.items()
            }

    def link_of(self, name: str) -> Raw | None:
        """The link of a name, if it is pending."""
        with self._lock:
            link = self._links.get(name)
            return link.raw if link is not None else None


def size_of(work: Save | Link) -> int:
    """Bytes that are held in memory until it is on disk."""
    raw = work.raw
    return len(raw.head) + (len(raw.body) if isinstance(raw.body, bytes) else 0)
