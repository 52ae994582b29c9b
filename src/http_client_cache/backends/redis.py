"""The backend that keeps responses in Redis, or in what speaks its language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from http_client_cache.backends.base import Parts
from http_client_cache.backends.remote import Remote
from http_client_cache.codec import codec_for
from http_client_cache.errors import ConfigurationError, MissingDependency, describe
from http_client_cache.store.redis import CLUSTER_SHARDS, RedisStore

if TYPE_CHECKING:
    from typing import Unpack

    from http_client_cache.backends.remote import RemoteOptions
    from http_client_cache.expiry import ExpireAfter

ADDRESS = "redis://localhost:6379"


class Redis(Remote):
    """Keeps responses in Redis or Valkey: one server, a cluster, or one that sentinels watch.

    It needs ``pip install aiohttp-client-cache[redis]`` and Redis 6.2 or newer, or any Valkey. Any
    tasks, sessions, event loops, threads and processes may share a cache there.

    Args:
        cache_name: tells this cache from others on the same server; text, not empty.
        address: where the server is. ``redis://``, ``valkey://`` and, with TLS, ``rediss://`` and
            ``valkeys://``, each as ``//user:password@host:port/db``; ``unix:///path``;
            ``redis+cluster://host:port,host:port``, some of a cluster's nodes; or
            ``redis+sentinel://host:port,host:port/service`` (``rediss+…`` with TLS). Behind a
            ``?`` it takes what follows ``port`` here, as ``?client_name=cache``. An argument comes
            before what the address says.
        expire_after: how long responses are fresh.
        connection: a client of your own, instead of an address: a ``redis.asyncio.Redis``,
            ``redis.asyncio.RedisCluster``, ``redis.Redis`` or ``redis.RedisCluster``, without
            ``decode_responses``. It is used as it is, and never closed. What it cannot do, because
            it waits with ``await`` or without, a second client does, with the same settings.
        host: of the server.
        port: of the server.
        db: number of the database.
        username: where the server asks for one.
        password: where the server asks for one.
        client_name: by which the server calls the connections.
        protocol: 2 (default) or 3: the version of the protocol, RESP.
        max_connections: how many calls of one event loop, or of all threads, may be under way at
            once; 32 if left out. More wait.
        health_check_interval: seconds after which a connection is asked whether it still works.
        socket_keepalive: whether the operating system asks.
        ssl: use TLS.
        ssl_keyfile: file with the key for ``ssl_certfile``.
        ssl_certfile: file with a certificate to be shown to the server.
        ssl_password: of ``ssl_keyfile``.
        ssl_cert_reqs: ``"required"`` (default), ``"optional"`` or ``"none"``.
        ssl_ca_certs: file with the certificates of authorities that are trusted.
        ssl_ca_path: folder with these.
        ssl_ca_data: the same, as text.
        ssl_check_hostname: whether the certificate must be for the host.
        ssl_ciphers: which are allowed, as OpenSSL spells it.
        sentinel_username: where the sentinels ask for one.
        sentinel_password: where the sentinels ask for one.
        store_timeout: seconds that a call of the server may take, as long as a request waits for
            it; 0.25 if left out.
        ttl: let the server remove entries by itself, as it does if this is left out: when they
            have expired, may not be served stale any more, and ``keep_expired`` has passed.
        ttl_offset: another spelling of ``keep_expired``, in seconds.
        **options: as for :class:`~http_client_cache.backends.base.Backend`. There are no limits:
            ``maxmemory`` and ``maxmemory-policy`` of the server are for that.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: what is needed is not installed.
        TypeError: an unknown argument.
    """

    _limited_by: ClassVar[str] = "the server's maxmemory and maxmemory-policy"

    def __init__(
        self,
        cache_name: str = "aiohttp-cache",
        address: str | None = None,
        *,
        expire_after: ExpireAfter = None,
        connection: Any = None,
        host: str | None = None,
        port: int | None = None,
        db: int | None = None,
        username: str | None = None,
        password: str | None = None,
        client_name: str | None = None,
        protocol: int | None = None,
        max_connections: int | None = None,
        health_check_interval: int | None = None,
        socket_keepalive: bool | None = None,
        ssl: bool | None = None,
        ssl_keyfile: str | None = None,
        ssl_certfile: str | None = None,
        ssl_password: str | None = None,
        ssl_cert_reqs: str | None = None,
        ssl_ca_certs: str | None = None,
        ssl_ca_path: str | None = None,
        ssl_ca_data: str | None = None,
        ssl_check_hostname: bool | None = None,
        ssl_ciphers: str | None = None,
        sentinel_username: str | None = None,
        sentinel_password: str | None = None,
        **options: Unpack[RemoteOptions],
    ) -> None:
        given = {
            "host": host,
            "port": port,
            "db": db,
            "username": username,
            "password": password,
            "client_name": client_name,
            "protocol": protocol,
            "max_connections": max_connections,
            "health_check_interval": health_check_interval,
            "socket_keepalive": socket_keepalive,
            "ssl": ssl,
            "ssl_keyfile": ssl_keyfile,
            "ssl_certfile": ssl_certfile,
            "ssl_password": ssl_password,
            "ssl_cert_reqs": ssl_cert_reqs,
            "ssl_ca_certs": ssl_ca_certs,
            "ssl_ca_path": ssl_ca_path,
            "ssl_ca_data": ssl_ca_data,
            "ssl_check_hostname": ssl_check_hostname,
            "ssl_ciphers": ssl_ciphers,
            "sentinel_username": sentinel_username,
            "sentinel_password": sentinel_password,
        }
        self._source = _source(address, connection, given)
        super().__init__(cache_name, expire_after, **options)

    def _open(self) -> Parts:
        from http_client_cache.shell.redis import AsyncRedis, SyncRedis

        store = RedisStore(
            codec_for(self._serializer, self._secret_key),
            cache_name=self.cache_name,
            shards=CLUSTER_SHARDS if self._source.address.kind == "cluster" else 1,
            retention=self._retention,
            ttl=self._ttl,
            compression=self._compression,
        )
        shells = AsyncRedis(self._guard, self._source), SyncRedis(self._guard, self._source)
        return store, *shells


def _source(address: object, connection: Any, given: dict[str, Any]) -> Any:
    """Where the clients come from.

    Raises:
        ConfigurationError: the arguments do not say that, or say it twice.
        MissingDependency: redis-py is not installed.
    """
    try:
        from http_client_cache.shell.redis import Source, source_of
        from http_client_cache.shell.redis.address import parse
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        raise MissingDependency(
            "RedisBackend needs redis: pip install aiohttp-client-cache[redis]"
        ) from None
    named = [name for name, value in given.items() if value is not None]
    if connection is not None:
        if address is not None or named:
            named = ["address"] if address is not None else named
            raise ConfigurationError(f"{named[0]} is for a client that is made; connection is one")
        return source_of(connection)
    _check(given)
    return Source(parse(ADDRESS if address is None else address).having(given))


def _check(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is None:
            continue
        kind, accepted = _KINDS.get(name, (str, "text"))
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            # Of what it is, no more is shown: it may be a password.
            shown = type(value).__name__ if kind is str else describe(value)
            raise ConfigurationError(f"{name} must be {accepted}, not {shown}")
    if given["protocol"] not in {None, 2, 3}:
        raise ConfigurationError(f"protocol must be 2 or 3, not {describe(given['protocol'])}")
    for name in ("max_connections", "port"):
        if given[name] is not None and given[name] < 1:
            raise ConfigurationError(f"{name} must be 1 or more, not {describe(given[name])}")


_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("port", "db", "protocol", "max_connections"), (int, "a whole number")),
    "health_check_interval": (int, "a whole number of seconds"),
    **dict.fromkeys(("socket_keepalive", "ssl", "ssl_check_hostname"), (bool, "True or False")),
}
