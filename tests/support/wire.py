"""An origin that writes answers piece by piece, and knows how much of them has left.

For what happens in the middle of a body: where it breaks off, waits, or is not read. Answers are
bytes as on the wire, or functions that write them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Last:
    """Bytes after which the connection is closed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; requests with bodies are not understood."""

    method: str
    target: str
    headers: dict[str, str]


Said = bytes | Last | None
Answer = Said | Callable[["Wire", Asked], Said | Awaitable[Said]]


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """A head that allows both modes of the cache to store what follows."""
    fields = ["Cache-Control: max-age=600", f"Date: {formatdate(usegmt=True)}", *lines]
    if any(line.startswith("Cache-Control:") for line in lines):
        del fields[0]
    return "\r\n".join([f"HTTP/{version} {status}", *fields, "", ""]).encode()


def sized(body: bytes, *lines: str, **more: str) -> bytes:
    """An answer with ``Content-Length``."""
    return head(f"Content-Length: {len(body)}", *lines, **more) + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(body: bytes, *lines: str, size: int = 1000) -> bytes:
    """An answer in chunks of ``size`` bytes."""
    chunks = [chunk(body[start : start + size]) for start in range(0, len(body), size)]
    return head("Transfer-Encoding: chunked", *lines) + b"".join(chunks) + b"0\r\n\r\n"


@functools.cache
def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that are found nowhere else, and repeat nowhere."""
    return random.Random(seed).randbytes(size)


class Wire(asyncio.Protocol):
    """One connection, as an answer sees it.

    Attributes:
        sent: how many bytes the system took of what was sent here.
        gone: set when the client has closed the connection.
    """

    transport: asyncio.Transport

    def __init__(self, origin: WireOrigin) -> None:
        self.origin = origin
        self.sent = 0
        self.gone = asyncio.Event()
        self._buffer = b""
        self._writable = asyncio.Event()
        self._writable.set()

    async def send(self, data: bytes) -> None:
        """Return when the system has taken all of it.

        Raises:
            ConnectionError: the client has closed the connection.
        """
        for start in range(0, len(data), 2**16):
            piece = data[start : start + 2**16]
            self.transport.write(piece)
            await self._writable.wait()
            if self.gone.is_set():
                raise ConnectionResetError
            self.sent += len(piece)
            self.origin.sent += len(piece)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(0)
        self.origin.wires.add(self)
        self.origin.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._writable.set()
        self.origin.wires.discard(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        request, end, rest = self._buffer.partition(b"\r\n\r\n")
        if end:
            self._buffer = rest
            start, *lines = request.decode("latin-1").split("\r\n")
            fields = (line.partition(":") for line in lines)
            method, target, _ = start.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in fields}
            self._answer(Asked(method, target, headers))

    def _answer(self, asked: Asked) -> None:
        self.origin.received.append(asked)
        answer = self.origin.answers[asked.target.partition("?")[0]]
        said = answer(self, asked) if callable(answer) else answer
        if isinstance(said, Awaitable):
            self.origin.keep(asyncio.ensure_future(self._finish(said)))
        else:
            self._say(said)

    async def _finish(self, said: Awaitable[Said]) -> None:
        with contextlib.suppress(ConnectionError):
            self._say(await said)

    def _say(self, said: Said) -> None:
        if isinstance(said, Last):
            self.transport.write(said.data)
            self.transport.close()
        elif said:
            self.transport.write(said)
            self.origin.sent += len(said)


@dataclass(eq=False)
class WireOrigin:
    """The server.

    Attributes:
        answers: by path; a path that is not among them is an error.
        received: all requests in the order of their arrival.
        sent: how many bytes the system took in all.
        connections: how many have been opened.
        wires: those that are open.
    """

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    received: list[Asked] = field(default_factory=list)
    sent: int = 0
    connections: int = 0
    wires: set[Wire] = field(default_factory=set)
    _tasks: set[asyncio.Future[None]] = field(default_factory=set)

    def url(self, target: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{target}"

    def count(self, target: str | None = None) -> int:
        return sum(target in (None, asked.target) for asked in self.received)

    def keep(self, task: asyncio.Future[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[WireOrigin]:
        """Listen as long as the context lasts."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        # What the system takes without anybody reading it is inherited by each connection.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**17)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Wire(self), sock=listener)
        self.port = listener.getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
            for wire in tuple(self.wires):
                wire.transport.abort()
            await asyncio.sleep(0)
        for error in results:
            if isinstance(error, Exception):
                raise error
