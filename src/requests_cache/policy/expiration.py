"""Expiration as users of requests know it: 0 is not the engine's."""

from __future__ import annotations

from typing import Any, Final

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.expiry import AT_ONCE, ExpireAfter, Expiry, parse_expire_after
from http_client_cache.expiry import DO_NOT_CACHE as _DO_NOT_CACHE

NEVER_EXPIRE: Final = -1
"""Fresh for ever."""

EXPIRE_IMMEDIATELY: Final = 0
"""Stored only if the response has a validator, ``ETag`` or ``Last-Modified``, and validated before
every use."""

DO_NOT_CACHE: Final[Any] = _DO_NOT_CACHE
"""Neither served from the cache nor stored. It is no number, so that it can be taken for none."""

ExpirationTime = ExpireAfter
"""What ``expire_after`` accepts: ``None`` (unset), -1 (never), 0 (immediately), a positive number
of seconds, a ``timedelta``, a ``datetime`` (UTC if naive), an HTTP date; and
:data:`DO_NOT_CACHE`."""

_ACCEPTED: Final = (
    "None, -1 (never), 0 (validate before every use), a positive number of seconds, a timedelta, "
    "a datetime, an HTTP date or DO_NOT_CACHE"
)


def requests_expiry(value: Any, name: str = "expire_after") -> Expiry:
    """What an expiration value means to the engine.

    Args:
        value: as the user gave it; see :data:`ExpirationTime`.
        name: what the user calls it, for the message of the error.

    Raises:
        ConfigurationError: it is nothing of that.
    """
    if isinstance(value, Expiry):
        return value
    try:
        expiry = parse_expire_after(value, name)
    except ConfigurationError:
        raise ConfigurationError(f"{name} must be {_ACCEPTED}, not {describe(value)}") from None
    return AT_ONCE if expiry is _DO_NOT_CACHE else expiry
