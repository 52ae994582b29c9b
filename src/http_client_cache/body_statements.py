"""The words in which stores that keep large bodies in files speak of those to their shells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from http_client_cache.body import AnyBody, Draft


class Begin(NamedTuple):
    """Begin a file that is written as its body comes. Answers a ``Draft`` at once.

    Or ``None``, where bodies cannot be stored in this way.

    Attributes:
        name: of the file, as far as the store gives it one before it is published.
        room: bytes that are left free before the body.
        crc: whether the CRC-32 of what is written is wanted in the end.
        digest: whether its SHA-256 is.
        packs: whether the body is compressed if that saves.
    """

    name: str = ""
    room: int = 0
    crc: bool = False
    digest: bool = False
    packs: bool = False


class Append(NamedTuple):
    """Add to a draft. Answers whether more is wanted; waits if much is on its way to the disk."""

    draft: Draft
    pieces: Sequence[bytes]


class Whole(NamedTuple):
    """A body that is in its file.

    Attributes:
        source: what it can be read from, from now on, as it lies there.
        crc: CRC-32 of what lies there, if it was wanted.
        digest: SHA-256 of that, if it was wanted; else empty.
        packed: the length of what lies there, in bytes, if it is compressed.
        room: bytes that were left free before it.
    """

    source: Any
    crc: int
    digest: bytes
    packed: int | None = None
    room: int = 0


class Finish(NamedTuple):
    """The last of a draft has been added. Answers a ``Whole``."""

    draft: Draft


class Forget(NamedTuple):
    """Remove a draft. Answers ``None`` at once."""

    draft: Draft


class Piece(NamedTuple):
    """Read a part of a body. Answers some of it: a byte at least."""

    source: Any
    start: int
    size: int


class Verify(NamedTuple):
    """Read a body through. Answers whether it has this SHA-256."""

    source: Any
    digest: bytes


class Pack(NamedTuple):
    """Compress a body. Answers the bytes to be stored, or ``None`` where it is stored as it is."""

    body: bytes


class Unpack(NamedTuple):
    """Decompress a body, or let it be decompressed while it is read. Answers that, or ``None``.

    ``None`` is for what is damaged.

    Attributes:
        body: as it lies in the store.
        size: of the original in bytes; no more is ever made of it.
    """

    body: AnyBody
    size: int


BodyStatement = Begin | Append | Finish | Forget | Piece | Verify | Pack | Unpack
