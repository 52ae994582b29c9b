"""The words in which the Redis store speaks to its shell."""

from __future__ import annotations

from hashlib import sha1
from typing import Any, Final, NamedTuple

LOOKS_THROUGH: Final = 20.0
"""How much longer may take what looks through the whole cache, as no request waits for it."""


class Script:
    """A Lua script, which the server carries out in one atomic step.

    Attributes:
        text: its source.
        sha: by which the server knows it, once it has seen it.
        writes: whether it changes anything that a server could refuse.
    """

    __slots__ = ("sha", "text", "writes")

    def __init__(self, text: str, *, writes: bool) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.writes = writes


class Run(NamedTuple):
    """Run a script. Answers what it returns: bytes, integers, and lists of them.

    Attributes:
        script: to be run.
        keys: of the server, all in one slot.
        arguments: of the script.
        patience: see :class:`~http_client_cache.shell.remote.RemoteStatement`.
    """

    script: Script
    keys: tuple[bytes, ...]
    arguments: tuple[bytes | int, ...] = ()
    patience: float = 1.0

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.script.writes


class Scan(NamedTuple):
    """List some of the server's keys, on one node after the other.

    Answers where to go on, ``None`` at the end, and the names.

    Attributes:
        pattern: that names fit.
        cursor: what the last one answered; ``None`` to begin.
        patience: see :class:`~http_client_cache.shell.remote.RemoteStatement`.
    """

    pattern: bytes
    cursor: Any = None
    patience: float = LOOKS_THROUGH

    @property
    def writes(self) -> bool:
        """It changes nothing."""
        return False
