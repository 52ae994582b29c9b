"""What may be stored, and which of its fields (RFC 9111 sections 3, 3.1, 3.3 and 3.5)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin

from http_client_cache.message import (
    Headers,
    RawHeaders,
    Request,
    ResponseHead,
    to_bytes,
)
from http_client_cache.rfc9111.cache_control import (
    INDISPENSABLE,
    RequestDirectives,
    ResponseDirectives,
)
from http_client_cache.rfc9111.dates import format_http_date, parse_http_date
from http_client_cache.rfc9111.fields import list_items
from http_client_cache.rfc9111.freshness import HEURISTICALLY_CACHEABLE, Assessment
from http_client_cache.rfc9111.reasons import Reason

UNDERSTOOD_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
"""Methods whose rules for caching are implemented (RFC 9110 section 9.3)."""

UNDERSTOOD_STATUSES: Final = frozenset(
    {
        *(200, 201, 202, 203, 204, 205),
        *(300, 301, 302, 303, 305, 307, 308),
        *(*range(400, 418), 421, 422, 426),
        *range(500, 506),
    }
)
"""Final statuses of RFC 9110 section 15 whose rules for caching are implemented.

206 and 304 are understood as far as their caller says: they are never stored as they are.
"""

NEVER_STORED: Final = frozenset({428, 429, 431, 511})
"""Statuses that "MUST NOT be stored by a cache" (RFC 6585 sections 3 to 6)."""

ANSWERS_TO: Final = {
    412: ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since"),
    416: ("range",),
}
"""Statuses that speak of fields of their request, which tell nothing to a request without."""

PER_HOP: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"),
        *("proxy-authenticate", "proxy-authentication-info", "proxy-authorization"),
    }
)
"""Fields that concern one connection or proxy (section 3.1, RFC 9110 section 7.6.1)."""


def may_store(
    request: Request,
    head: ResponseHead,
    asked: RequestDirectives,
    said: ResponseDirectives,
    *,
    shared: bool = False,
    granted: bool = False,
    partial: bool = False,
) -> Reason | None:
    """Why a response must not be stored (section 3), or ``None`` if it may be.

    Args:
        request: what was answered.
        head: of the answer.
        asked: the directives of ``request``.
        said: the directives of ``head``.
        shared: whether the cache has more than one user.
        granted: whether somebody else than the response gives it a lifetime, so that it need
            not allow storing itself.
        partial: whether this 206 is one that the cache can store and combine (section 3.3).
    """
    status = head.status
    if request.method not in UNDERSTOOD_METHODS:
        return Reason.METHOD_NOT_UNDERSTOOD
    unfit = _unfit_status(request, status, partial=partial)
    if unfit is not None:
        return unfit
    if asked.no_store:
        return Reason.REQUEST_NO_STORE
    if said.must_understand:
        # Its no-store is meant for caches that do not know this directive (section 5.2.2.3).
        if status not in UNDERSTOOD_STATUSES and status != 206:
            return Reason.NOT_UNDERSTOOD
    elif said.no_store:
        return Reason.NO_STORE
    if shared:
        if said.private:
            return Reason.PRIVATE
        if "authorization" in request.headers and not allows_sharing(said):
            return Reason.AUTHORIZATION
    if request.method == "POST" and not _answers_a_later_get(request, head, said, shared=shared):
        return Reason.POST
    if granted or status in HEURISTICALLY_CACHEABLE or _allows_storing(head, said, shared=shared):
        return None
    return Reason.NOT_CACHEABLE


def allows_sharing(said: ResponseDirectives) -> bool:
    """Whether an answer to one user's Authorization may serve others (section 3.5)."""
    return said.must_revalidate or said.public or said.s_maxage is not None


def worth_storing(head: ResponseHead, assessment: Assessment) -> Reason | None:
    """Why a response is of no use later (section 3, last note), or ``None`` if it is.

    It is if it will be fresh for a while, if it may be served stale, or if it can be validated.
    """
    if "etag" in head.headers or "last-modified" in head.headers:
        return None
    if assessment.no_cache:
        return Reason.NEITHER_FRESH_NOR_VALIDATABLE
    windows = (assessment.stale_while_revalidate or 0, assessment.stale_if_error or 0)
    until = assessment.expires + (0 if assessment.must_revalidate else max(windows))
    return None if until > assessment.created else Reason.NEITHER_FRESH_NOR_VALIDATABLE


def storable_headers(
    raw: RawHeaders,
    said: ResponseDirectives,
    *,
    shared: bool = False,
    received: float | None = None,
) -> RawHeaders:
    """The fields of a response that are stored (section 3.1); trailers never get here.

    Left out are those of one connection or proxy, and what ``no-cache="…"`` and, in a shared
    cache, ``private="…"`` name. A field without which the response would mean something else is
    kept, whoever names it.

    Args:
        raw: as received.
        said: the directives of the response.
        shared: whether the cache has more than one user.
        received: when the response arrived: the Date that is added where there is none that
            can be read (RFC 9110 section 6.6.1); ``None`` adds nothing.
    """
    headers = Headers(raw)
    named = {option.lower() for option in list_items(headers.get_all("connection"))}
    named |= said.no_cache_fields
    if shared:
        named |= said.private_fields
    kept = headers.without(PER_HOP | (named - INDISPENSABLE))
    if received is not None and parse_http_date(kept.get("date") or "", received) is None:
        date = (b"Date", to_bytes(format_http_date(received)))
        return (*kept.without(frozenset({"date"})).raw, date)
    return kept.raw


def _unfit_status(request: Request, status: int, *, partial: bool) -> Reason | None:
    if status < 200:
        return Reason.NOT_FINAL
    if status in NEVER_STORED:
        return Reason.NEVER_STORED
    if status == 304 or any(name in request.headers for name in ANSWERS_TO.get(status, ())):
        return Reason.CONDITION if status != 416 else Reason.RANGE
    if status == 206 and not (partial and request.method == "GET"):
        return Reason.PARTIAL
    return None


def _answers_a_later_get(
    request: Request, head: ResponseHead, said: ResponseDirectives, *, shared: bool
) -> bool:
    """Whether a POST was answered with what a GET would be (RFC 9110 section 9.3.3)."""
    location = head.headers.get("content-location")
    if location is None or not _explicitly_fresh(head, said, shared=shared):
        return False
    target = request.url.partition("#")[0]
    try:
        return urljoin(target, location) == target
    except ValueError:
        return False


def _allows_storing(head: ResponseHead, said: ResponseDirectives, *, shared: bool) -> bool:
    """Whether the response itself allows that it is stored (section 3, last condition)."""
    private = not shared and bool(said.private or said.private_fields)
    return said.public or private or _explicitly_fresh(head, said, shared=shared)


def _explicitly_fresh(head: ResponseHead, said: ResponseDirectives, *, shared: bool) -> bool:
    return (
        said.max_age is not None
        or (shared and said.s_maxage is not None)
        or "expires" in head.headers
    )
