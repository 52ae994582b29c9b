"""MongoDB, and GridFS on it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

from pymongo import MongoClient

from aiohttp_client_cache import GridFSBackend, MongoDBBackend
from http_client_cache.backends.remote import Remote
from tests.faults.deployments import Deployment
from tests.faults.faults import (
    COMMANDS_CLOSE,
    COMMANDS_FAIL,
    CREDENTIALS,
    FULL,
    KILLED,
    MEMORY,
    ON_THE_WAY,
    READ_ONLY,
    REFUSED,
    SILENT_MIDWAY,
    STEPPED_DOWN,
    SUSPENDED,
    Fault,
)
from tests.support.servers import MongoServer, Proxy, wait_until
from tests.support.servers.mongo import hello

USER = "somebody", "open-sesame"
READS = ["find", "aggregate", "getMore", "count"]
WRITES = ["insert", "update", "delete", "findAndModify", "createIndexes"]
OPERATION_FAILED = 96
MOST_CONNECTIONS = 100


class MongoDB(Deployment):
    name = "mongodb"
    title = "MongoDB"
    weight = 3
    faults: ClassVar[tuple[Fault, ...]] = (
        *(*ON_THE_WAY, SUSPENDED, KILLED, CREDENTIALS, FULL, READ_ONLY),
        *(COMMANDS_FAIL, COMMANDS_CLOSE, STEPPED_DOWN),
    )
    without: ClassVar[dict[str, str]] = {
        MEMORY.name: "it has no limit of its own: it reads from its disk what is not in memory",
    }
    kind: ClassVar[type[MongoDBBackend]] = MongoDBBackend

    def start(self, stack: ExitStack) -> None:
        options = "--setParameter", "enableTestCommands=1", "--maxConns", str(MOST_CONNECTIONS)
        self.server = stack.enter_context(MongoServer(*options, user=USER))
        self.proxies = [stack.enter_context(Proxy(self.server.address))]

    def servers(self) -> list[Any]:
        return [self.server]

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        host = self.proxies[0].through(self.server.url)
        return self.kind(cache_name, host=host, database="faults", **options)

    @contextlib.contextmanager
    def _admin(self) -> Iterator[Any]:
        with MongoClient[dict[str, Any]](self.server.url, maxPoolSize=1) as client:
            yield client.admin

    @contextlib.contextmanager
    def _commands(self, names: list[str], **data: Any) -> Iterator[None]:
        with self._admin() as admin:
            data["failCommands"] = names
            admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
            try:
                yield
            finally:
                admin.command("configureFailPoint", "failCommand", mode="off")

    def _commands_fail(self) -> Any:
        return self._commands([*READS, *WRITES], errorCode=OPERATION_FAILED)

    def _commands_close(self) -> Any:
        return self._commands([*READS, *WRITES], closeConnection=True)

    def _read_only(self) -> Any:
        return self._changed_user(roles=["readAnyDatabase"])

    def _credentials(self) -> Any:
        return self._changed_user(pwd="changed")

    @contextlib.contextmanager
    def _changed_user(self, **what: Any) -> Iterator[None]:
        name, password = USER
        other = "administrator", "another"
        with self._admin() as admin:
            admin.command("createUser", other[0], pwd=other[1], roles=["root"])
        with MongoClient[dict[str, Any]](
            self.server.host, self.server.port, username=other[0], password=other[1]
        ) as client:
            try:
                client.admin.command("updateUser", name, **what)
                yield
            finally:
                client.admin.command("updateUser", name, pwd=password, roles=["root"])
                client.admin.command("dropUser", other[0])

    @contextlib.contextmanager
    def _full(self) -> Iterator[None]:
        with ExitStack() as stack:
            refused = 0
            while refused < 10:
                taken = stack.enter_context(socket.create_connection(self.server.address, 2))
                # Who gets in is not told anything.
                taken.settimeout(0.005)
                with contextlib.suppress(TimeoutError):
                    refused += taken.recv(1) == b""
            yield


class GridFS(MongoDB):
    name = "gridfs"
    title = "GridFS"
    weight = 1
    faults: ClassVar[tuple[Fault, ...]] = (
        REFUSED,
        SILENT_MIDWAY,
        SUSPENDED,
        KILLED,
        READ_ONLY,
        COMMANDS_FAIL,
    )
    without: ClassVar[dict[str, str]] = {
        **MongoDB.without,
        **{fault.name: "as with MongoDB, by the same shell" for fault in MongoDB.faults},
    }
    kind = GridFSBackend


class _ReplicaSet(MongoServer):
    """Of one."""

    def __init__(self) -> None:
        super().__init__("--replSet", "of-one")
        self._is_made = False

    def is_ready(self) -> bool:
        if self._is_made:
            return super().is_ready()
        return bool(hello(self.address))

    def after_first_start(self) -> None:
        with MongoClient[dict[str, Any]](*self.address, directConnection=True) as client:
            member = {"_id": 0, "host": f"{self.host}:{self.port}"}
            client.admin.command("replSetInitiate", {"_id": "of-one", "members": [member]})
        self._is_made = True
        wait_until(self.is_ready, "it has elected itself")


class SteppedDown(MongoDB):
    """A deployment of its own, as a server that is alone cannot step down."""

    def start(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(_ReplicaSet())

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        host = f"{self.server.url}?replicaSet=of-one"
        return self.kind(cache_name, host=host, database="faults", **options)

    @contextlib.contextmanager
    def _stepped_down(self) -> Iterator[None]:
        with MongoClient[dict[str, Any]](self.server.url, directConnection=True) as client:
            client.admin.command("replSetStepDown", 60, force=True)
            try:
                yield
            finally:
                client.admin.command("replSetFreeze", 0)
                wait_until(self.server.is_ready, "it has elected itself again")


MongoDB.stand_ins = {STEPPED_DOWN.name: SteppedDown}
