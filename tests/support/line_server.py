"""A server that answers lines, in a thread, and the two shells of a store on it.

It is the smallest thing that can be connected to slowly, refuse, hang and go away; what is tested
with it holds for the shells of all servers.

A request is ``<number> <word> <text>``, its answer ``<number> <text>``, or ``<number> !<text>``
where it is refused. They may be answered in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from http_client_cache.shell.remote import AsyncRemote, SyncRemote


class Say(NamedTuple):
    """A statement: ``echo``, ``refuse``, ``sleep`` (seconds), ``hang`` or ``who``.

    The last is answered with the number of the connection.
    """

    word: str
    text: str = ""
    writes: bool = False
    patience: float = 1.0


class LineServer:
    """What tests ask it, and how it is told to behave.

    Attributes:
        port: on 127.0.0.1.
        connections: how many there have been.
        open: how many there are.
        answered: how many requests have been.
        refuses: whether connections are closed when they have begun.
        greets: cleared, nobody hears from it who has connected.
    """

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.open = 0
        self.answered = 0
        self.refuses = False
        self.greets = threading.Event()
        self.greets.set()

    @contextlib.contextmanager
    def serving(self) -> Iterator[LineServer]:
        """Serve from a thread as long as the context lasts."""
        ready = threading.Event()
        stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def serve() -> None:
            server = await asyncio.start_server(
                self._converse, "127.0.0.1", self.port, backlog=1024
            )
            self.port = server.sockets[0].getsockname()[1]
            stop = asyncio.Event()
            stops.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()
            server.close()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="line server")
        thread.start()
        try:
            assert ready.wait(10)
            yield self
        finally:
            loop, stop = stops[0]
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        answering: set[asyncio.Task[None]] = set()
        try:
            while not self.greets.is_set():  # noqa: ASYNC110 - set in another thread
                await asyncio.sleep(0.002)
            if self.refuses:
                return
            writer.write(b"hello\n")
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(line.decode(), number, writer))
                answering.add(task)
                task.add_done_callback(answering.discard)
        except (ConnectionError, asyncio.CancelledError):
            # To be cancelled is the end of the server.
            pass
        finally:
            self.open -= 1
            for task in answering:
                task.cancel()
            writer.close()

    async def _answer(self, line: str, connection: int, writer: asyncio.StreamWriter) -> None:
        number, word, text = line.rstrip("\n").split(" ", 2)
        if word == "sleep":
            await asyncio.sleep(float(text))
        elif word == "hang":
            await asyncio.Event().wait()
        elif word == "who":
            text = str(connection)
        answer = f"!{text}" if word == "refuse" else text
        writer.write(f"{number} {answer}\n".encode())
        self.answered += 1


class RefusedError(Exception):
    """The server's own no."""


class AsyncClient:
    """One connection of one loop, with any number of requests on it at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, port: int) -> AsyncClient:
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        try:
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", port))
            if await loop.sock_recv(connection, 6) != b"hello\n":
                message = f"port {port} closed\nthe connection"
                raise ConnectionResetError(message)
        except BaseException:
            connection.close()
            raise
        client = cls(connection)
        client._reading = asyncio.create_task(client._read())
        return client

    async def ask(self, say: Say) -> str:
        loop = asyncio.get_running_loop()
        number = str(next(self._numbers))
        future = self._waiting[number] = loop.create_future()
        try:
            line = f"{number} {say.word} {say.text}\n".encode()
            await loop.sock_sendall(self.connection, line)
            return _told(await future)
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        loop, rest = asyncio.get_running_loop(), b""
        while block := await loop.sock_recv(self.connection, 4096):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                number, _, text = line.decode().partition(" ")
                # Who was cancelled does not wait any more.
                if (future := self._waiting.get(number)) is not None:
                    future.set_result(text)
        for future in self._waiting.values():
            future.set_exception(ConnectionResetError("the connection ended"))

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        self.connection.close()


class AsyncLines(AsyncRemote[AsyncClient]):
    """For event loops.

    Attributes:
        ended: what became of clients: "closed" or "abandoned".
        fails: raised in the place of an answer.
        revived: how often a client was to be revived, and what became of it each time.
    """

    out_of_reach = (ConnectionError,)

    def __init__(self, guard: Any, port: int) -> None:
        super().__init__(guard)
        self.port = port
        self.ended: list[str] = []
        self.fails: Exception | None = None
        self.revived: list[str] = []

    async def _connect(self) -> AsyncClient:
        return await AsyncClient.connect(self.port)

    async def _revive(self, client: AsyncClient) -> None:
        self.revived.append("begun")
        try:
            self.revived[-1] = await client.ask(Say("sleep", "0.2"))
        except BaseException as error:
            self.revived[-1] = type(error).__name__
            raise

    async def _carry_out(self, client: AsyncClient, statement: Say) -> str:
        if self.fails is not None:
            raise self.fails
        return await client.ask(statement)

    async def _disconnect(self, client: AsyncClient) -> None:
        self.ended.append("closed")
        await client.close()

    def _abandon(self, client: AsyncClient) -> None:
        self.ended.append("abandoned")
        client.connection.close()


class SyncClient:
    """One connection, with one request on it at a time."""

    def __init__(self, port: int, seconds: float, connect_seconds: float) -> None:
        # Not `create_connection`, which looks up names, and that is locked where a process forks in
        # the middle of it.
        self.connection = socket.socket()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._rest = b""
        try:
            self.connection.settimeout(connect_seconds)
            self.connection.connect(("127.0.0.1", port))
            if self._line() != "hello":
                raise AssertionError
        except BaseException:
            self.connection.close()
            raise
        self.connection.settimeout(seconds)

    def ask(self, say: Say) -> str:
        with self._lock:
            number = str(next(self._numbers))
            self.connection.sendall(f"{number} {say.word} {say.text}\n".encode())
            while True:
                # Others were given up, and are answered all the same.
                told, _, text = self._line().partition(" ")
                if told == number:
                    return _told(text)

    def _line(self) -> str:
        while b"\n" not in self._rest:
            block = self.connection.recv(4096)
            if not block:
                raise ConnectionResetError("the connection\nended")
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


class SyncLines(SyncRemote[SyncClient]):
    """For threads."""

    out_of_reach = (ConnectionError,)

    def __init__(self, guard: Any, port: int) -> None:
        super().__init__(guard)
        self.port = port
        self.ended: list[str] = []
        self.fails: Exception | None = None

    def _connect(self) -> SyncClient:
        return SyncClient(self.port, self.guard.seconds, 10)

    def _carry_out(self, client: SyncClient, statement: Say) -> str:
        if self.fails is not None:
            raise self.fails
        return client.ask(statement)

    def _disconnect(self, client: SyncClient) -> None:
        self.ended.append("closed")
        with contextlib.suppress(OSError):
            # Who waits for an answer is told.
            client.connection.shutdown(socket.SHUT_RDWR)
        client.connection.close()


def _told(text: str) -> str:
    if text.startswith("!"):
        raise RefusedError(text[1:])
    return text
