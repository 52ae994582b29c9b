"""The backend that keeps responses in a DynamoDB table."""

from __future__ import annotations

import logging
from typing import Any

from http_client_cache.backends.dynamodb import DEFAULT_TABLE, DynamoDB
from http_client_cache.errors import ConfigurationError
from requests_cache.backends.base import BaseCache
from requests_cache.policy.settings import DEFAULT_CACHE_NAME

__all__ = ["DynamoDbCache"]

logger = logging.getLogger("requests_cache")


class DynamoDbCache(DynamoDB, BaseCache):
    """Keeps responses in a table of Amazon's DynamoDB, for any sessions, processes and machines.

    ``DynamoDbCache(cache_name="demo")`` is the same cache as ``DynamoDBBackend("demo")`` of
    ``aiohttp_client_cache``; ``DynamoDbCache("pages")`` is
    ``DynamoDBBackend("pages", table="pages")``.

    Args:
        table_name: name of the table, and of the cache in it, unless ``cache_name`` says so. A
            table that ``requests-cache`` has made has other keys, and cannot be used.
        ttl: let DynamoDB remove entries by itself.
        connection: a client, resource or session of boto3 of your own.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and ``loads``.
        cache_name: tells this cache from others in the table; default ``"http_cache"``.
        table: another spelling of ``table_name``; default ``"http-client-cache"``.
        read_capacity_units: has no effect: tables are made to be paid per request, and a table
            that was made otherwise stays as it is.
        write_capacity_units: see ``read_capacity_units``.
        **options: as for :class:`~http_client_cache.backends.dynamodb.DynamoDB`, such as
            ``region_name``, and for :class:`~requests_cache.backends.base.BaseCache`.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: boto3 is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        table_name: str | None = None,
        ttl: bool = True,  # noqa: FBT001, FBT002 - by position, as its users know it
        connection: Any = None,
        serializer: Any = None,
        *,
        cache_name: str | None = None,
        table: str | None = None,
        read_capacity_units: int | None = None,
        write_capacity_units: int | None = None,
        **options: Any,
    ) -> None:
        if table_name is not None and table is not None:
            raise ConfigurationError("table is another spelling of table_name; give one of them")
        if read_capacity_units is not None or write_capacity_units is not None:
            logger.warning(
                "read_capacity_units and write_capacity_units have no effect: "
                "the table is paid per request, or was made by somebody else"
            )
        if cache_name is None:
            cache_name = DEFAULT_CACHE_NAME if table_name is None else table_name
        super().__init__(
            cache_name,
            table=table_name or table or DEFAULT_TABLE,
            ttl=ttl,
            connection=connection,
            serializer=serializer,
            **options,
        )
