"""Stream readers whose bytes do not come straight from a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader

PIECE = 2**16
"""Bytes of a stored body that a reader is fed with at a time, as if they came from a socket."""

EAGER_BYTES = 2**20
"""Bodies up to this size are read before the response is handed over ..."""

EAGER_PAUSE = 0.1
"""... unless nothing comes for this many seconds."""


IDLE_SECONDS = 0.25
"""How long others wait for a caller that does not go on reading ..."""

WAIT_SECONDS = 10.0
"""... and for one that does."""


class _NoConnection:
    """What a stream reader asks of a connection that it does not have."""

    connected = True
    _reading_paused = False

    def pause_reading(self, *_: object, **__: object) -> None:
        """There is nothing to slow down."""

    def resume_reading(self, *_: object, **__: object) -> None:
        """There is nothing to speed up."""


_NO_CONNECTION: Any = _NoConnection()
_NO_CAUSE: Any = StreamReader.set_exception.__defaults__[0]  # type: ignore[index]


class ReplayStream(StreamReader):
    """Reads a body from memory.

    Args:
        body: as the reader of the first response delivered it.
        chunked: whether the response was sent in chunks, whose ends ``readchunk`` tells.
        error: raised where the body ends, if it broke off there.
        limit: as for ``aiohttp.StreamReader``.
        loop: the session's.
    """

    __slots__ = ("_error",)

    def __init__(
        self,
        body: bytes,
        *,
        chunked: bool,
        error: BaseException | None,
        limit: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(_NO_CONNECTION, limit, loop=loop)
        self._error = error
        for start in range(0, len(body), PIECE):
            feed(self, body[start : start + PIECE], ends_chunk=chunked)
        if error is None:
            self.feed_eof()

    async def _wait(self, func_name: str) -> None:  # noqa: ARG002 - aiohttp's signature
        if self._error is not None:
            self.set_exception(self._error)
            raise self._error


class Copy:
    """Who is told of a body that passes.

    Others may wait for the copy, but not long for a caller that does not read: after
    ``IDLE_SECONDS`` without a read, or ``WAIT_SECONDS`` in all, ``give_up`` lets them go.

    Args:
        finish: awaited with the whole body.
        give_up: called where there will be none, or not soon; the copy goes on all the same.
    """

    __slots__ = ("_give_up", "_loop", "_since", "_timer", "finish", "last_read")

    def __init__(
        self, finish: Callable[[bytes], Awaitable[None]], give_up: Callable[[], None]
    ) -> None:
        self.finish = finish
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._since = self.last_read = self._loop.time()
        self._timer = self._loop.call_later(IDLE_SECONDS, self._check)

    def read(self) -> None:
        """The caller has just read."""
        self.last_read = self._loop.time()

    def end(self) -> None:
        """Nobody needs to wait any longer."""
        self._timer.cancel()
        self._give_up()

    def drop(self) -> None:
        """The stream is gone, wherever the garbage collector happened to find it."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.end)

    def _check(self) -> None:
        now = self._loop.time()
        if now - self.last_read >= IDLE_SECONDS or now - self._since >= WAIT_SECONDS:
            self._give_up()
        else:
            self._timer = self._loop.call_later(IDLE_SECONDS, self._check)


class TeeStream(StreamReader):
    """Hands on what comes from another stream, and keeps a copy until its end.

    Nothing is read ahead of the caller, so that the sender is slowed down as without a cache.

    Args:
        source: what the connection feeds.
        begun: what was read of it already.
        chunked: whether ``readchunk`` of the source tells the ends of chunks.
        copy: is given the whole body at its end; never if it broke off.
        copy_bytes: bodies larger than this are not copied; ``None`` for no limit.
        loop: the session's.
    """

    __slots__ = ("_blocks", "_chunked", "_copy", "_copy_bytes", "_source")

    def __init__(
        self,
        source: StreamReader,
        begun: list[bytes],
        *,
        chunked: bool,
        copy: Copy | None,
        copy_bytes: int | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(_NO_CONNECTION, source.get_read_buffer_limits()[0], loop=loop)
        self._source = source
        self._chunked = chunked
        self._copy = copy
        self._copy_bytes = copy_bytes
        self._blocks = begun
        for block in begun:
            feed(self, block, ends_chunk=chunked)

    async def _wait(self, func_name: str) -> None:  # noqa: ARG002 - aiohttp's signature
        try:
            if self._chunked:
                block, ends_chunk = await self._source.readchunk()
            else:
                block, ends_chunk = await self._source.readany(), False
        except Exception as error:
            self.set_exception(error)
            raise
        if self._copy is not None:
            self._remember(self._copy, block)
        feed(self, block, ends_chunk=ends_chunk)
        if self._source.at_eof():
            await self._end()

    def _remember(self, copy: Copy, block: bytes) -> None:
        copy.read()
        self._blocks.append(block)
        if self._copy_bytes is not None and self.total_bytes + len(block) > self._copy_bytes:
            self._stop_copying()

    def _stop_copying(self) -> None:
        copy, self._copy, self._blocks = self._copy, None, []
        if copy is not None:
            copy.end()

    async def _end(self) -> None:
        keep_wire_size(self, getattr(self._source, "total_compressed_bytes", None))
        if self._copy is not None:
            await self._copy.finish(b"".join(self._blocks))
            self._stop_copying()
        self.feed_eof()

    async def wait_eof(self) -> None:
        """Wait until the whole body has come."""
        while not self.is_eof():
            await self._wait("wait_eof")

    def set_exception(self, exc: BaseException, exc_cause: BaseException = _NO_CAUSE) -> None:
        """The body broke off, or its response was released: nothing is kept."""
        self._stop_copying()
        super().set_exception(exc, exc_cause)

    def __del__(self) -> None:
        if self._copy is not None:
            self._copy.drop()


def keep_wire_size(stream: StreamReader, size: int | None) -> None:
    """Note how many bytes a body had before it was decompressed (aiohttp 3.14 tells)."""
    if hasattr(StreamReader, "total_compressed_bytes"):
        stream.total_compressed_bytes = size


def feed(stream: StreamReader, block: bytes, *, ends_chunk: bool) -> None:
    """Feed a stream with a block that, maybe, ends a chunk (RFC 9112 section 7.1)."""
    if ends_chunk and stream.total_bytes == 0:
        stream.begin_http_chunk_receiving()
    stream.feed_data(block, len(block))
    if ends_chunk and block:
        stream.end_http_chunk_receiving()


async def read_eagerly(stream: StreamReader, blocks: list[bytes], *, at_most: int | None) -> bool:
    """Read into ``blocks`` as long as bytes keep coming; true at the end of the stream.

    Args:
        stream: read from where it stands.
        blocks: what was read, also where reading fails.
        at_most: bytes after which it stops; ``None`` reads to the end, whatever the pauses.

    Raises:
        aiohttp.ClientError: the body broke off.
    """
    size = 0
    while not stream.at_eof():
        block = stream.read_nowait()
        if not block and not stream.at_eof():
            if at_most is None:
                block = await stream.readany()
            else:
                pause = asyncio.timeout(EAGER_PAUSE)
                try:
                    async with pause:
                        block = await stream.readany()
                except TimeoutError:
                    if pause.expired():
                        return False
                    raise
        blocks.append(block)
        size += len(block)
        if at_most is not None and size > at_most:
            return stream.at_eof()
    return True
