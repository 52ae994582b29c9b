"""One mongod."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import Any

from tests.support.servers import programs
from tests.support.servers.process import Server


class MongoServer(Server):
    """A MongoDB of one's own. Its TTL monitor looks every second.

    Args:
        arguments: more of the command line, as ``"--setParameter", "enableTestCommands=1"``.
        user: name and password of a user who may do everything. With it, ``--auth`` is set, and
            both are part of :attr:`url`.
    """

    name = "mongod"

    def __init__(self, *arguments: str, user: tuple[str, str] | None = None) -> None:
        super().__init__()
        self._arguments = arguments
        self._user = user

    @property
    def url(self) -> str:
        """As pymongo takes it, with name and password."""
        user = f"{':'.join(self._user)}@" if self._user else ""
        return f"mongodb://{user}{self.host}:{self.port}/"

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        return [
            programs.mongod(),
            *("--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", self.host),
            *("--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "ttlMonitorSleepSecs=1"),
            # What the server says to itself would be counted with what it is told.
            *("--setParameter", "disableLogicalSessionCacheRefresh=true"),
            *(("--auth",) if self._user else ()),
            *self._arguments,
        ]

    def complaint(self) -> str:
        """Errors alone; the log ends with the names of the functions that it was in."""
        lines = [line for line in self.log.splitlines() if '"s":"F"' in line or '"s":"E"' in line]
        return "\n".join(lines) or super().complaint()

    def is_ready(self) -> bool:
        """Whether it says hello as one that takes writes."""
        return bool(hello(self.address).get("isWritablePrimary"))

    def after_first_start(self) -> None:
        """Make the user, which anyone on this machine may do while there is none."""
        if self._user:
            from pymongo import MongoClient

            name, password = self._user
            with MongoClient[dict[str, Any]](*self.address, directConnection=True) as client:
                client.admin.command("createUser", name, pwd=password, roles=["root"])


def hello(address: tuple[str, int]) -> dict[str, Any]:
    """What a server says of itself; no client's threads are needed for that.

    Raises:
        OSError: there is no answer within two seconds.
    """
    import bson

    body = struct.pack("<IB", 0, 0) + bson.encode({"hello": 1, "$db": "admin"})
    with (
        socket.create_connection(address, timeout=2) as connection,
        connection.makefile("rwb") as stream,
    ):
        # The header of an OP_MSG: length, request, response to, operation.
        stream.write(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
        stream.flush()
        head = stream.read(16)
        if len(head) < 16:
            message = "the connection ended"
            raise ConnectionResetError(message)
        return bson.decode(stream.read(struct.unpack("<i", head[:4])[0] - 16)[5:])
