"""Numbers in the order of their times, of which some may have gone meanwhile."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timetable:
    """Answers whose time has come without looking at the others.

    Args:
        time_of: the time that a number has now; ``None`` if it has none, or is gone.
    """

    __slots__ = ("_heap", "_time_of")

    def __init__(self, time_of: Callable[[int], float | None]) -> None:
        self._time_of = time_of
        # Also of what has gone, or has another time since.
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, number: int, time: float | None, count: int) -> None:
        """Note the time of a number; ``count`` is how many numbers there are."""
        if time is None:
            return
        heapq.heappush(self._heap, (time, number))
        if len(self._heap) > 2 * count + 64:
            self._heap = [
                (time, number) for time, number in set(self._heap) if self._time_of(number) == time
            ]
            heapq.heapify(self._heap)

    def take(self, before: float) -> int | None:
        """Take out the number with the earliest time, if that has come."""
        while self._heap and self._heap[0][0] <= before:
            time, number = heapq.heappop(self._heap)
            if self._time_of(number) == time:
                return number
        return None
