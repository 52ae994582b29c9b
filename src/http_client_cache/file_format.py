"""What is in a file of the filesystem store: a line for people, the record, the body.

::

    {"http_cache": 1, "crc32": "6fe0a4b1", "starts": 702, …, "url": "https://…", "status": 200, …}
    <record>
    <body, as it is, to the end of the file>

The first line is JSON, so that ``head -1`` tells what a file holds. All that counts is in the
record, which is what the codec made of the entry, with its signature if it signs; of the line only
the following is used:

- ``crc32`` of the rest of the head. It finds what a power failure damaged, and no forgery: that is
  what signatures are for. ``body_crc32`` is that of the body.
- ``starts``, ``record`` and ``body``: where the body starts, and the lengths of record and body, in
  bytes. A file of any other length than ``starts + body`` is damaged.
- ``ref``: a random number that tells this body from any that replaces it; so a head that lies apart
  (what was freshened has one, if it is large) is known to belong to it. In a redirect, the name of
  what it leads to.
- ``key`` and ``variant``.
- ``unpacked``: the length that the body had before it was compressed (``compression.py``), only
  where it was. All else speaks of it as it lies in the file.
- ``leaves``: when a response that has expired is not worth its room any more (UTC seconds).

The numbers have a fixed width, and between record and body there may be any number of spaces. So
who writes a body as it arrives leaves room for the head, and fills it in before the file gets its
name, when length and checksum are known; and who reads one knows where each part of it lies.
"""

from __future__ import annotations

import json
import re
import zlib
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

VERSION: Final = 1

FRAME_BYTES: Final = 256
"""So many bytes of a file at most have all that ``frame_of`` looks at."""

_FRAME: Final = re.compile(
    rb'\{"http_cache": 1, "crc32": "([0-9a-f]{8})", "starts": +(\d+), "record": +(\d+), '
    rb'"body": +(\d+), "body_crc32": "([0-9a-f]{8})", "ref": "([0-9a-f/-]{1,64})", '
)


class Frame(NamedTuple):
    """The measures of a file.

    Attributes:
        crc: of the head, less what comes before its end.
        starts: where the body starts.
        record: length of the record.
        body: length of the body.
        body_crc: of the body.
        ref: see above.
    """

    crc: int
    starts: int
    record: int
    body: int
    body_crc: int
    ref: str


class Told(msgspec.Struct):
    """What the line says of whose file it is."""

    key: str
    variant: str = ""
    leaves: float | None = None
    unpacked: int | None = None


class Head(NamedTuple):
    """A head that has been read and checked."""

    frame: Frame
    told: Told
    record: bytes


_decode_told = msgspec.json.Decoder(Told).decode


def frame_of(data: bytes) -> Frame | None:
    """The measures of a file by its first bytes, unchecked; ``None`` if it is none of ours."""
    match = _FRAME.match(data)
    if match is None:
        return None
    crc, starts, record, body, body_crc, ref = match.groups()
    return Frame(
        int(crc, 16),
        int(starts),
        int(record),
        int(body),
        int(body_crc, 16),
        ref.decode(),
    )


def read_head(frame: Frame, head: bytes) -> Head | None:
    """All of a head that has these measures; ``None`` if it is damaged."""
    if len(head) != frame.starts or zlib.crc32(head[_CRC_FROM:]) != frame.crc:
        return None
    line = head.find(b"\n") + 1
    record = head[line : line + frame.record]
    told: Told | None
    try:
        told = _decode_told(head[:line])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = _odd_told(head[:line])
    return None if told is None or len(record) != frame.record else Head(frame, told, record)


def make_head(
    told: dict[str, Any], record: bytes, body: int, body_crc: int, ref: str, room: int = 0
) -> tuple[Frame, bytes]:
    """The head of a file, and its measures.

    Args:
        told: what the line says, ``key`` first.
        record: of the codec.
        body: length of the body in bytes.
        body_crc: CRC-32 of the body.
        ref: hexadecimal digits, or a name.
        room: how long the head has to be, in bytes, if it is not longer anyway.
    """
    try:
        line = msgspec.json.encode(told)
    except UnicodeEncodeError:
        # Lone surrogates, in a key of a user's making.
        line = json.dumps(told).encode()
    bare = _FIXED_BYTES + len(ref) + len(line) - 1 + len(record)
    starts = max(bare, room)
    rest = _REST % (starts, len(record), body, body_crc, ref.encode(), line[1:], record)
    rest += b" " * (starts - bare)
    crc = zlib.crc32(rest)
    frame = Frame(crc, starts, len(record), body, body_crc, ref)
    return frame, b"%b%08x%b" % (_BEGIN, crc, rest)


_BEGIN: Final = b'{"http_cache": 1, "crc32": "'
_CRC_FROM: Final = len(_BEGIN) + 8
_REST: Final = (
    b'", "starts": %8d, "record": %8d, "body": %15d, "body_crc32": "%08x", "ref": "%b", %b\n%b\n'
)
_FIXED_BYTES: Final = _CRC_FROM + len(_REST % (0, 0, 0, 0, b"", b"", b""))


def when(seconds: float | None) -> str | None:
    """A time as people read it, in UTC."""
    if seconds is None:
        return None
    try:
        text = datetime.fromtimestamp(int(seconds), UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(seconds)
    return f"{text[:-6]}Z"


def _odd_told(line: bytes) -> Told | None:
    try:
        told = json.loads(line)
        return msgspec.convert(
            {name: told[name] for name in ("key", "variant", "unpacked") if name in told}, Told
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
