"""The response that is made of a stored one: whole, a part of it, or 304 (RFC 9110 13 and 14)."""

from __future__ import annotations

from typing import Final

import msgspec

from http_client_cache.entry import Stored
from http_client_cache.message import Headers, Request
from http_client_cache.options import Options
from http_client_cache.rfc9111.cache_control import RequestDirectives
from http_client_cache.rfc9111.ranges import (
    Full,
    Partial,
    Unsatisfiable,
    answer_range,
    parse_content_range,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.validation import Outcome, not_modified, precondition
from http_client_cache.served import Hit, Made

SELECTING: Final = frozenset(
    {
        *(b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"),
        *(b"if-range", b"range"),
    }
)
"""Request fields that make another response of what is stored, in lower case."""


def respond(
    stored: Stored,
    request: Request,
    asked: RequestDirectives,
    options: Options,
    now: float,
    reason: Reason,
    *,
    validated: bool = False,
) -> Hit | Reason:
    """What a stored response that may be served answers to a request.

    Args:
        stored: that may be served.
        request: the caller's.
        asked: its directives.
        options: what else the caller said.
        now: UTC seconds.
        reason: why it may be served.
        validated: whether the origin itself has just said that it is still good, so that it has
            no age (section 5.1).

    Returns:
        The response; or why the origin has to answer.
    """
    entry = stored.entry
    made = None
    headers = request.headers
    if (headers.raw and headers.has_any(SELECTING)) or entry.status == PARTIAL:
        answer = _made(stored, request, options, now)
        if isinstance(answer, Reason):
            return answer
        made = answer
    if asked.max_age is not None:
        # The request speaks first, and for itself alone.
        expires = entry.created - entry.initial_age + asked.max_age
        stored = stored._replace(entry=msgspec.structs.replace(entry, expires=expires))
    if request.method == "HEAD" and stored.body:
        stored = stored._replace(body=b"")
    return Hit(stored, reason, None if validated else now, made)


PARTIAL: Final = 206
"""Status of what is stored, or served, as a part."""


def _made(stored: Stored, request: Request, options: Options, now: float) -> Made | Reason | None:
    """What conditions and ranges make of it; ``None`` for the whole."""
    entry, headers = stored.entry, Headers(stored.entry.headers)
    outcome = precondition(request, entry.status, headers, entry.created, now)
    if outcome is Outcome.FORWARD:
        return Reason.ORIGIN_CONDITION
    if outcome is Outcome.NOT_MODIFIED:
        return Made(304, "Not Modified", entry.version, not_modified(headers), b"")
    first = 0
    size: int | None = entry.body_size
    held = None
    if entry.status == PARTIAL:
        span = parse_content_range(headers)
        if span is None:
            return Reason.PART
        first, size, held = span.start, span.size, (span.start, span.stop)
    answer = answer_range(
        request,
        entry.status,
        headers,
        size,
        entry.created,
        held=held,
        # What the client did not decode is as long as ranges count.
        coded=False if "raw" in options.variant else None,
    )
    if isinstance(answer, Full):
        return None
    if isinstance(answer, Partial):
        body = stored.body[answer.start - first : answer.stop - first]
        cookies = entry.sets_cookies
        return Made(PARTIAL, "Partial Content", entry.version, answer.headers, body, cookies)
    if isinstance(answer, Unsatisfiable):
        return Made(416, "Range Not Satisfiable", entry.version, answer.headers, b"")
    return answer.reason
