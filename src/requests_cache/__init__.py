"""A persistent cache for requests: change ``requests.Session`` to ``CachedSession``."""

from typing import TYPE_CHECKING, Any

from http_client_cache.errors import CacheError, ConfigurationError, MissingDependency
from http_client_cache.filters import head_only
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.status import CacheStatus
from requests_cache import backends, core
from requests_cache.adapter import CacheAdapter
from requests_cache.backends import BaseCache, FileCache, SQLiteCache, init_backend
from requests_cache.cache_keys import create_key
from requests_cache.models import (
    AnyRequest,
    AnyResponse,
    CachedRequest,
    CachedResponse,
    OriginalResponse,
)
from requests_cache.patcher import (
    clear,
    delete,
    disabled,
    enabled,
    get_cache,
    install_cache,
    is_installed,
    remove_expired_responses,
    uninstall_cache,
)
from requests_cache.policy import (
    ALL_METHODS,
    DEFAULT_CACHE_NAME,
    DEFAULT_IGNORED_PARAMS,
    DEFAULT_METHODS,
    DEFAULT_STATUS_CODES,
    DO_NOT_CACHE,
    EXPIRE_IMMEDIATELY,
    NEVER_EXPIRE,
    CacheSettings,
    ExpirationTime,
)
from requests_cache.serializers import (
    SERIALIZERS,
    init_serializer,
    json_serializer,
    msgpack_serializer,
)
from requests_cache.session import CachedSession, CacheMixin

if TYPE_CHECKING:
    from requests_cache.backends import DynamoDbCache, GridFSCache, MongoCache, RedisCache

__version__ = "1.0.0"

__all__ = [
    "ALL_METHODS",
    "DEFAULT_CACHE_NAME",
    "DEFAULT_IGNORED_PARAMS",
    "DEFAULT_METHODS",
    "DEFAULT_STATUS_CODES",
    "DO_NOT_CACHE",
    "EXPIRE_IMMEDIATELY",
    "NEVER_EXPIRE",
    "SERIALIZERS",
    "AnyRequest",
    "AnyResponse",
    "BaseCache",
    "CacheAdapter",
    "CacheError",
    "CacheMixin",
    "CacheSettings",
    "CacheStatus",
    "CachedRequest",
    "CachedResponse",
    "CachedSession",
    "ConfigurationError",
    "DynamoDbCache",
    "ExpirationTime",
    "FileCache",
    "GridFSCache",
    "MissingDependency",
    "MongoCache",
    "OriginalResponse",
    "Reason",
    "RedisCache",
    "SQLiteCache",
    "clear",
    "core",
    "create_key",
    "delete",
    "disabled",
    "enabled",
    "get_cache",
    "head_only",
    "init_backend",
    "init_serializer",
    "install_cache",
    "is_installed",
    "json_serializer",
    "msgpack_serializer",
    "remove_expired_responses",
    "uninstall_cache",
]


def __getattr__(name: str) -> Any:
    # A backend on a server is not imported before somebody asks for it.
    if name in __all__:
        return getattr(backends, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
