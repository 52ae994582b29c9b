"""What the shells of all servers have in common: when clients are made, and how long they take.

A shell of a server says how a client is made and closed, and how a statement is carried out with
it. Here is that each event loop, and each process, has a client of its own; that what a call costs
is bounded; and that a driver's errors become short ones, without what they know of passwords.
"""

from __future__ import annotations

import asyncio
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from http_client_cache.body_statements import Pack, Unpack
from http_client_cache.compression import pack, unpack
from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell.guard import Guard
from http_client_cache.statements import NOT_NOW

C = TypeVar("C")

CONNECT_SECONDS: Final = 10.0
"""How long it may take to connect. Nobody waits for it longer than for any other call."""

AT_ONCE_BYTES: Final = 64 * 1024
"""Bodies up to this size are compressed and decompressed where that is asked for, in 0.1 ms."""

GRACE: Final = 0.01
"""Seconds in which an answer is looked for that came in time, while the loop was held up."""


class RemoteStatement(Protocol):
    """What every statement to a server says of itself."""

    @property
    def writes(self) -> bool:
        """Whether it changes something. A server may fail at that alone."""
        ...

    @property
    def patience(self) -> float:
        """How many times as long as others it may take: 1 where a request waits for it."""
        ...


class _Remote:
    """What both colours know of a server.

    Attributes:
        out_of_reach: the driver's exceptions that mean that the server was not reached.
    """

    out_of_reach: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def _explain(self, error: Exception) -> str:
        """A driver's exception in a line, without secrets."""
        return " ".join(str(error).split())[:300] or type(error).__name__

    def _failed(self, error: Exception, statement: RemoteStatement) -> StoreError:
        """Take note of a failure; answers what is to be raised."""
        if isinstance(error, TimeoutError):
            self.guard.lost()
            seconds = self.guard.seconds * statement.patience
            return StoreUnavailable(f"no answer within {seconds:g} s")
        if isinstance(error, self.out_of_reach):
            self.guard.lost()
            return StoreUnavailable(self._explain(error))
        if isinstance(error, StoreError):
            # What the server sent is damaged; that is not the server's failure.
            return error
        self.guard.refused(writes=statement.writes)
        return StoreError(f"{type(error).__name__}: {self._explain(error)}")


class AsyncRemote(_Remote, ABC, Generic[C]):
    """Carries out statements for any running event loop.

    Args:
        guard: shared by all shells of the same server.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[C]]
        self._clients = WeakKeyDictionary()

    @abstractmethod
    async def _connect(self) -> C:
        """A client of the running loop that has heard from the server."""

    @abstractmethod
    async def _carry_out(self, client: C, statement: Any) -> Any:
        """Answer a statement."""

    @abstractmethod
    async def _disconnect(self, client: C) -> None:
        """Close a client of the running loop, unless it is the user's own."""

    @abstractmethod
    def _abandon(self, client: C) -> None:
        """Let go of a client whose loop is closed."""

    def run_now(self, statement: Any) -> Any:
        """Compress and decompress what is small; everything else has to be waited for."""
        kind = cast("type[object]", type(statement))
        if kind is Pack and len(statement.body) <= AT_ONCE_BYTES:
            return pack(statement.body)
        if kind is Unpack and statement.size <= AT_ONCE_BYTES:
            return unpack(statement.body, statement.size)
        return NOT_NOW

    async def run(self, statement: Any) -> Any:
        """Answer a statement.

        Raises:
            StoreUnavailable: the server is not reached, or too slow.
            StoreError: the server will not do it.
        """
        if isinstance(statement, Pack | Unpack):
            return await asyncio.to_thread(_compressed, statement)
        guard = self.guard
        seconds = guard.seconds * statement.patience
        guard.enter(seconds, writes=statement.writes)
        try:
            async with _in_time(seconds):
                client = await self._client()
                answer = await self._carry_out(client, statement)
        except Exception as error:
            raise self._failed(error, statement) from error
        guard.worked(writes=statement.writes)
        return answer

    async def _client(self) -> C:
        loop = asyncio.get_running_loop()
        opening = self._clients.get(loop)
        if opening is None:
            self._forget_closed()
            opening = loop.create_task(self._open())
            self._clients[loop] = opening
            opening.add_done_callback(self._opened)
        # Who gives up does not begin anew with the next request: it may take longer to connect.
        return opening.result() if opening.done() else await asyncio.shield(opening)

    async def _open(self) -> C:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await self._connect()

    def _opened(self, opening: asyncio.Task[C]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            loop = opening.get_loop()
            if self._clients.get(loop) is opening:
                del self._clients[loop]

    def _forget_closed(self) -> None:
        for loop in [loop for loop in self._clients if loop.is_closed()]:
            opening = self._clients.pop(loop)
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                self._abandon(opening.result())

    async def close(self) -> None:
        """Close the client of the running loop; the next statement makes a new one."""
        self._forget_closed()
        opening = self._clients.pop(asyncio.get_running_loop(), None)
        if opening is None:
            return
        if not opening.done():
            opening.cancel()
        await asyncio.wait([opening])
        if opening.cancelled() or opening.exception() is not None:
            return
        try:
            async with asyncio.timeout(max(1.0, self.guard.seconds)):
                await self._disconnect(opening.result())
        except Exception:  # noqa: BLE001 - the server need not be told
            self._abandon(opening.result())


class SyncRemote(_Remote, ABC, Generic[C]):
    """Carries out statements, blocking; serves any number of threads.

    Its driver keeps to the time that a call may take: the guard's, to be set on its sockets.

    Args:
        guard: shared by all shells of the same server.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._lock = threading.Lock()
        self._opening: Future[C] | None = None
        self._process = os.getpid()

    @abstractmethod
    def _connect(self) -> C:
        """A client that has heard from the server."""

    @abstractmethod
    def _carry_out(self, client: C, statement: Any) -> Any:
        """Answer a statement."""

    @abstractmethod
    def _disconnect(self, client: C) -> None:
        """Close a client, unless it is the user's own."""

    def run(self, statement: Any) -> Any:
        """Answer a statement.

        Raises:
            StoreUnavailable: the server is not reached, or too slow.
            StoreError: the server will not do it.
        """
        if isinstance(statement, Pack | Unpack):
            return _compressed(statement)
        guard = self.guard
        seconds = guard.seconds * statement.patience
        guard.enter(seconds, writes=statement.writes)
        try:
            client = self._client().result(seconds)
            answer = self._carry_out(client, statement)
        except Exception as error:
            raise self._failed(error, statement) from error
        guard.worked(writes=statement.writes)
        return answer

    def _client(self) -> Future[C]:
        with self._lock:
            if self._process != os.getpid():
                # Its connections are the parent's.
                self._opening, self._process = None, os.getpid()
            if self._opening is None:
                self._opening = _in_a_thread(self._connect, self._opened)
            return self._opening

    def _opened(self, opening: Future[C]) -> None:
        if opening.exception() is not None:
            with self._lock:
                if self._opening is opening:
                    self._opening = None

    def close(self) -> None:
        """Close the client; the next statement makes a new one."""
        with self._lock:
            opening, self._opening = self._opening, None
            mine = self._process == os.getpid()
        if opening is not None and mine:
            opening.add_done_callback(self._close_opened)

    def _close_opened(self, opening: Future[C]) -> None:
        if opening.exception() is None:
            try:
                self._disconnect(opening.result())
            except Exception:  # noqa: BLE001 - the server need not be told
                return


def _in_a_thread(work: Callable[[], C], then: Callable[[Future[C]], None]) -> Future[C]:
    """Begin something that others wait for only as long as they please."""
    future: Future[C] = Future()
    future.add_done_callback(then)

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            future.set_exception(error)

    threading.Thread(target=run, name="http-cache-connecting", daemon=True).start()
    return future


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncGenerator[None]:
    """Raise ``TimeoutError`` in what takes longer, and was not answered in time."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as timeout:
        # The loop itself may have been held up: what has come meanwhile is still taken.
        handle = loop.call_later(seconds, lambda: timeout.reschedule(loop.time() + GRACE))
        try:
            yield
        finally:
            handle.cancel()


def _compressed(statement: Pack | Unpack) -> Any:
    if isinstance(statement, Pack):
        return pack(statement.body)
    if not isinstance(statement.body, bytes):
        raise TypeError("a body that is read in pieces is decompressed in pieces")
    return unpack(statement.body, statement.size)
