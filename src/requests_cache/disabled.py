"""Caching switched off for a while."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Switch:
    """Off as long as anybody wants it off, whichever threads they are in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @property
    def is_off(self) -> bool:
        """Whether caching is switched off now."""
        return self._count > 0

    def stay_off(self) -> None:
        """Never switch it on again."""
        with self._lock:
            self._count += 1

    @contextmanager
    def off(self) -> Generator[None]:
        """Switch it off for a while; may be nested, and left in any order."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
