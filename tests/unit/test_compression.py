"""Packed bodies: whole, in parts, damaged, and made to do harm."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_client_cache import compression
from http_client_cache.body import READ_BYTES
from http_client_cache.compression import (
    BLOCK_BYTES,
    HEADER_BYTES,
    MIN_BYTES,
    compress_block,
    decompress_block,
    frame_length,
    library,
    pack,
    unpack,
)
from http_client_cache.errors import ConfigurationError, MissingDependency, StoreError
from http_client_cache.shell.packed_files import BytesSource, PackedFile, Packer

TEXT = "".join([f"line {number}: {number * number}\n" for number in range(60_000)]).encode()
SIZES = [
    *(MIN_BYTES, 1000, 65_536, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES),
    1_000_000,
]


WINDOW = 17
DAMAGED = 3 * BLOCK_BYTES - 100_000


def framed(frame: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18\x04\x00\x00\x00" + len(frame).to_bytes(4, "little") + frame


def in_blocks(body: bytes) -> bytes:
    """As it is written when it comes in pieces."""
    starts = range(0, len(body), BLOCK_BYTES)
    return b"".join([compress_block(body[start : start + BLOCK_BYTES]) for start in starts])


def in_parts(packed: bytes, size: int) -> bytes:
    """As it is read from a file, a block at a time."""
    reader, found = PackedFile(BytesSource(packed), size), b""
    while len(found) < size:
        piece = reader.read(len(found), BLOCK_BYTES)
        assert 0 < len(piece) <= BLOCK_BYTES
        found += piece
    return found


@pytest.mark.parametrize("size", SIZES)
def test_what_is_packed_comes_back(size: int) -> None:
    body = TEXT[:size]
    packed = pack(body)
    assert packed is not None
    assert len(packed) < 0.7 * size
    blocks = in_blocks(body)
    assert len(blocks) < 0.7 * size
    assert unpack(packed, size) == unpack(blocks, size) == in_parts(blocks, size) == body
    # Any program that reads zstd reads it.
    assert library().decompress(packed) == library().decompress(blocks) == body


@pytest.mark.parametrize("size", [MIN_BYTES, 65_536, 700_000])
def test_what_cannot_be_compressed_stays_as_it_is(size: int) -> None:
    assert pack(random.Random(1).randbytes(size)) is None


def test_no_block_is_decompressed_twice() -> None:
    assert BLOCK_BYTES <= READ_BYTES


def test_a_tenth_must_be_saved() -> None:
    noise = random.Random(2).randbytes(100_000)
    assert pack(noise + bytes(8_000)) is None
    assert pack(noise + bytes(13_000)) is not None


def test_of_what_comes_in_pieces_the_first_block_decides() -> None:
    noise = random.Random(3).randbytes(3 * BLOCK_BYTES)
    for body, packs in ((TEXT[:BLOCK_BYTES] + noise, True), (noise + TEXT, False)):
        packer = Packer()
        written = b"".join([bytes(part) for part in packer.add([body])])
        assert packer.packs is packs
        assert (len(written) < len(body)) is packs


@given(st.lists(st.integers(0, 2 * BLOCK_BYTES), max_size=6), st.booleans())
def test_it_does_not_matter_in_what_pieces_it_comes(sizes: list[int], dense: bool) -> None:
    noise = random.Random(4)
    pieces = [noise.randbytes(size) if dense else TEXT[:size] for size in sizes]
    body = b"".join(pieces)
    packer = Packer()
    written = b"".join([bytes(part) for part in packer.add(pieces)])
    written += b"".join([bytes(part) for part in packer.end()])
    if packer.packs:
        assert in_parts(written, len(body)) == body
    else:
        assert written == body
    if len(body) > 1000:
        assert packer.packs is not dense


@given(st.integers(0, 700_000), st.integers(1, BLOCK_BYTES))
def test_any_part_of_it_can_be_read(start: int, size: int) -> None:
    body = TEXT[:700_001]
    piece = PackedFile(BytesSource(in_blocks(body)), len(body)).read(start, size)
    assert piece
    assert piece == body[start : start + len(piece)]


# What lies there may be anybody's.

WAYS: list[Callable[[bytes, int], bytes]] = [unpack, in_parts]


def windowed(block: bytes, window: int, *, ends: bool = True) -> bytes:
    zstd = library()
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window})
    frame: bytes = compressor.compress(block, compressor.FLUSH_BLOCK)
    return frame + (compressor.flush() if ends else b"")


def damages() -> dict[str, bytes]:
    body = TEXT[:DAMAGED]
    packed = in_blocks(body)
    zstd = library()
    blocks = [body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES)]
    frames = [compress_block(block) for block in blocks]
    last = frames[-1][HEADER_BYTES:]
    dictionary = zstd.train_dict(
        [TEXT[start : start + 100] for start in range(0, 50_000, 100)], 1000
    )
    return {
        "empty": b"",
        "cut": packed[:-1],
        "cut in a header": b"".join(frames[:2]) + frames[2][:5],
        "longer": packed + b"\0",
        "one frame more": packed + compress_block(b"more"),
        "one frame less": b"".join(frames[:2]),
        "no frame": random.Random(5).randbytes(len(packed)),
        "no header": b"".join([frame[HEADER_BYTES:] for frame in frames]),
        "a header of another kind": b"\x51" + packed[1:],
        "a frame of no length": framed(b"") + packed,
        "a frame too long": b"".join(frames[:2]) + framed(last + bytes(BLOCK_BYTES)),
        "two frames in one": b"".join(frames[:2]) + framed(last + last),
        "a frame that goes on": b"".join(frames[:2])
        + framed(windowed(blocks[-1], WINDOW, ends=False)),
        "a skippable frame": b"".join(frames[:2]) + framed(b"\x50\x2a\x4d\x18\x00\x00\x00\x00"),
        "a longer block": b"".join(frames[:2]) + compress_block(blocks[-1] + b"!"),
        "a shorter block": b"".join(frames[:2]) + compress_block(blocks[-1][:-1]),
        "a dictionary": b"".join(frames[:2])
        + framed(zstd.compress(blocks[-1], zstd_dict=dictionary)),
        "a large window": b"".join(frames[:2]) + framed(windowed(blocks[-1], 27)),
        "a flipped bit": packed[:-100] + bytes([packed[-100] ^ 1]) + packed[-99:],
    }


DAMAGES = damages()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_an_error(way: Callable[[bytes, int], bytes], damage: str) -> None:
    with pytest.raises(StoreError, match="damaged"):
        way(DAMAGES[damage], DAMAGED)


def test_a_frame_of_others_is_as_good() -> None:
    block = TEXT[:100_000]
    assert unpack(framed(windowed(block, WINDOW)), len(block)) == block


@pytest.mark.parametrize("size", [-1, 0, DAMAGED - 1, DAMAGED + 1, BLOCK_BYTES, 2**20, 2**60])
@pytest.mark.parametrize("form", [in_blocks, pack])
def test_another_size_than_it_has_is_an_error(form: Callable[[bytes], bytes], size: int) -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(form(TEXT[:DAMAGED]), size)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_damage_goes_unnoticed(place: int, change: int) -> None:
    body = TEXT[:20_000]
    packed = bytearray(pack(body) or b"")
    packed[place % len(packed)] ^= change
    try:
        found = unpack(bytes(packed), len(body))
    except StoreError:
        return
    # There are bits that mean nothing.
    assert found == body


def bombs() -> dict[str, bytes]:
    zstd = library()
    known = zstd.CompressionParameter
    made: dict[str, bytes] = {}
    # The first is that of a block.
    for window in (WINDOW, 27):
        streamed = zstd.ZstdCompressor(options={known.window_log: window})
        block = bytes(2**20)
        parts = [streamed.compress(block) for _ in range(2**10)]
        made[f"1 GiB, window {window}"] = b"".join([*parts, streamed.flush()])
    made["says its size"] = zstd.compress(bytes(2**27), options={known.window_log: WINDOW})
    return made


BOMBS = [f"1 GiB, window {WINDOW}", "1 GiB, window 27", "says its size"]

OPEN_IT = """
import resource, sys, tracemalloc
from http_client_cache.compression import compress_block, pack, unpack
from http_client_cache.errors import StoreError
from http_client_cache.shell.packed_files import BytesSource, PackedFile

ways = {
    "unpack": unpack,
    "in_parts": lambda packed, size: PackedFile(BytesSource(packed), size).read(0, size),
}
packed, way = sys.stdin.buffer.read(), ways[sys.argv[1]]
good = pack(b"warm" * 20_000)
for _ in range(5):
    way(good, 80_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    way(packed, 100_000)
except StoreError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("way", ["unpack", "in_parts"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_no_more_than_its_limit(
    way: str, bomb: str, bombs_made: dict[str, bytes]
) -> None:
    opened = subprocess.run(
        [sys.executable, "-c", OPEN_IT, way],
        input=framed(bombs_made[bomb]),
        check=True,
        capture_output=True,
    )
    # KiB, of all memory of the process.
    assert int(opened.stdout) < 1024


@pytest.fixture(scope="module")
def bombs_made() -> dict[str, bytes]:
    return bombs()


def test_a_frame_is_announced_with_a_length_that_can_be() -> None:
    frame = compress_block(random.Random(6).randbytes(BLOCK_BYTES))
    assert frame_length(frame[:HEADER_BYTES]) == len(frame) - HEADER_BYTES
    with pytest.raises(StoreError):
        frame_length(framed(bytes(BLOCK_BYTES + 2000))[:HEADER_BYTES])


def test_a_block_is_bounded_by_what_is_asked_for() -> None:
    frame = compress_block(bytes(BLOCK_BYTES))[HEADER_BYTES:]
    assert decompress_block(frame, BLOCK_BYTES) == bytes(BLOCK_BYTES)
    with pytest.raises(StoreError):
        decompress_block(frame, 1000)


# The option.


@pytest.mark.parametrize("value", ["gzip", "", "ZSTD", True, 3, b"zstd", ["zstd"]])
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="compression must be 'zstd', or None"):
        compression.check_compression(value)


def test_without_the_library_it_is_said_what_to_install() -> None:
    code = """
import sys
sys.modules["backports.zstd"] = sys.modules["compression.zstd"] = None
from http_client_cache.compression import library
from http_client_cache.errors import MissingDependency
try:
    library()
except MissingDependency as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install aiohttp-client-cache[zstd]" in told.stdout
    assert issubclass(MissingDependency, ImportError)
