"""A large body in a file: while it is written, and while it is read."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from http_client_cache.body_statements import Whole
from http_client_cache.errors import StoreError
from http_client_cache.shell.packed_files import Packer, Part
from http_client_cache.shell.temps import Temp

_AT_ONCE: Final = 2**20

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


MOST_CHECKED: Final = 4096
"""Files that are known to have the right checksum: so many are remembered."""

_checked_files: dict[tuple[int, ...], None] = {}
"""By what changes when somebody writes to a file. Checksums take longer than reading does, and find
what happened to a file before this process has read or written it."""


def _identity_of(handle: int, starts: int, crc: int) -> tuple[int, ...]:
    now = os.fstat(handle)
    return (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size, starts, crc)


def _remember(identity: tuple[int, ...]) -> None:
    _checked_files[identity] = None
    while len(_checked_files) > MOST_CHECKED:
        with suppress(KeyError, RuntimeError, StopIteration):
            # Another thread may be at it.
            del _checked_files[next(iter(_checked_files))]


class BodyDraft(Temp):
    """A body on its way into a file; made when the first bytes come.

    Args:
        name: what the store calls it.
        path: where it is written.
        room: bytes that are left free before the body.
        crc: whether to compute its CRC-32.
        digest: whether to compute its SHA-256.
        packs: whether to compress it if that saves.

    Attributes:
        size: bytes of the body that were handed over so far.
        given_up: nothing more is to be written.
    """

    def __init__(
        self,
        name: str,
        path: str,
        room: int,
        *,
        crc: bool = False,
        digest: bool = False,
        packs: bool = False,
    ) -> None:
        super().__init__(path)
        self.name = name
        self.room = room
        self.size = 0
        self.given_up = False
        self._taken = 0
        self._written = 0
        self._crc = 0
        self._counts_crc = crc
        self._hash = hashlib.sha256() if digest else None
        self._packer = Packer() if packs else None

    def take(self, pieces: Sequence[Part]) -> None:
        """Write what comes next, unless something has failed; ``error`` tells."""
        if self.error is not None or self.given_up:
            return
        try:
            if self._handle < 0:
                self.open()
                self.write((b" " * self.room,))
            self._add(pieces if self._packer is None else self._packer.add(pieces))
        except OSError as error:
            self.error = error
            self.discard()
            return
        self._taken += sum(map(len, pieces))

    def _add(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self.write((part,))
            self._written += len(part)
            if self._counts_crc:
                self._crc = zlib.crc32(part, self._crc)
            if self._hash is not None:
                self._hash.update(part)

    def finish(self) -> Whole:
        """What has become of it.

        Raises:
            StoreError: it is not whole.
        """
        if self._handle < 0 or self.given_up or self._taken != self.size:
            self.discard()
            raise StoreError(f"a body could not be written: {self.error}") from self.error
        if self._packer is not None:
            try:
                self._add(self._packer.end())
            except OSError as error:
                self.error = error
                self.discard()
                raise StoreError(f"a body could not be written: {error}") from error
        handle = os.open(self._path, _FLAGS)
        source = BodyFile(handle, self._path, self.room, self._written)
        digest = b"" if self._hash is None else self._hash.digest()
        is_packed = self._packer is not None and self._packer.packs
        packed = self._written if is_packed else None
        return Whole(source, self._crc, digest, packed, self.room)

    def publish(self, path: str) -> None:
        """See :class:`Temp`; what was written by this process need not be checked by it."""
        identity = _identity_of(self._handle, self.room, self._crc) if self._counts_crc else None
        super().publish(path)
        if identity is not None:
            _remember(identity)

    def fill_in(self, head: bytes) -> None:
        """Write what belongs into the room before the body.

        Raises:
            OSError: it cannot be written.
        """
        os.lseek(self._handle, 0, os.SEEK_SET)
        self.write((head,))


class BodyFile:
    """An open file with a body in it, for any number of readers at once.

    The file may have lost its name meanwhile. A part of it that is read at the end is handed out
    only if all of it has the right checksum, as far as it was read in its order; once for each
    file.

    Args:
        handle: of the open file; closed with this object.
        path: for messages.
        starts: where the body starts.
        size: of the body in bytes.
        crc: CRC-32 of the body, if it is known.
    """

    __slots__ = (
        *("_checked", "_crc", "_expected", "_handle", "_identity", "_is_trusted", "_lock"),
        *("_path", "_starts", "size"),
    )

    def __init__(
        self, handle: int, path: str, starts: int, size: int, crc: int | None = None
    ) -> None:
        self._handle = handle
        self._path = path
        self._starts = starts
        self.size = size
        self._expected = crc
        self._identity: tuple[int, ...] = ()
        if crc is not None:
            self._identity = _identity_of(handle, starts, crc)
        self._is_trusted = self._identity in _checked_files
        self._crc = 0
        self._checked = 0
        self._lock = threading.Lock()

    def read_now(self, start: int, size: int) -> bytes | None:
        """Some of the body, if it need not be fetched from the disk.

        Raises:
            StoreError: it is damaged.
        """
        piece = _read_now(self._handle, self._starts + start, size)
        if piece is None or self._has_changed(start + len(piece)):
            return None
        self._check(start, piece)
        return piece

    def read(self, start: int, size: int) -> bytes:
        """Some of the body, a byte at least.

        Raises:
            StoreError: it cannot be read, or is damaged.
        """
        try:
            piece = _read_at(self._handle, self._starts + start, size)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error}") from error
        if not piece:
            raise StoreError(f"{self._path} is damaged: it is too short")
        if self._has_changed(start + len(piece)):
            self._check_all()
        self._check(start, piece)
        return piece

    def _has_changed(self, end: int) -> bool:
        """Whether a file that was trusted has been written to, by the end of reading it."""
        if not self._is_trusted or self._expected is None or end < self.size:
            return False
        return _identity_of(self._handle, self._starts, self._expected) != self._identity

    def _check_all(self) -> None:
        """Read it once more: it may only have been freshened, which changes its times."""
        place, crc = 0, 0
        while place < self.size:
            wanted = min(_AT_ONCE, self.size - place)
            piece = _read_at(self._handle, self._starts + place, wanted)
            if not piece:
                break
            crc = zlib.crc32(piece, crc)
            place += len(piece)
        if crc != self._expected:
            self._is_trusted = False
            self._checked, self._crc = self.size, crc

    def has_digest(self, digest: bytes) -> bool:
        """Whether the whole can be read and has this SHA-256."""
        known, place = hashlib.sha256(), 0
        while place < self.size:
            try:
                piece = self.read(place, min(_AT_ONCE, self.size - place))
            except StoreError:
                return False
            known.update(piece)
            place += len(piece)
        return known.digest() == digest

    def _check(self, start: int, piece: bytes) -> None:
        if self._expected is None or self._is_trusted:
            return
        with self._lock:
            if self._checked == self.size:
                is_good = self._crc == self._expected
            else:
                end = start + len(piece)
                # Several readers may be at it: each byte counts once.
                if start <= self._checked < end:
                    new = piece[self._checked - start :] if self._checked > start else piece
                    self._crc = zlib.crc32(new, self._crc)
                    self._checked = end
                is_good = self._checked < self.size or self._crc == self._expected
            if is_good and self._checked == self.size:
                self._is_trusted = True
                _remember(self._identity)
        if not is_good:
            raise StoreError(f"{self._path} is damaged: its checksum is another one")

    def __del__(self) -> None:
        os.close(self._handle)


if hasattr(os, "preadv") and hasattr(os, "RWF_NOWAIT"):

    def _read_now(handle: int, place: int, size: int) -> bytes | None:
        buffer = bytearray(size)
        try:
            count = os.preadv(handle, [buffer], place, os.RWF_NOWAIT)
        except OSError:
            # It would have to wait; or cannot tell.
            return None
        if count == size:
            return bytes(buffer)
        return bytes(memoryview(buffer)[:count]) if count else None

else:

    def _read_now(handle: int, place: int, size: int) -> bytes | None:
        del handle, place, size
        return None


if sys.platform != "win32":

    def _read_at(handle: int, place: int, size: int) -> bytes:
        return os.pread(handle, size, place)

else:
    _turn = threading.Lock()

    def _read_at(handle: int, place: int, size: int) -> bytes:
        with _turn:
            os.lseek(handle, place, os.SEEK_SET)
            return os.read(handle, size)


def open_body(path: str) -> BodyFile | None:
    """The body that is a whole file; ``None`` if there is none."""
    try:
        handle = os.open(path, _FLAGS)
    except OSError:
        return None
    return BodyFile(handle, path, 0, os.fstat(handle).st_size)
