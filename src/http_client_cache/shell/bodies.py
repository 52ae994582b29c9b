"""The threads that write large bodies into files, and read them where that takes long."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final, cast

from http_client_cache.body import WHOLE_BYTES, AnyBody, KeptBody
from http_client_cache.body_statements import (
    Append,
    Begin,
    BodyStatement,
    Finish,
    Forget,
    Pack,
    Piece,
    Unpack,
    Verify,
)
from http_client_cache.compression import library, pack, unpack
from http_client_cache.errors import MissingDependency, StoreError
from http_client_cache.shell.body_files import BodyDraft, BodyFile
from http_client_cache.shell.jobs import Job, Tell, awaited, blocking, call, within
from http_client_cache.shell.packed_files import BytesSource, PackedFile
from http_client_cache.shell.worker import Worker
from http_client_cache.statements import NOT_NOW

WAITING_BYTES: Final = 2 * 2**20
"""What is on its way to the disk before whoever writes more has to wait."""

PATIENCE: Final = 1.0
"""Seconds for which they wait; then the body is not stored."""

STUCK_SECONDS: Final = 5.0
"""After that, for which nobody else waits."""

SLOT_BYTES: Final = 5 * 2**18
SLOTS: Final = 3
"""Buffers that are used again and again. Where the bytes of a connection are held until they are on
the disk, each of its reads takes new memory from the system, which costs as much as to copy them
three times."""

PACKED_AT_ONCE: Final = 64 * 1024
UNPACKED_AT_ONCE: Final = 128 * 1024
"""Bodies up to this size are compressed and decompressed where that is asked for, in 0.1 ms."""

logger = logging.getLogger("http_client_cache")

_Work = Callable[[], Any]


class Bodies:
    """Carries out what a store says of bodies in files, for any threads and event loops.

    Args:
        path_of: where a draft is written that has this name.
    """

    def __init__(self, path_of: Callable[[str], str]) -> None:
        self._path_of = path_of
        self._waiting = 0
        self._stuck_until = 0.0
        self._slots: list[bytearray] = []
        self._has_told = False
        self._lock = threading.Lock()
        self._writer: Worker[Job[_Work]] = Worker("http-cache-body-writer", call)
        self._reader: Worker[Job[_Work]] = Worker("http-cache-body-reader", call)

    def run_now(self, statement: BodyStatement) -> Any:
        """Answer at once if that takes microseconds, else ``NOT_NOW``.

        Raises:
            StoreError: a body cannot be read.
        """
        if isinstance(statement, Unpack):
            takes_long = UNPACKED_AT_ONCE < statement.size <= WHOLE_BYTES
            if takes_long and isinstance(statement.body, bytes):
                return NOT_NOW
            return self._unpack(statement)
        if isinstance(statement, Pack):
            return pack(statement.body) if len(statement.body) <= PACKED_AT_ONCE else NOT_NOW
        if isinstance(statement, Piece):
            source: BodyFile | PackedFile = statement.source
            piece = source.read_now(statement.start, statement.size)
            return NOT_NOW if piece is None else piece
        if isinstance(statement, Append):
            if self._waiting >= WAITING_BYTES:
                if time.monotonic() < self._stuck_until:
                    raise StoreError("bodies are not written: the disk does not keep up")
                return NOT_NOW
            return _wanted(self._append(statement))
        if isinstance(statement, Begin):
            return self._begin(statement)
        if isinstance(statement, Forget):
            return self._forget(cast("BodyDraft", statement.draft))
        return NOT_NOW

    async def run(self, statement: BodyStatement) -> Any:
        """Answer, by a thread.

        Raises:
            StoreError: a body cannot be read or written.
        """
        future, tell = awaited()
        work = self._put(statement, tell)
        if work is None:
            return await future
        try:
            return await within(PATIENCE, future)
        except TimeoutError:
            return self._too_slow(work)

    def run_blocking(self, statement: BodyStatement) -> Any:
        """Answer, blocking.

        Raises:
            StoreError: a body cannot be read or written.
        """
        answer = self.run_now(statement)
        if answer is not NOT_NOW:
            return answer
        future, tell = blocking()
        work = self._put(statement, tell)
        try:
            return future.result(None if work is None else PATIENCE)
        except FutureTimeoutError:
            if work is None:
                raise
            return self._too_slow(work)

    def _put(self, statement: BodyStatement, tell: Tell) -> BodyDraft | None:
        """Let a thread do it; answers the draft whose writer must not wait too long for it."""
        if isinstance(statement, Append):
            return self._append(statement, tell)
        if isinstance(statement, Finish):
            draft = cast("BodyDraft", statement.draft)
            self._writer.put(Job(draft.finish, tell))
            return draft
        if isinstance(statement, Pack):
            self._writer.put(Job(lambda: pack(statement.body), tell))
        elif isinstance(statement, Unpack):
            self._reader.put(Job(lambda: self._unpack(statement), tell))
        else:
            self._reader.put(Job(_reading(statement), tell))
        return None

    def _unpack(self, statement: Unpack) -> AnyBody | None:
        body, size = statement
        try:
            library()
            if isinstance(body, KeptBody):
                return KeptBody(PackedFile(body.source, size), 0, size, body.place)
            if size > WHOLE_BYTES:
                return KeptBody(PackedFile(BytesSource(body), size), 0, size)
            return unpack(body, size)
        except MissingDependency as error:
            if not self._has_told:
                self._has_told = True
                logger.warning("Compressed responses in the cache are not served: %s", error)
        except StoreError:
            pass
        return None

    def _begin(self, begin: Begin) -> BodyDraft | None:
        if sys.platform == "win32":
            # An open file can neither be renamed nor removed there.
            return None
        name, room, crc, digest, packs = begin
        return BodyDraft(name, self._path_of(name), room, crc=crc, digest=digest, packs=packs)

    def _append(self, statement: Append, tell: Tell | None = None) -> BodyDraft:
        draft, pieces = cast("BodyDraft", statement.draft), statement.pieces
        size = sum(map(len, pieces))
        draft.size += size
        slot = self._filled(pieces) if SLOT_BYTES // 4 <= size <= SLOT_BYTES else None
        parts = pieces if slot is None else (memoryview(slot)[:size],)
        with self._lock:
            self._waiting += size

        def take() -> bool:
            try:
                draft.take(parts)
            finally:
                with self._lock:
                    self._waiting -= size
                if slot is not None and len(self._slots) < SLOTS:
                    self._slots.append(slot)
            return _wanted(draft)

        self._writer.put(Job(take, tell))
        return draft

    def _filled(self, pieces: Sequence[bytes]) -> bytearray:
        try:
            slot = self._slots.pop()
        except IndexError:
            slot = bytearray(SLOT_BYTES)
        view, place = memoryview(slot), 0
        for piece in pieces:
            view[place : place + len(piece)] = piece
            place += len(piece)
        return slot

    def _forget(self, draft: BodyDraft) -> None:
        draft.given_up = True
        self._writer.put(Job(draft.discard))

    def _too_slow(self, draft: BodyDraft) -> Any:
        self._forget(draft)
        self._stuck_until = time.monotonic() + STUCK_SECONDS
        raise StoreError(f"a body could not be written within {PATIENCE:g} s")

    # Life.

    def close(self) -> None:
        """Write what is waiting, and end the threads."""
        self._writer.drain()
        self._reader.drain()
        self._slots.clear()

    def freeze(self) -> None:
        """Before a fork: no thread."""
        self._writer.pause()
        self._reader.pause()

    def thaw(self) -> None:
        """After a fork, in the parent."""
        self._writer.resume()
        self._reader.resume()

    def start_over(self) -> None:
        """After a fork, in the child: what was waiting is the parent's to write."""
        self._lock = threading.Lock()
        self._waiting = 0
        self._writer.reset()
        self._reader.reset()


def _wanted(draft: BodyDraft) -> bool:
    if draft.error is not None:
        raise StoreError(f"a body could not be written: {draft.error}") from draft.error
    return not draft.given_up


def _reading(statement: BodyStatement) -> _Work:
    if isinstance(statement, Verify):
        source: BodyFile = statement.source
        return lambda: source.has_digest(statement.digest)
    if isinstance(statement, Piece):
        packed: BodyFile | PackedFile = statement.source
        return lambda: packed.read(statement.start, statement.size)
    raise TypeError(f"{type(statement).__name__} is not for the thread that reads")
