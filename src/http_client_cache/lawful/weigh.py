"""House rules and RFC 9111, weighed: one place says yes or no, and why.

Pure functions of values. What the header fields say comes before what the house says; the house
fills in where they are silent, and its refusals are final.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from http_client_cache import decide
from http_client_cache.entry import Entry
from http_client_cache.expiry import DO_NOT_CACHE, UNSET, Expiry
from http_client_cache.message import UNKEYABLE, Request, ResponseHead
from http_client_cache.options import Options
from http_client_cache.plan import Answer
from http_client_cache.rfc9111.cache_control import (
    RequestDirectives,
    ResponseDirectives,
    response_directives,
)
from http_client_cache.rfc9111.freshness import (
    HEURISTICALLY_CACHEABLE,
    Assessment,
    Source,
    Windows,
    assess,
    is_fresh,
    reusable,
)
from http_client_cache.rfc9111.ranges import is_coded, parse_content_range
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.selection import VARIES_ON_ANYTHING, vary_names
from http_client_cache.rfc9111.storing import may_store, worth_storing
from http_client_cache.settings import Settings

READING: Final = frozenset({"GET", "HEAD"})
"""Methods that stored responses answer."""

SERVED: Final = frozenset({Reason.HIT, Reason.MAX_STALE, Reason.STALE_WHILE_REVALIDATE})
"""Verdicts that let a stored response be served."""

SHAREABLE: Final = frozenset(
    {
        *(Reason.MISS, Reason.VARIANT, Reason.EXPIRED, Reason.MUST_REVALIDATE, Reason.CLOCK),
        *(Reason.REFRESH, Reason.STORE_FAILED),
    }
)
"""Why the origin is asked, where others who ask the same may be served with its answer."""


def bypass(request: Request, options: Options, settings: Settings) -> Reason | None:
    """Why a request is neither answered from the cache nor its answer stored, or ``None``."""
    if options.disabled:
        return Reason.DISABLED
    methods = settings.chosen_methods
    if methods is not None and request.method not in methods:
        return Reason.METHOD
    if settings.expiry_for(request.url, options.expire_after) is DO_NOT_CACHE:
        return Reason.DO_NOT_CACHE
    if request.body is UNKEYABLE:
        return Reason.UNKEYABLE_BODY
    if "upgrade" in request.headers:
        return Reason.UPGRADE
    return None


def judge_stored(
    entry: Entry,
    url: str,
    asked: RequestDirectives,
    options: Options,
    settings: Settings,
    now: float,
) -> Reason:
    """Whether a stored response may be served: one of :data:`SERVED`, or why not."""
    if options.force_refresh:
        return Reason.FORCE_REFRESH
    if options.refresh:
        return Reason.REFRESH
    reason = reusable(entry, asked, now)
    if reason is Reason.EXPIRED or reason is Reason.STALE_WHILE_REVALIDATE:
        return reusable(entry, asked, now, settings.windows_for(url, options.windows))
    return reason


class Keep(NamedTuple):
    """A response is to be stored.

    Attributes:
        assessment: what later hits need to know of it.
        expires: when it stops being fresh; ``None`` for never.
        said: the directives of the response.
    """

    assessment: Assessment
    expires: float | None
    said: ResponseDirectives


def judge_answer(
    request: Request,
    answer: Answer,
    asked: RequestDirectives,
    options: Options,
    settings: Settings,
) -> Keep | Reason:
    """Whether an answer may be stored, as far as its head tells."""
    head = answer.head
    said = response_directives(head.headers)
    if decide.authorization_added(request, answer.sent_authorization):
        return Reason.AUTHORIZATION_ADDED
    codes = settings.chosen_codes
    # A part stands for the whole that it is a part of.
    if codes is not None and (200 if head.status == 206 else head.status) not in codes:
        return Reason.STATUS
    expiry = settings.expiry_for(request.url, options.expire_after)
    listed = HEURISTICALLY_CACHEABLE if codes is None else codes
    refusal = may_store(
        request,
        head,
        asked,
        said,
        shared=settings.shared,
        granted=expiry is not UNSET and head.status in listed,
        partial=is_usable_part(head),
    )
    if refusal is None:
        refusal = decide.unfit_body(request, head, settings)
    if refusal is not None:
        return refusal
    verdict = assessed(head, answer.requested, answer.received, expiry, settings)
    windows = settings.windows_for(request.url, options.windows)
    refusal = worth_storing(head, _as_far_as_windows_go(verdict, windows))
    if refusal is not None:
        return refusal
    if vary_names(head.headers) == VARIES_ON_ANYTHING and not decide.has_validator(head):
        return Reason.VARY_ANY
    return Reason.READ_ONLY if settings.read_only else verdict


def assessed(
    head: ResponseHead, requested: float, received: float, expiry: Expiry, settings: Settings
) -> Keep:
    """What is to be known of a response, where the house fills in what its fields do not say."""
    said = response_directives(head.headers)
    assessment = assess(head, said, requested, received, shared=settings.shared)
    if assessment.source in (Source.NONE, Source.HEURISTIC) and expiry is not UNSET:
        return Keep(assessment, expiry.expires(received), said)
    return Keep(assessment, assessment.expires, said)


def is_usable_part(head: ResponseHead) -> bool:
    """Whether this is a part that can be stored, as far as its head tells (section 3.3)."""
    usable = head.status == 206 and not is_coded(head.headers)
    return usable and parse_content_range(head.headers) is not None


def is_stale(entry: Entry, now: float) -> bool:
    """Whether a response is past its time."""
    return not is_fresh(entry, now)


def _as_far_as_windows_go(verdict: Keep, windows: Windows) -> Assessment:
    """The assessment with what the house adds to it, to see whether there is any use in it."""
    assessment, expires = verdict.assessment, verdict.expires
    later = max(windows.while_revalidate or 0.0, windows.if_error or 0.0)
    if not assessment.must_revalidate and expires is not None:
        expires += later
    return assessment._replace(expires=math.inf if expires is None else expires)
