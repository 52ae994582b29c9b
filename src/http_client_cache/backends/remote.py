"""What all backends on a server have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from http_client_cache.backends.base import Backend
from http_client_cache.errors import ConfigurationError, check_flag, describe
from http_client_cache.shell.guard import Guard
from http_client_cache.windows import parse_window

if TYPE_CHECKING:
    from typing import Unpack

    from http_client_cache.backends.options import BackendOptions
    from http_client_cache.backends.own_options import ServerOptions
    from http_client_cache.expiry import ExpireAfter

    class RemoteOptions(BackendOptions, ServerOptions, total=False):
        """The keywords that backends on servers hand on to their base."""


STORE_TIMEOUT = 0.25
"""Seconds that a request waits for the server if nothing else is said."""


class Remote(Backend):
    """Keeps responses on a server; the base of those backends.

    A server that is down, hangs, is full or refuses does not break a request: after
    ``store_timeout`` at most it goes on to the origin, and the log says so once. After some
    failures in a row the server is left alone for a second, later for up to 30.

    Args:
        cache_name: tells this cache from others on the same server; text, not empty.
        expire_after: how long responses are fresh.
        store_timeout: seconds that a call of the server may take, as long as a request waits for
            it; what looks through the whole cache, such as ``size()``, may take longer.
        ttl: let the server remove entries by itself: when they have expired, may not be served
            stale any more, and ``keep_expired`` has passed.
        ttl_offset: another spelling of ``keep_expired``, in seconds.
        **options: as for :class:`Backend`, less the limits, which are the server's matter.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        TypeError: an unknown argument.
    """

    _limited_by: ClassVar[str] = "the server's own means"

    def __init__(
        self,
        cache_name: str = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        store_timeout: float = STORE_TIMEOUT,
        ttl: bool = True,
        ttl_offset: float | None = None,
        max_bytes: int | None = None,
        **options: Unpack[BackendOptions],
    ) -> None:
        given = cast("Any", cache_name)
        if not isinstance(given, str) or not given:
            raise ConfigurationError(f"cache_name must be text, not {describe(given)}")
        for name, limit in (("max_bytes", max_bytes), ("max_entries", options.get("max_entries"))):
            if limit is not None:
                raise ConfigurationError(
                    f"{name} is not for {type(self).__name__}: limit it by {self._limited_by}"
                )
        if ttl_offset is not None:
            if options.get("keep_expired") is not None:
                raise ConfigurationError(
                    "ttl_offset is another spelling of keep_expired; give one of them"
                )
            parse_window(ttl_offset, "ttl_offset")
            options["keep_expired"] = ttl_offset
        self._ttl = check_flag(ttl, "ttl")
        self._guard = Guard(_seconds(store_timeout))
        super().__init__(cache_name, expire_after, max_bytes=None, **options)


def _seconds(store_timeout: object) -> float:
    if (
        not isinstance(store_timeout, int | float)
        or isinstance(store_timeout, bool)
        or not 0 < store_timeout < 3600
    ):
        raise ConfigurationError(
            "store_timeout must be a number of seconds above 0 and below 3600, "
            f"not {describe(store_timeout)}"
        )
    return float(store_timeout)
