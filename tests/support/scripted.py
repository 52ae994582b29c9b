"""An origin that answers byte for byte as a test tells it to, and remembers what it was asked.

For heads and bodies that no web framework would send: repeated and malformed fields, interim
responses, trailers, bodies that break off, connections that close without an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus

from multidict import CIMultiDict, CIMultiDictProxy

from tests.support.clock import StandingClock

Line = str | bytes
"""A field as on the wire, without its end: ``"Age: 5"``. Text is sent as Latin-1."""


class End(Enum):
    """How a body ends."""

    LENGTH = "after as many bytes as Content-Length says"
    CHUNKED = "with the last chunk, and trailers if there are any"
    CLOSED = "where the connection closes, which is its proper end"
    CUT_OFF = "before its end: Content-Length says more"
    CUT_CHUNK = "before its end: the last chunk never comes"


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """One answer.

    Attributes:
        status: of the final response.
        lines: its fields, in order. ``Date`` is added if there is none, as is the framing.
        body: by default a number, so that each answer of a path can be told from the others.
        end: how the body ends.
        missing: how many bytes a body that is cut off lacks.
        trailers: fields after a chunked body.
        interim: whole heads that are sent before, such as ``b"HTTP/1.1 103 Early Hints"``.
        date: whether ``Date`` is added.
        gate: awaited before the head is sent.
        body_gate: awaited between head and body.
        raw: sent instead of everything else, then the connection closes; ``b""`` for silence.
    """

    status: int = 200
    lines: tuple[Line, ...] = ()
    body: bytes | None = None
    end: End = End.LENGTH
    missing: int = 10
    trailers: tuple[Line, ...] = ()
    interim: tuple[tuple[Line, ...], ...] = ()
    date: bool = True
    gate: asyncio.Event | None = None
    body_gate: asyncio.Event | None = None
    raw: bytes | None = None


def reply(
    *lines: Line, status: int = 200, body: bytes | str | None = None, **more: object
) -> Reply:
    """Make an answer.

    Args:
        *lines: fields as on the wire, ``"Cache-Control: max-age=60"``.
        status: of the response.
        body: text is sent as UTF-8.
    """
    content = body.encode() if isinstance(body, str) else body
    return Reply(status, lines, content, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def all(self, name: str) -> list[str]:
        """The values of a field, line by line."""
        return self.headers.getall(name, [])


Answerer = Callable[[Received], Reply | Awaitable[Reply]]


class ScriptedOrigin:
    """The server: what it is to answer, and what it received.

    Attributes:
        port: of 127.0.0.1.
        received: the requests that were answered, in order.
        away: whether every connection is closed as soon as a request has arrived on it. Such
            requests are not among ``received``, as clients may try again on their own.
        refused: how many requests were met so.
    """

    def __init__(self, clock: StandingClock) -> None:
        self.port = 0
        self.received: list[Received] = []
        self.away = False
        self.refused = 0
        self._clock = clock
        self._scripts: dict[str, list[Reply | Answerer]] = {}
        self._served: dict[str, int] = {}
        self._surprises: list[str] = []
        self._changed = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()

    # What tests say

    def answers(self, path: str, *replies: Reply | Answerer) -> None:
        """Answer requests for a path, one reply after the other; the last one again and again.

        Args:
            path: without the query; what was said about it before is forgotten.
            *replies: or functions that make them of the request, plain or ``async``.
        """
        self._scripts[path] = list(replies)

    def url(self, target: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{target}"

    def date(self, seconds: float = 0) -> str:
        """The time that is ``seconds`` from now by the clock of the test, as an HTTP date."""
        return formatdate(self._clock.time() + seconds, usegmt=True)

    # What tests ask

    def count(self, path: str | None = None, *, method: str | None = None) -> int:
        return len(self.asked(path, method=method))

    def asked(self, path: str | None = None, *, method: str | None = None) -> list[Received]:
        """The requests, for a path or with a method, in the order of their arrival."""
        return [
            request
            for request in self.received
            if path in (None, request.path) and method in (None, request.method)
        ]

    @property
    def last(self) -> Received:
        return self.received[-1]

    async def has_received(self, requests: int) -> None:
        """Return when this many requests arrived."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= requests)

    # The server

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[ScriptedOrigin]:
        """Listen as long as the context lasts.

        Raises:
            AssertionError: something was asked that no script answers.
        """
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            # Connections that were accepted this very moment have their turn first.
            await asyncio.sleep(0.001)
            for task in tuple(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
        assert not self._surprises

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(task)
        # A task that is cancelled before its first step closes nothing itself.
        task.add_done_callback(lambda _: writer.close())
        task.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; false if the connection is to be closed."""
        request = await _read_request(reader)
        if self.away:
            self.refused += 1
            return False
        self.received.append(request)
        async with self._changed:
            self._changed.notify_all()
        script = self._scripts.get(request.path, [])
        if not script:
            self._surprises.append(f"{request.method} {request.target}")
            writer.write(b"HTTP/1.1 500 Not Scripted\r\nContent-Length: 0\r\n\r\n")
            return False
        serial = self._served[request.path] = self._served.get(request.path, 0) + 1
        said = script.pop(0) if len(script) > 1 else script[0]
        if not isinstance(said, Reply):
            made = said(request)
            said = made if isinstance(made, Reply) else await made
        if said.gate is not None:
            await said.gate.wait()
        return await self._send(said, request, serial, writer)

    async def _send(
        self, said: Reply, request: Received, serial: int, writer: asyncio.StreamWriter
    ) -> bool:
        if said.raw is not None:
            writer.write(said.raw)
            await writer.drain()
            return False
        for head in said.interim:
            writer.write(b"\r\n".join(map(_bytes, head)) + b"\r\n\r\n")
            await writer.drain()
        body = str(serial).encode() if said.body is None else said.body
        bodiless = request.method == "HEAD" or said.status in (204, 304)
        lines = [_bytes(line) for line in said.lines]
        names = {line.partition(b":")[0].lower() for line in lines}
        if said.date and b"date" not in names:
            lines.append(b"Date: " + self.date().encode())
        if said.end in (End.CHUNKED, End.CUT_CHUNK):
            lines.append(b"Transfer-Encoding: chunked")
        elif said.end is End.CUT_OFF:
            lines.append(b"Content-Length: %d" % (len(body) + said.missing))
        elif (
            said.end is End.LENGTH
            and b"content-length" not in names
            and said.status not in (204, 304)
        ):
            lines.append(b"Content-Length: %d" % len(body))
        reason = HTTPStatus(said.status).phrase if said.status in _KNOWN else "Unheard Of"
        status_line = f"HTTP/1.1 {said.status} {reason}".encode()
        writer.write(b"\r\n".join([status_line, *lines]) + b"\r\n\r\n")
        if bodiless:
            await writer.drain()
            return True
        if said.body_gate is not None:
            await writer.drain()
            await said.body_gate.wait()
        writer.write(_framed(body, said))
        await writer.drain()
        return said.end in (End.LENGTH, End.CHUNKED)


_KNOWN = {int(status) for status in HTTPStatus}


def _framed(body: bytes, said: Reply) -> bytes:
    if said.end not in (End.CHUNKED, End.CUT_CHUNK):
        return body
    middle = len(body) // 2
    chunks = [chunk for chunk in (body[:middle], body[middle:]) if chunk]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    if said.end is End.CUT_CHUNK:
        return framed
    return framed + b"0\r\n" + b"".join(_bytes(line) + b"\r\n" for line in said.trailers) + b"\r\n"


def _bytes(line: Line) -> bytes:
    return line.encode("latin-1") if isinstance(line, str) else line


async def _read_request(reader: asyncio.StreamReader) -> Received:
    """Read what a well-behaved client sends.

    Raises:
        asyncio.IncompleteReadError: the connection was closed.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head[:-4].split("\r\n")
    method, target, _ = start.split(" ")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, _, value = line.partition(":")
        headers.add(name, value.strip(" \t"))
    body = b""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
    elif "Content-Length" in headers:
        body = await reader.readexactly(int(headers["Content-Length"]))
    return Received(method, target, CIMultiDictProxy(headers), body)
