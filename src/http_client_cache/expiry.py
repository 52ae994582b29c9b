"""Expiration values: what ``expire_after`` and its kin accept, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from numbers import Real
from typing import Any, Final

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.rfc9111.dates import parse_http_date

ExpireAfter = None | int | float | timedelta | datetime | str
"""``None``: unset. -1: never. 0: do not cache. Positive: seconds. ``datetime``: a moment, UTC if
naive. ``str``: an HTTP date."""

END_OF_TIME: Final = 253_402_300_799.0
"""The last second that a ``datetime`` can show; whatever lies beyond expires then."""

ACCEPTED: Final = (
    "None, -1 (never), 0 (do not cache), a positive number of seconds, a timedelta, "
    "a datetime or an HTTP date"
)


class ExpiryKind(Enum):
    """The six things that an expiration value can say."""

    UNSET = "unset"
    NEVER = "never"
    DO_NOT_CACHE = "do not cache"
    AT_ONCE = "at once"
    AFTER = "after"
    AT = "at"


@dataclass(frozen=True, slots=True)
class Expiry:
    """A checked expiration value.

    ``UNSET``, ``NEVER``, ``DO_NOT_CACHE`` and ``AT_ONCE`` exist once and may be compared with
    ``is``.

    Attributes:
        kind: what it says.
        seconds: with ``AFTER``, from the response's creation; with ``AT``, UTC since the epoch.
    """

    kind: ExpiryKind
    seconds: float = 0.0

    def expires(self, created: float) -> float | None:
        """When a response that was created then expires; both in UTC seconds since the epoch.

        ``None`` where it never does, or nothing was said. ``DO_NOT_CACHE`` expires at once, too.
        """
        kind = self.kind
        if kind is ExpiryKind.AFTER:
            return min(created + self.seconds, END_OF_TIME)
        if kind is ExpiryKind.AT:
            return self.seconds
        return created if kind in _AT_CREATION else None

    def __reduce__(self) -> tuple[Callable[..., Expiry], tuple[ExpiryKind, float]]:
        # Copied or pickled, say with a session, what exists once still exists once.
        return _restore, (self.kind, self.seconds)


UNSET: Final = Expiry(ExpiryKind.UNSET)
"""Nothing was said; whoever comes next in precedence speaks."""
NEVER: Final = Expiry(ExpiryKind.NEVER)
"""Fresh for ever."""
DO_NOT_CACHE: Final = Expiry(ExpiryKind.DO_NOT_CACHE)
"""Neither stored nor served."""
AT_ONCE: Final = Expiry(ExpiryKind.AT_ONCE)
"""Stored if it can be validated, which every use then begins with."""

_SINGLE: Final = {single.kind: single for single in (UNSET, NEVER, DO_NOT_CACHE, AT_ONCE)}
_AT_CREATION: Final = frozenset({ExpiryKind.DO_NOT_CACHE, ExpiryKind.AT_ONCE})


def _restore(kind: ExpiryKind, seconds: float) -> Expiry:
    return _SINGLE.get(kind) or Expiry(kind, seconds)


def after(seconds: float) -> Expiry:
    """Fresh for so many seconds from the response's creation."""
    return Expiry(ExpiryKind.AFTER, seconds)


def at(moment: float) -> Expiry:
    """Fresh until a moment, in UTC seconds since the epoch."""
    return Expiry(ExpiryKind.AT, min(moment, END_OF_TIME))


def parse_expire_after(value: ExpireAfter, name: str = "expire_after") -> Expiry:
    """Check an expiration value.

    Args:
        value: as the user gave it. Besides ``int`` and ``float`` any ``numbers.Real`` will do.
        name: what the user calls it, for the message of the error.

    Raises:
        ConfigurationError: it is nothing of what :data:`ExpireAfter` tells.
    """
    # What is annotated is not what comes: numpy's numbers come, for one.
    known: Any = value
    if known is None:
        return UNSET
    if isinstance(known, bool):
        raise _refused(known, name)
    if isinstance(known, Real):
        return _from_number(known, name)
    if isinstance(known, timedelta):
        return _from_timedelta(known, name)
    if isinstance(known, datetime):
        moment = (known if known.utcoffset() is not None else known.replace(tzinfo=UTC)).timestamp()
        # pandas' NaT is a datetime, and none.
        if not math.isnan(moment):
            return at(moment)
    if isinstance(known, str):
        parsed = parse_http_date(known)
        if parsed is not None:
            return at(parsed)
    raise _refused(known, name)


def _from_number(value: Real, name: str) -> Expiry:
    try:
        seconds = float(value)
    except OverflowError:
        raise _refused(value, name, "; use -1 for what never expires") from None
    if seconds == -1:
        return NEVER
    if seconds == 0:
        return DO_NOT_CACHE
    if seconds == math.inf:
        raise _refused(value, name, "; use -1 for what never expires")
    if not seconds > 0:
        raise _refused(value, name)
    return after(seconds)


def _from_timedelta(value: timedelta, name: str) -> Expiry:
    seconds = value.total_seconds()
    if seconds < 0:
        raise _refused(value, name, "; only the number -1 means never")
    return after(seconds) if seconds else DO_NOT_CACHE


def _refused(value: object, name: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError(f"{name} must be {ACCEPTED}, not {describe(value)}{hint}")
