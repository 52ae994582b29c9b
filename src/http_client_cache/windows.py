"""Spans of time: how long stale responses may be served, and how long a lease lasts."""

from __future__ import annotations

import math
from datetime import timedelta
from numbers import Real
from typing import Any, Final

from http_client_cache.errors import ConfigurationError, describe

FetchLease = None | int | float | timedelta
"""``None`` or 0: no lease. Else how many seconds it lasts."""

StaleWindow = None | bool | int | float | timedelta
"""``None``: unset. ``True`` or -1: for any time. ``False`` or 0: not at all. Else seconds after the
expiration."""

ACCEPTED: Final = (
    "None, True or -1 (for any time), False or 0 (not at all), a positive number of seconds or a "
    "timedelta"
)


def parse_window(value: StaleWindow, name: str) -> float | None:
    """Check how long a response may be served after it expired.

    Args:
        value: as the user gave it.
        name: what the user calls it, for the message of the error.

    Returns:
        Seconds; ``math.inf`` for any time; ``None`` where nothing was said.

    Raises:
        ConfigurationError: it is nothing of what :data:`StaleWindow` tells.
    """
    known: Any = value
    if known is None:
        return None
    if isinstance(known, bool):
        return math.inf if known else 0.0
    seconds = math.nan
    if isinstance(known, timedelta):
        seconds = known.total_seconds()
    elif isinstance(known, Real):
        try:
            seconds = float(known)
        except OverflowError:
            seconds = math.inf
        if seconds == -1:
            return math.inf
    if not seconds >= 0:
        raise ConfigurationError(f"{name} must be {ACCEPTED}, not {describe(value)}")
    return seconds


def parse_lease(value: FetchLease, name: str) -> float:
    """Check how long a lease lasts.

    Args:
        value: as the user gave it.
        name: what the user calls it, for the message of the error.

    Returns:
        Seconds; 0 for no lease.

    Raises:
        ConfigurationError: it is nothing of what :data:`FetchLease` tells.
    """
    known: Any = value
    seconds = math.nan
    if known is None:
        seconds = 0.0
    elif isinstance(known, timedelta):
        seconds = known.total_seconds()
    elif not isinstance(known, bool) and isinstance(known, Real):
        try:
            seconds = float(known)
        except OverflowError:
            seconds = math.inf
    if not 0 <= seconds < math.inf:
        raise ConfigurationError(
            f"{name} must be None or 0 (no lease), a positive number of seconds or a timedelta, "
            f"not {describe(value)}"
        )
    return seconds
