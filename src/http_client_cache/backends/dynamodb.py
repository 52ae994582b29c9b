"""The backend that keeps responses in a DynamoDB table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from http_client_cache.backends.remote import Remote
from http_client_cache.codec import codec_for
from http_client_cache.errors import ConfigurationError, check_flag, describe
from http_client_cache.shell.dynamodb import (
    Account,
    AsyncDynamoDB,
    SyncDynamoDB,
    Table,
    check_drivers,
)
from http_client_cache.store.dynamodb import DynamoDBStore

if TYPE_CHECKING:
    from typing import Unpack

    from http_client_cache.backends.base import Parts
    from http_client_cache.backends.remote import RemoteOptions
    from http_client_cache.expiry import ExpireAfter

DEFAULT_TABLE = "http-client-cache"


class DynamoDB(Remote):
    """Keeps responses in a table of Amazon's DynamoDB, for any sessions, processes and machines.

    The table is made with the first request if it is missing: keys ``pk`` and ``sk``, both text,
    paid per request, with ``ttl`` as its time to live. It may hold any number of caches, and
    items of others, which are left alone. A hit of up to 256 KiB is one request, and costs one
    read unit for each 4 KB. What looks through the cache (``size()``, ``urls``, ``clear()``,
    ``delete_expired_responses()``, iteration) reads, and pays for, the whole table.

    It needs ``pip install aiohttp-client-cache[dynamodb]``, and the permissions ``GetItem``,
    ``BatchGetItem``, ``Query``, ``Scan``, ``PutItem``, ``UpdateItem``, ``DeleteItem`` and
    ``BatchWriteItem`` (transactions need no others); and, as far as it shall make the table,
    ``DescribeTable``, ``CreateTable``, ``DescribeTimeToLive`` and ``UpdateTimeToLive``.

    Args:
        cache_name: tells this cache from others in the table; text, not empty.
        expire_after: how long responses are fresh.
        table: name of the table.
        create_if_not_exists: make the table if it is missing; without it that is an error, which
            the log tells.
        connection: of your own: a client, resource or session of boto3, or a client or session of
            aiobotocore. It is used as it is, with its own time-outs and retries, and never
            closed. What is boto3's works everywhere, through threads in an event loop; with what
            is aiobotocore's, ``cache.urls`` cannot be read: use ``await cache.get_urls()``.
        region_name: as for boto3, which also looks at the environment and its files; so for the
            following.
        endpoint_url: of another DynamoDB than Amazon's, or of a VPC endpoint.
        aws_access_key_id: see ``region_name``.
        aws_secret_access_key: see ``region_name``.
        aws_session_token: see ``region_name``.
        profile_name: see ``region_name``.
        verify: ``False``, or a file with the certificates of authorities, as for boto3.
        store_timeout: seconds that a call may take, as long as a request waits for it; 0.25 if
            left out.
        ttl: let DynamoDB remove entries by itself, as it does if this is left out; it costs
            nothing. It does so within days; until then they are not seen. Redirects leave after a
            year.
        ttl_offset: another spelling of ``keep_expired``, in seconds.
        **options: as for :class:`Backend`, less ``max_bytes`` and ``max_entries``.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: boto3 or aiobotocore is not installed.
        TypeError: an unknown argument.
    """

    _limited_by: ClassVar[str] = "expire_after and ttl"

    def __init__(
        self,
        cache_name: str = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        table: str = DEFAULT_TABLE,
        create_if_not_exists: bool = True,
        connection: Any = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        profile_name: str | None = None,
        verify: bool | str | None = None,
        **options: Unpack[RemoteOptions],
    ) -> None:
        keys = {
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
            "profile_name": profile_name,
        }
        place = {
            "region_name": region_name,
            "endpoint_url": _checked_url(endpoint_url),
            "verify": verify,
        }
        self._account = _account(connection, _given(keys), _given(place))
        self._table = _checked_table(table)
        self._creates = check_flag(create_if_not_exists, "create_if_not_exists")
        check_drivers(self._account)
        super().__init__(cache_name, expire_after, **options)

    def _open(self) -> Parts:
        store = DynamoDBStore(
            codec_for(self._serializer, self._secret_key),
            table=self._table,
            cache_name=self.cache_name,
            retention=self._retention,
            ttl=self._ttl,
            compression=self._compression,
        )
        parts = self._guard, self._account, Table(self._table, self._creates, self._ttl)
        return store, AsyncDynamoDB(*parts), SyncDynamoDB(*parts)


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _account(connection: Any, keys: dict[str, Any], place: dict[str, Any]) -> Account:
    for name, value in {**keys, **place}.items():
        if name != "verify" and (not isinstance(value, str) or not value):
            # Some of them are secrets.
            raise ConfigurationError(f"{name} must be text, not {type(value).__name__}")
    if ("aws_access_key_id" in keys) != ("aws_secret_access_key" in keys):
        raise ConfigurationError(
            "aws_access_key_id and aws_secret_access_key must be given both, or neither of them"
        )
    account = Account(keys, place, connection)
    unused = keys if account.kind.endswith("session") else {**keys, **place}
    if connection is not None and unused:
        raise ConfigurationError(f"{next(iter(unused))} is of no use with connection")
    return account


def _checked_table(table: object) -> str:
    if not isinstance(table, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        raise ConfigurationError(
            "table must be 3 to 255 letters, digits, hyphens, dots and underscores, "
            f"not {describe(table)}"
        )
    return table


def _checked_url(url: object) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(cast("str", url))
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (TypeError, ValueError, AttributeError):
        good, parts = False, None
    if not good or parts is None:
        kind = "text that is none" if isinstance(url, str) else type(url).__name__
        raise ConfigurationError(f"endpoint_url must be an http or https URL, not {kind}")
    if parts.username or parts.password:
        raise ConfigurationError("endpoint_url must not hold a user or a password")
    return cast("str", url)
