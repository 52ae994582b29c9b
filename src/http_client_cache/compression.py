"""Bodies as they lie in a store that compresses them: frames of zstd, each on its own.

A packed body that was in memory is one frame, and so it is read. One that came in pieces is a frame
for every ``BLOCK_BYTES`` of the original; the last may be shorter. Each has its own checksum and
comes behind a skippable frame that says how long it is (RFC 8878 sections 3.1.1 and 3.1.2), so that
any part can be read without what comes before it. Any program that reads zstd reads all of it.

What is read may be anybody's: no more is ever made of a frame than the block that it stands for,
whatever the frame says of itself.
"""

from __future__ import annotations

import struct
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final

from http_client_cache.body import WHOLE_BYTES
from http_client_cache.errors import (
    ConfigurationError,
    MissingDependency,
    StoreError,
    describe,
)

ZSTD: Final = "zstd"

BLOCK_BYTES: Final = 2**17
"""What is stored depends on it, so it stays as it is. Whoever reads less at a time has each block
decompressed more than once."""

MIN_BYTES: Final = 256
"""Smaller bodies are not compressed: a frame alone has some 30 bytes."""

WORTH: Final = 0.9
"""Of what it was, a body must be no more than that when it is compressed."""

LEVEL: Final = 3
"""Of compression: about 500 MB/s."""

_HEADER: Final = struct.Struct("<III")
_SKIPPABLE: Final = 0x184D2A50
HEADER_BYTES: Final = _HEADER.size
"""Before each frame."""


def check_compression(compression: object) -> None:
    """Check what a backend is given.

    Raises:
        ConfigurationError: it is neither ``"zstd"`` nor ``None``.
    """
    if compression not in (None, ZSTD):
        raise ConfigurationError(
            f"compression must be 'zstd', or None for none, not {describe(compression)}"
        )


@cache
def library() -> Any:
    """The module that compresses.

    Raises:
        MissingDependency: it is not installed.
    """
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingDependency(
            f"compression='zstd' needs {name}: pip install aiohttp-client-cache[zstd]"
        ) from error


class _Compressors(threading.local):
    """One for each thread that compresses: a new one costs as much as some kilobytes."""

    def __init__(self) -> None:
        zstd = library()
        known = zstd.CompressionParameter
        compressor = zstd.ZstdCompressor(
            options={known.compression_level: LEVEL, known.checksum_flag: 1}
        )
        self.frame: Callable[[bytes | bytearray | memoryview], bytes] = lambda block: (
            compressor.compress(block, compressor.FLUSH_FRAME)
        )


@cache
def _compressors() -> _Compressors:
    return _Compressors()


@cache
def _reading() -> tuple[Any, Any, Any]:
    zstd = library()
    return zstd.ZstdDecompressor, zstd.DecompressionParameter.window_log_max, zstd.ZstdError


def compress_block(block: bytes | bytearray | memoryview) -> bytes:
    """The frame of a block, with what comes before it.

    Args:
        block: ``BLOCK_BYTES`` at most, or a whole body.
    """
    frame = _compressors().frame(block)
    return _HEADER.pack(_SKIPPABLE, 4, len(frame)) + frame


def frame_length(header: bytes, most: int = BLOCK_BYTES) -> int:
    """How long the frame behind a header is, in bytes.

    Args:
        header: ``HEADER_BYTES`` of it.
        most: bytes that the frame may stand for.

    Raises:
        StoreError: it is no header of a packed body.
    """
    if len(header) == HEADER_BYTES:
        magic, said, length = _HEADER.unpack(header)
        # However little it can be compressed, a frame is not longer.
        if magic == _SKIPPABLE and said == 4 and 0 < length <= most + most // 256 + 64:
            return int(length)
    raise StoreError("a compressed body is damaged: a frame is not announced")


def decompress_block(frame: bytes | memoryview, size: int) -> bytes:
    """The block of a frame.

    Args:
        frame: without what comes before it.
        size: of the block in bytes; no more than one byte beyond it is ever made.

    Raises:
        StoreError: it is damaged, or of another size.
        MissingDependency: what decompresses is not installed.
    """
    block = _decompressed(frame, size)
    if len(block) != size:
        raise StoreError(_OF_ANOTHER_SIZE)
    return block


def _decompressed(frame: bytes | memoryview, most: int) -> bytes:
    decompressor, window, failure = _reading()
    # What a frame asks for in memory beside that is bounded, too.
    reader = decompressor(options={window: max(10, (most - 1).bit_length())})
    try:
        block: bytes = reader.decompress(frame, most + 1)
    except failure as error:
        raise StoreError(f"a compressed body is damaged: {error}") from error
    if len(block) > most or not reader.eof or reader.unused_data:
        raise StoreError(_OF_ANOTHER_SIZE)
    return block


_OF_ANOTHER_SIZE: Final = "a compressed body is damaged: it is not of the size that it should have"


def is_worth_it(packed: int, size: int) -> bool:
    """Whether so many bytes instead of ``size`` are few enough."""
    return packed <= size * WORTH


def pack(body: bytes) -> bytes | None:
    """A body as it is stored; ``None`` if it is to be stored as it is.

    Args:
        body: ``WHOLE_BYTES`` at most.
    """
    packed = compress_block(body)
    return packed if is_worth_it(len(packed), len(body)) else None


def unpack(packed: bytes, size: int) -> bytes:
    """The body that is stored like this.

    Args:
        packed: all of it.
        size: of the body in bytes, ``WHOLE_BYTES`` at most.

    Raises:
        StoreError: it is damaged, or of another size.
        MissingDependency: what decompresses is not installed.
    """
    if size > WHOLE_BYTES:
        raise StoreError("a compressed body is damaged: it is too large")
    view, blocks = memoryview(packed), list[bytes]()
    place = made = 0
    while made < size:
        start = place + HEADER_BYTES
        length = frame_length(bytes(view[place:start]), WHOLE_BYTES)
        block = _decompressed(view[start : start + length], size - made)
        if len(block) not in (BLOCK_BYTES, size - made):
            raise StoreError(_OF_ANOTHER_SIZE)
        blocks.append(block)
        place, made = start + length, made + len(block)
    if place != len(packed) or made != size:
        raise StoreError(_OF_ANOTHER_SIZE)
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)
