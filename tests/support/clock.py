"""A clock that stands still until a test moves it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from http_client_cache.clock import Clock

START = datetime(2021, 1, 1, 18, tzinfo=UTC)


class StandingClock(Clock):
    """Wall time that only :meth:`advance` moves; waits still pass as they really do."""

    __slots__ = ("_offset", "now")

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self._offset = 0.0
        self.time = self._wall_time
        self.monotonic = lambda: time.monotonic() + self._offset

    def _wall_time(self) -> float:
        return self.now.timestamp()

    def advance(self, *, seconds: float = 0, **more: float) -> None:
        delta = timedelta(seconds=seconds, **more)
        self.now += delta
        self._offset += delta.total_seconds()
