"""What single backends take beside the options of all, where a session makes them by name."""

from __future__ import annotations

from typing import Any, TypedDict


class FileOptions(TypedDict, total=False):
    """Of :class:`~aiohttp_client_cache.backends.filesystem.FileBackend`."""

    use_temp: bool
    fast_save: bool


class SQLiteOptions(FileOptions, total=False):
    """Of :class:`~aiohttp_client_cache.backends.sqlite.SQLiteBackend`.

    Less ``timeout``, which is the session's own.
    """

    wal: bool
    cached_statements: int
    check_same_thread: bool | None
    isolation_level: str | None
    detect_types: int | None


class RemoteOptions(TypedDict, total=False):
    """Of :class:`~aiohttp_client_cache.backends.remote.RemoteBackend`."""

    store_timeout: float
    ttl: bool
    ttl_offset: float | None


class RedisOptions(RemoteOptions, total=False):
    """Of :class:`~aiohttp_client_cache.backends.redis.RedisBackend`."""

    address: str | None
    connection: Any
    host: str | None
    port: int | None
    db: int | None
    username: str | None
    password: str | None
    client_name: str | None
    protocol: int | None
    max_connections: int | None
    health_check_interval: int | None
    socket_keepalive: bool | None
    ssl: bool | None
    ssl_keyfile: str | None
    ssl_certfile: str | None
    ssl_password: str | None
    ssl_cert_reqs: str | None
    ssl_ca_certs: str | None
    ssl_ca_path: str | None
    ssl_ca_data: str | None
    ssl_check_hostname: bool | None
    ssl_ciphers: str | None
    sentinel_username: str | None
    sentinel_password: str | None


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
REDIS = frozenset(RedisOptions.__annotations__)
MONGODB = DYNAMODB = frozenset[str]()
