"""A body that goes to its reader as it comes, and into the cache on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

from aiohttp import StreamReader

from aiohttp_client_cache.streams import (
    BUFFERED_BYTES,
    NO_CAUSE,
    PulledStream,
    feed,
    keep_wire_size,
)
from http_client_cache.body import READ_BYTES

if TYPE_CHECKING:
    from http_client_cache.engine import AsyncCache
    from http_client_cache.plan import Later

KEEP_BYTES = 2**20
"""Bytes that have passed before they are kept: so many are written at a time."""

PIECE_COST = 64
"""Bytes that a piece takes beside its own, about: some origins send one byte at a time."""

IDLE_SECONDS = 0.25
"""How long others wait for a caller that does not go on reading ..."""

WAIT_SECONDS = 10.0
"""... and for one that does."""


class Copy:
    """Who is told of a body that passes.

    Others may wait for the copy, but not long for a caller that does not read: after
    ``IDLE_SECONDS`` without a read, or ``WAIT_SECONDS`` in all, they are let go; the copy goes on.

    Args:
        engine: the cache.
        later: keeps what passes.
        failure: asked at the end, tells why what has passed is not whole all the same.
    """

    __slots__ = (
        *("_engine", "_has_ended", "_later", "_loop", "_since", "_timer"),
        *("failure", "last_read"),
    )

    def __init__(
        self, engine: AsyncCache, later: Later, failure: Callable[[], BaseException | None]
    ) -> None:
        self.failure = failure
        self._engine = engine
        self._later = later
        self._has_ended = False
        self._loop = asyncio.get_running_loop()
        self._since = self.last_read = self._loop.time()
        self._timer = self._loop.call_later(IDLE_SECONDS, self._check)

    def read(self) -> None:
        """The caller has just read."""
        self.last_read = self._loop.time()

    async def keep(self, pieces: list[bytes]) -> bool:
        """Keep what has passed; answers whether the rest is wanted."""
        return await self._engine.run(self._later.keep(pieces))

    async def finish(self) -> None:
        """All of it has passed, and been kept."""
        await self._engine.run(self._later.finish(()))
        self._has_ended = True
        self._timer.cancel()

    def end(self) -> None:
        """It will not be whole."""
        self._timer.cancel()
        if not self._has_ended:
            self._has_ended = True
            self._later.give_up()
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                # A response may be closed where none runs; what was kept of it goes with this copy.
                return
            self._engine.soon(self._later.forget())

    def drop(self) -> None:
        """The stream is gone, wherever the garbage collector happened to find it."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.end)

    def _check(self) -> None:
        now = self._loop.time()
        if now - self.last_read >= IDLE_SECONDS or now - self._since >= WAIT_SECONDS:
            self._later.give_up()
        else:
            self._timer = self._loop.call_later(IDLE_SECONDS, self._check)


class TeeStream(PulledStream):
    """Hands on what comes from another stream, and lets it be kept on its way.

    Nothing is read ahead of the caller, so that the sender is slowed down as without a cache.

    Args:
        source: what the connection feeds.
        begun: what was read of it already.
        chunked: whether ``readchunk`` of the source tells the ends of chunks.
        copy: is given all of it, and told of its end; never if it broke off.
        loop: the session's.
    """

    __slots__ = ("_chunked", "_copy", "_pieces", "_pieces_bytes", "_source")

    def __init__(
        self,
        source: StreamReader,
        begun: list[bytes],
        *,
        chunked: bool,
        copy: Copy | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(source.get_read_buffer_limits()[0], loop)
        self._source = source
        self._chunked = chunked
        self._copy = copy
        self._pieces = begun if copy is not None else []
        self._pieces_bytes = sum(map(len, begun))
        for block in begun:
            feed(self, block, ends_chunk=chunked)

    async def _pull(self) -> None:
        try:
            if self._chunked:
                block, ends_chunk = await self._source.readchunk()
            elif self._source.total_bytes - self.total_bytes > BUFFERED_BYTES:
                block, ends_chunk = self._source.read_nowait(READ_BYTES), False
            else:
                block, ends_chunk = await self._source.readany(), False
        except Exception as error:
            self.set_exception(error)
            raise
        # The caller's first: whatever becomes of the copy, and of whoever waits for it.
        feed(self, block, ends_chunk=ends_chunk)
        has_ended = self._source.at_eof()
        if has_ended:
            keep_wire_size(self, getattr(self._source, "total_compressed_bytes", None))
            self.feed_eof()
        if self._copy is not None:
            await self._keep(self._copy, block, has_ended=has_ended)

    async def _keep(self, copy: Copy, block: bytes, *, has_ended: bool) -> None:
        copy.read()
        self._pieces.append(block)
        self._pieces_bytes += len(block) + PIECE_COST
        if not has_ended and self._pieces_bytes < KEEP_BYTES:
            return
        async with _turn(self._loop):
            # Others first, where many bodies come at once: each turn takes its time.
            await asyncio.sleep(0)
            if self._copy is None:
                return
            pieces, self._pieces, self._pieces_bytes = self._pieces, [], 0
            try:
                if not await copy.keep(pieces):
                    self._stop_copying()
            except BaseException:
                # Nobody knows how much of it was kept.
                self._stop_copying()
                raise
        if has_ended:
            await self._finish(copy)

    async def _finish(self, copy: Copy) -> None:
        """Publish it, in nobody's turn: where users wrote the storage, that may take long."""
        if self._copy is None:
            # Too large, or released meanwhile.
            return None
        if copy.failure() is not None:
            return self._stop_copying()
        try:
            await copy.finish()
            self._copy = None
        except BaseException:
            self._stop_copying()
            raise

    def _stop_copying(self) -> None:
        copy, self._copy, self._pieces = self._copy, None, []
        if copy is not None:
            copy.end()

    def set_exception(self, exc: BaseException, exc_cause: BaseException = NO_CAUSE) -> None:
        """The body broke off, or its response was released: nothing is kept."""
        self._stop_copying()
        super().set_exception(exc, exc_cause)
        if self._source.exception() is None and not self._source.is_eof():
            # Somebody may be waiting for what comes next.
            self._source.set_exception(exc, exc_cause)

    def __del__(self) -> None:
        if self._copy is not None:
            self._copy.drop()


# A lock that was waited for holds its loop, which would never go.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, ReferenceType[asyncio.Lock]] = (
    WeakKeyDictionary()
)


def _turn(loop: asyncio.AbstractEventLoop) -> asyncio.Lock:
    """Held by the one stream of a loop that keeps what has passed."""
    known = _turns.get(loop)
    turn = None if known is None else known()
    if turn is None:
        turn = asyncio.Lock()
        _turns[loop] = ref(turn)
    return turn
