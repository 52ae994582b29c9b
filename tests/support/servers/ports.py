"""Ports for servers."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

# Below the range that outgoing connections take their ports from, and low enough that a cluster's
# second port, which is 10000 higher, is below it as well.
_PORTS = range(10_000, 22_000)
_SECOND = 10_000


class Port:
    """A port of 127.0.0.1 that no other process takes which asks here.

    Looking for a free one is not enough: between the look and the start of the server, another
    process of the same test run may find the same.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        """A port that nobody listens on, nor on the one 10000 above it.

        Raises:
            RuntimeError: a thousand of them are taken.
        """
        self.release()
        for _ in range(1000):
            # Not `random`: its seed is the same in all processes of one test run.
            port = _PORTS[secrets.randbelow(len(_PORTS))]
            with suppress(OSError):
                for number in (port, port + _SECOND):
                    self._hold(number)
                    with socket.socket() as probe:
                        probe.bind(("127.0.0.1", number))
                return port
            self.release()
        message = "no port is free"
        raise RuntimeError(message)

    def release(self) -> None:
        """Leave it to others."""
        while self._held:
            self._held.pop().close()

    def _hold(self, number: int) -> None:
        # A name that one process at a time can have, and that is free when it ends.
        name = socket.socket(socket.AF_UNIX)
        self._held.append(name)
        name.bind(f"\0http-cache-tests-port-{number}")


def free_port() -> int:
    """A port that nobody listens on now."""
    port = Port()
    try:
        return port.take()
    finally:
        port.release()
