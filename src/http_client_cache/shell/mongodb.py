"""The shells of the stores in MongoDB, in both colours, over pymongo."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple

import bson.errors
import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import (
    ConnectionFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from http_client_cache.errors import ConfigurationError, StoreError
from http_client_cache.mongodb_statements import DUPLICATE, Document, Statement, Write
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.remote import CONNECT_SECONDS, AsyncRemote, SyncRemote

_OPTIONS: Final = CodecOptions[dict[str, Any]](
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_CLAMP
)
_DUPLICATE_KEY: Final = 11000
_BATCH: Final = 10_000

Calls = Generator[Callable[[], Any], Any, Any]
"""Yields calls of the driver, is sent what they answer, and returns the answer to a statement."""


class Target(NamedTuple):
    """Which server, and what on it.

    Attributes:
        database: its name there.
        schema: the commands that make the indexes.
        options: arguments for a client.
        connection: a client of the user's own, instead.
        secrets: what no message may hold.
    """

    database: str
    schema: Sequence[Document]
    options: Mapping[str, Any]
    connection: Any = None
    secrets: tuple[str, ...] = ()


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
        reason = _shortened(error, secrets)
        if "@" in str(options.get("host")):
            # It may show a part of the password, where that is not escaped.
            reason = "name and password must be escaped, as by urllib.parse.quote_plus"
    else:
        return
    raise ConfigurationError(f"pymongo does not accept the address or an option: {reason}")


class _Opened:
    """A database, of a client of either colour."""

    def __init__(self, client: Any, target: Target, *, own: bool) -> None:
        self.client = client
        self.own = own
        self._target = target
        self._database = client.get_database(target.database, codec_options=_OPTIONS)
        # `command` goes by neither of what the client may have been told.
        self._for_reads = _said("readConcern", self._database.read_concern)
        self._for_writes = _said("writeConcern", self._database.write_concern)

    def hear(self, seconds: float) -> Calls:
        """Wait for the server; make what it needs."""
        until = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                with pymongo.timeout(seconds):
                    yield lambda: self.client.admin.command("ping")
                break
            except ServerSelectionTimeoutError as error:
                servers = self.client.topology_description.server_descriptions().values()
                reasons = [server.error for server in servers if server.error is not None]
                refused = [one for one in reasons if not getattr(one, "timeout", False)]
                if (servers and len(refused) == len(servers)) or time.monotonic() > until:
                    raise (refused[0] if refused else error) from error
        for command in self._target.schema:
            yield partial(self._database.command, {**command, **self._for_writes})

    def answer(self, statement: Statement) -> Calls:
        """Carry out a statement."""
        command = statement.command
        if isinstance(statement, Write):
            reply = yield lambda: self._database.command({**command, **self._for_writes})
            return _matched(reply)
        return (yield from self._read(command))

    def _read(self, command: Document) -> Calls:
        if "find" in command:
            command = {**command, "batchSize": _BATCH}
        if self._for_reads:
            command = {**command, **self._for_reads}
        reply = yield lambda: self._database.command(command, codec_options=_OPTIONS)
        cursor = reply["cursor"]
        if not cursor["id"] or "find" not in command:
            return cursor["firstBatch"]
        # More than fits into one answer. It may be another server that is asked next, so whoever
        # knows which one it was has to begin anew.
        collection = self._database[command["find"]]
        end = {"killCursors": command["find"], "cursors": [cursor["id"]]}
        yield lambda: self._database.command(end)
        chosen, fields = command["filter"], command.get("projection")
        order, limit = list(command.get("sort", {}).items()), command.get("limit", 0)
        found = collection.find(chosen, fields, sort=order or None, limit=limit)
        return (yield found.to_list)


class SyncMongo(SyncRemote[_Opened]):
    """Carries out statements, blocking.

    Args:
        guard: shared by all shells of the same server.
        target: the server.
    """

    out_of_reach = (ConnectionFailure,)

    def __init__(self, guard: Guard, target: Target) -> None:
        super().__init__(guard)
        self.target = target

    def run(self, statement: Any) -> Any:
        """Answer a statement.

        Raises:
            StoreUnavailable: the server is not reached, or too slow.
            StoreError: the server will not do it, or the connection is not for blocking.
        """
        if isinstance(self.target.connection, AsyncMongoClient):
            raise StoreError("the connection is an AsyncMongoClient, to be used with await only")
        return super().run(statement)

    def _connect(self) -> _Opened:
        given = self.target.connection
        client = _client(_Client, self.target.options) if given is None else given
        opened = _Opened(client, self.target, own=given is None)
        try:
            with _told():
                _run(opened.hear(0.8 * self.guard.seconds))
        except BaseException:
            self._disconnect(opened)
            raise
        return opened

    def _carry_out(self, client: _Opened, statement: Statement) -> Any:
        with _told(), pymongo.timeout(self.guard.seconds * statement.patience):
            return _run(client.answer(statement))

    def _disconnect(self, client: _Opened) -> None:
        if client.own:
            with pymongo.timeout(max(1.0, self.guard.seconds)):
                client.client.close()

    def _explain(self, error: Exception) -> str:
        return _shortened(error, self.target.secrets)


class AsyncMongo(AsyncRemote[_Opened]):
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

    async def _connect(self) -> _Opened:
        given = self.target.connection
        client = _client(_AsyncClient, self.target.options) if given is None else given
        opened = _Opened(client, self.target, own=given is None)
        calls = opened.hear(0.8 * self.guard.seconds)
        try:
            with _told():
                if self._threaded:
                    await asyncio.to_thread(_run, calls)
                else:
                    await _run_async(calls)
        except BaseException:
            await self._disconnect(opened)
            raise
        return opened

    async def _carry_out(self, client: _Opened, statement: Statement) -> Any:
        calls = client.answer(statement)
        with _told():
            if self._threaded:
                return await asyncio.to_thread(self._blocking, calls, statement.patience)
            if statement.patience <= 1.0:
                return await _run_async(calls)
            # Let the server know, too, when nobody waits for it any more.
            with pymongo.timeout(self.guard.seconds * statement.patience):
                return await _run_async(calls)

    def _blocking(self, calls: Calls, patience: float) -> Any:
        with pymongo.timeout(self.guard.seconds * patience):
            return _run(calls)

    async def _disconnect(self, client: _Opened) -> None:
        if client.own:
            await client.client.close()

    def _abandon(self, client: _Opened) -> None:
        """Nothing can be done without its loop."""

    def _explain(self, error: Exception) -> str:
        return _shortened(error, self.target.secrets)


class _Client(MongoClient[dict[str, Any]]):
    def __del__(self) -> None:
        """Say nothing: a child of a fork cannot close it, nor can an interpreter that ends."""


class _AsyncClient(AsyncMongoClient[dict[str, Any]]):
    def __del__(self) -> None:
        """Say nothing: it cannot be closed when its loop has been."""


def _client(kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    # The budget of a call is all the time that there is.
    return kind(**{"retryReads": False, "retryWrites": False, **options})


def _said(name: str, concern: Any) -> Document:
    return {name: concern.document} if concern.document else {}


def _run(calls: Calls) -> Any:
    call = next(calls)
    try:
        while True:
            try:
                answer = call()
            except PyMongoError as error:
                call = calls.throw(error)
            else:
                call = calls.send(answer)
    except StopIteration as stop:
        return stop.value


async def _run_async(calls: Calls) -> Any:
    call = next(calls)
    try:
        while True:
            try:
                answer = await call()
            except PyMongoError as error:
                call = calls.throw(error)
            else:
                call = calls.send(answer)
    except StopIteration as stop:
        return stop.value


def _matched(reply: Document) -> Any:
    errors = reply.get("writeErrors")
    if errors:
        if all(error["code"] == _DUPLICATE_KEY for error in errors):
            return DUPLICATE
        raise WriteError(str(errors[0].get("errmsg")), errors[0]["code"])
    concern = reply.get("writeConcernError")
    if concern:
        raise WriteError(str(concern.get("errmsg")), concern.get("code"))
    return reply["n"]


@contextmanager
def _told() -> Generator[None]:
    """Let the driver's exceptions say what they mean."""
    try:
        yield
    except PyMongoError as error:
        if error.timeout and not isinstance(error, ServerSelectionTimeoutError):
            raise TimeoutError from error
        raise
    except (bson.errors.BSONError, UnicodeError, OverflowError) as error:
        raise StoreError(f"it cannot be stored: {type(error).__name__}") from error


def _shortened(error: BaseException, secrets: Sequence[str]) -> str:
    """The first clause: what follows describes the whole deployment."""
    text = " ".join(str(error).split())
    for end in (", full error", ", Timeout", " (configured timeouts", ", Topology Description"):
        text = text.partition(end)[0]
    for secret in secrets:
        text = text.replace(secret, "***")
    return text[:300] or type(error).__name__
