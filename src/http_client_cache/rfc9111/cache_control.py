"""Cache-Control (RFC 9111 section 5.2), its extensions in RFC 5861 and 8246, and Pragma (5.4).

Three rules decide what is not plain:

- of two numbers for one directive the first counts (section 4.2.1);
- a directive that narrows counts as soon as its name can be read, whatever follows it; one that
  allows counts only if it is well formed;
- a number that cannot be read is the most restrictive one, or no allowance (section 4.2.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from http_client_cache.message import Headers
from http_client_cache.rfc9111.fields import (
    MAX_DELTA,
    Directive,
    delta_seconds,
    directives,
    is_token,
    list_items,
)


class RequestDirectives(NamedTuple):
    """What a request asks of caches (section 5.2.1); seconds are ``None`` if not said.

    Attributes:
        max_age: no response older than this; unreadable is 0.
        max_stale: how long expired a response may be; ``MAX_DELTA`` for any time.
        min_fresh: how long a response must still be fresh; unreadable is ``MAX_DELTA``.
        no_cache: nothing that is not validated, also said as ``Pragma: no-cache`` (5.4).
        no_store: store nothing of this.
        no_transform: for intermediaries; a cache transforms nothing.
        only_if_cached: a stored response or 504.
        stale_if_error: how long expired a response may be if the origin fails (RFC 5861 4).
    """

    max_age: int | None = None
    max_stale: int | None = None
    min_fresh: int | None = None
    no_cache: bool = False
    no_store: bool = False
    no_transform: bool = False
    only_if_cached: bool = False
    stale_if_error: int | None = None


class ResponseDirectives(NamedTuple):
    """What a response says to caches (section 5.2.2); seconds are ``None`` if not said.

    Attributes:
        max_age: lifetime; unreadable is 0.
        s_maxage: lifetime in a shared cache; unreadable is 0.
        no_store: store nothing of this.
        no_cache: use it only when validated: the form without field names, or with such that
            the stored response cannot do without.
        no_cache_fields: lower-case names of fields that may only be reused when validated.
        private: for one user: the form without field names, or as with ``no_cache``.
        private_fields: lower-case names of fields for one user.
        public: storable, also where it would not be otherwise.
        must_revalidate: never serve it stale.
        proxy_revalidate: a shared cache never serves it stale.
        must_understand: store it only if the status code is understood.
        no_transform: for intermediaries; a cache transforms nothing.
        immutable: need not be validated while fresh, not even on a reload (RFC 8246).
        stale_while_revalidate: how long it may be served stale meanwhile (RFC 5861 section 3).
        stale_if_error: how long it may be served stale if the origin fails (RFC 5861 4).
        unreadable: names of directives whose seconds could not be read.
    """

    max_age: int | None = None
    s_maxage: int | None = None
    no_store: bool = False
    no_cache: bool = False
    no_cache_fields: frozenset[str] = frozenset()
    private: bool = False
    private_fields: frozenset[str] = frozenset()
    public: bool = False
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    no_transform: bool = False
    immutable: bool = False
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None
    unreadable: frozenset[str] = frozenset()


NO_REQUEST_DIRECTIVES: Final = RequestDirectives()
NO_RESPONSE_DIRECTIVES: Final = ResponseDirectives()

NARROWING: Final = frozenset(
    {
        *("no-cache", "no-store", "no-transform", "only-if-cached"),
        *("private", "must-revalidate", "proxy-revalidate"),
    }
)
"""Directives that count even if what follows their name makes no sense."""

REQUEST_SECONDS: Final[Mapping[str, int | None]] = {
    "max-age": 0,
    "min-fresh": MAX_DELTA,
    "max-stale": None,
    "stale-if-error": None,
}
"""Request directives that take seconds, and what they mean when those cannot be read."""

RESPONSE_SECONDS: Final[Mapping[str, int | None]] = {
    "max-age": 0,
    "s-maxage": 0,
    "stale-while-revalidate": None,
    "stale-if-error": None,
}
"""Response directives that take seconds, and what they mean when those cannot be read."""

INDISPENSABLE: Final = frozenset(
    {
        *("age", "cache-control", "date", "expires", "vary"),
        *("content-encoding", "content-length", "content-range", "content-type"),
    }
)
"""Fields without which a stored response would mean something else.

A qualified directive that names one of them is honoured as if it named none, which is stricter.
"""


def request_directives(headers: Headers) -> RequestDirectives:
    """What a request asks of caches."""
    if "cache-control" in headers:
        found = directives(headers.get_all("cache-control"))
        if found:
            return _request(found)
    if "pragma" in headers:
        found = directives(headers.get_all("pragma"))
        if any(directive.name == "no-cache" for directive in found):
            return NO_REQUEST_DIRECTIVES._replace(no_cache=True)
    return NO_REQUEST_DIRECTIVES


def response_directives(headers: Headers) -> ResponseDirectives:
    """What a response says to caches; ``Pragma`` means nothing in one (section 5.4)."""
    if "cache-control" not in headers:
        return NO_RESPONSE_DIRECTIVES
    found = directives(headers.get_all("cache-control"))
    flags, unreadable = _flags(found), set[str]()
    seconds = _seconds(found, RESPONSE_SECONDS, unreadable)
    no_cache, no_cache_fields = _qualified(found, "no-cache")
    private, private_fields = _qualified(found, "private")
    return ResponseDirectives(
        max_age=seconds.get("max-age"),
        s_maxage=seconds.get("s-maxage"),
        no_store="no-store" in flags,
        no_cache=no_cache,
        no_cache_fields=no_cache_fields,
        private=private,
        private_fields=private_fields,
        public="public" in flags,
        must_revalidate="must-revalidate" in flags,
        proxy_revalidate="proxy-revalidate" in flags,
        must_understand="must-understand" in flags,
        no_transform="no-transform" in flags,
        immutable="immutable" in flags,
        stale_while_revalidate=seconds.get("stale-while-revalidate"),
        stale_if_error=seconds.get("stale-if-error"),
        unreadable=frozenset(unreadable),
    )


def _request(found: Sequence[Directive]) -> RequestDirectives:
    flags, seconds = _flags(found), _seconds(found, REQUEST_SECONDS, set())
    max_stale = seconds.get("max-stale")
    first = next((directive for directive in found if directive.name == "max-stale"), None)
    if first is not None and first.well_formed and first.argument is None:
        max_stale = MAX_DELTA
    return RequestDirectives(
        max_age=seconds.get("max-age"),
        max_stale=max_stale,
        min_fresh=seconds.get("min-fresh"),
        no_cache="no-cache" in flags,
        no_store="no-store" in flags,
        no_transform="no-transform" in flags,
        only_if_cached="only-if-cached" in flags,
        stale_if_error=seconds.get("stale-if-error"),
    )


def _flags(found: Sequence[Directive]) -> frozenset[str]:
    """Names that count, whether or not they have an argument: none is defined (section 5.2)."""
    return frozenset([name for name, _, well_formed in found if well_formed or name in NARROWING])


def _seconds(
    found: Sequence[Directive], otherwise: Mapping[str, int | None], unreadable: set[str]
) -> dict[str, int | None]:
    seconds: dict[str, int | None] = {}
    for name, argument, _ in found:
        if name not in otherwise or name in seconds:
            continue
        value = None if argument is None else delta_seconds(argument)
        if value is None:
            unreadable.add(name)
            value = otherwise[name]
        seconds[name] = value
    return seconds


def _qualified(found: Sequence[Directive], name: str) -> tuple[bool, frozenset[str]]:
    """Whether a directive occurs without field names, and the names of those that have some.

    The form without is the stricter one, so it counts where both occur, and wherever the names
    cannot be read.
    """
    fields: set[str] = set()
    for directive in found:
        if directive.name != name:
            continue
        names = [item.lower() for item in list_items([directive.argument or ""])]
        if not names or not all(map(is_token, names)) or not INDISPENSABLE.isdisjoint(names):
            return True, frozenset()
        fields.update(names)
    return False, frozenset(fields)
