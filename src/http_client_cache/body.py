"""Bodies that are too large to be held in memory: what takes the place of their bytes."""

from __future__ import annotations

from typing import Any, Final, Protocol

WHOLE_BYTES: Final = 2**20
"""Bodies up to this size are handed over as ``bytes``, larger ones may be a :class:`KeptBody`."""

READ_BYTES: Final = 2**17
"""How much of one is read at a time."""


class KeptBody:
    """A stored body, or a part of one, that is read when its bytes are asked for.

    What it is read from stays as long as this lives, whatever becomes of the entry.

    Args:
        source: what its store reads it from.
        start: where it begins there, in bytes.
        stop: where it ends.
        place: key and variant of its entry.
    """

    __slots__ = ("place", "source", "start", "stop")

    def __init__(
        self, source: Any, start: int, stop: int, place: tuple[str, str] | None = None
    ) -> None:
        self.source = source
        self.start = start
        self.stop = stop
        self.place = place

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, part: slice) -> KeptBody:
        start, stop, _ = part.indices(len(self))
        begin = self.start + start
        return KeptBody(self.source, begin, max(begin, self.start + stop), self.place)

    def of(self, key: str, variant: str) -> KeptBody:
        """The same, told whose it is."""
        return KeptBody(self.source, self.start, self.stop, (key, variant))


AnyBody = bytes | KeptBody


class Draft(Protocol):
    """A body on its way into a store; which store, and how, only that one knows."""

    name: str
    """Of the one that the store gave it."""

    size: int
    """Bytes that were added so far."""
