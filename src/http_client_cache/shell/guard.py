"""What a server that fails may cost those who ask it: a little time, and only a few times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from http_client_cache.errors import StoreUnavailable

FAILURES: Final = 3
"""One after the other; then the server is left alone for a while."""

RESTS: Final = (1.0, 30.0)
"""For how many seconds, at first and at most; each time twice as long as before."""


class Circuit:
    """Lets calls through, until too many in a row have failed; then one of them, now and then.

    Args:
        clock: monotonic seconds; replaced in tests.
    """

    __slots__ = ("_clock", "_failures", "_lock", "_trial_until", "_until")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self._trial_until = 0.0
        self._lock = threading.Lock()

    def admits(self, seconds: float) -> bool:
        """Whether a call may be made that takes so long at most."""
        if self._failures < FAILURES:
            return True
        now = self._clock()
        with self._lock:
            if now < self._until or now < self._trial_until:
                return False
            # The first to come when the rest is over tries for all.
            self._trial_until = now + seconds
            return True

    def worked(self) -> None:
        """A call was answered."""
        if self._failures:
            with self._lock:
                self._failures = 0
                self._trial_until = 0.0

    def failed(self) -> None:
        """A call was not."""
        with self._lock:
            now = self._clock()
            if now < self._until:
                # It was begun before, like those that made it rest.
                return
            self._failures += 1
            over = self._failures - FAILURES
            if over >= 0:
                first, most = RESTS
                self._until = now + min(first * 2 ** min(over, 16), most)
                self._trial_until = 0.0


class Guard:
    """Decides which calls of a server are made; for any threads and loops.

    Args:
        seconds: that a call may take.
        clock: monotonic seconds; replaced in tests.
    """

    __slots__ = ("_circuits", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        # A server that is full can still be read.
        self._circuits = {False: Circuit(clock), True: Circuit(clock)}

    def enter(self, seconds: float, *, writes: bool) -> None:
        """Ask before a call that takes so long at most.

        Raises:
            StoreUnavailable: the server has failed too often, and is left alone for a while.
        """
        if not self._circuits[writes].admits(seconds):
            raise StoreUnavailable("it failed several times in a row, and is left alone for now")

    def worked(self, *, writes: bool) -> None:
        """The call was answered."""
        self._circuits[writes].worked()

    def refused(self, *, writes: bool) -> None:
        """The server would not do what it was asked."""
        self._circuits[writes].failed()

    def lost(self) -> None:
        """The server was not reached, or did not answer in time."""
        for circuit in self._circuits.values():
            circuit.failed()
