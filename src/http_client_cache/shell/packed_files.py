"""A large body that is compressed: while it is written, and while it is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

from http_client_cache.compression import (
    BLOCK_BYTES,
    HEADER_BYTES,
    compress_block,
    decompress_block,
    frame_length,
    is_worth_it,
)
from http_client_cache.errors import CacheError, StoreError

Part = bytes | bytearray | memoryview


class Packer:
    """Compresses what comes, block by block, unless the first block shows that it is of no use.

    Attributes:
        packs: whether it does; ``None`` until the first block is there.
    """

    __slots__ = ("_block", "_filled", "packs")

    def __init__(self) -> None:
        self.packs: bool | None = None
        self._block = bytearray(BLOCK_BYTES)
        self._filled = 0

    def add(self, pieces: Sequence[Part]) -> Iterator[Part]:
        """What is to be written by now; each part before the next is asked for."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest and self.packs is not False:
                count = min(len(rest), BLOCK_BYTES - self._filled)
                self._block[self._filled : self._filled + count] = rest[:count]
                self._filled += count
                rest = rest[count:]
                if self._filled == BLOCK_BYTES:
                    yield self._flush()
            if rest:
                yield rest

    def end(self) -> Iterator[Part]:
        """What is to be written in the end."""
        if self._filled:
            yield self._flush()

    def _flush(self) -> Part:
        block = memoryview(self._block)[: self._filled]
        self._filled = 0
        frame = compress_block(block)
        if self.packs is None:
            self.packs = is_worth_it(len(frame), len(block))
        return frame if self.packs else block


class Readable(Protocol):
    """What can be read at any place; ``read`` answers a byte at least, or raises."""

    size: int

    def read(self, start: int, size: int) -> bytes:
        """Some of it."""
        ...


class BytesSource:
    """The same in memory."""

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, start: int, size: int) -> bytes:
        """Some of it.

        Raises:
            StoreError: there is no more.
        """
        piece = self._data[start : start + size]
        if not piece:
            raise StoreError("a compressed body is damaged: it is too short")
        return piece


class PackedFile:
    """Reads a compressed body, for any number of readers at once; one block is made at a time.

    Args:
        source: where it lies.
        size: of what is compressed, in bytes.
    """

    __slots__ = ("_lock", "_source", "_starts", "size")

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self.size = size
        # Where each block starts, as far as that is known.
        self._starts = [0]
        self._lock = threading.Lock()

    def read_now(self, start: int, size: int) -> None:
        """Nothing: to decompress takes longer than to ask a thread for it."""

    def read(self, start: int, size: int) -> bytes:
        """Some of the body: what is left of the block that it starts in, or less.

        Raises:
            StoreError: it cannot be read, or is damaged.
        """
        number, skipped = divmod(start, BLOCK_BYTES)
        try:
            block = decompress_block(
                self._frame(number), min(BLOCK_BYTES, self.size - number * BLOCK_BYTES)
            )
        except StoreError:
            raise
        except CacheError as error:
            raise StoreError(str(error)) from error
        return block[skipped : skipped + size]

    def _frame(self, number: int) -> bytes:
        with self._lock:
            while True:
                known = min(number, len(self._starts) - 1)
                start = self._starts[known]
                length = frame_length(self._all(start, HEADER_BYTES))
                end = start + HEADER_BYTES + length
                if known == len(self._starts) - 1:
                    self._starts.append(end)
                if known == number:
                    return self._last(number, end, self._all(start + HEADER_BYTES, length))

    def _last(self, number: int, end: int, frame: bytes) -> bytes:
        is_last = (number + 1) * BLOCK_BYTES >= self.size
        if is_last and end != self._source.size:
            raise StoreError("a compressed body is damaged: there is more of it than there should")
        return frame

    def _all(self, start: int, size: int) -> bytes:
        piece = self._source.read(start, size)
        while len(piece) < size:
            piece += self._source.read(start + len(piece), size - len(piece))
        return piece
