"""When documents leave MongoDB by themselves: a date in each, and an index that goes by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from http_client_cache.limits import server_time

LEAVES: Final = {"key": {"leaves": 1}, "name": "leaves", "expireAfterSeconds": 0, "sparse": True}
"""The index: the server removes what has such a date when it is past."""

_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def date_of(seconds: float | None) -> datetime | None:
    """A time (UTC seconds) as the server wants it; ``None`` for never, or not in this age."""
    if seconds is None or seconds >= _LAST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def seconds_of(date: Any) -> float | None:
    """The reverse."""
    return date.timestamp() if isinstance(date, datetime) else None


def date_in(seconds: float) -> datetime:
    """A date so many seconds from now."""
    return datetime.fromtimestamp(server_time() + seconds, UTC)


def dated(leaves: datetime | None) -> dict[str, Any]:
    """The change of a document that lets it leave then, or never."""
    return {"$unset": {"leaves": ""}} if leaves is None else {"$set": {"leaves": leaves}}
