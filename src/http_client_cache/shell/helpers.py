"""Threads that carry out what others wait for only so long, whatever a driver makes of it.

Drivers bound what they wait for one after the other: the address of a host, each of its addresses,
each piece of an answer. What they all take together is bounded here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from http_client_cache.shell.lifetime import watch_over

T = TypeVar("T")

IDLE_SECONDS: Final = 1.0
"""For so long a thread without work stays."""


class _Job:
    """Something to be done; whoever waits for it waits for the lock."""

    __slots__ = ("answer", "done", "error", "work")

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.answer: Any = None
        self.error: BaseException | None = None
        # A future would do, in twice the time.
        self.done = threading.Lock()
        self.done.acquire()


class Helpers:
    """As many threads as there are calls under way. None of them keeps a process from ending."""

    def __init__(self) -> None:
        self._idle: deque[_Helper] = deque()
        watch_over(self)

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """Do something, and wait for it only so long; it may go on after that.

        Raises:
            TimeoutError: it takes longer.
            RuntimeError: there can be no more threads.
            Exception: what ``work`` raises.
        """
        job = _Job(work)
        try:
            helper = self._idle.pop()
        except IndexError:
            helper = _Helper(self._idle)
            helper.start()
        helper.jobs.put(job)
        if not job.done.acquire(timeout=seconds):
            raise TimeoutError
        if job.error is not None:
            try:
                raise job.error
            finally:
                # Its traceback holds this frame.
                del job
        answer: T = job.answer
        return answer

    # See shell/lifetime.py.

    def freeze(self) -> None:
        """Before a fork: a process with threads is not to be forked, it is said."""
        self.close()

    def thaw(self) -> None:
        """After a fork, in the parent: they come back when they are needed."""

    def start_over(self) -> None:
        """After a fork, in the child, where none of them is."""
        self._idle.clear()

    def close(self) -> None:
        """End those that have nothing to do; whoever needs one gets a new one."""
        while self._idle:
            try:
                helper = self._idle.pop()
            except IndexError:
                return
            helper.jobs.put(None)
            helper.join()


class _Helper(threading.Thread):
    def __init__(self, idle: deque[_Helper]) -> None:
        super().__init__(name="http-cache-calling", daemon=True)
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = idle

    def run(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=IDLE_SECONDS)
            except Empty:
                try:
                    self._idle.remove(self)
                except ValueError:
                    # Somebody has just taken it.
                    continue
                return
            if job is None:
                return
            try:
                job.answer = job.work()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                job.error = error
            # First this one is free again, then somebody may look for one.
            self._idle.append(self)
            job.done.release()
            del job


helpers: Final = Helpers()
"""Those of this process."""


def in_a_thread(work: Callable[[], T]) -> Future[T]:
    """Begin something that others wait for only as long as they please."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, name="http-cache-connecting", daemon=True).start()
    return future
