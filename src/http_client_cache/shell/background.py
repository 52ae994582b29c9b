"""Work that nobody waits for, such as refreshing what was served stale: one piece for each key."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakKeyDictionary

from http_client_cache.shell.lifetime import Resumed, watch_over

logger = logging.getLogger("http_client_cache")

TIME_LIMIT = 60.0
"""Seconds after which background work is given up; only where waiting can be interrupted."""

MOST_THREADS = 8
"""Where so many are at work already, what comes is left for the next occasion."""


class AsyncBackground:
    """Tasks of an event loop; each loop has its own."""

    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str, tuple[asyncio.Task[None], object]]
        ] = WeakKeyDictionary()

    def start(
        self, key: str, work: Callable[[], Coroutine[Any, Any, object]], owner: object
    ) -> None:
        """Begin, unless work for the same key is under way.

        Args:
            key: of what is worked on.
            work: called to begin.
            owner: with whose end the work ends, too.
        """
        loop = asyncio.get_running_loop()
        tasks = self._loops.setdefault(loop, {})
        if key in tasks:
            return
        task = loop.create_task(_limited(work), name=f"http cache {key}")
        tasks[key] = task, owner
        task.add_done_callback(lambda _: tasks.pop(key, None))

    async def stop(self, owner: object = None) -> None:
        """Cancel the work of this loop, of one owner only if one is named, and wait for its end."""
        tasks = self._loops.get(asyncio.get_running_loop(), {})
        ending = [task for task, whose in tasks.values() if owner is None or whose is owner]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _limited(work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await work()
    except Exception as error:  # noqa: BLE001 - nobody is there to be told
        _log(error)


STOP_SECONDS = 1.0
"""For so long threads are waited for whose work ends with its owner."""


class SyncBackground(Resumed):
    """Threads; at the end of the interpreter they are not waited for."""

    def __init__(self) -> None:
        self.start_over()
        watch_over(self)

    def start_over(self) -> None:
        """Know of no work, and of no thread."""
        self._lock = threading.Lock()
        self._keys: set[str] = set()
        self._threads: set[threading.Thread] = set()

    def start(self, key: str, work: Callable[[], object]) -> None:
        """Begin, unless work for the same key, or too much, is under way."""
        with self._lock:
            if key in self._keys or len(self._keys) >= MOST_THREADS:
                return
            self._keys.add(key)

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - nobody is there to be told
                _log(error)
            finally:
                with self._lock:
                    self._keys.discard(key)
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"http cache {key}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def stop(self) -> None:
        """Wait for what is under way, but not for long: a thread cannot be interrupted."""
        until = time.monotonic() + STOP_SECONDS
        with self._lock:
            threads = [thread for thread in self._threads if thread.is_alive()]
            # Whoever asks again does not wait again.
            self._threads.clear()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


def _log(error: Exception) -> None:
    # Messages of clients hold URLs, and URLs hold secrets.
    logger.debug("a background refresh failed: %s", type(error).__name__)
