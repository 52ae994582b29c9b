"""A thread that is there while there is something to do, and never in the way of the exit."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

logger = logging.getLogger("http_client_cache")

J = TypeVar("J")

LINGER: Final = 2.0
"""Seconds that an idle thread waits for more before it ends."""

GLANCE: Final = 0.05
"""Seconds between two looks at whether the program has come to its end."""

BATCH: Final = 256


class _Exit:
    """Whether the interpreter has waited for its threads for the last time."""

    begun = False

    @classmethod
    def begin(cls) -> None:
        cls.begun = True


atexit.register(_Exit.begin)


class PutBackError(Exception):
    """Raised by ``carry_out``: the worker is being paused, and the batch was not begun."""


class _Stop:
    """Lies among the jobs and asks the thread to end when it comes to it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.ended: threading.Thread | None = None


class Worker(Generic[J]):
    """Carries out jobs in their order, in batches of whatever is waiting.

    A job that comes alone is begun at once. While they keep coming, a batch begins ``pace``
    seconds after the one before, so that those in between share its costs; one that somebody
    waits for ends that pause.

    The thread is no daemon: the interpreter waits for it at exit, so that what was promised
    is done, and it ends as soon as its jobs are done once the main thread has.

    Args:
        name: of the thread.
        carry_out: does a batch; raises nothing but ``PutBackError``.
        weight: bytes that a job holds; a batch holds about ``max_weight`` at most.
        max_weight: bytes.
        pace: seconds.
        is_urgent: whether somebody waits for a job.
    """

    def __init__(
        self,
        name: str,
        carry_out: Callable[[list[J]], None],
        weight: Callable[[J], int] | None = None,
        max_weight: int = 8 * 1024 * 1024,
        *,
        pace: float = 0.0,
        is_urgent: Callable[[J], bool] | None = None,
    ) -> None:
        self._name = name
        self._carry_out = carry_out
        self._weight = weight
        self._max_weight = max_weight
        self._pace = pace
        self._is_urgent = is_urgent
        self.reset()

    def reset(self) -> None:
        """Forget jobs and thread: they are those of the process that forked this one."""
        self._jobs: queue.SimpleQueue[J | _Stop] = queue.SimpleQueue()
        self._batch: list[J] = []
        self._lock = threading.Lock()
        self._here = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self._begun = -self._pace
        self.paused = False

    def put(self, job: J | _Stop) -> None:
        """Have a job done. Never waits for it, unless no thread can be started any more."""
        self._jobs.put(job)
        if isinstance(job, _Stop) or self._is_urgent is None or self._is_urgent(job):
            self._hurry.set()
        # The thread says that it is gone before it looks a last time (_leave).
        if self._thread is None:
            self._start()

    def pause(self) -> None:
        """Let the thread end, after the jobs that are waiting unless ``carry_out`` objects."""
        self.paused = True
        with self._lock:
            # Not one that is about to start.
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._jobs.put(_Stop())
            self._hurry.set()
            thread.join()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self.paused = False
        if self._batch or not self._jobs.empty():
            self._start()

    def drain(self) -> None:
        """Return when everything that was put so far is done; the thread ends if that is all."""
        with self._lock:
            if self._thread is threading.current_thread() or (
                self._thread is None and not self._batch and self._jobs.empty()
            ):
                return
        stop = _Stop()
        self.put(stop)
        stop.reached.wait()
        if stop.ended is not None:
            stop.ended.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self.paused:
                return
            if not _Exit.begun:
                thread = threading.Thread(target=self._work, name=self._name, daemon=False)
                self._thread = thread
                try:
                    thread.start()
                except RuntimeError:
                    # No more threads, or too late for them.
                    self._thread = None
                else:
                    return
        self._work_here()

    def _work(self) -> None:
        idle = 0.0
        while True:
            stop = None
            try:
                job = None if self._batch else self._jobs.get(timeout=GLANCE)
            except queue.Empty:
                idle += GLANCE
                enough = idle >= LINGER or not threading.main_thread().is_alive()
            else:
                idle = 0.0
                stop = self._do(job)
                enough = stop is not None
            if enough:
                left = self._leave()
                if stop is not None:
                    stop.ended = threading.current_thread() if left else None
                    stop.reached.set()
                if left:
                    return

    def _leave(self) -> bool:
        with self._lock:
            self._thread = None
            if self.paused or (not self._batch and self._jobs.empty()):
                return True
            self._thread = threading.current_thread()
            return False

    def _work_here(self) -> None:
        """Do in the calling thread what no thread is there for."""
        while not self.paused:
            try:
                job = None if self._batch else self._jobs.get_nowait()
            except queue.Empty:
                return
            stop = self._do(job)
            if stop is not None:
                stop.reached.set()

    def _do(self, job: J | _Stop | None) -> _Stop | None:
        """Carry out what is waiting, up to a stop, which is the answer."""
        if isinstance(job, _Stop):
            return job
        stop = None
        with self._here:
            if job is not None:
                self._batch.append(job)
                stop = self._gather()
                if stop is None and self._may_pause():
                    self._hurry.wait(max(self._begun + self._pace - time.monotonic(), 0.0))
                    self._hurry.clear()
                    stop = self._gather()
                self._begun = time.monotonic()
            try:
                self._carry_out(self._batch)
            except PutBackError:
                return stop or _Stop()
            except Exception:
                # Never to be seen; but a thread that died of it would be missed more.
                logger.exception("%s: a job failed in an unforeseen way", self._name)
            self._batch = []
        return stop

    def _may_pause(self) -> bool:
        """Whether others have the time to join: there is room, and nobody waits."""
        urgent = self._is_urgent
        return bool(
            self._pace
            and len(self._batch) < BATCH
            and not (urgent is not None and any(map(urgent, self._batch)))
        )

    def _gather(self) -> _Stop | None:
        """Let whatever is waiting join the batch, up to a stop."""
        weight = sum(map(self._weigh, self._batch))
        while len(self._batch) < BATCH and weight < self._max_weight:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return None
            if isinstance(job, _Stop):
                return job
            self._batch.append(job)
            weight += self._weigh(job)
        return None

    def _weigh(self, job: J) -> int:
        return self._weight(job) if self._weight is not None else 0
