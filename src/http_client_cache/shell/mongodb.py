"""The shells of the stores in MongoDB, in both colours, over pymongo."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final

import pymongo
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import ConnectionFailure, PyMongoError

from http_client_cache.errors import ConfigurationError, StoreError
from http_client_cache.mongodb_statements import Statement
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.helpers import in_a_thread
from http_client_cache.shell.mongodb_calls import (
    Calls,
    Opened,
    Target,
    run,
    run_async,
    shortened,
    told,
)
from http_client_cache.shell.remote import (
    AsyncRemote,
    RemoteStatement,
    SyncRemote,
    _Remote,
)

__all__ = ["AsyncMongo", "SyncMongo", "Target", "check"]

FAREWELL_SECONDS: Final = 0.5
"""How long a server may take that is told that a client goes."""


def check(options: Mapping[str, Any], connection: Any, secrets: Sequence[str]) -> None:
    """See whether pymongo takes these arguments; nothing is connected.

    Raises:
        ConfigurationError: it does not, or the connection is none of its clients.
    """
    if connection is not None:
        if not isinstance(connection, MongoClient | AsyncMongoClient):
            kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
            raise ConfigurationError(
                f"connection must be a pymongo.AsyncMongoClient or MongoClient, not a {kind}"
            )
        return
    try:
        _client(_Client, {**options, "connect": False})
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        reason = shortened(error, secrets)
        if "@" in str(options.get("host")):
            # It may show a part of the password, where that is not escaped.
            reason = "name and password must be escaped, as by urllib.parse.quote_plus"
    else:
        return
    raise ConfigurationError(f"pymongo does not accept the address or an option: {reason}")


class _Telling(_Remote):
    """What both colours say when something fails."""

    target: Target
    _latest: Opened | None = None

    def _explain(self, error: Exception) -> str:
        return shortened(error, self.target.secrets)

    def _failed(
        self, error: Exception, statement: RemoteStatement, begun: float, *, connected: bool
    ) -> StoreError:
        if isinstance(error, TimeoutError) and self._latest is not None:
            # pymongo waits on, as the server may come back.
            error = self._latest.refusal or error
        return super()._failed(error, statement, begun, connected=connected)


class SyncMongo(_Telling, SyncRemote[Opened]):
    """Carries out statements, blocking.

    Args:
        guard: shared by all shells of the same server.
        target: the server.
    """

    out_of_reach = (ConnectionFailure,)

    def __init__(self, guard: Guard, target: Target) -> None:
        super().__init__(guard)
        self.target = target
        self._hearing: Future[None] | None = None

    def run(self, statement: Any) -> Any:
        """Answer a statement.

        Raises:
            StoreUnavailable: the server is not reached, or too slow.
            StoreError: the server will not do it, or the connection is not for blocking.
        """
        if isinstance(self.target.connection, AsyncMongoClient):
            raise StoreError("the connection is an AsyncMongoClient, to be used with await only")
        return super().run(statement)

    def _connect(self) -> Opened:
        given = self.target.connection
        client = _client(_Client, self.target.options) if given is None else given
        self._latest = opened = Opened(client, self.target, own=given is None)
        try:
            with told():
                run(opened.open())
        except BaseException:
            self._disconnect(opened)
            raise
        return opened

    def _carry_out(self, client: Opened, statement: Statement) -> Any:
        seconds = self.guard.seconds * statement.patience
        with told():
            if not client.is_known:
                # pymongo looks for one half a second at a time.
                begun = time.monotonic()
                self._hear_again(client).result(seconds)
                seconds = max(0.001, seconds - (time.monotonic() - begun))
            with pymongo.timeout(seconds):
                return run(client.answer(statement))

    def _hear_again(self, client: Opened) -> Future[None]:
        with self._lock:
            hearing = self._hearing
            if hearing is None or hearing.done():
                self._hearing = hearing = in_a_thread(partial(run, client.hear()))
            return hearing

    def start_over(self) -> None:
        """See :class:`SyncRemote`."""
        self._hearing = None
        super().start_over()

    def _disconnect(self, client: Opened) -> None:
        if client.own:
            if client.is_known:
                with pymongo.timeout(FAREWELL_SECONDS):
                    client.client.close()
            else:
                # It would look for a server to be told, half a second at least.
                in_a_thread(client.client.close)


class AsyncMongo(_Telling, AsyncRemote[Opened]):
    """Carries out statements for any running event loop.

    A user's ``MongoClient`` it uses in threads.

    Args:
        guard: shared by all shells of the same server.
        target: the server.
    """

    out_of_reach = (ConnectionFailure,)

    def __init__(self, guard: Guard, target: Target) -> None:
        super().__init__(guard)
        self.target = target
        self._threaded = isinstance(target.connection, MongoClient)

    async def _connect(self) -> Opened:
        given = self.target.connection
        client = _client(_AsyncClient, self.target.options) if given is None else given
        self._latest = opened = Opened(client, self.target, own=given is None)
        calls = opened.open()
        try:
            with told():
                if self._threaded:
                    await asyncio.to_thread(run, calls)
                else:
                    await run_async(calls)
        except BaseException:
            await self._disconnect(opened)
            raise
        if opened.own:
            # A loop that is about to end closes what has been begun in it, and so the client.
            opened.end = _closing(client)
            await anext(opened.end)
        return opened

    async def _carry_out(self, client: Opened, statement: Statement) -> Any:
        calls = client.answer(statement)
        if not (self._threaded or client.is_known):
            await self._hear_again(client)
        with told():
            if self._threaded:
                return await asyncio.to_thread(self._blocking, calls, statement.patience)
            if statement.patience <= 1.0:
                return await run_async(calls)
            # Let the server know, too, when nobody waits for it any more.
            with pymongo.timeout(self.guard.seconds * statement.patience):
                return await run_async(calls)

    async def _hear_again(self, client: Opened) -> None:
        """Wait for a server; who gives up does not break off what connects."""
        hearing = client.hearing
        if hearing is None or hearing.done():
            hearing = asyncio.create_task(run_async(client.hear()))
            # To ask is to have heard of it, as asyncio wants it.
            hearing.add_done_callback(lambda task: task.cancelled() or task.exception())
            client.hearing = hearing
        await asyncio.wait([hearing])
        hearing.result()

    def _blocking(self, calls: Calls, patience: float) -> Any:
        with pymongo.timeout(self.guard.seconds * patience):
            return run(calls)

    async def _disconnect(self, client: Opened) -> None:
        if client.own and client.is_known:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await client.client.close()
        if client.end is not None:
            await client.end.aclose()
        elif client.own:
            await client.client.close()

    def _abandon(self, client: Opened) -> None:
        """Nothing can be done without its loop."""


async def _closing(client: _AsyncClient) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        # The loop may be too far towards its end to tell the server of its sessions.
        with suppress(AttributeError):
            client._topology.pop_all_sessions()  # noqa: SLF001
        await client.close()


class _Client(MongoClient[dict[str, Any]]):
    def __del__(self) -> None:
        """Say nothing: a child of a fork cannot close it, nor can an interpreter that ends."""


class _AsyncClient(AsyncMongoClient[dict[str, Any]]):
    def __del__(self) -> None:
        """Say nothing: it cannot be closed when its loop has been."""


def _client(kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    # The budget of a call is all the time that there is; and what is down may come back soon.
    own = {"retryReads": False, "retryWrites": False, "heartbeatFrequencyMS": 1000}
    return kind(**{**own, **options})
