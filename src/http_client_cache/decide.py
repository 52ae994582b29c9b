"""What the house rules say where they decide alone: yes or no, and why.

Pure functions of values; ``now`` is an argument, and the user's own functions are asked
elsewhere (``steps.py``). Where RFC 9111 has its say, too, ``lawful/weigh.py`` decides.
"""

from __future__ import annotations

import msgspec

from http_client_cache.entry import CLOCK_SKEW, Entry
from http_client_cache.expiry import AT_ONCE, DO_NOT_CACHE, Expiry
from http_client_cache.message import UNKEYABLE, Headers, Request, ResponseHead
from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ANSWERS_TO_CONDITIONS = frozenset({304, 412})
STREAMING_TYPES = frozenset({"text/event-stream", "multipart/x-mixed-replace"})


def bypass(request: Request, options: Options, settings: Settings) -> Reason | None:
    """Why this request has nothing to do with the cache, or ``None``."""
    if options.disabled:
        return Reason.DISABLED
    if request.method not in settings.allowed_methods:
        return Reason.METHOD
    if settings.expiry_for(request.url, options.expire_after) is DO_NOT_CACHE:
        return Reason.DO_NOT_CACHE
    if request.body is UNKEYABLE:
        return Reason.UNKEYABLE_BODY
    headers = request.headers
    if headers.raw:
        if "range" in headers:
            return Reason.RANGE
        if "upgrade" in headers:
            return Reason.UPGRADE
    return None


def judge_stored(entry: Entry, options: Options, now: float) -> Reason:
    """Whether a stored response may be served: ``HIT``, or why the origin must be asked."""
    if options.force_refresh:
        return Reason.FORCE_REFRESH
    if options.refresh:
        return Reason.REFRESH
    if entry.is_expired(now):
        return Reason.EXPIRED
    return Reason.HIT


def within(window: float | None, entry: Entry, now: float) -> bool:
    """Whether an expired response is within the time for which it may be served all the same.

    A clock that went back tells nothing about that.
    """
    if not window or entry.expires is None or now < entry.created - CLOCK_SKEW:
        return False
    return now - entry.expires <= window


class Keep(msgspec.Struct, frozen=True):
    """The response is to be stored."""

    expires: float | None


def judge_head(
    request: Request,
    head: ResponseHead,
    expiry: Expiry,
    settings: Settings,
    *,
    received: float,
    sent_authorization: str | None,
) -> Keep | Reason:
    """Whether a response may be stored, as far as its head tells.

    Args:
        request: what was keyed.
        head: of the answer.
        expiry: what :meth:`Settings.expiry_for` said.
        settings: the house rules.
        received: when the answer arrived (UTC seconds).
        sent_authorization: the credentials that really went out.
    """
    if authorization_added(request, sent_authorization):
        return Reason.AUTHORIZATION_ADDED
    if head.status in ANSWERS_TO_CONDITIONS and has_conditions(request):
        return Reason.CONDITION
    if head.status not in settings.allowed_codes:
        return Reason.STATUS
    if head.status == 206:
        return Reason.RANGE
    unfit = unfit_body(request, head, settings)
    if unfit is not None:
        return unfit
    if settings.read_only:
        return Reason.READ_ONLY
    expires = expiry.expires(received)
    if expiry is AT_ONCE:
        return Keep(expires) if has_validator(head) else Reason.NEITHER_FRESH_NOR_VALIDATABLE
    if expires is not None and expires <= received:
        return Reason.ALREADY_EXPIRED
    return Keep(expires)


def unfit_body(request: Request, head: ResponseHead, settings: Settings) -> Reason | None:
    """Why a body cannot be kept, as far as the head tells, or ``None``."""
    media_type = (head.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type in STREAMING_TYPES:
        return Reason.STREAMING
    if _may_break_off_unseen(request, head):
        return Reason.UNFRAMED
    limit = settings.max_entry_bytes
    if limit is not None and request.method != "HEAD":
        length = head.headers.get("content-length") or ""
        if length.isascii() and length.isdigit() and int(length) > limit:
            return Reason.TOO_LARGE
    return None


def _may_break_off_unseen(request: Request, head: ResponseHead) -> bool:
    """Whether nothing tells the end of a body that was decoded on its way.

    Where it lasts until the connection is closed, only the coding tells whether it is whole (RFC
    9112 section 8), and clients do not look.
    """
    headers = head.headers
    coded = headers.get("content-encoding", "") not in {"", "identity"}
    return (
        coded
        and request.method != "HEAD"
        and head.version < (2, 0)
        and head.status not in {204, 304}
        and "content-length" not in headers
        and "transfer-encoding" not in headers
    )


def authorization_added(request: Request, sent: str | None) -> bool:
    """Whether credentials went out that the key of the request knows nothing of."""
    return sent is not None and sent != request.headers.get("authorization")


UNDECIDED = frozenset({Reason.INCOMPLETE, Reason.CONDITION, Reason.NOT_YET})
"""Refusals that tell nothing about the next answer to the same request."""


def outdates(reason: Reason, refusal: Reason | None, status: int) -> bool:
    """Whether what is stored has to go, where the answer may not take its place.

    Args:
        reason: why the origin was asked.
        refusal: why the answer is not stored.
        status: of the answer.
    """
    if reason is Reason.FORCE_REFRESH or refusal in UNDECIDED:
        return False
    # A server in trouble says nothing about what was to be validated before its time.
    return reason is not Reason.REFRESH or status < 500


def leads_on(head: ResponseHead, settings: Settings) -> bool:
    """Whether a client goes on from here to a response that this redirect is kept with.

    A redirect whose status is among ``allowed_codes`` is a response like any other.
    """
    return (
        head.status in REDIRECTS
        and head.status not in settings.allowed_codes
        and ("location" in head.headers or "uri" in head.headers)
    )


def conditions(entry: Entry, request: Request) -> tuple[tuple[str, str], ...]:
    """The fields that turn a request into a conditional one (RFC 9111 section 4.3.1).

    Empty where the stored response has no validator, and where the caller has conditions of
    its own: the answer to those belongs to the caller.
    """
    if has_conditions(request):
        return ()
    stored = Headers(entry.headers)
    found: list[tuple[str, str]] = []
    if (etag := stored.get("etag")) is not None:
        found.append(("If-None-Match", etag))
    if (modified := stored.get("last-modified")) is not None:
        found.append(("If-Modified-Since", modified))
    return tuple(found)


def has_validator(head: ResponseHead) -> bool:
    """Whether a response could be validated."""
    return "etag" in head.headers or "last-modified" in head.headers


def has_conditions(request: Request) -> bool:
    """Whether the caller has conditions of its own (RFC 9110 section 13.1)."""
    headers = request.headers
    return any(name in headers for name in CONDITIONAL_FIELDS)


CONDITIONAL_FIELDS = (
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
    "if-range",
)
