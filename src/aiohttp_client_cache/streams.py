"""Stream readers whose bytes do not come straight from a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import ClientPayloadError, StreamReader

from http_client_cache.body import READ_BYTES, AnyBody
from http_client_cache.errors import StoreError

if TYPE_CHECKING:
    from http_client_cache.engine import AsyncCache

PIECE = 2**16
"""Bytes of a stored body that a reader is fed with at a time, as if they came from a socket."""

EAGER_PAUSE = 0.1
"""Seconds: a body that is read before its response is handed over does not pause for so long ..."""

EAGER_SECONDS = 10.0
"""... and does not take longer."""

BUFFERED_BYTES = 2**20
"""More than a stream has waiting, unless it was decompressed all at once, as by aiohttp 3.12: then
it is read a little at a time, as to put all of it together would take as much memory once more."""


class _NoConnection:
    """What a stream reader asks of a connection that it does not have."""

    connected = True
    _reading_paused = False

    def pause_reading(self, *_: object, **__: object) -> None:
        """There is nothing to slow down."""

    def resume_reading(self, *_: object, **__: object) -> None:
        """There is nothing to speed up."""


_NO_CONNECTION: Any = _NoConnection()
NO_CAUSE: Any = StreamReader.set_exception.__defaults__[0]  # type: ignore[index]


class _Demand:
    """What a stream takes for its connection: tells whether its buffer has room for more."""

    connected = True

    def __init__(self) -> None:
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def _reading_paused(self) -> bool:
        return not self._has_room.is_set()

    def pause_reading(self, *_: object, **__: object) -> None:
        """There is none."""
        self._has_room.clear()

    def resume_reading(self, *_: object, **__: object) -> None:
        """There is."""
        self._has_room.set()

    async def wait(self) -> None:
        """Wait until there is room."""
        await self._has_room.wait()


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


class PulledStream(StreamReader):
    """A stream whose bytes are fetched when somebody reads, and not before."""

    __slots__ = ("_demand", "_is_read", "_turn")

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        self._demand: Any = _Demand()
        super().__init__(self._demand, limit, loop=loop)  # type: ignore[arg-type]
        self._is_read = False
        self._turn = asyncio.Lock()

    async def _pull(self) -> None:
        """Feed what comes next, or the end."""
        raise AssertionError

    async def _wait(self, func_name: str) -> None:
        if self._is_read:
            raise RuntimeError(
                f"{func_name}() called while another coroutine is already waiting for incoming data"
            )
        self._is_read = True
        try:
            await self._pull_in_turn()
        finally:
            self._is_read = False

    async def wait_eof(self) -> None:
        """Wait until the whole body has come; others are to read it, if it is large."""
        while not self.is_eof():
            await self._demand.wait()
            await self._pull_in_turn()

    def set_exception(self, exc: BaseException, exc_cause: BaseException = NO_CAUSE) -> None:
        """Nothing more will come."""
        super().set_exception(exc, exc_cause)
        self._demand.resume_reading()

    async def _pull_in_turn(self) -> None:
        fed = self.total_bytes
        async with self._turn:
            if self._exception is not None:
                raise self._exception
            # Whoever was before may have fed what this one waits for.
            if fed == self.total_bytes and not self.is_eof():
                await self._pull()


class KeptStream(PulledStream):
    """Reads a large stored body, as much of it at a time as its reader asks for.

    Args:
        body: stored by ``engine``, or in memory.
        engine: the cache.
        chunked: whether the response was sent in chunks, whose ends ``readchunk`` tells.
        limit: as for ``aiohttp.StreamReader``.
        loop: the session's.

    Attributes:
        kept: the body, until it has been read.
    """

    __slots__ = ("_chunked", "_engine", "kept")

    def __init__(
        self,
        body: AnyBody,
        engine: AsyncCache | None,
        *,
        chunked: bool,
        limit: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(limit, loop)
        self.kept = body
        self._engine = engine
        self._chunked = chunked

    async def _pull(self) -> None:
        try:
            piece = await self._next()
        except StoreError as error:
            failure = ClientPayloadError(f"The stored body cannot be read: {error}")
            self.set_exception(failure)
            raise failure from error
        if self._exception is not None:
            # Released meanwhile.
            raise self._exception
        feed(self, piece, ends_chunk=self._chunked)
        if self.total_bytes == len(self.kept):
            self.kept = b""
            self.feed_eof()

    async def _next(self) -> bytes:
        body, place = self.kept, self.total_bytes
        # Others have their turn, as they have where a connection is waited for.
        await asyncio.sleep(0)
        if isinstance(body, bytes):
            return body[place : place + READ_BYTES]
        if self._engine is None:
            raise StoreError("its cache is not known")
        piece = self._engine.read_now(body, place)
        return await self._engine.read(body, place) if piece is None else piece

    def set_exception(self, exc: BaseException, exc_cause: BaseException = NO_CAUSE) -> None:
        """It is not to be read any more."""
        self.kept = b""
        super().set_exception(exc, exc_cause)


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


async def read_eagerly(
    stream: StreamReader, blocks: list[bytes], *, at_most: int | None, waits: bool
) -> bool:
    """Read into ``blocks`` as long as bytes keep coming; true at the end of the stream.

    Args:
        stream: read from where it stands.
        blocks: what was read, also where reading fails.
        at_most: bytes after which it stops; ``None`` for no limit.
        waits: whether it goes on however slowly they come.

    Raises:
        aiohttp.ClientError: the body broke off.
    """
    size = 0
    latest: float | None = None
    while not stream.at_eof():
        if at_most is not None and stream.total_bytes - size > at_most + BUFFERED_BYTES:
            return False
        block = stream.read_nowait()
        if not block and not stream.at_eof():
            if waits:
                block = await stream.readany()
            else:
                now = asyncio.get_running_loop().time()
                latest = now + EAGER_SECONDS if latest is None else latest
                pause = asyncio.timeout_at(min(now + EAGER_PAUSE, latest))
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
