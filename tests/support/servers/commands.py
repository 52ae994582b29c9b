"""How many commands a server has received."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers.proxy import Proxy

# What clients say on a new connection, once.
_GREETINGS = {
    *("HELLO", "AUTH", "CLIENT", "SELECT"),
    *("hello", "isMaster", "ismaster", "saslStart", "saslContinue", "endSessions"),
}


@dataclass
class Trips:
    """What a server has received.

    Attributes:
        names: of the commands in the order of their arrival, as far as the server tells it. Not
            what a client says once on each new connection, nor what a script calls.
    """

    names: list[str] = field(default_factory=list[str])

    @property
    def count(self) -> int:
        """How many they were. Those in a pipeline count one by one."""
        return len(self.names)

    def __str__(self) -> str:
        return ", ".join(f"{n} {name}" for name, n in Counter(self.names).items()) or "none"


@contextmanager
def counting(*servers: str | Proxy) -> Iterator[Trips]:
    """Note what arrives while the context is open; at its end, all that was sent is in the result.

    Args:
        servers: the URL of a Redis (of each master, for a cluster) or of a MongoDB, which are asked
            themselves, so that whatever else uses them is counted too; or a proxy before a
            DynamoDB, which counts what passes through it.
    """
    trips = Trips()
    with ExitStack() as stack:
        for server in servers:
            if isinstance(server, Proxy):
                stack.enter_context(_http(server, trips))
            elif server.startswith("mongodb"):
                stack.enter_context(_mongodb(server, trips))
            else:
                stack.enter_context(_redis(server, trips))
        yield trips


@contextmanager
def _redis(url: str, trips: Trips) -> Iterator[None]:
    from redis import Redis

    with Redis.from_url(url) as client, client.client() as asking, client.monitor() as monitor:
        # What servers and sentinels say to each other.
        inner = {
            link["addr"]
            for link in asking.client_list()
            if link["name"].startswith("sentinel-") or set(link["flags"]) & {"S", "M"}
        }
        yield
        # The server tells things in their order, so nothing is missing before this word.
        end = secrets.token_hex()
        asking.echo(end)
        while end not in (told := monitor.next_command())["command"]:
            name = told["command"].split(" ", 1)[0].upper()
            address = f"{told['client_address']}:{told['client_port']}"
            if told["client_type"] != "lua" and name not in _GREETINGS and address not in inner:
                trips.names.append(name)


@contextmanager
def _mongodb(url: str, trips: Trips) -> Iterator[None]:
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](url) as client:

        def totals() -> Counter[str]:
            metrics = client.admin.command("serverStatus")["metrics"]["commands"]
            return Counter(
                {name: told["total"] for name, told in metrics.items() if isinstance(told, dict)}
            )

        before = totals()
        yield
        after = totals()
    own = {*_GREETINGS, "serverStatus"}
    trips.names += [name for name in (after - before).elements() if name not in own]


@contextmanager
def _http(proxy: Proxy, trips: Trips) -> Iterator[None]:
    readers: dict[int, _Requests] = {}

    def observe(connection: int, piece: bytes) -> None:
        trips.names += readers.setdefault(connection, _Requests()).feed(piece)

    proxy.observers.append(observe)
    try:
        yield
    finally:
        proxy.observers.remove(observe)


class _Requests:
    """The requests on one connection."""

    def __init__(self) -> None:
        self._head = b""
        self._body = 0

    def feed(self, piece: bytes) -> Iterator[str]:
        """The operations, each when the head of its request is there; else method and path."""
        while piece:
            if self._body:
                skipped = min(self._body, len(piece))
                self._body -= skipped
                piece = piece[skipped:]
                continue
            self._head += piece
            head, end, piece = self._head.partition(b"\r\n\r\n")
            if end:
                self._head = b""
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                self._body = int(length[1]) if length else 0
                target = re.search(rb"(?im)^x-amz-target: *\w+\.(\w+)", head)
                yield target[1].decode() if target else head.rsplit(b" HTTP", 1)[0].decode()
