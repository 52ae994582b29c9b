"""Bodies as they lie in a store that compresses them: blocks of zstd, each on its own.

A packed body is one zstd frame for every ``BLOCK_BYTES`` of the original; the last may be shorter.
Each has its own checksum and comes behind a skippable frame that says how long it is (RFC 8878
sections 3.1.1 and 3.1.2), so that any part can be read without what comes before it. Any program
that reads zstd reads all of it.

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

_WINDOW_LOG: Final = BLOCK_BYTES.bit_length() - 1

_HEADER: Final = struct.Struct("<III")
_SKIPPABLE: Final = 0x184D2A50
HEADER_BYTES: Final = _HEADER.size
"""Before each frame."""

_FRAME_BYTES: Final = BLOCK_BYTES + BLOCK_BYTES // 256 + 64
"""No frame of such a block is longer, however little it can be compressed."""


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
def _reading() -> tuple[Any, dict[Any, int], Any]:
    zstd = library()
    return (
        zstd.ZstdDecompressor,
        {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG},
        zstd.ZstdError,
    )


def compress_block(block: bytes | bytearray | memoryview) -> bytes:
    """The frame of a block, with what comes before it.

    Args:
        block: ``BLOCK_BYTES`` at most.
    """
    frame = _compressors().frame(block)
    return _HEADER.pack(_SKIPPABLE, 4, len(frame)) + frame


def frame_length(header: bytes) -> int:
    """How long the frame behind a header is, in bytes.

    Raises:
        StoreError: it is no header of a packed body.
    """
    if len(header) == HEADER_BYTES:
        magic, said, length = _HEADER.unpack(header)
        if magic == _SKIPPABLE and said == 4 and 0 < length <= _FRAME_BYTES:
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
    decompressor, options, failure = _reading()
    reader = decompressor(options=options)
    try:
        block: bytes = reader.decompress(frame, size + 1)
    except failure as error:
        raise StoreError(f"a compressed body is damaged: {error}") from error
    if len(block) != size or not reader.eof or reader.unused_data:
        raise StoreError("a compressed body is damaged: a frame does not hold what it should")
    return block


def is_worth_it(packed: int, size: int) -> bool:
    """Whether so many bytes instead of ``size`` are few enough."""
    return packed <= size * WORTH


def pack(body: bytes) -> bytes | None:
    """A body as it is stored; ``None`` if it is to be stored as it is."""
    view, frames = memoryview(body), list[bytes]()
    for start in range(0, len(body), BLOCK_BYTES):
        block = view[start : start + BLOCK_BYTES]
        frames.append(compress_block(block))
        # What cannot be compressed mostly shows at its beginning.
        if not start and not is_worth_it(len(frames[0]), len(block)):
            return None
    packed = b"".join(frames)
    return packed if is_worth_it(len(packed), len(body)) else None


def unpack(packed: bytes, size: int) -> bytes:
    """The body that is stored like this.

    Args:
        packed: all of it.
        size: of the body in bytes.

    Raises:
        StoreError: it is damaged, or of another size.
        MissingDependency: what decompresses is not installed.
    """
    view, blocks = memoryview(packed), list[bytes]()
    place = made = 0
    while made < size:
        start = place + HEADER_BYTES
        length = frame_length(bytes(view[place:start]))
        block = decompress_block(view[start : start + length], min(BLOCK_BYTES, size - made))
        blocks.append(block)
        place, made = start + length, made + len(block)
    if place != len(packed) or made != size:
        raise StoreError("a compressed body is damaged: there is more of it than there should be")
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)
