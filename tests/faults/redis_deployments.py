"""Redis and its kin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import redis

from aiohttp_client_cache import RedisBackend
from http_client_cache.backends.remote import Remote
from tests.faults.deployments import Deployment
from tests.faults.faults import (
    CREDENTIALS,
    FAILOVER,
    FULL,
    KILLED,
    MEMORY,
    NO_SENTINELS,
    NODE_KILLED,
    NODE_LOST,
    ON_THE_WAY,
    READ_ONLY,
    REFUSED,
    SILENT_MIDWAY,
    SUSPENDED,
    Fault,
)
from tests.support.servers import (
    ClusterServers,
    Proxy,
    RedisServer,
    SentinelServers,
    ValkeyServer,
    free_port,
    wait_until,
)
from tests.support.servers.redis_sentinel import SentinelServer
from tests.support.servers.resp import fields

PASSWORD = "open-sesame"


class _Redis(Deployment):
    """What can be done to any of them, by a connection that stays open."""

    password: str | None = None

    def masters(self) -> list[RedisServer]:
        """All servers that take writes."""
        raise NotImplementedError

    def servers(self) -> list[Any]:
        return self.masters()

    @contextlib.contextmanager
    def _set(self, name: str, value: str, *, back: str) -> Iterator[None]:
        with ExitStack() as stack:
            clients = [
                stack.enter_context(redis.Redis(*one.address, password=self.password))
                for one in self.masters()
            ]
            # From now on each has its connection.
            clients = [stack.enter_context(client.client()) for client in clients]
            try:
                for client in clients:
                    client.config_set(name, value)
                yield
            finally:
                for client in clients:
                    client.config_set(name, back)

    def _memory(self) -> Any:
        return self._set("maxmemory", "1mb", back="0")

    def _full(self) -> Any:
        return self._set("maxclients", "1", back="10000")

    def _credentials(self) -> Any:
        return self._set("requirepass", "changed", back=self.password or "")


class Redis(_Redis):
    name = "redis"
    title = "Redis"
    faults: ClassVar[tuple[Fault, ...]] = (
        *(*ON_THE_WAY, SUSPENDED, KILLED, CREDENTIALS, FULL, MEMORY, READ_ONLY),
    )
    password = PASSWORD
    kind: ClassVar[type[RedisServer]] = RedisServer

    def start(self, stack: ExitStack) -> None:
        self.server = stack.enter_context(self.kind(password=PASSWORD))
        self.proxies = [stack.enter_context(Proxy(self.server.address))]

    def masters(self) -> list[RedisServer]:
        return [self.server]

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        return RedisBackend(cache_name, self.proxies[0].through(self.server.url), **options)

    @contextlib.contextmanager
    def _read_only(self) -> Iterator[None]:
        with redis.Redis(*self.server.address, password=PASSWORD) as client:
            client.replicaof("127.0.0.1", str(free_port()))
            try:
                yield
            finally:
                client.replicaof("NO", "ONE")


class Valkey(Redis):
    name = "valkey"
    title = "Valkey"
    faults = (REFUSED, SILENT_MIDWAY, SUSPENDED, KILLED, MEMORY, READ_ONLY)
    without: ClassVar[dict[str, str]] = {
        fault.name: "as with Redis, by the same shell" for fault in Redis.faults
    }
    kind = ValkeyServer


class Cluster(_Redis):
    name = "cluster"
    title = "Redis Cluster"
    weight = 3
    faults: ClassVar[tuple[Fault, ...]] = (
        *(fault for fault in ON_THE_WAY if fault.name not in ("reset_at_once", "garbage")),
        *(SUSPENDED, KILLED, MEMORY, NODE_KILLED, NODE_LOST),
    )
    without: ClassVar[dict[str, str]] = {
        READ_ONLY.name: "a node that becomes a replica sends its clients elsewhere",
        **dict.fromkeys(
            ("reset_at_once", "garbage", CREDENTIALS.name, FULL.name),
            "as with Redis, by the same shell",
        ),
    }

    def start(self, stack: ExitStack) -> None:
        self.group = ClusterServers()
        self.proxies = [stack.enter_context(Proxy(("127.0.0.1", 0))) for _ in self.group.masters]
        for master, proxy in zip(self.group.masters, self.proxies, strict=True):
            # Clients are told to go there.
            master._arguments = (*master._arguments, "--cluster-announce-port", str(proxy.port))
        stack.enter_context(self.group)
        for master, proxy in zip(self.group.masters, self.proxies, strict=True):
            proxy.target = master.address

    def masters(self) -> list[RedisServer]:
        return self.group.masters

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        nodes = ",".join(f"{proxy.host}:{proxy.port}" for proxy in self.proxies)
        return RedisBackend(cache_name, f"redis+cluster://{nodes}", **options)

    def restart(self) -> None:
        self.group.start()

    @contextlib.contextmanager
    def _node_killed(self) -> Iterator[None]:
        with self._set("cluster-require-full-coverage", "no", back="yes"):
            yield from self._without_one()

    @contextlib.contextmanager
    def _node_lost(self) -> Iterator[None]:
        return self._without_one(is_noticed=True)

    def _without_one(self, *, is_noticed: bool = False) -> Iterator[None]:
        lost, *others = self.group.masters
        try:
            lost.kill()
            if is_noticed:
                wait_until(
                    lambda: all(
                        fields(one.address, "CLUSTER", "INFO")["cluster_state"] == "fail"
                        for one in others
                    ),
                    "the cluster is down",
                )
            yield
        finally:
            lost.start()
            wait_until(
                lambda: all(map(self.group._is_whole, self.group.masters)), "the cluster is whole"
            )


class _SentinelsOfAProxy(SentinelServers):
    """They tell clients, and each other, that the master is where the proxy is.

    Unless it fails for a minute, they do nothing.
    """

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        watched: Any = proxy
        self.sentinels = [SentinelServer(watched, 60_000) for _ in range(3)]
        self.proxy = proxy

    def start(self) -> None:
        self.master.start()
        self.proxy.target = self.master.address
        self.replica.start()
        with redis.Redis(*self.replica.address) as client:
            client.replicaof(*self.master.address)
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(self._is_copied, "the replica follows")
        wait_until(lambda: all(map(self._is_complete, self.sentinels)), "the sentinels know all")


class Sentinel(_Redis):
    name = "sentinel"
    title = "Redis with Sentinel"
    weight = 2
    faults: ClassVar[tuple[Fault, ...]] = (
        *(*ON_THE_WAY, SUSPENDED, KILLED, CREDENTIALS, FULL, MEMORY, NO_SENTINELS, FAILOVER),
    )
    without: ClassVar[dict[str, str]] = {
        READ_ONLY.name: "that is what is left of the old master after a failover",
    }

    def start(self, stack: ExitStack) -> None:
        self.proxies = [stack.enter_context(Proxy(("127.0.0.1", 0)))]
        self.group: SentinelServers
        self.group = stack.enter_context(_SentinelsOfAProxy(self.proxies[0]))

    def masters(self) -> list[RedisServer]:
        return [self.group.master]

    def backend(self, *, cache_name: str, **options: Any) -> Remote:
        nodes = ",".join(f"{host}:{port}" for host, port in self.group.addresses)
        address = f"redis+sentinel://{nodes}/{self.group.service}"
        return RedisBackend(cache_name, address, **options)

    @contextlib.contextmanager
    def _no_sentinels(self) -> Iterator[None]:
        try:
            for sentinel in self.group.sentinels:
                sentinel.suspend()
            yield
        finally:
            for sentinel in self.group.sentinels:
                sentinel.resume()


class Failover(Sentinel):
    """A deployment of its own, as the replica is the master afterwards."""

    def start(self, stack: ExitStack) -> None:
        self.group = stack.enter_context(SentinelServers())

    @contextlib.contextmanager
    def _failover(self) -> Iterator[None]:
        self.group.master.kill()
        yield
        wait_until(lambda: self.group.primary() == self.group.replica.address, "it has taken over")


Sentinel.stand_ins = {FAILOVER.name: Failover}
