"""What single backends take beside the options of all, where a session makes them by name."""

from __future__ import annotations

from typing import Any, TypedDict


class FileOptions(TypedDict, total=False):
    """Of :class:`~http_client_cache.backends.filesystem.Files`."""

    use_temp: bool
    fast_save: bool


class SQLiteOptions(FileOptions, total=False):
    """Of :class:`~http_client_cache.backends.sqlite.SQLite`.

    Less ``timeout``, which is the session's own.
    """

    wal: bool
    cached_statements: int
    check_same_thread: bool | None
    isolation_level: str | None
    detect_types: int | None


class ServerOptions(TypedDict, total=False):
    """Of all backends on servers: what the base of them takes."""

    store_timeout: float
    ttl: bool
    ttl_offset: float | None


class RemoteOptions(ServerOptions, total=False):
    """Of all backends on servers."""

    connection: Any


class PlaceOptions(TypedDict, total=False):
    """Of those on servers that have an address of their own."""

    address: str | None
    host: str | None
    port: int | None


class UserOptions(TypedDict, total=False):
    """Of those that have users."""

    username: str | None
    password: str | None


class RedisClientOptions(TypedDict, total=False):
    """Of redis-py's clients, under its names."""

    db: int | None
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


class RedisOptions(RemoteOptions, PlaceOptions, UserOptions, RedisClientOptions, total=False):
    """Of :class:`~http_client_cache.backends.redis.Redis`."""


class MongoClientOptions(TypedDict, total=False):
    """Of pymongo's clients, under its names."""

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


class DatabaseOptions(TypedDict, total=False):
    """What only MongoDB has."""

    database: str | None


class MongoOptions(
    RemoteOptions, PlaceOptions, UserOptions, MongoClientOptions, DatabaseOptions, total=False
):
    """Of :class:`~http_client_cache.backends.mongodb.MongoDB`, and of GridFS."""


class TableOptions(TypedDict, total=False):
    """Of tables and accounts at AWS."""

    table: str
    create_if_not_exists: bool
    region_name: str | None
    endpoint_url: str | None
    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    aws_session_token: str | None
    profile_name: str | None
    verify: bool | str | None


class DynamoDBOptions(RemoteOptions, TableOptions, total=False):
    """Of :class:`~http_client_cache.backends.dynamodb.DynamoDB`."""


class OwnOptions(
    SQLiteOptions,
    RemoteOptions,
    PlaceOptions,
    UserOptions,
    RedisClientOptions,
    MongoClientOptions,
    DatabaseOptions,
    TableOptions,
    total=False,
):
    """Of any of them, for type checkers."""


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
REDIS = frozenset(RedisOptions.__annotations__)
MONGODB_CLIENT = frozenset(MongoClientOptions.__annotations__) | UserOptions.__annotations__.keys()
MONGODB = frozenset(MongoOptions.__annotations__)
DYNAMODB = frozenset(DynamoDBOptions.__annotations__)
