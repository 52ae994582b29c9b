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


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
MONGODB_CLIENT = frozenset(MongoClientOptions.__annotations__)
MONGODB = frozenset(MongoOptions.__annotations__)
REDIS = DYNAMODB = frozenset[str]()
