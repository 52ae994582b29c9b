"""The clock, as one object that tests replace."""

from __future__ import annotations

import time


class Clock:
    """Wall time for what is stored, monotonic time for waits; both in seconds."""

    __slots__ = ("monotonic", "time")

    def __init__(self) -> None:
        self.time = time.time
        self.monotonic = time.monotonic
