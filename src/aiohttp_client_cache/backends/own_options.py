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


class DynamoDBOptions(TypedDict, total=False):
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
    store_timeout: float
    ttl: bool
    ttl_offset: float | None


FILES = frozenset(FileOptions.__annotations__)
SQLITE = frozenset(SQLiteOptions.__annotations__)
REDIS = MONGODB = frozenset[str]()
DYNAMODB = frozenset(DynamoDBOptions.__annotations__)
