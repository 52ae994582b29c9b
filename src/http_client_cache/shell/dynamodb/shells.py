"""The shells of the DynamoDB store, in both colours."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar
from weakref import finalize

from http_client_cache.dynamodb_statements import WHOLE_CACHE, Request
from http_client_cache.shell.dynamodb.account import Account
from http_client_cache.shell.dynamodb.table import MISSING, Table, again, ready
from http_client_cache.shell.dynamodb.talk import Call, Talk, code_of, talk
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.helpers import in_a_thread
from http_client_cache.shell.remote import AsyncRemote, BusyError, SyncRemote

T = TypeVar("T")

MAKING_SECONDS = 60.0
"""How long it may take to connect: Amazon needs ten seconds, about, for a new table."""


class _Errors:
    """What both colours know of the driver's exceptions."""

    out_of_reach: tuple[type[Exception], ...] = ()

    def _learn(self) -> None:
        """The driver has been imported, or is imported now."""
        from botocore.exceptions import ConnectionError as Unconnected
        from botocore.exceptions import HTTPClientError

        self.out_of_reach = (HTTPClientError, Unconnected)

    def _explain(self, error: Exception) -> str:
        """A driver's exception in a line, without secrets."""
        if isinstance(error, BusyError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        code = code_of(error)
        told = str(error)
        if code:
            response: Any = getattr(error, "response", {})
            # Of a wrong signature the whole request is told after the first lines.
            message = str(response["Error"].get("Message", "")).partition("\n")[0]
            told = message if type(error).__name__ == code else f"{code}: {message}"
        return " ".join(told.split())[:300] or type(error).__name__


class SyncClients:
    """The clients of a process.

    Args:
        account: makes them.
        seconds: that a call may take as long as a request waits for it.
    """

    def __init__(self, account: Account, seconds: float) -> None:
        self._account = account
        self._seconds = seconds
        self._lock = threading.Lock()
        self.quick: Any = account.sync_client(seconds)
        self._patient: Any = None
        self._making: Future[None] | None = None

    def patient(self) -> Any:
        """One whose calls may take as long as it takes to look through a table."""
        with self._lock:
            if self._patient is None:
                self._patient = self._account.sync_client(self._seconds * WHOLE_CACHE)
            return self._patient

    def make_again(self, table: Table) -> None:
        """Begin to, unless that is under way."""
        with self._lock:
            if self._making is None or self._making.done():
                self._making = in_a_thread(lambda: _drive(again(table), self))

    def close(self) -> None:
        """Close them, unless they are the user's own."""
        if self._account.kind != "boto3 client":
            for client in (self.quick, self._patient):
                if client is not None:
                    client.close()


class SyncDynamoDB(_Errors, SyncRemote[SyncClients]):
    """Carries out requests with boto3, blocking; serves any number of threads.

    Args:
        guard: shared by all shells of the same backend.
        account: where DynamoDB is, and who asks.
        table: is made ready with the first request.
    """

    def __init__(self, guard: Guard, account: Account, table: Table) -> None:
        super().__init__(guard)
        self._account = account
        self._table = table

    def _connect(self) -> SyncClients:
        clients = SyncClients(self._account, self.guard.seconds)
        self._learn()
        _drive(ready(self._table), clients)
        return clients

    def _carry_out(self, client: SyncClients, statement: Request) -> Any:
        try:
            return _drive(talk(statement, self.guard.seconds * statement.patience), client)
        except Exception as error:
            if code_of(error) == MISSING:
                client.make_again(self._table)
            raise

    def _disconnect(self, client: SyncClients) -> None:
        client.close()


class AsyncDynamoDB(_Errors, AsyncRemote[Any]):
    """Carries out requests with aiobotocore, for any running event loop.

    With a client or session of boto3 that the user gave, it leaves them to threads.

    Args:
        guard: shared by all shells of the same backend.
        account: where DynamoDB is, and who asks.
        table: is made ready with the first request.
    """

    connect_seconds = MAKING_SECONDS

    def __init__(self, guard: Guard, account: Account, table: Table) -> None:
        super().__init__(guard)
        self._account = account
        self._table = table
        # What is done when this one is gone, or the interpreter ends, and nobody has closed it.
        self._unclosed: dict[int, finalize[..., AsyncDynamoDB]] = {}

    async def _connect(self) -> Any:
        account = self._account
        await asyncio.to_thread(self._learn)
        seconds = self.guard.seconds * WHOLE_CACHE
        if account.kind == "aiobotocore client":
            client = account.connection
        elif account.in_threads:
            client = await asyncio.to_thread(account.sync_client, seconds)
        else:
            session = await asyncio.to_thread(account.aio_session)
            client = await account.aio_client(session, seconds).__aenter__()
        if not account.kind or account.kind == "aiobotocore session":
            self._unclosed[id(client)] = finalize(self, _let_go, client)
        try:
            await self._drive(ready(self._table), client)
        except BaseException:
            await self._disconnect(client)
            raise
        return client

    async def _carry_out(self, client: Any, statement: Request) -> Any:
        seconds = self.guard.seconds * statement.patience
        return await self._drive(talk(statement, seconds), client)

    async def _drive(self, steps: Talk[T], client: Any) -> T:
        answer: Any = None
        error: Exception | None = None
        try:
            while True:
                step = steps.send(answer) if error is None else steps.throw(error)
                answer = error = None
                if not isinstance(step, Call):
                    await asyncio.sleep(step.seconds)
                    continue
                method = getattr(client, step.operation)
                try:
                    if self._account.in_threads:
                        answer = await asyncio.to_thread(method, **step.arguments)
                    else:
                        answer = await method(**step.arguments)
                except Exception as raised:  # noqa: BLE001 - the talk decides
                    error = raised
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            steps.close()

    async def _revive(self, client: Any) -> None:
        await self._drive(again(self._table), client)

    def _wants_reviving(self, error: Exception) -> bool:
        return super()._wants_reviving(error) or code_of(error) == MISSING

    async def _disconnect(self, client: Any) -> None:
        kind = self._account.kind
        if kind in ("boto3 session", "boto3 resource"):
            client.close()
        elif not kind.endswith("client"):
            await client.__aexit__(None, None, None)
            self._unclosed.pop(id(client)).detach()

    def _abandon(self, client: Any) -> None:
        unclosed = self._unclosed.pop(id(client), None)
        if unclosed is not None:
            unclosed()


def _let_go(client: Any) -> None:
    """Close the connections of a client whose loop is closed, without waiting."""
    http = getattr(getattr(client, "_endpoint", None), "http_session", None)
    found: list[Any] = [getattr(http, "_session", None)]
    sessions: dict[Any, Any] = getattr(http, "_sessions", None) or {}
    found += list(sessions.values())
    for session in found:
        connector = getattr(session, "connector", None)
        if connector is not None:
            session.detach()
            pools: dict[Any, Any] = getattr(connector, "_conns", {})
            for connections in list(pools.values()):
                for protocol, *_ in connections:
                    _close(protocol.transport, connector._loop)  # noqa: SLF001
            connector._closed = True  # noqa: SLF001 - else it would complain


def _close(transport: Any, loop: asyncio.AbstractEventLoop) -> None:
    # A transport closes itself by means of its loop; if that is closed, there is no such way.
    with suppress(Exception):
        if not loop.is_closed():
            loop.call_soon_threadsafe(transport.abort)
            return
        inner = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
        inner._call_connection_lost(None)  # noqa: SLF001


def _drive(steps: Talk[T], clients: SyncClients) -> T:
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer = error = None
            if not isinstance(step, Call):
                time.sleep(step.seconds)
                continue
            try:
                client = clients.patient() if step.slow else clients.quick
                answer = getattr(client, step.operation)(**step.arguments)
            except Exception as raised:  # noqa: BLE001 - the talk decides
                error = raised
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
