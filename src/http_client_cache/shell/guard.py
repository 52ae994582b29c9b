"""What a server that fails may cost those who ask it: a little time, and only a few times."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from http_client_cache.errors import StoreUnavailable
from http_client_cache.shell.lifetime import watch_over

FAILURES: Final = 3
"""One after the other; then the server is left alone for a while."""

IN_VAIN: Final = 0.25
"""What part of its time somebody has waited who gives up by himself, and says something by it."""

RESTS: Final = (1.0, 30.0)
"""For how many seconds, at first and at most; each time twice as long as before."""


class Circuit:
    """Lets calls through, until too many in a row have failed; then one of them, now and then.

    All times are seconds of one clock that never goes back. It is for one thread at a time.
    """

    __slots__ = ("_failures", "_trial_until", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self._trial_until = 0.0

    @property
    def has_failed(self) -> bool:
        """Whether the last call that ended was a failure."""
        return self._failures > 0

    def admits(self, now: float) -> bool:
        """Whether a call may be made."""
        return self._failures < FAILURES or now >= max(self._until, self._trial_until)

    def begin(self, now: float, seconds: float) -> None:
        """A call is made that takes so long at most; while it rests, that one tries for all.

        Nobody else does until its time is up, so that one that never ends does no harm.
        """
        if self._failures >= FAILURES:
            self._trial_until = now + seconds

    def worked(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._until = self._trial_until = 0.0

    def failed(self, now: float, begun: float) -> None:
        """A call was not that had begun then."""
        if begun < self._until:
            # Before it rested, like those that made it rest.
            return
        self._failures += 1
        over = self._failures - FAILURES
        if over >= 0:
            first, most = RESTS
            self._until = now + min(first * 2 ** min(over, 16), most)
            self._trial_until = 0.0


class Guard:
    """Decides which calls of a server are made; for any threads and loops.

    A server that is not reached is left alone altogether. One that is full refuses to write and can
    still be read, and one whose disk is stuck answers only what it has in memory; so reads and
    writes have a circuit each beside the common one.

    Args:
        seconds: that a call may take.
        clock: monotonic seconds; replaced in tests.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._reach = Circuit()
        self._kinds = {False: Circuit(), True: Circuit()}
        # When a call of each kind was last answered.
        self._answered = {False: -math.inf, True: -math.inf}
        self._lock = threading.Lock()
        watch_over(self)

    def enter(self, seconds: float, *, writes: bool) -> float:
        """Ask before a call that takes so long at most. Answers when it began, for its end.

        Raises:
            StoreUnavailable: the server has failed too often, and is left alone for a while.
        """
        now = self._clock()
        reach, kind = self._reach, self._kinds[writes]
        if reach.has_failed or kind.has_failed:
            with self._lock:
                if not (reach.admits(now) and kind.admits(now)):
                    raise StoreUnavailable(
                        "it failed several times in a row, and is left alone for now"
                    )
                reach.begin(now, seconds)
                kind.begin(now, seconds)
        return now

    def worked(self, *, writes: bool) -> None:
        """The call was answered."""
        reach, kind = self._reach, self._kinds[writes]
        self._answered[writes] = self._clock()
        if reach.has_failed or kind.has_failed:
            with self._lock:
                reach.worked()
                kind.worked()

    def refused(self, begun: float, *, writes: bool) -> None:
        """The server would not do what it was asked by a call that had begun then."""
        with self._lock:
            self._reach.worked()
            self._kinds[writes].failed(self._clock(), begun)

    def lost(self, begun: float, *, writes: bool) -> None:
        """The server was not reached by a call that had begun then, or did not answer in time.

        If it has answered another one since, it is not lost: there were too many calls at once.
        """
        with self._lock:
            now = self._clock()
            if max(self._answered.values()) <= begun:
                self._reach.failed(now, begun)
            if self._answered[writes] <= begun:
                self._kinds[writes].failed(now, begun)

    def given_up(self, begun: float, seconds: float, *, writes: bool) -> None:
        """Whoever asked was cancelled, in a call that had begun then and may take so long.

        Whoever has less time than a call may take would else ask a server that hangs for ever.
        """
        if self._clock() - begun >= IN_VAIN * seconds:
            self.lost(begun, writes=writes)

    # See shell/lifetime.py: no other thread may hold the lock while the process forks.

    def freeze(self) -> None:
        """Before a fork."""
        self._lock.acquire()

    def thaw(self) -> None:
        """After a fork, in the parent."""
        self._lock.release()

    def start_over(self) -> None:
        """After a fork, in the child."""
        self._lock.release()

    def close(self) -> None:
        """At exit there is nothing to do."""
