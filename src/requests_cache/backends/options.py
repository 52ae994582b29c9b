"""What backends and sessions take besides what those of all faces do."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypedDict

from http_client_cache.backends import own_options
from http_client_cache.backends.options import (
    CONSTRUCTION_NAMES,
    SETTING_NAMES,
    BackendOptions,
    Live,
    Setting,
)
from http_client_cache.errors import ConfigurationError
from http_client_cache.settings import HeaderNames
from http_client_cache.windows import StaleWindow
from requests_cache.policy.spellings import SPELLINGS

Path = str | os.PathLike[str]


class LiveSettings(Live):
    """The settings as attributes, under either name; a change holds for the next request."""

    allowable_codes = Setting[Iterable[int]]("allowed_codes", "Status codes that are kept.")
    allowable_methods = Setting[Iterable[str]]("allowed_methods", "Methods that are kept.")
    match_headers = Setting[HeaderNames](
        "include_headers", "Which request header fields tell requests apart."
    )


class Spelled(TypedDict, total=False):
    """Settings by the names that users of requests know."""

    allowable_codes: Iterable[int] | None
    allowable_methods: Iterable[str] | None
    match_headers: HeaderNames
    include_get_headers: HeaderNames
    old_data_on_error: StaleWindow


class CacheOptions(BackendOptions, Spelled, total=False):
    """The keywords that every backend knows."""

    max_bytes: int | None


class SQLiteOwn(own_options.SQLiteOptions, total=False):
    """Of :class:`~requests_cache.backends.sqlite.SQLiteCache`."""

    db_path: Path
    use_cache_dir: bool
    use_memory: bool
    timeout: float | None
    busy_timeout: int | None


class FileOwn(own_options.FileOptions, total=False):
    """Of :class:`~requests_cache.backends.filesystem.FileCache`."""

    use_cache_dir: bool


class RedisOwn(own_options.RedisOptions, total=False):
    """Of :class:`~requests_cache.backends.redis.RedisCache`."""

    namespace: str


class MongoOwn(own_options.MongoOptions, total=False):
    """Of :class:`~requests_cache.backends.mongodb.MongoCache` and of GridFSCache."""

    db_name: str


class DynamoDbOwn(own_options.DynamoDBOptions, total=False):
    """Of :class:`~requests_cache.backends.dynamodb.DynamoDbCache`."""

    table_name: str
    read_capacity_units: int
    write_capacity_units: int


SQLITE = frozenset(SQLiteOwn.__annotations__)
FILES = frozenset(FileOwn.__annotations__)
REDIS = frozenset(RedisOwn.__annotations__)
MONGODB = frozenset(MongoOwn.__annotations__)
DYNAMODB = frozenset(DynamoDbOwn.__annotations__)

COMMON = SETTING_NAMES | CONSTRUCTION_NAMES | SPELLINGS.keys()
"""What a session takes for any backend."""


def only_name(argument: str, value: Any, cache_name: Any, default: Any) -> Any:
    """What a cache is called, which may be said by either of two arguments.

    Raises:
        ConfigurationError: by both.
    """
    if value is not None and cache_name is not None:
        raise ConfigurationError(f"{argument} is another spelling of cache_name; give one of them")
    if value is not None:
        return value
    return default if cache_name is None else cache_name
