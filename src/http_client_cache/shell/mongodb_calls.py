"""What the shells of MongoDB ask of pymongo, written once for both colours of its clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Final, NamedTuple

import bson.errors
import pymongo
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError, WriteError

from http_client_cache.errors import StoreError
from http_client_cache.mongodb_statements import DUPLICATE, Document, Statement, Write
from http_client_cache.shell.remote import CONNECT_SECONDS

_OPTIONS: Final = CodecOptions[dict[str, Any]](
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_CLAMP
)
_DUPLICATE_KEY: Final = 11000
_BATCH: Final = 10_000

_HEAR_SECONDS: Final = 2.0
"""For so long a server is waited for before it is looked whether it refuses."""

Calls = Generator[tuple[Callable[[], Any], float | None], Any, Any]
"""Yields calls of the driver (each with the seconds that it has, if they are not those of all
together), is sent what they answer, and returns the answer to a statement."""


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


class Opened:
    """A database, of a client of either colour."""

    def __init__(self, client: Any, target: Target, *, own: bool) -> None:
        self.client = client
        self.own = own
        self.end: AsyncGenerator[None] | None = None
        self.hearing: asyncio.Task[Any] | None = None
        self._target = target
        self._database = client.get_database(target.database, codec_options=_OPTIONS)
        # `command` goes by neither of what the client may have been told.
        self._for_reads = _said("readConcern", self._database.read_concern)
        self._for_writes = _said("writeConcern", self._database.write_concern)

    @property
    def is_known(self) -> bool:
        """Whether there is a server that takes writes, as far as was heard last."""
        known: bool = self.client.topology_description.has_writable_server()
        return known

    @property
    def refusal(self) -> Exception | None:
        """Why none of the servers can be asked, if that is known."""
        servers = self.client.topology_description.server_descriptions().values()
        errors = [server.error for server in servers]
        if any(error is None or getattr(error, "timeout", False) for error in errors):
            return None
        return errors[0] if errors else None

    def open(self) -> Calls:
        """Wait for the server; make what it needs."""
        yield from self.hear()
        for command in self._target.schema:
            yield partial(self._database.command, {**command, **self._for_writes}), None

    def hear(self) -> Calls:
        """Wait for the server, longer than any call does."""
        until = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return (yield partial(self.client.admin.command, "ping"), _HEAR_SECONDS)
            except ServerSelectionTimeoutError as error:
                refusal = self.refusal
                if refusal is not None or time.monotonic() > until:
                    raise (refusal or error) from error

    def answer(self, statement: Statement) -> Calls:
        """Carry out a statement."""
        command = statement.command
        if isinstance(statement, Write):
            reply = yield partial(self._database.command, {**command, **self._for_writes}), None
            return _matched(reply)
        return (yield from self._read(command))

    def _read(self, command: Document) -> Calls:
        if "find" in command:
            command = {**command, "batchSize": _BATCH}
        if self._for_reads:
            command = {**command, **self._for_reads}
        reply = yield partial(self._database.command, command, codec_options=_OPTIONS), None
        cursor = reply["cursor"]
        if not cursor["id"] or "find" not in command:
            return cursor["firstBatch"]
        # More than fits into one answer. It may be another server that is asked next, so whoever
        # knows which one it was has to begin anew.
        collection = self._database[command["find"]]
        end = {"killCursors": command["find"], "cursors": [cursor["id"]]}
        yield partial(self._database.command, end), None
        chosen, fields = command["filter"], command.get("projection")
        order, limit = list(command.get("sort", {}).items()), command.get("limit", 0)
        found = collection.find(chosen, fields, sort=order or None, limit=limit)
        return (yield found.to_list, None)


def _said(name: str, concern: Any) -> Document:
    return {name: concern.document} if concern.document else {}


def run(calls: Calls) -> Any:
    """Make the calls of a blocking client."""
    call, seconds = next(calls)
    try:
        while True:
            try:
                with nullcontext() if seconds is None else pymongo.timeout(seconds):
                    answer = call()
            except PyMongoError as error:
                call, seconds = calls.throw(error)
            else:
                call, seconds = calls.send(answer)
    except StopIteration as stop:
        return stop.value


async def run_async(calls: Calls) -> Any:
    """Make the calls of a client of the running loop."""
    call, seconds = next(calls)
    try:
        while True:
            try:
                with nullcontext() if seconds is None else pymongo.timeout(seconds):
                    answer = await call()
            except PyMongoError as error:
                call, seconds = calls.throw(error)
            else:
                call, seconds = calls.send(answer)
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
def told() -> Generator[None]:
    """Let the driver's exceptions say what they mean."""
    try:
        yield
    except PyMongoError as error:
        if error.timeout and not isinstance(error, ServerSelectionTimeoutError):
            raise TimeoutError from error
        raise
    except (bson.errors.BSONError, UnicodeError, OverflowError) as error:
        raise StoreError(f"it cannot be stored: {type(error).__name__}") from error


def shortened(error: BaseException, secrets: Sequence[str]) -> str:
    """The first clause: what follows describes the whole deployment."""
    text = " ".join(str(error).split())
    for end in (", full error", ", Timeout", " (configured timeouts", ", Topology Description"):
        text = text.partition(end)[0]
    for secret in secrets:
        text = text.replace(secret, "***")
    return text[:300] or type(error).__name__
