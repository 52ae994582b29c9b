"""Reading: no lock is taken, and what cannot be there or is damaged is absent."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from stat import S_ISREG
from typing import Any, Final

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.file_format import FRAME_BYTES, Frame, frame_of
from http_client_cache.file_statements import FRESH_HEAD, LINK, MAIN, TRACES, Found, List, Raw
from http_client_cache.shell.body_files import BodyFile
from http_client_cache.shell.filesystem.paths import (
    FRESH,
    IN_MORE,
    LEADS,
    LED,
    MORE,
    OURS,
    RESPONSE,
)
from http_client_cache.statements import NOT_NOW

INLINE_BYTES: Final = 128 * 1024
"""Files up to this size are read where they are asked for: a thread would cost more."""

_AT_ONCE: Final = 8 * 1024
"""Bytes that are read first; most files have no more."""

_READ_MAX: Final = 1 << 30

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)

_QUIETLY: Final = _FLAGS | getattr(os, "O_NOATIME", 0)
"""Times of access tell of uses, and reading is not always one."""

_ABSENT: Final = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO, errno.EMLINK)
)
"""What says that there is no such file, or something that is none of ours in its place."""


def path_of(root: str, name: str, file: str) -> str:
    """Where a response, or a link, lies."""
    if file == MAIN:
        return f"{root}{name}{RESPONSE}"
    if file == LINK:
        return f"{root}{name}{LEADS}"
    return f"{root}{name}{MORE}/{file}{RESPONSE}"


def is_absent(error: OSError) -> bool:
    """Whether an error says no more than that a file is not there."""
    return error.errno in _ABSENT


def read_name(root: str, name: str, *, bodies: bool, inline: bool) -> list[Raw] | Any:
    """All responses of a name; ``NOT_NOW`` if that takes long and is to be done ``inline``.

    Raises:
        OSError: a file cannot be read.
    """
    base = f"{root}{name}"
    one = _read(base + RESPONSE, MAIN, bodies=bodies, inline=inline)
    if one is NOT_NOW:
        return NOT_NOW
    more = base + MORE
    # Asked for with less ado than a listing that fails.
    if not os.access(more, os.F_OK):
        return [one] if one is not None else []
    found: dict[str, Raw] = {} if one is None else {MAIN: one}
    listed = list_folder(more)
    for entry in listed:
        match = IN_MORE.fullmatch(entry)
        if match is None or match[2] != RESPONSE or match[1] == MAIN:
            continue
        one = _read(f"{more}/{entry}", match[1], bodies=bodies, inline=inline)
        if one is NOT_NOW:
            return NOT_NOW
        if one is not None:
            found[match[1]] = one
    return [_newer(more, raw) if file + FRESH in listed else raw for file, raw in found.items()]


def read_one(root: str, name: str, file: str, *, bodies: bool) -> Raw | None:
    """One response, or link; ``None`` if it is not there.

    Raises:
        OSError: it cannot be read.
    """
    raw: Raw | None = _read(path_of(root, name, file), file, bodies=bodies, inline=False)
    if raw is None or file == LINK:
        return raw
    return _newer(f"{root}{name}{MORE}", raw)


def _newer(more: str, raw: Raw) -> Raw:
    """A response with the head that lies apart, if that is one for this very body."""
    fresh = _read(f"{more}/{raw.file}{FRESH}", raw.file, bodies=False, inline=False, apart=True)
    if fresh is None or fresh.frame.ref != raw.frame.ref:
        return raw
    return raw._replace(head=fresh.head, frame=fresh.frame)


def _read(
    path: str, file: str, *, bodies: bool, inline: bool, apart: bool = False
) -> Raw | Any | None:
    try:
        handle = open_quietly(path)
    except OSError as error:
        if is_absent(error):
            return None
        raise
    try:
        data = os.read(handle, _AT_ONCE)
        frame = frame_of(data)
        if frame is None:
            return None
        starts, size = frame.starts, frame.starts + (0 if apart else frame.body)
        if len(data) == size < _AT_ONCE:
            return Raw(file, data[:starts], data[starts:] if bodies else b"", frame)
        if len(data) < _AT_ONCE or not _is_whole(handle, size):
            return None
        head = data[:starts] if starts <= len(data) else _part(handle, 0, starts)
        if not bodies:
            return Raw(file, head, b"", frame)
        # Where an open file can be neither replaced nor removed, none stays open.
        if frame.body > WHOLE_BYTES and sys.platform != "win32":
            source = BodyFile(handle, path, starts, frame.body, frame.body_crc)
            handle = -1
            return Raw(file, head, KeptBody(source, 0, frame.body), frame)
        if inline and size > INLINE_BYTES:
            return NOT_NOW
        return Raw(file, head, _part(handle, starts, frame.body), frame)
    except OSError as error:
        if is_absent(error):
            return None
        raise
    finally:
        if handle >= 0:
            os.close(handle)


def open_quietly(path: str) -> int:
    """Open a file for reading, without setting its time of access if that can be.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        return os.open(path, _QUIETLY)
    except PermissionError:
        # Only its owner may.
        return os.open(path, _FLAGS)


def frame_at(handle: int) -> Frame | None:
    """The measures of an open file, or ``None`` if it is not a whole one."""
    frame = frame_of(_part(handle, 0, FRAME_BYTES))
    return frame if frame is not None and _is_whole(handle, frame.starts + frame.body) else None


def _is_whole(handle: int, size: int) -> bool:
    status = os.fstat(handle)
    return S_ISREG(status.st_mode) and status.st_size == size


def _part(handle: int, start: int, size: int) -> bytes:
    """So many bytes of a file, or what there is of them."""
    os.lseek(handle, start, os.SEEK_SET)
    parts: list[bytes] = []
    while size and (part := os.read(handle, min(size, _READ_MAX))):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def list_folder(path: str) -> list[str]:
    """The names in a folder; none if there is none.

    Raises:
        OSError: it cannot be listed.
    """
    try:
        return os.listdir(path)  # noqa: PTH208 - paths are text here
    except OSError as error:
        if is_absent(error):
            return []
        raise


def list_shards(root: str, wanted: List) -> tuple[list[Found], int]:
    """Answer a ``List``.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: list[Found] = []
    shard = wanted.first
    while shard < wanted.last and len(found) < wanted.enough:
        folder = f"{shard:02x}"
        for listed in list_folder(root + folder):
            match = OURS.fullmatch(listed)
            if match is not None:
                name = f"{folder}/{match[1]}"
                if name.startswith(wanted.prefix):
                    found += _found(root, name, match[2], measures=wanted.measures)
        shard += 1
    return found, shard


def _found(root: str, name: str, kind: str, *, measures: bool) -> Iterator[Found]:
    base = root + name
    if kind == LED:
        yield Found(name, TRACES)
    elif kind != MORE:
        path = base + kind
        file = MAIN if kind == RESPONSE else LINK
        yield _measured(name, file, path) if measures else Found(name, file)
    else:
        for listed in list_folder(base + MORE):
            match = IN_MORE.fullmatch(listed)
            if match is not None:
                path = f"{base}{MORE}/{listed}"
                file = match[1] if match[2] == RESPONSE else FRESH_HEAD
                yield _measured(name, file, path) if measures else Found(name, file)


def _measured(name: str, file: str, path: str) -> Found:
    try:
        status = os.lstat(path)
    except OSError:
        return Found(name, file)
    return Found(name, file, status.st_mtime, status.st_size, status.st_atime_ns)
