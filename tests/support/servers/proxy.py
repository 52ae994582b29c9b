"""A TCP proxy that spoils what passes through it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

from tests.support.servers.ports import Port

T = TypeVar("T")


@dataclass(frozen=True)
class Mode:
    """What happens to connections, to those that are open as well as to new ones."""


@dataclass(frozen=True)
class Pass(Mode):
    """All goes through."""


@dataclass(frozen=True)
class Refuse(Mode):
    """Nobody listens; open connections are reset."""


@dataclass(frozen=True)
class Reset(Mode):
    """A connection is reset as soon as it is accepted; open ones are reset."""


@dataclass(frozen=True)
class BlackHole(Mode):
    """Connections are accepted and stay open, and nothing passes.

    As in a network that is cut and comes back, what was sent in the meantime arrives when the mode
    is another one, even if the client has given up by then.

    Attributes:
        after: bytes of the answer that still pass, on each connection. With 0, requests do not
            reach the server either.
    """

    after: int = 0


@dataclass(frozen=True)
class Truncate(Mode):
    """On each connection, so many bytes of the next answer pass; then it is closed."""

    after: int = 0


@dataclass(frozen=True)
class Garbage(Mode):
    """Answers are replaced by other bytes, as many as there were."""

    text: bytes = b"\xff\x00 no protocol \r\n"


@dataclass(frozen=True)
class Delay(Mode):
    """Each piece of an answer comes so many seconds later."""

    seconds: float


@dataclass(frozen=True)
class Drip(Mode):
    """Answers come in pieces of `size` bytes, `seconds` apart."""

    size: int = 1
    seconds: float = 0.01


class Proxy:
    """Stands before a server, in a thread of its own; a context manager.

    Setting :attr:`mode` takes effect before the assignment returns, for open connections too.

    Args:
        target: host and port of the server.
        observe: called in the proxy's thread with each piece of what clients send, after the
            number of their connection, before it is forwarded.

    Attributes:
        host: "127.0.0.1".
        port: below 32768; the same in every mode.
        connections: how many it has accepted, those included that were reset at once.
        bytes_up: how many bytes it has forwarded to the server.
        bytes_down: how many bytes it has sent to clients.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        target: tuple[str, int],
        *,
        observe: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self.target = target
        self.port = 0
        self._reserved = Port()
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.observers = [observe] if observe else []
        self._mode: Mode = Pass()
        self._changed = asyncio.Event()
        self._open: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to."""
        return self.host, self.port

    def through(self, url: str) -> str:
        """The URL of the server, with host and port of the proxy."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}{at}{self.host}:{self.port}"))

    @property
    def mode(self) -> Mode:
        """What happens to connections; :class:`Pass` at first."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._do(self._switch(mode))

    def reset_connections(self) -> None:
        """Reset those that are open, whatever the mode is."""
        self._do(self._reset_all())

    @property
    def open_connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"proxy of {self.target[1]}", daemon=True
        )
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._reserved.release()
        self.port = 0

    # --- In the thread.

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None, "it has not been entered"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if not self.port:
            self.port = self._reserved.take()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self.address)
        self._server = await asyncio.start_server(self._accept, sock=listener)

    async def _close(self) -> None:
        self._unlisten()
        # Who has just been let in is known some rounds of the loop later.
        for _ in range(10):
            await asyncio.sleep(0)
        await self._reset_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _reset_all(self) -> None:
        for link in self._open:
            link.reset()
        # The event loop closes a socket in its next round.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _switch(self, mode: Mode) -> None:
        self._mode = mode
        for link in self._open:
            link.passed = 0
        # Whoever waits looks at the new mode.
        self._changed.set()
        self._changed = asyncio.Event()
        if isinstance(mode, Refuse):
            self._unlisten()
        elif self._server is None:
            await self._listen()
        if isinstance(mode, Refuse | Reset):
            await self._reset_all()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when the mode changes, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        link = _Link(self, self.connections, reader, writer)
        self._tasks.add(task)
        self._open.add(link)
        try:
            if not isinstance(self._mode, Refuse | Reset):
                await link.run()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            link.reset()
            self._open.discard(link)
            self._tasks.discard(task)


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(
        self,
        proxy: Proxy,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._number = number
        self._reader = reader
        self._client = writer
        self._server: asyncio.StreamWriter | None = None
        self.passed = 0

    def reset(self) -> None:
        """End both connections, with a reset unless they are being closed."""
        for writer in (self._client, self._server):
            if writer is None:
                continue
            if not writer.transport.is_closing():
                # To linger for no time means to reset.
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def run(self) -> None:
        """Forward until the server is done, or something breaks."""
        while self._proxy.mode == BlackHole():
            await self._proxy.wait()
        reader, self._server = await asyncio.open_connection(*self._proxy.target)
        up = asyncio.create_task(self._up(self._server))
        try:
            await self._down(reader)
            self._server.close()
            self._client.close()
            await self._client.wait_closed()
        finally:
            up.cancel()
            await asyncio.wait((up,))

    async def _up(self, server: asyncio.StreamWriter) -> None:
        try:
            while piece := await self._reader.read(65536):
                while self._proxy.mode == BlackHole():
                    await self._proxy.wait()
                for observe in self._proxy.observers:
                    observe(self._number, piece)
                self._proxy.bytes_up += len(piece)
                server.write(piece)
                await server.drain()
            server.write_eof()
        except OSError:
            self.reset()

    async def _down(self, reader: asyncio.StreamReader) -> None:
        """Forward answers, until they end or have been truncated."""
        while piece := await reader.read(65536):
            while piece:
                mode = self._proxy.mode
                if isinstance(mode, Truncate | BlackHole):
                    left = mode.after - self.passed
                    await self._send(piece[:left])
                    piece = piece[left:]
                    if isinstance(mode, Truncate) and self.passed == mode.after:
                        return
                    if piece:
                        await self._proxy.wait()
                    continue
                size = len(piece)
                if isinstance(mode, Drip):
                    size = mode.size
                    await self._proxy.wait(mode.seconds)
                elif isinstance(mode, Delay):
                    await self._proxy.wait(mode.seconds)
                elif isinstance(mode, Garbage):
                    piece = (mode.text * (size // len(mode.text) + 1))[:size]
                await self._send(piece[:size])
                piece = piece[size:]

    async def _send(self, piece: bytes) -> None:
        self.passed += len(piece)
        self._proxy.bytes_down += len(piece)
        self._client.write(piece)
        await self._client.drain()
