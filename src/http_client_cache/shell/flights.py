"""One fetch at a time for each key: who leads, who waits, and how waiting ends."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from http_client_cache.plan import AtEnd, Followed, Lease
from http_client_cache.shell.lifetime import Resumed, watch_over

_LEAD = object()


class _Waiting:
    """The queue for one key of one event loop."""

    __slots__ = ("at_end", "queue")

    def __init__(self) -> None:
        self.queue: deque[asyncio.Future[Any]] = deque()
        # Left by a leader to its successor.
        self.at_end: AtEnd = None


class AsyncFlights:
    """Leases of keys among the tasks of an event loop; each loop has its own."""

    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Waiting]] = (
            WeakKeyDictionary()
        )
        self.ended = 0

    async def enter(self, key: str, *, wait: bool) -> Lease | Followed:
        """Lead the fetch of ``key``, or wait for the one who does.

        A leader who abandons the lease makes the first of those who wait its successor.
        """
        loop = asyncio.get_running_loop()
        flights = self._loops.get(loop)
        if flights is None:
            flights = self._loops.setdefault(loop, {})
        flight = flights.get(key)
        if flight is None:
            flights[key] = flight = _Waiting()
            return self._lease(flights, key, flight)
        if not wait:
            return Followed(None)
        future: asyncio.Future[Any] = loop.create_future()
        flight.queue.append(future)
        try:
            result = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.result() is _LEAD:
                self._lease(flights, key, flight).abandon()
            raise
        return self._lease(flights, key, flight) if result is _LEAD else Followed(result)

    def _lease(self, flights: dict[str, _Waiting], key: str, flight: _Waiting) -> Lease:
        def release(result: Any) -> None:
            self.ended += 1
            flights.pop(key, None)
            for future in flight.queue:
                if not future.done():
                    future.set_result(result)

        def abandon(at_end: AtEnd) -> bool:
            self.ended += 1
            while flight.queue:
                future = flight.queue.popleft()
                if not future.done():
                    flight.at_end = at_end
                    future.set_result(_LEAD)
                    return True
            flights.pop(key, None)
            return False

        return Lease(release, abandon, flight.at_end)


class _ThreadFlight:
    """The queue for one key among threads."""

    __slots__ = ("at_end", "lead", "over", "result", "waiting")

    def __init__(self) -> None:
        self.lead = True
        self.at_end: AtEnd = None
        self.over = False
        self.result: Any = None
        self.waiting = 0


class SyncFlights(Resumed):
    """Leases of keys among threads; a fork has none of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._flights: dict[str, _ThreadFlight] = {}
        self.ended = 0
        watch_over(self)

    def start_over(self) -> None:
        """Forget the leases of threads that are not there."""
        self._changed = threading.Condition()
        self._flights = {}

    def enter(self, key: str, *, wait: bool) -> Lease | Followed:
        """Lead the fetch of ``key``, or block until the one who does has ended."""
        with self._changed:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = flight = _ThreadFlight()
                return self._lease(key, flight)
            if not wait:
                return Followed(None)
            flight.waiting += 1
            try:
                self._changed.wait_for(lambda: flight.over or not flight.lead)
            finally:
                flight.waiting -= 1
            if flight.over:
                return Followed(flight.result)
            flight.lead = True
            return self._lease(key, flight)

    def _lease(self, key: str, flight: _ThreadFlight) -> Lease:
        def release(result: Any) -> None:
            with self._changed:
                self.ended += 1
                self._flights.pop(key, None)
                flight.over, flight.result = True, result
                self._changed.notify_all()

        def abandon(at_end: AtEnd) -> bool:
            with self._changed:
                self.ended += 1
                if flight.waiting:
                    flight.lead, flight.at_end = False, at_end
                    self._changed.notify_all()
                    return True
                self._flights.pop(key, None)
                return False

        return Lease(release, abandon, flight.at_end)
