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


class MongoClientOptions(TypedDict, total=False):
    """Arguments of pymongo's clients that the backends in MongoDB take, under its names."""

    username: str | None
    password: str | None
    authSource: str
    authMechanism: str
    authMechanismProperties: Any
    replicaSet: str
    directConnection: bool
    loadBalanced: bool
    tls: bool
    tlsCAFile: str
    tlsCertificateKeyFile: str
    tlsCertificateKeyFilePassword: str
    tlsCRLFile: str
    tlsInsecure: bool
    tlsAllowInvalidCertificates: bool
    tlsAllowInvalidHostnames: bool
    tlsDisableOCSPEndpointCheck: bool
    srvServiceName: str
    srvMaxHosts: int
    appname: str
    compressors: str
    zlibCompressionLevel: int
    maxPoolSize: int | None
    minPoolSize: int
    maxConnecting: int
    maxIdleTimeMS: int | None
    waitQueueTimeoutMS: int
    heartbeatFrequencyMS: int
    serverMonitoringMode: str
    serverSelectionTimeoutMS: int
    localThresholdMS: int
    connectTimeoutMS: int
    socketTimeoutMS: int | None
    timeoutMS: int | None
    w: int | str
    wTimeoutMS: int
    journal: bool
    readConcernLevel: str
    server_api: Any


class MongoOptions(RemoteOptions, MongoClientOptions, total=False):
    """Of the backends in MongoDB."""

    host: str
    port: int
    address: str | None
    database: str | None
    connection: Any


class DynamoDBOptions(RemoteOptions, total=False):
    """Of :class:`~aiohttp_client_cache.backends.dynamodb.DynamoDBBackend`."""

    table: str
    create_if_not_exists: bool
    connection: Any
    region_name: str | None
    endpoint_url: str | None
    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    aws_session_token: str | None
    profile_name: str | None
    verify: bool | str | None


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
REDIS = frozenset(RedisOptions.__annotations__)
MONGODB_CLIENT = frozenset(MongoClientOptions.__annotations__)
MONGODB = frozenset(MongoOptions.__annotations__)
DYNAMODB = frozenset(DynamoDBOptions.__annotations__)
