"""How long stale responses may be served: ``stale_if_error`` and ``stale_while_revalidate``."""

from __future__ import annotations

import math
from datetime import timedelta
from numbers import Real
from typing import Any, Final

from http_client_cache.errors import ConfigurationError, describe

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
