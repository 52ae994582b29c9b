"""The shells of the Redis store: the only place that knows redis-py."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, NamedTuple
from weakref import finalize

from redis.exceptions import (
    ClusterError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as TooSlow

from http_client_cache.errors import StoreError
from http_client_cache.redis_statements import LOOKS_THROUGH, Run, Scan
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.helpers import in_a_thread
from http_client_cache.shell.redis import clients, loops
from http_client_cache.shell.redis.address import Address
from http_client_cache.shell.remote import AsyncRemote, SyncRemote

SCANNED: Final = 1000
"""Keys of the server that it looks at for one ``Scan``, about."""

OUT_OF_REACH: Final = (
    *(NoConnection, TooSlow, OSError),
    # A cluster has lost a node, or is moving what is asked for to another.
    *(ClusterError, RedisClusterException, TryAgainError),
)

DAMAGED: Final = ("WRONGTYPE", "user_script", "Error running script")
"""How errors begin that what lies there has to do with, and not the server."""


EVERYWHERE: Final = {"target_nodes": "primaries"}
"""Where a cluster is asked whose nodes are all to be connected."""


class Source(NamedTuple):
    """Where the clients of both colours come from.

    Attributes:
        address: for clients of our own.
        connection: one of the user's, which is used as it is in its own colour.
    """

    address: Address
    connection: Any = None

    def own(self, *, for_loops: bool) -> Any:
        """The user's client, if it is one of this colour."""
        if self.connection is None or clients.is_async(self.connection) is not for_loops:
            return None
        return self.connection

    @property
    def room(self) -> int:
        """How many calls may be under way at once."""
        most = self.address.options.get("max_connections") or clients.MOST_CONNECTIONS
        return most if self.connection is None else clients.room_of(self.connection)


def source_of(connection: Any) -> Source:
    """The source that a client of the user's own is.

    Raises:
        ConfigurationError: it cannot be used.
    """
    clients.is_async(connection)
    return Source(clients.address_of(connection), connection)


class AsyncClient(NamedTuple):
    """A client of one loop, and how many calls of it may be under way."""

    redis: Any
    room: asyncio.Semaphore


class SyncClient:
    """A client of one process, and how many calls of it may be under way.

    Args:
        source: of clients.
        seconds: that a call may take for which a request waits.
    """

    def __init__(self, source: Source, seconds: float) -> None:
        self.room = threading.Semaphore(source.room)
        self._source = source
        self._seconds = seconds
        self._lock = threading.Lock()
        # A connection has one limit for all that it is asked.
        self._made: dict[bool, Any] = {}
        self._is_closed = False

    def waiting(self, *, long: bool) -> Any:
        """The client that waits so long for an answer."""
        client = self._source.own(for_loops=False)
        if client is not None:
            return client
        with self._lock:
            if long not in self._made:
                seconds = self._seconds * (LOOKS_THROUGH if long else 1)
                self._made[long] = clients.sync_client(self._source.address, seconds)
            return self._made[long]

    def hear_all(self, client: Any) -> None:
        """Connect all nodes of a cluster."""
        with suppress(Exception):
            client.execute_command("PING", **EVERYWHERE)
        if self._is_closed:
            # What has been connected since.
            self.close()

    def close(self) -> None:
        """Close what is not the user's own."""
        self._is_closed = True
        for client in self._made.values():
            for part in clients.parts_of(client):
                part.close()


class AsyncRedis(AsyncRemote[AsyncClient]):
    """Carries out the statements of the Redis store for any running event loop.

    Args:
        guard: shared by all shells of the same server.
        source: of clients.
    """

    out_of_reach = OUT_OF_REACH

    def __init__(self, guard: Guard, source: Source) -> None:
        super().__init__(guard)
        self._source = source
        finalize(self, _left_behind, self._clients, source.connection)

    async def _connect(self) -> AsyncClient:
        client = self._source.own(for_loops=True)
        if client is None:
            # Each call has a limit of its own, so this is that of the slowest.
            seconds = self.guard.seconds * LOOKS_THROUGH
            client = clients.async_client(self._source.address, seconds)
        try:
            if clients.is_cluster(client):
                # Concurrent first calls would find it half made.
                await client.initialize()
            else:
                await client.ping()
        except BaseException:
            await self._disconnect(AsyncClient(client, asyncio.Semaphore()))
            raise
        made = AsyncClient(client, asyncio.Semaphore(self._source.room))
        if clients.is_cluster(client):
            # Only one of its nodes has been heard.
            self._revive_soon(made)
        return made

    async def _carry_out(self, client: AsyncClient, statement: Run | Scan) -> Any:
        async with client.room:
            call = client.redis.execute_command
            if isinstance(statement, Scan):
                words, target, nodes = _scan(client.redis, statement)
                return _scanned(await call(*words, **target), statement, nodes)
            words = (len(statement.keys), *statement.keys, *statement.arguments)
            try:
                try:
                    return await call("EVALSHA", statement.script.sha, *words)
                except NoScriptError:
                    return await call("EVAL", statement.script.text, *words)
            except ResponseError as error:
                raise _meant(error) from None

    async def _revive(self, client: AsyncClient) -> None:
        target = EVERYWHERE if clients.is_cluster(client.redis) else {}
        await client.redis.execute_command("PING", **target)

    async def _disconnect(self, client: AsyncClient) -> None:
        if client.redis is not self._source.connection:
            await clients.close(client.redis)

    def _abandon(self, client: AsyncClient) -> None:
        if client.redis is not self._source.connection:
            loops.let_go(clients.parts_of(client.redis))


def _left_behind(opened: Any, connection: Any) -> None:
    """Close what is left of a shell that nobody has closed, where its loops are closed already."""
    for loop, opening in list(opened.items()):
        if loop.is_closed() and opening.done() and not opening.cancelled():
            client = None if opening.exception() is not None else opening.result().redis
            if client is not None and client is not connection:
                loops.let_go(clients.parts_of(client))


class SyncRedis(SyncRemote[SyncClient]):
    """Carries out the statements of the Redis store, blocking.

    Args:
        guard: shared by all shells of the same server.
        source: of clients.
    """

    out_of_reach = OUT_OF_REACH

    def __init__(self, guard: Guard, source: Source) -> None:
        super().__init__(guard)
        self._source = source

    def _connect(self) -> SyncClient:
        made = SyncClient(self._source, self.guard.seconds)
        try:
            # One of a cluster connects when it is made.
            client = made.waiting(long=False)
            if clients.is_cluster(client):
                # Only one of its nodes has been heard.
                in_a_thread(partial(made.hear_all, client))
            else:
                client.ping()
        except BaseException:
            made.close()
            raise
        return made

    def _carry_out(self, client: SyncClient, statement: Run | Scan) -> Any:
        with _entered(client.room, self.guard.seconds * statement.patience):
            redis = client.waiting(long=statement.patience > 1)
            call = redis.execute_command
            if isinstance(statement, Scan):
                words, target, nodes = _scan(redis, statement)
                return _scanned(call(*words, **target), statement, nodes)
            words = (len(statement.keys), *statement.keys, *statement.arguments)
            try:
                try:
                    return call("EVALSHA", statement.script.sha, *words)
                except NoScriptError:
                    return call("EVAL", statement.script.text, *words)
            except ResponseError as error:
                raise _meant(error) from None

    def _disconnect(self, client: SyncClient) -> None:
        client.close()


@contextmanager
def _entered(room: threading.Semaphore, seconds: float) -> Generator[None]:
    if not room.acquire(timeout=seconds):
        raise TimeoutError
    try:
        yield
    finally:
        room.release()


def _meant(error: ResponseError) -> Exception:
    """What a server's refusal says."""
    said = str(error)
    if said.startswith(DAMAGED):
        return StoreError(f"what is stored is damaged: {' '.join(said.split())[:200]}")
    return error


def _scan(client: Any, statement: Scan) -> tuple[tuple[Any, ...], dict[str, Any], int]:
    """The command, on which node of a cluster, and how many of these there are."""
    node, cursor = statement.cursor or (0, 0)
    words = ("SCAN", cursor, "MATCH", statement.pattern, "COUNT", SCANNED)
    if not clients.is_cluster(client):
        return words, {}, 1
    nodes = sorted(client.get_primaries(), key=lambda one: str(one.name))
    if node >= len(nodes):
        raise RedisError("the cluster lost a node meanwhile")
    return words, {"target_nodes": nodes[node]}, len(nodes)


def _scanned(answer: Any, statement: Scan, nodes: int) -> tuple[Any, list[bytes]]:
    cursor: Any
    cursor, names = answer
    if nodes > 1 or not isinstance(cursor, int):
        # A cluster answers for each node, be it one.
        (cursor,) = cursor.values()
    node = (statement.cursor or (0, 0))[0]
    if cursor:
        return (node, cursor), names
    return ((node + 1, 0) if node + 1 < nodes else None), names
