"""The backend that keeps responses in MongoDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import unquote_plus

from http_client_cache.backends import own_options
from http_client_cache.backends.base import Parts
from http_client_cache.backends.remote import Remote
from http_client_cache.codec import codec_for
from http_client_cache.errors import ConfigurationError, MissingDependency, describe
from http_client_cache.store.mongodb import MongoStore

if TYPE_CHECKING:
    from typing import Unpack

    from http_client_cache.backends.own_options import MongoClientOptions, UserOptions
    from http_client_cache.backends.remote import RemoteOptions
    from http_client_cache.expiry import ExpireAfter

    class MongoDBOptions(RemoteOptions, UserOptions, MongoClientOptions, total=False):
        """The keywords that are not spelled out below."""


DATABASE = "aiohttp-cache"
"""Where neither arguments nor address name one, and ``cache_name`` cannot."""

_SERVERS_OWN = ("admin", "config", "local")


class MongoDB(Remote):
    """Keeps responses in MongoDB, for any number of processes and machines.

    It needs ``pip install aiohttp-client-cache[mongodb]``, and MongoDB 4.4 or newer. Small bodies
    lie in the document of their entry; those over 1 MiB, of any size, in blocks of 256 KiB. If
    others are to read large bodies as files, take
    :class:`~http_client_cache.backends.gridfs.GridFS`; otherwise this one, which needs
    less.

    Collections and indexes are made with the first request; their names begin with
    ``<cache_name>.v1``. Whatever else is in the database is left alone. Writes are acknowledged
    as the deployment does it (``w`` and the like are obeyed), reads go to the primary. The clocks
    of machines and server should agree to a minute.

    Args:
        cache_name: tells this cache from others in the same database.
        expire_after: how long responses are fresh.
        database: its name; if left out, that in the path of the address, else ``cache_name``, or
            ``"aiohttp-cache"`` where that could not be the name of a database.
        host: host name, or an address: ``mongodb://name:password@host:27017/database`` or
            ``mongodb+srv://…``.
        port: of the host.
        address: another spelling of ``host``.
        connection: a ``pymongo.AsyncMongoClient`` or ``pymongo.MongoClient`` to be used, which
            stays as it is, and open. The first is bound to its event loop, and ``cache.urls``
            without ``await`` cannot use it; the second is used in threads.
        store_timeout: seconds that a request waits for a call of the server; 0.25 if left out.
        ttl: let the server remove what has expired, by TTL indexes, as it does if this is left
            out. What is being written, and what others are still reading, leaves by them in any
            case.
        ttl_offset: another spelling of ``keep_expired``, in seconds.
        **options: as for :class:`~http_client_cache.backends.base.Backend`, less its limits; and
            ``username``, ``password``, ``authSource``, ``replicaSet``, ``tls``, ``tlsCAFile``,
            ``maxPoolSize``, ``w`` and other arguments of pymongo's clients
            (:class:`~http_client_cache.backends.own_options.MongoClientOptions` has them all).

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: pymongo, or what ``compression`` needs, is not installed.
        TypeError: an unknown argument.
    """

    _limited_by: ClassVar[str] = "ttl_offset, or delete what is old by a program of your own"
    _kind: ClassVar[type[MongoStore]] = MongoStore

    def __init__(
        self,
        cache_name: str = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        database: str | None = None,
        host: str | None = None,
        port: int | None = None,
        address: str | None = None,
        connection: Any = None,
        **options: Unpack[MongoDBOptions],
    ) -> None:
        if host is not None and address is not None:
            raise ConfigurationError("address is another spelling of host; give one of them")
        given = cast("dict[str, Any]", options)
        names = own_options.MONGODB_CLIENT & given.keys()
        client = {name: given.pop(name) for name in names}
        places = (("host", address if host is None else host), ("port", port))
        client.update({name: value for name, value in places if value is not None})
        if connection is not None and client:
            raise ConfigurationError(
                f"{', '.join(sorted(client))} cannot be told to a connection of your own"
            )
        self._client = client
        self._connection = connection
        self._database = database
        super().__init__(cache_name, expire_after, **cast("RemoteOptions", given))

    def _open(self) -> Parts:
        try:
            from http_client_cache.shell import mongodb
        except ModuleNotFoundError as error:
            if error.name not in {"pymongo", "bson"}:
                raise
            raise MissingDependency(
                f"{type(self).__name__} needs pymongo: pip install aiohttp-client-cache[mongodb]"
            ) from error
        host = str(self._client.get("host", ""))
        secrets = _secrets_of(host, self._client)
        mongodb.check(self._client, self._connection, secrets)
        store = self._kind(
            codec_for(self._serializer, self._secret_key),
            cache_name=self.cache_name,
            retention=self._retention,
            compression=self._compression,
            ttl=self._ttl,
        )
        database = _database(self._database, host, self.cache_name)
        target = mongodb.Target(database, store.schema, self._client, self._connection, secrets)
        guard = self._guard
        return store, mongodb.AsyncMongo(guard, target), mongodb.SyncMongo(guard, target)


def _secrets_of(host: str, client: dict[str, Any]) -> tuple[str, ...]:
    known = [client.get("password"), client.get("tlsCertificateKeyFilePassword")]
    if "@" in host:
        known.append(host.partition("://")[2].rpartition("@")[0].partition(":")[2])
    told = [one for one in known if isinstance(one, str) and one]
    return tuple({*told, *map(unquote_plus, told)})


def _database(given: Any, host: str, cache_name: str) -> str:
    if given is not None:
        if not isinstance(given, str) or not _can_be_database(given):
            raise ConfigurationError(f"database cannot be {describe(given)}")
        return given
    if "://" in host:
        path = host.partition("://")[2].rpartition("@")[2].partition("/")[2]
        # As pymongo has it, a collection may be named as well.
        named = unquote_plus(path.partition("?")[0]).partition(".")[0]
        if named not in _SERVERS_OWN and _can_be_database(named):
            return named
    if cache_name not in _SERVERS_OWN and re.fullmatch(r"[A-Za-z0-9_-]{1,63}", cache_name):
        return cache_name
    return DATABASE


def _can_be_database(name: str) -> bool:
    try:
        return 0 < len(name.encode()) < 64 and not re.search(r'[/\\. "$*<>:|?\0]', name)
    except UnicodeEncodeError:
        return False
