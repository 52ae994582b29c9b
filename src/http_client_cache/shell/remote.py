"""What the shells of all servers have in common: when clients are made, and how long they take.

A shell of a server says how a client is made and closed, and how a statement is carried out with
it. Here is that each event loop, and each process, has a client of its own; that what a call costs
is bounded; and that a driver's errors become short ones, without what they know of passwords.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from http_client_cache.body_statements import Pack, Unpack
from http_client_cache.compression import pack, unpack
from http_client_cache.errors import MissingDependency, StoreError, StoreUnavailable
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.helpers import helpers, in_a_thread
from http_client_cache.shell.lifetime import watch_over
from http_client_cache.statements import NOT_NOW

logger = logging.getLogger("http_client_cache")

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
        out_of_reach: the driver's exceptions that mean that the server was not reached; may be set
            when the driver has been imported.
        connect_seconds: how long it may take to connect.
    """

    out_of_reach: tuple[type[Exception], ...] = ()
    connect_seconds: ClassVar[float] = CONNECT_SECONDS

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._has_told = False

    def _explain(self, error: Exception) -> str:
        """A driver's exception in a line, without secrets."""
        return " ".join(str(error).split())[:300] or type(error).__name__

    def _failed(
        self, error: Exception, statement: RemoteStatement, begun: float, *, connected: bool
    ) -> StoreError:
        """Take note of a failure; answers what is to be raised."""
        writes = statement.writes
        if isinstance(error, TimeoutError):
            why = f"no answer within {self.guard.seconds * statement.patience:g} s"
        elif isinstance(error, (StoreError, *self.out_of_reach)):
            why = self._explain(error)
        else:
            why = f"{type(error).__name__}: {self._explain(error)}"
        if (
            not connected  # Whatever else the request wants would meet the same.
            or isinstance(error, (TimeoutError, StoreUnavailable, *self.out_of_reach))
        ):
            if isinstance(error, BusyError):
                self.guard.refused(begun, writes=writes)
            elif not isinstance(error, _ClosedError):
                self.guard.lost(begun, writes=writes)
            return StoreUnavailable(why)
        if isinstance(error, StoreError):
            # What the server sent is damaged; that is not the server's failure.
            self.guard.worked(writes=writes)
        else:
            self.guard.refused(begun, writes=writes)
        return StoreError(why)

    def _wants_reviving(self, error: Exception) -> bool:
        """Whether the next calls would fail as this one did, unless something is done beside."""
        return isinstance(error, TimeoutError)

    def _compressed(self, statement: Pack | Unpack) -> Any:
        if isinstance(statement, Pack):
            return pack(statement.body)
        if not isinstance(statement.body, bytes):
            raise TypeError("a body that is read in pieces is decompressed in pieces")
        try:
            return unpack(statement.body, statement.size)
        except MissingDependency as error:
            if not self._has_told:
                self._has_told = True
                logger.warning("Compressed responses in the cache are not served: %s", error)
        except StoreError:
            pass
        return None


class AsyncRemote(_Remote, ABC, Generic[C]):
    """Carries out statements for any running event loop.

    Args:
        guard: shared by all shells of the same server.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[C]]
        self._clients = WeakKeyDictionary()
        self._reviving: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]]
        self._reviving = WeakKeyDictionary()

    @abstractmethod
    async def _connect(self) -> C:
        """A client of the running loop that has heard from the server."""

    @abstractmethod
    async def _carry_out(self, client: C, statement: Any) -> Any:
        """Answer a statement."""

    async def _revive(self, client: C) -> None:
        """Have a client connect where it is not connected, and stay so.

        A call that is given up takes its connection along, and who is far away does not connect
        again within the time of a call. So this is done beside calls, with the time of connecting.
        """

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
            return self._compressed(statement)
        if kind is Unpack and statement.size <= AT_ONCE_BYTES:
            return self._compressed(statement)
        return NOT_NOW

    async def run(self, statement: Any) -> Any:
        """Answer a statement.

        Raises:
            StoreUnavailable: the server is not reached, or too slow.
            StoreError: the server will not do it.
        """
        if isinstance(statement, Pack | Unpack):
            return await asyncio.to_thread(self._compressed, statement)
        guard = self.guard
        seconds = guard.seconds * statement.patience
        begun = guard.enter(seconds, writes=statement.writes)
        client: C | None = None
        try:
            async with _in_time(seconds):
                client = await self._client()
                answer = await self._carry_out(client, statement)
        except asyncio.CancelledError:
            self._revive_soon(client)
            guard.given_up(begun, seconds, writes=statement.writes)
            raise
        except Exception as error:
            if self._wants_reviving(error):
                self._revive_soon(client)
            raise self._failed(error, statement, begun, connected=client is not None) from error
        guard.worked(writes=statement.writes)
        return answer

    async def _client(self) -> C:
        loop = asyncio.get_running_loop()
        opening = self._clients.get(loop)
        if opening is None or _has_failed(opening):
            self._forget_closed()
            opening = loop.create_task(self._open())
            opening.add_done_callback(_has_failed)
            self._clients[loop] = opening
        if not opening.done():
            # It goes on when this one gives up: connecting may take longer than a call.
            await asyncio.wait([opening])
        if opening.cancelled():
            raise _ClosedError
        return opening.result()

    async def _open(self) -> C:
        async with asyncio.timeout(self.connect_seconds):
            return await self._connect()

    def _revive_soon(self, client: C | None) -> None:
        loop = asyncio.get_running_loop()
        reviving = self._reviving.get(loop)
        if client is not None and (reviving is None or reviving.done()):
            self._reviving[loop] = loop.create_task(self._revived(client))

    async def _revived(self, client: C) -> None:
        # If nothing comes of it, calls will tell.
        with suppress(Exception):
            async with asyncio.timeout(self.connect_seconds):
                await self._revive(client)

    def _forget_closed(self) -> None:
        # Other threads may be adding theirs.
        for reference in self._clients.keyrefs():
            loop = reference()
            if loop is not None and loop.is_closed():
                opening = self._clients.pop(loop, None)
                if opening is not None and opening.done() and not _has_failed(opening):
                    self._abandon(opening.result())

    async def close(self) -> None:
        """Close the client of the running loop; the next statement makes a new one."""
        self._forget_closed()
        opening = self._clients.pop(asyncio.get_running_loop(), None)
        if opening is None:
            return
        seconds = max(1.0, self.guard.seconds)
        reviving = self._reviving.pop(asyncio.get_running_loop(), None)
        under_way = [task for task in (opening, reviving) if task is not None and not task.done()]
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=seconds)
        if not opening.done() or _has_failed(opening):
            return
        try:
            async with asyncio.timeout(seconds):
                await self._disconnect(opening.result())
        except Exception:  # noqa: BLE001 - the server need not be told
            self._abandon(opening.result())


class SyncRemote(_Remote, ABC, Generic[C]):
    """Carries out statements, blocking; serves any number of threads.

    Its driver is to give up by itself what takes longer than the guard says; whoever asked has been
    told by then.

    Args:
        guard: shared by all shells of the same server.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard)
        self._lock = threading.Lock()
        self._opening: Future[C] | None = None
        self._since = 0.0
        # Those of the process that forked this one: not to be closed, be it by the collector.
        self._inherited: list[Future[C] | None] = []
        watch_over(self)

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
            return self._compressed(statement)
        guard = self.guard
        seconds = guard.seconds * statement.patience
        begun = guard.enter(seconds, writes=statement.writes)
        connected = False
        until = time.monotonic() + seconds
        try:
            client = self._client(seconds)
            connected = True
            left = max(0.0, until - time.monotonic())
            answer = helpers.run(partial(self._carry_out, client, statement), left)
        except Exception as error:
            raise self._failed(error, statement, begun, connected=connected) from error
        guard.worked(writes=statement.writes)
        return answer

    def _client(self, seconds: float) -> C:
        with self._lock:
            opening = self._opening
            if opening is None or (opening.done() and opening.exception() is not None):
                opening = self._open()
            elif not opening.done() and time.monotonic() - self._since > CONNECT_SECONDS:
                # Nothing may ever come of it, as where a process forked while it looked up a name.
                opening.add_done_callback(self._close_opened)
                opening = self._open()
        client = opening.result(seconds)
        if opening is not self._opening:
            raise _ClosedError
        return client

    def _open(self) -> Future[C]:
        self._since = time.monotonic()
        self._opening = opening = in_a_thread(self._connect)
        return opening

    def close(self) -> None:
        """Close the client; the next statement makes a new one."""
        with self._lock:
            opening, self._opening = self._opening, None
        if opening is not None:
            opening.add_done_callback(self._close_opened)
        helpers.close()

    def _close_opened(self, opening: Future[C]) -> None:
        if opening.exception() is None:
            try:
                self._disconnect(opening.result())
            except Exception:  # noqa: BLE001 - the server need not be told
                return

    # See shell/lifetime.py.

    def freeze(self) -> None:
        """Before a fork: no other thread may hold the lock."""
        self._lock.acquire()

    def thaw(self) -> None:
        """After a fork, in the parent."""
        self._lock.release()

    def start_over(self) -> None:
        """After a fork, in the child, which makes a client of its own."""
        self._inherited.append(self._opening)
        self._opening = None
        self._lock.release()


class BusyError(StoreUnavailable):
    """The server is there, but would not take a call as long as there was time to ask again."""


class _ClosedError(StoreUnavailable):
    """Somebody closed what this one waited for: no failure of the server's."""

    def __init__(self) -> None:
        super().__init__("it was closed while the cache connected to it")


def _has_failed(opening: asyncio.Task[Any]) -> bool:
    """Whether a client was not made; to ask is to have heard of it, as asyncio wants it."""
    return opening.done() and (opening.cancelled() or opening.exception() is not None)


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
