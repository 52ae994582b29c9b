"""The settings as live attributes, the same on a backend and on a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypedDict, TypeVar, overload

from http_client_cache.clock import Clock
from http_client_cache.expiry import ExpireAfter
from http_client_cache.message import Request
from http_client_cache.settings import HeaderNames, Settings
from http_client_cache.windows import FetchLease, StaleWindow

T = TypeVar("T")

FilterFunction = Callable[[Any], bool | Awaitable[bool]]
"""Says of a response whether it is kept and served; plain or a coroutine function."""

KeyFunction = Callable[[Request], str | Awaitable[str]]
"""Makes the key of a request; plain or a coroutine function."""


class Setting(Generic[T]):
    """One setting: reads and writes ``self.settings``."""

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    @overload
    def __get__(self, owner: None, kind: type) -> Setting[T]: ...
    @overload
    def __get__(self, owner: Any, kind: type) -> T: ...
    def __get__(self, owner: Any, kind: type) -> Setting[T] | T:
        if owner is None:
            return self
        value: T = getattr(owner.settings, self.name)
        return value

    def __set__(self, owner: Any, value: T) -> None:
        setattr(owner.settings, self.name, value)


class Live:
    """Gives its subclass the settings as attributes; a change holds for the next request."""

    settings: Settings

    expire_after = Setting[ExpireAfter]("expire_after", "How long responses are fresh.")
    urls_expire_after = Setting[Mapping[Any, ExpireAfter] | None](
        "urls_expire_after", "How long responses are fresh, by URL pattern."
    )
    allowed_codes = Setting[Iterable[int]]("allowed_codes", "Status codes that are kept.")
    allowed_methods = Setting[Iterable[str]]("allowed_methods", "Methods that are kept.")
    ignored_parameters = Setting[Iterable[str]](
        "ignored_parameters", "Names that neither count nor are stored."
    )
    ignored_params = Setting[Iterable[str]](
        "ignored_parameters", "Another spelling of ``ignored_parameters``."
    )
    redacted_parameters = Setting[Iterable[str]](
        "redacted_parameters", "Names that count, and are not stored."
    )
    include_headers = Setting[HeaderNames](
        "include_headers", "Which request header fields tell requests apart."
    )
    filter_fn = Setting[FilterFunction | None]("filter_fn", "The user's filter.")
    key_fn = Setting[KeyFunction | None]("key_fn", "The user's key function.")
    max_entry_bytes = Setting[int | None]("max_entry_bytes", "The largest body that is kept.")
    stream_threshold = Setting[int](
        "stream_threshold", "The largest body that is read before its response is handed over."
    )
    cache_control = Setting[bool]("cache_control", "Whether RFC 9111 decides.")
    shared = Setting[bool]("shared", "Whether the cache has several users.")
    stale_if_error = Setting[StaleWindow](
        "stale_if_error", "How long an expired response is served if the origin fails."
    )
    urls_stale_if_error = Setting[Mapping[Any, StaleWindow] | None](
        "urls_stale_if_error", "The same, by URL pattern."
    )
    stale_while_revalidate = Setting[StaleWindow](
        "stale_while_revalidate", "How long an expired response is served while it is fetched anew."
    )
    urls_stale_while_revalidate = Setting[Mapping[Any, StaleWindow] | None](
        "urls_stale_while_revalidate", "The same, by URL pattern."
    )
    keep_expired = Setting[StaleWindow](
        "keep_expired", "How long an expired response is kept beyond its stale windows."
    )
    cache_status = Setting[bool]("cache_status", "Whether responses get a ``Cache-Status`` field.")
    cache_groups = Setting[bool]("cache_groups", "Whether cache groups count.")
    no_vary_search = Setting[bool]("no_vary_search", "Whether ``No-Vary-Search`` counts.")
    fetch_lease = Setting[FetchLease]("fetch_lease", "How long other processes wait for a fetch.")
    always_revalidate = Setting[bool]("always_revalidate", "Whether every use is validated first.")
    read_only = Setting[bool]("read_only", "Whether nothing is stored, changed or deleted.")


class RuleOptions(TypedDict, total=False):
    """The keywords that are settings, less the one that backends take by position, too."""

    urls_expire_after: Mapping[Any, ExpireAfter] | None
    allowed_codes: Iterable[int] | None
    allowed_methods: Iterable[str] | None
    ignored_parameters: Iterable[str] | None
    ignored_params: Iterable[str] | None
    redacted_parameters: Iterable[str] | None
    include_headers: HeaderNames
    filter_fn: FilterFunction | None
    key_fn: KeyFunction | None
    max_entry_bytes: int | None
    stream_threshold: int
    cache_control: bool
    shared: bool
    stale_if_error: StaleWindow
    urls_stale_if_error: Mapping[Any, StaleWindow] | None
    stale_while_revalidate: StaleWindow
    urls_stale_while_revalidate: Mapping[Any, StaleWindow] | None
    keep_expired: StaleWindow
    cache_status: bool
    cache_groups: bool
    no_vary_search: bool
    fetch_lease: FetchLease
    always_revalidate: bool
    read_only: bool


class SettingOptions(RuleOptions, total=False):
    """The keywords that are settings."""

    expire_after: ExpireAfter


class BackendOptions(RuleOptions, total=False):
    """The keywords that every backend knows."""

    serializer: Any
    secret_key: Any
    compression: Literal["zstd"] | None
    autoclose: bool
    max_entries: int | None
    clock: Clock | None


class SessionOptions(BackendOptions, SettingOptions, total=False):
    """The keywords that a session takes for its backend."""

    cache_name: str
    max_bytes: int | None


SETTING_NAMES = frozenset(SettingOptions.__annotations__)
CONSTRUCTION_NAMES = frozenset(SessionOptions.__annotations__) - SETTING_NAMES
"""What only the construction of a backend takes."""
