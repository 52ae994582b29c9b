"""The servers that all tests of a process share: each started when it is first asked for."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from threading import RLock
from typing import Any, TypeVar

from tests.support.servers.dynamo import DynamoServer
from tests.support.servers.mongo import MongoServer
from tests.support.servers.redis_alone import RedisServer, ValkeyServer
from tests.support.servers.redis_cluster import ClusterServers
from tests.support.servers.redis_sentinel import SentinelServers

T = TypeVar("T", bound=AbstractContextManager[Any])

_running: dict[str, Any] = {}
_stack = ExitStack()
_lock = RLock()
_starter = os.getpid()


def redis_url() -> str:
    """A Redis 7, or ``REDIS_URL``."""
    return os.environ.get("REDIS_URL") or _shared("redis", RedisServer).url


def valkey_url() -> str:
    """A Valkey 9."""
    return _shared("valkey", ValkeyServer).url


def redis_tls() -> tuple[str, str]:
    """A Redis 7 that speaks TLS only, and the file with the certificate of its authority."""
    server = _shared("redis with TLS", lambda: RedisServer(tls=True))
    return server.url, str(server.ca)


def redis_cluster_nodes() -> list[tuple[str, int]]:
    """Host and port of the three masters of a Redis Cluster."""
    return _shared("cluster", ClusterServers).addresses


def redis_sentinels() -> tuple[list[tuple[str, int]], str]:
    """Host and port of three sentinels, and the name of the service that they watch."""
    servers = _shared("sentinel", SentinelServers)
    return servers.addresses, servers.service


def mongodb_url() -> str:
    """A MongoDB 6, or ``MONGODB_URL``."""
    return os.environ.get("MONGODB_URL") or _shared("mongodb", MongoServer).url


def dynamodb_url() -> str:
    """A DynamoDB Local, which takes any credentials, or ``DYNAMODB_ENDPOINT_URL``."""
    return os.environ.get("DYNAMODB_ENDPOINT_URL") or _shared("dynamodb", DynamoServer).url


def stop_all() -> None:
    """Stop what has been started here; whoever asks again gets new servers."""
    # A forked process knows of servers that are its parent's.
    if os.getpid() == _starter:
        with _lock:
            _running.clear()
            _stack.close()


atexit.register(stop_all)


def _shared(name: str, make: Callable[[], T]) -> T:
    with _lock:
        if name not in _running:
            _running[name] = _stack.enter_context(make())
        running: T = _running[name]
        return running
