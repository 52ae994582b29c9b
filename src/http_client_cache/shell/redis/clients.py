"""Clients of redis-py: made for an address; and what a client of the user's own says of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import redis
import redis.asyncio
from redis import cluster, sentinel
from redis.asyncio import cluster as async_cluster
from redis.asyncio import sentinel as async_sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.shell.redis.address import OPTIONS, Address

MOST_CONNECTIONS: Final = 32
"""Calls that one client has under way at once, if nothing else is said."""

PROTOCOL: Final = 2
"""RESP3 has nothing that is of use here, and costs a greeting more."""

# Much of redis-py is untyped.
_asyncio: Any = redis.asyncio
_AsyncNode: Any = async_cluster.ClusterNode
_AsyncSentinel: Any = async_sentinel.Sentinel
_Node: Any = cluster.ClusterNode
_Sentinel: Any = sentinel.Sentinel

_OURS: Final = frozenset(("max_connections", "sentinel_username", "sentinel_password"))

_VERSION: Final = tuple(int(part) for part in redis.__version__.split(".")[:2])
_HAS_RETRY_OF_CLUSTERS: Final = _VERSION >= (6, 0)


def async_client(address: Address, seconds: float) -> Any:
    """A client for one event loop, which never tries again by itself."""
    options = _options(address, seconds)
    options["retry"] = AsyncRetry(NoBackoff(), 0)
    if address.kind == "cluster":
        nodes = [_AsyncNode(host, port) for host, port in address.nodes]
        client: Any = _asyncio.RedisCluster(startup_nodes=nodes, **_of_cluster(options))
        manager = client.nodes_manager
        kind = manager.connection_kwargs.get("connection_class")
        if kind is not None:
            manager.connection_kwargs["connection_class"] = kind = _sharing(kind)
            for node in manager.startup_nodes.values():
                node.connection_class = kind
        return client
    if address.kind == "sentinel":
        watch = _AsyncSentinel(list(address.nodes), sentinel_kwargs=_of_sentinels(address, options))
        client = watch.master_for(cast("str", address.service), **options)
    else:
        client = _asyncio.Redis(**_of_one(address, options))
    for part in parts_of(client):
        part.connection_pool.connection_class = _sharing(part.connection_pool.connection_class)
    return client


def _sharing(kind: Any) -> Any:
    """A class of connections that share the certificates: each would load them for 50 ms."""
    encrypted: Any = redis.asyncio.SSLConnection
    if not issubclass(kind, encrypted):
        return kind
    contexts: list[Any] = []

    def begin(self: Any, **options: Any) -> None:
        kind.__init__(self, **options)
        contexts.append(self.ssl_context)
        self.ssl_context = contexts[0]
        del contexts[1:]

    return type("Sharing", (kind,), {"__init__": begin})


def sync_client(address: Address, seconds: float) -> Any:
    """A client for any threads, which never tries again by itself."""
    options = _options(address, seconds)
    options["retry"] = Retry(NoBackoff(), 0)
    if address.kind == "cluster":
        nodes = [_Node(host, port) for host, port in address.nodes]
        return redis.RedisCluster(startup_nodes=nodes, **_of_cluster(options))
    if address.kind == "sentinel":
        watch = _Sentinel(list(address.nodes), sentinel_kwargs=_of_sentinels(address, options))
        return watch.master_for(cast("str", address.service), **options)
    return redis.Redis(**_of_one(address, options))


def _options(address: Address, seconds: float) -> dict[str, Any]:
    options = {name: value for name, value in address.options.items() if name not in _OURS}
    options["socket_timeout"] = options["socket_connect_timeout"] = seconds
    if options.setdefault("protocol", PROTOCOL) == 3 and _VERSION >= (7, 0):
        from redis.maint_notifications import MaintNotificationsConfig

        # They would make it wait for longer than it was told.
        options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    return options


def _of_one(address: Address, options: dict[str, Any]) -> dict[str, Any]:
    if address.path is not None:
        return {**options, "unix_socket_path": address.path}
    ((host, port),) = address.nodes
    return {**options, "host": host, "port": port}


def _of_cluster(options: dict[str, Any]) -> dict[str, Any]:
    options.pop("db", None)
    if not _HAS_RETRY_OF_CLUSTERS:
        options["cluster_error_retry_attempts"] = 0
    return options


def _of_sentinels(address: Address, options: dict[str, Any]) -> dict[str, Any]:
    """Options for connections to the sentinels themselves."""
    kept = {
        name: value
        for name, value in options.items()
        if name not in {"db", "username", "password", "client_name"}
    }
    for name in ("username", "password"):
        if (value := address.options.get(f"sentinel_{name}")) is not None:
            kept[name] = value
    return kept


_ASYNC: Final = (redis.asyncio.Redis, redis.asyncio.RedisCluster)
_SYNC: Final = (redis.Redis, redis.RedisCluster)


def is_async(client: object) -> bool:
    """Whether a client of the user's own is one for event loops.

    Raises:
        ConfigurationError: it is no client of redis-py, or one that decodes what it reads.
    """
    if not isinstance(client, (*_ASYNC, *_SYNC)):
        raise ConfigurationError(
            "connection must be a redis.Redis, redis.RedisCluster, redis.asyncio.Redis or "
            f"redis.asyncio.RedisCluster, not {describe(type(client).__name__)}"
        )
    if _settings(client).get("decode_responses"):
        raise ConfigurationError(
            "connection: a client with decode_responses=True cannot be used, as bodies are bytes"
        )
    return isinstance(client, _ASYNC)


def is_cluster(client: object) -> bool:
    """Whether a client of the user's own is one of a cluster."""
    return isinstance(client, redis.RedisCluster | redis.asyncio.RedisCluster)


def parts_of(client: Any) -> list[Any]:
    """A client and those that it has for itself: of sentinels, which it does not close."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    return [client, *([] if manager is None else manager.sentinels)]


async def close(client: Any) -> None:
    """Close a client for event loops, with those that it has for itself."""
    for part in parts_of(client):
        await part.aclose()
    if is_cluster(client):
        # After a failure it takes itself for closed, and would keep its connections.
        for nodes in ("nodes_cache", "startup_nodes"):
            await client.nodes_manager.aclose(nodes)


def room_of(client: Any) -> int:
    """How many connections a client of the user's own may have; at most our own number."""
    pool = getattr(client, "connection_pool", None)
    most = getattr(pool, "max_connections", None) or MOST_CONNECTIONS
    return max(1, min(most, MOST_CONNECTIONS))


def address_of(client: Any) -> Address:
    """Where a client of the user's own connects to, so that one of the other colour can.

    Raises:
        ConfigurationError: it does not tell.
    """
    settings = _settings(client)
    options = {name: settings[name] for name in OPTIONS if settings.get(name) is not None}
    provider = settings.get("credential_provider")
    if provider is not None:
        options["credential_provider"] = provider
    if is_cluster(client):
        nodes = client.nodes_manager.startup_nodes.values()
        if _is_encrypted(client.nodes_manager, settings):
            options["ssl"] = True
        return Address("cluster", tuple((node.host, node.port) for node in nodes), options)
    pool = client.connection_pool
    if _is_encrypted(pool, settings):
        options["ssl"] = True
    if (manager := getattr(pool, "sentinel_manager", None)) is not None:
        return _of_manager(pool, manager, options)
    if settings.get("path") is not None:
        return Address("one", (), options, settings["path"])
    host, port = settings.get("host", "localhost"), settings.get("port", 6379)
    return Address("one", ((host, int(port)),), options)


def _of_manager(pool: Any, manager: Any, options: dict[str, Any]) -> Address:
    nodes: list[tuple[str, int]] = []
    for watching in manager.sentinels:
        known = _settings(watching)
        nodes.append((known["host"], int(known["port"])))
        for name in ("username", "password"):
            if known.get(name) is not None:
                options[f"sentinel_{name}"] = known[name]
    return Address("sentinel", tuple(nodes), options, None, pool.service_name)


def _settings(client: Any) -> Mapping[str, Any]:
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        return cast("Mapping[str, Any]", pool.connection_kwargs)
    manager = client.nodes_manager
    return cast("Mapping[str, Any]", manager.connection_kwargs)


def _is_encrypted(pool: Any, settings: Mapping[str, Any]) -> bool:
    kind: object = getattr(pool, "connection_class", None) or settings.get("connection_class")
    kinds: tuple[Any, ...] = (redis.SSLConnection, redis.asyncio.SSLConnection)
    return bool(settings.get("ssl")) or (isinstance(kind, type) and issubclass(kind, kinds))
