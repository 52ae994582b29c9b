"""The house rules: what a user decides about caching, checked when it is set.

Every value can be read and set at any time; a change holds for the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

from http_client_cache.body import WHOLE_BYTES
from http_client_cache.checked import check_codes, check_function, check_names
from http_client_cache.errors import ConfigurationError, check_count, check_flag, describe
from http_client_cache.expiry import UNSET, ExpireAfter, Expiry, parse_expire_after
from http_client_cache.filters import looks_at_body
from http_client_cache.patterns import UrlPatterns
from http_client_cache.rfc9111.freshness import Windows
from http_client_cache.windows import FetchLease, StaleWindow, parse_lease, parse_window

T = TypeVar("T")
V = TypeVar("V")

DEFAULT_CODES = frozenset({200})
DEFAULT_METHODS = frozenset({"GET", "HEAD"})

AUTHORIZATION = frozenset({"authorization"})
"""The field of credentials that everybody knows."""

HeaderNames = bool | Iterable[str]


FLAGS = frozenset(
    {
        *("cache_control", "shared", "cache_status", "cache_groups", "no_vary_search"),
        *("always_revalidate", "read_only"),
    }
)
"""Settings that are either true or false."""


class Settings:
    """The rules of one cache.

    Args:
        expire_after: how long responses are fresh: seconds, ``timedelta``, ``datetime`` (naive
            is UTC) or an HTTP date; -1 for ever; 0 to cache nothing; ``None`` unset (for ever).
        urls_expire_after: the same for URLs that match a glob or a compiled regular expression;
            the first match in the order of definition counts.
        allowed_codes: status codes whose responses are kept; default ``(200,)``.
        allowed_methods: methods whose responses are kept; default ``("GET", "HEAD")``.
        ignored_parameters: names that do not count in query, form, JSON body and header fields
            (there without regard to case), and are not stored either.
        redacted_parameters: names that count, and are not stored: in the same places, and in
            URLs that responses point to.
        include_headers: ``True`` to tell requests apart by all header fields, or names of some.
        filter_fn: called with a response and its body, on writing and on reading; a false
            answer keeps it out of the cache. A plain function or a coroutine function.
        key_fn: called with an :class:`~http_client_cache.message.Request`; returns the key.
        max_entry_bytes: bodies larger than this many bytes are not kept; ``None`` for no limit.
        stream_threshold: a response with a body larger than this many bytes is handed over when its
            head has come, and kept while it is read; smaller ones are read first. Default 1 MiB.
        cache_control: go by RFC 9111, as a private cache. What is left unset of the above is
            then decided by header fields; a set ``expire_after`` fills in where they are silent,
            and 0, set methods and codes, and the filter only refuse.
        shared: with ``cache_control``, obey what is said to shared caches: for programs that
            serve several users.
        stale_if_error: how long after its expiration a response is served if the origin cannot
            be reached or answers 500, 502, 503 or 504: seconds, a ``timedelta``, ``True`` or -1
            for any time, ``False`` or 0 for not at all.
        urls_stale_if_error: the same for URLs that match a pattern.
        stale_while_revalidate: how long after its expiration a response is served while it is
            fetched anew in the background.
        urls_stale_while_revalidate: the same for URLs that match a pattern.
        keep_expired: how long a response is kept beyond all that, before it leaves the store by
            itself: the server may say that it is still good. ``None`` for one hour.
        cache_status: add a ``Cache-Status`` field (RFC 9211) to every response.
        cache_groups: with ``cache_control``, obey ``Cache-Group-Invalidation`` (RFC 9875).
        no_vary_search: with ``cache_control``, obey ``No-Vary-Search``.
        fetch_lease: of many processes that miss the same, let one fetch it. How many seconds it
            has for that, and how long the others wait for it at most; ``None`` or 0 for not at
            all: each process fetches for itself.
        always_revalidate: validate what is stored before every use; that is ``refresh`` for
            every request but those that must not go out (``only_if_cached``).
        read_only: serve what is stored, and neither store nor change nor delete anything.

    Raises:
        ConfigurationError: a value is not what its argument accepts.

    Attributes:
        unstored: all names that are not stored.
        credentials: names of header fields that always tell requests apart, in lower case.
    """

    @staticmethod
    def parse_expiry(value: Any, name: str) -> Expiry:
        """What an expiration value means; a face may have words of its own."""
        return parse_expire_after(value, name)

    def __init__(
        self,
        *,
        expire_after: ExpireAfter = None,
        urls_expire_after: Mapping[Any, ExpireAfter] | None = None,
        allowed_codes: Iterable[int] | None = None,
        allowed_methods: Iterable[str] | None = None,
        ignored_parameters: Iterable[str] | None = None,
        redacted_parameters: Iterable[str] | None = None,
        include_headers: HeaderNames = False,
        filter_fn: Callable[..., Any] | None = None,
        key_fn: Callable[..., Any] | None = None,
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
    ) -> None:
        self.revision = 0
        self.expire_after = expire_after
        self.urls_expire_after = urls_expire_after
        self.allowed_codes = allowed_codes
        self.allowed_methods = allowed_methods
        self._ignored = self._redacted = frozenset[str]()
        self.ignored_parameters = ignored_parameters
        self.redacted_parameters = redacted_parameters
        self.include_headers = include_headers
        self.filter_fn = filter_fn
        self.key_fn = key_fn
        self.max_entry_bytes = max_entry_bytes
        self.stream_threshold = stream_threshold
        self.cache_control = cache_control
        self.shared = shared
        self.stale_if_error = stale_if_error
        self.urls_stale_if_error = urls_stale_if_error
        self.stale_while_revalidate = stale_while_revalidate
        self.urls_stale_while_revalidate = urls_stale_while_revalidate
        self.keep_expired = keep_expired
        self.cache_status = cache_status
        self.cache_groups = cache_groups
        self.no_vary_search = no_vary_search
        self.fetch_lease = fetch_lease
        self.always_revalidate = always_revalidate
        self.read_only = read_only

    # Every hit reads some of the flags, so that they are plain attributes.
    def __setattr__(self, name: str, value: object) -> None:
        if name in FLAGS:
            check_flag(value, name)
            self.revision += 1
        super().__setattr__(name, value)

    @property
    def expire_after(self) -> ExpireAfter:
        """As it was set."""
        return self._expire_after

    @expire_after.setter
    def expire_after(self, value: ExpireAfter) -> None:
        self.expiry: Expiry = self.parse_expiry(value, "expire_after")
        self._expire_after = value
        self.revision += 1

    @property
    def urls_expire_after(self) -> Mapping[Any, ExpireAfter] | None:
        """As it was set; read-only: set the whole mapping to change it."""
        return self._urls_expire_after

    @urls_expire_after.setter
    def urls_expire_after(self, value: Mapping[Any, ExpireAfter] | None) -> None:
        self.patterns = _by_url(value, self.parse_expiry, "urls_expire_after")
        self._urls_expire_after = _read_only(value)
        self.revision += 1

    @property
    def allowed_codes(self) -> frozenset[int]:
        """Status codes whose responses are kept."""
        return DEFAULT_CODES if self._allowed_codes is None else self._allowed_codes

    @allowed_codes.setter
    def allowed_codes(self, value: Iterable[int] | None) -> None:
        self._allowed_codes = None if value is None else check_codes(value)
        self.revision += 1

    @property
    def allowed_methods(self) -> frozenset[str]:
        """Methods whose responses are kept, in upper case."""
        return DEFAULT_METHODS if self._allowed_methods is None else self._allowed_methods

    @allowed_methods.setter
    def allowed_methods(self, value: Iterable[str] | None) -> None:
        self._allowed_methods = (
            None
            if value is None
            else frozenset(name.upper() for name in check_names(value, "allowed_methods"))
        )
        self.revision += 1

    @property
    def ignored_parameters(self) -> frozenset[str]:
        """Names that count neither in keys nor in what is stored."""
        return self._ignored

    @ignored_parameters.setter
    def ignored_parameters(self, value: Iterable[str] | None) -> None:
        self._ignored = frozenset(check_names(() if value is None else value, "ignored_parameters"))
        self.unstored = self._ignored | self._redacted
        self.revision += 1

    @property
    def redacted_parameters(self) -> frozenset[str]:
        """Names that count in keys, and are not stored."""
        return self._redacted

    @redacted_parameters.setter
    def redacted_parameters(self, value: Iterable[str] | None) -> None:
        self._redacted = frozenset(
            check_names(() if value is None else value, "redacted_parameters")
        )
        self.unstored = self._ignored | self._redacted
        named = frozenset(name.lower() for name in self._redacted)
        self.credentials = AUTHORIZATION | named if named else AUTHORIZATION
        self.revision += 1

    @property
    def include_headers(self) -> bool | frozenset[str]:
        """Whether, or which, request header fields tell requests apart."""
        return self._include_headers

    @include_headers.setter
    def include_headers(self, value: HeaderNames) -> None:
        self._include_headers: bool | frozenset[str] = (
            value
            if isinstance(value, bool)
            else frozenset(
                name.lower()
                for name in check_names(value, "include_headers", "True, False or a list")
            )
        )
        self.revision += 1

    @property
    def filter_fn(self) -> Callable[..., Any] | None:
        """The user's filter, if any."""
        return self._filter_fn

    @filter_fn.setter
    def filter_fn(self, value: Callable[..., Any] | None) -> None:
        self._filter_fn = check_function(value, "filter_fn")
        self.filters_bodies = looks_at_body(value)
        self.revision += 1

    @property
    def key_fn(self) -> Callable[..., Any] | None:
        """The user's key function, if any."""
        return self._key_fn

    @key_fn.setter
    def key_fn(self, value: Callable[..., Any] | None) -> None:
        self._key_fn = check_function(value, "key_fn")
        self.revision += 1

    @property
    def max_entry_bytes(self) -> int | None:
        """Bodies larger than this are not kept; ``None`` for no limit."""
        return self._max_entry_bytes

    @max_entry_bytes.setter
    def max_entry_bytes(self, value: int | None) -> None:
        if value is not None:
            check_count(value, "max_entry_bytes", "a number of bytes, or None")
        self._max_entry_bytes = value
        self.revision += 1

    @property
    def stream_threshold(self) -> int:
        """Responses with larger bodies are handed over when their heads have come."""
        return self._stream_threshold

    @stream_threshold.setter
    def stream_threshold(self, value: int) -> None:
        check_count(value, "stream_threshold", "a number of bytes")
        self._stream_threshold = value
        self.revision += 1

    @property
    def chosen_codes(self) -> frozenset[int] | None:
        """Status codes as they were set; ``None`` if they were not."""
        return self._allowed_codes

    @property
    def chosen_methods(self) -> frozenset[str] | None:
        """Methods as they were set; ``None`` if they were not."""
        return self._allowed_methods

    @property
    def stale_if_error(self) -> StaleWindow:
        """As it was set."""
        return self._stale_if_error

    @stale_if_error.setter
    def stale_if_error(self, value: StaleWindow) -> None:
        self._if_error = parse_window(value, "stale_if_error")
        self._stale_if_error = value
        self.revision += 1

    @property
    def urls_stale_if_error(self) -> Mapping[Any, StaleWindow] | None:
        """As it was set; read-only."""
        return self._urls_stale_if_error

    @urls_stale_if_error.setter
    def urls_stale_if_error(self, value: Mapping[Any, StaleWindow] | None) -> None:
        self._if_error_by_url = _by_url(value, parse_window, "urls_stale_if_error")
        self._urls_stale_if_error = _read_only(value)
        self.revision += 1

    @property
    def stale_while_revalidate(self) -> StaleWindow:
        """As it was set."""
        return self._stale_while_revalidate

    @stale_while_revalidate.setter
    def stale_while_revalidate(self, value: StaleWindow) -> None:
        self._revalidate = parse_window(value, "stale_while_revalidate")
        self._stale_while_revalidate = value
        self.revision += 1

    @property
    def urls_stale_while_revalidate(self) -> Mapping[Any, StaleWindow] | None:
        """As it was set; read-only."""
        return self._urls_stale_while_revalidate

    @urls_stale_while_revalidate.setter
    def urls_stale_while_revalidate(self, value: Mapping[Any, StaleWindow] | None) -> None:
        self._revalidate_by_url = _by_url(value, parse_window, "urls_stale_while_revalidate")
        self._urls_stale_while_revalidate = _read_only(value)
        self.revision += 1

    @property
    def keep_expired(self) -> StaleWindow:
        """As it was set."""
        return self._keep_expired

    @keep_expired.setter
    def keep_expired(self, value: StaleWindow) -> None:
        self.kept_expired = parse_window(value, "keep_expired")
        self._keep_expired = value

    @property
    def fetch_lease(self) -> FetchLease:
        """As it was set."""
        return self._fetch_lease

    @fetch_lease.setter
    def fetch_lease(self, value: FetchLease) -> None:
        self.lease_seconds = parse_lease(value, "fetch_lease")
        self._fetch_lease = value

    def expiry_for(self, url: str, per_request: Expiry) -> Expiry:
        """The expiration that counts: per request, then per URL, then per session."""
        if per_request is not UNSET:
            return per_request
        if self.patterns is not None:
            matched = self.patterns.match(url)
            if matched is not None and matched is not UNSET:
                return matched
        return self.expiry

    def windows_for(self, url: str, per_request: Windows) -> Windows:
        """How long stale responses may be served: per request, then per URL, then per session."""
        return Windows(
            _first(per_request.while_revalidate, self._revalidate_by_url, url, self._revalidate),
            _first(per_request.if_error, self._if_error_by_url, url, self._if_error),
        )


def _first(
    said: float | None, by_url: UrlPatterns[float | None] | None, url: str, otherwise: float | None
) -> float | None:
    if said is None and by_url is not None:
        said = by_url.match(url)
    return otherwise if said is None else said


def _by_url(value: object, parse: Callable[[Any, str], V], name: str) -> UrlPatterns[V] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name} must be a mapping of URL pattern to {name.removeprefix('urls_')}, "
            f"not {describe(value)}"
        )
    return UrlPatterns(cast("Any", value), parse, name) if value else None


def _read_only(value: Mapping[Any, T] | None) -> Mapping[Any, T] | None:
    return None if value is None else MappingProxyType(dict(value))
