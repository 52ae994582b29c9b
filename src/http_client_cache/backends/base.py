"""What the backends of all faces are made of; on its own, one that keeps responses in memory.

A face adds what its clients ask of a cache, with ``await`` or without.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal
from weakref import WeakSet

from http_client_cache.backends.options import FilterFunction, KeyFunction, Live
from http_client_cache.body import WHOLE_BYTES
from http_client_cache.clock import Clock
from http_client_cache.codec import codec_for
from http_client_cache.compression import check_compression
from http_client_cache.errors import ConfigurationError, check_flag
from http_client_cache.expiry import ExpireAfter
from http_client_cache.limits import Retention, checked_limits
from http_client_cache.settings import HeaderNames, Settings
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.statements import AsyncShell, SyncShell
from http_client_cache.store import Store
from http_client_cache.store.memory import DEFAULT_MAX_BYTES, MemoryStore
from http_client_cache.windows import FetchLease, StaleWindow

Parts = tuple[Store, AsyncShell, SyncShell]
"""A store with its shells."""


class Backend(Live):
    """The settings of a cache, and where it keeps responses: here, in this process's memory.

    Each of the arguments that :class:`~http_client_cache.settings.Settings` knows can be read
    and set later as an attribute, here and on the session.

    Args:
        cache_name: names the cache where it is persistent.
        expire_after: how long responses are fresh; see
            :class:`~http_client_cache.settings.Settings` for this and the following.
        urls_expire_after: the same, for URLs that match a pattern.
        allowed_codes: status codes whose responses are kept.
        allowed_methods: methods whose responses are kept.
        ignored_parameters: names that neither count nor are stored.
        ignored_params: another spelling of ``ignored_parameters``.
        redacted_parameters: names that count, and are not stored.
        include_headers: which request header fields tell requests apart.
        filter_fn: says of a response whether it is kept and served.
        key_fn: makes the key of a request.
        max_entry_bytes: bodies larger than this many bytes are not kept.
        stream_threshold: a response with a larger body, in bytes, is handed over when its head has
            come, and kept while it is read.
        cache_control: go by what requests and responses say (RFC 9111).
        shared: with ``cache_control``, obey what is said to shared caches.
        stale_if_error: how long an expired response is served if the origin fails.
        urls_stale_if_error: the same, for URLs that match a pattern.
        stale_while_revalidate: how long an expired response is served while it is fetched anew.
        urls_stale_while_revalidate: the same, for URLs that match a pattern.
        keep_expired: how long an expired response is kept beyond that; one hour if left out.
        cache_status: add a ``Cache-Status`` field to every response.
        cache_groups: with ``cache_control``, obey ``Cache-Group-Invalidation``.
        no_vary_search: with ``cache_control``, obey ``No-Vary-Search``.
        fetch_lease: of many processes that miss the same, one fetches it; for how long.
        always_revalidate: validate what is stored before every use.
        read_only: serve what is stored; store, change and delete nothing.
        max_entries: how many responses may be kept, and how many redirects; ``None`` for no
            limit. What has expired goes first, then what was used least recently.
        max_bytes: how many bytes may be kept; ``None`` for no limit. Default 256 MiB in memory.
        serializer: ``"msgpack"`` (default), ``"json"``, or an object with ``dumps`` and
            ``loads``. Memory keeps responses as they are.
        secret_key: signs records, so that only who has the key can write them.
        compression: ``"zstd"`` compresses bodies on their way into a file, where that saves a
            tenth; it needs ``pip install aiohttp-client-cache[zstd]``. Memory keeps them as they
            are.
        autoclose: close the backend with the last session that uses it.
        clock: replaced in tests.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: what an argument asks for is not installed.
        TypeError: an unknown argument.
    """

    _rules: ClassVar[type[Settings]] = Settings

    def __init__(
        self,
        cache_name: Any = "aiohttp-cache",
        expire_after: ExpireAfter = None,
        *,
        urls_expire_after: Mapping[Any, ExpireAfter] | None = None,
        allowed_codes: Iterable[int] | None = None,
        allowed_methods: Iterable[str] | None = None,
        ignored_parameters: Iterable[str] | None = None,
        ignored_params: Iterable[str] | None = None,
        redacted_parameters: Iterable[str] | None = None,
        include_headers: HeaderNames = False,
        filter_fn: FilterFunction | None = None,
        key_fn: KeyFunction | None = None,
        max_entry_bytes: int | None = None,
        stream_threshold: int = WHOLE_BYTES,
        cache_control: bool = False,
        shared: bool = False,
        stale_if_error: StaleWindow = None,
        urls_stale_if_error: Mapping[Any, StaleWindow] | None = None,
        stale_while_revalidate: StaleWindow = None,
        urls_stale_while_revalidate: Mapping[Any, StaleWindow] | None = None,
        keep_expired: StaleWindow = None,
        cache_status: bool = False,
        cache_groups: bool = False,
        no_vary_search: bool = False,
        fetch_lease: FetchLease = None,
        always_revalidate: bool = False,
        read_only: bool = False,
        max_entries: int | None = None,
        max_bytes: int | None = DEFAULT_MAX_BYTES,
        serializer: Any = None,
        secret_key: Any = None,
        compression: Literal["zstd"] | None = None,
        autoclose: bool = True,
        clock: Clock | None = None,
    ) -> None:
        if ignored_parameters is not None and ignored_params is not None:
            raise ConfigurationError(
                "ignored_params is another spelling of ignored_parameters; give one of them"
            )
        self.settings = self._rules(
            expire_after=expire_after,
            urls_expire_after=urls_expire_after,
            allowed_codes=allowed_codes,
            allowed_methods=allowed_methods,
            ignored_parameters=ignored_parameters if ignored_params is None else ignored_params,
            redacted_parameters=redacted_parameters,
            include_headers=include_headers,
            filter_fn=filter_fn,
            key_fn=key_fn,
            max_entry_bytes=max_entry_bytes,
            stream_threshold=stream_threshold,
            cache_control=cache_control,
            shared=shared,
            stale_if_error=stale_if_error,
            urls_stale_if_error=urls_stale_if_error,
            stale_while_revalidate=stale_while_revalidate,
            urls_stale_while_revalidate=urls_stale_while_revalidate,
            keep_expired=keep_expired,
            cache_status=cache_status,
            cache_groups=cache_groups,
            no_vary_search=no_vary_search,
            fetch_lease=fetch_lease,
            always_revalidate=always_revalidate,
            read_only=read_only,
        )
        self.cache_name = cache_name
        self.autoclose = check_flag(autoclose, "autoclose")
        self.clock = clock or Clock()
        codec_for(serializer, secret_key)  # Says what is wrong with them, where they are given.
        check_compression(compression)
        self._serializer, self._secret_key = serializer, secret_key
        self._compression = compression
        self._limits = checked_limits(max_entries, max_bytes)
        self._retention = Retention(self.settings, self.clock)
        self._users: WeakSet[Any] = WeakSet()
        # Storages of the user's own, by what they keep.
        self._assigned: dict[str, Any] = {}
        self._parts = self._open()
        self._use(self._parts)

    def _open(self) -> Parts:
        """The store with its shells; a backend of one's own overrides it."""
        store = MemoryStore(**self._limits._asdict(), retention=self._retention)
        return store, AsyncImmediate(), SyncImmediate()

    @abstractmethod
    def _use(self, parts: Parts) -> None:
        """Let the engine work with a store and its shells."""

    def _name(self) -> str:
        return f"{type(self).__name__}({str(self.cache_name)!r})"

    @property
    def max_entries(self) -> int | None:
        """How many responses may be kept; read-only, as what concerns the storage is."""
        return self._limits.max_entries

    @property
    def max_bytes(self) -> int | None:
        """How many bytes may be kept; read-only, as what concerns the storage is."""
        return self._limits.max_bytes

    def attach(self, user: object) -> None:
        """Note that a session uses this backend."""
        self._users.add(user)
