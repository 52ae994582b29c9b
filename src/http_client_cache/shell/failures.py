"""A failing store never breaks a request: it is counted, and said once."""

from __future__ import annotations

import logging
import threading

from http_client_cache.plan import Failed

logger = logging.getLogger("http_client_cache")


class Failures:
    """Counts failures of one store; logs when it begins to fail and when it works again.

    Args:
        name: how the log names the store; holds no secret.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.failing = False
        # Of reading, writing and leases, what fails: a full disk can still be read.
        self._kinds: set[str] = set()
        self._lock = threading.Lock()

    def failed(self, error: BaseException, *, writes: bool = False, lease: bool = False) -> Failed:
        """Take note of a failure."""
        with self._lock:
            self.count += 1
            self._kinds.add(_kind(writes=writes, lease=lease))
            first, self.failing = not self.failing, True
        if first:
            logger.warning(
                "The cache's store %s fails; requests go to the origin meanwhile: %s: %s",
                self.name,
                type(error).__name__,
                error,
            )
        return Failed(error)

    def worked(self, *, writes: bool = False, lease: bool = False) -> None:
        """Take note that the store works; call it only while ``failing``."""
        with self._lock:
            self._kinds.discard(_kind(writes=writes, lease=lease))
            again = self.failing and not self._kinds
            self.failing = bool(self._kinds)
        if again:
            logger.warning("The cache's store %s works again", self.name)

    def user_function_failed(self, function: object, error: BaseException) -> Failed:
        """Take note of an exception in a function of the user's."""
        name = getattr(function, "__qualname__", repr(function))
        logger.error("%s failed; the response is not cached", name, exc_info=error)
        return Failed(error)


def _kind(*, writes: bool, lease: bool) -> str:
    if lease:
        return "lease"
    return "write" if writes else "read"
