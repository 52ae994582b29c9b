"""How much a store keeps, and for how long what has expired."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from http_client_cache.clock import Clock
from http_client_cache.entry import Entry
from http_client_cache.errors import check_count
from http_client_cache.rfc9111.freshness import NO_WINDOWS
from http_client_cache.settings import Settings

KEEP_EXPIRED: Final = 3600.0
"""Seconds for which what has expired is kept if nothing else is said: its validator may save a
body from being sent again."""

FULL: Final = (
    "The cache %s is full (%s); what was used least recently goes. Raise the limit, or set it to "
    "None for no limit"
)
"""What the log says once for each store, when the first entry goes that has not expired."""


class Limits(NamedTuple):
    """How much a store keeps.

    Attributes:
        max_entries: how many entries, and how many aliases; ``None`` for no limit.
        max_bytes: bytes of all of it, as the store counts them; ``None`` for no limit.
    """

    max_entries: int | None = None
    max_bytes: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.max_entries is not None or self.max_bytes is not None

    def __str__(self) -> str:
        known = [f"{name}={limit}" for name, limit in self._asdict().items() if limit is not None]
        return ", ".join(known) or "no limit"


def checked_limits(max_entries: int | None, max_bytes: int | None) -> Limits:
    """The limits that a user has given.

    Raises:
        ConfigurationError: one of them is no number.
    """
    limits = Limits(max_entries, max_bytes)
    for (name, limit), counted in zip(
        limits._asdict().items(), ("responses", "bytes"), strict=True
    ):
        if limit is not None:
            check_count(limit, name, f"a number of {counted}, or None for no limit")
    return limits


SERVER_CLOCK: Final = Clock()


def server_time() -> float:
    """The time by the clock that servers go by (UTC seconds), whatever clock a cache has."""
    return SERVER_CLOCK.time()


class Retention:
    """Until when a store keeps what has expired, if it has room.

    Args:
        settings: say how long stale responses are served, and how long what has expired is kept
            beyond that (``keep_expired``).
        clock: replaced in tests.
    """

    __slots__ = ("now", "settings")

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.now = (clock or Clock()).time

    def leaves(self, entry: Entry) -> float | None:
        """When an entry may leave by itself (UTC seconds); ``None`` for never.

        That is when it has expired, no stale window of its own or of the settings is open any
        more, and ``keep_expired`` has passed; what came expired is counted from its arrival.
        """
        if entry.expires is None:
            return None
        kept = self.settings.kept_expired
        if kept is None:
            kept = KEEP_EXPIRED
        later = float(max(entry.stale_while_revalidate or 0, entry.stale_if_error or 0))
        windows = self.settings.windows_for(entry.url, NO_WINDOWS)
        for window in windows:
            if window is not None and window > later:
                later = window
        leaves = max(entry.expires, entry.created) + later + kept
        return None if leaves == math.inf else leaves

    def deadline(self, entry: Entry) -> float | None:
        """The same by the clock that servers go by (UTC seconds), whatever clock this one has."""
        leaves = self.leaves(entry)
        return None if leaves is None else server_time() + leaves - self.now()
