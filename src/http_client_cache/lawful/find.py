"""What is stored for a request, and whether it may be served (RFC 9111 sections 4 and 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from http_client_cache.entry import Entry, Stored
from http_client_cache.lawful import respond, weigh
from http_client_cache.lawful.respond import PARTIAL
from http_client_cache.message import Headers, Request
from http_client_cache.options import Options
from http_client_cache.plan import Failed, Plan, UseStore
from http_client_cache.rfc9111.cache_control import (
    NO_REQUEST_DIRECTIVES,
    RequestDirectives,
    request_directives,
    response_directives,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.selection import ANY, VaryValues, matches, select
from http_client_cache.rfc9111.storing import allows_sharing
from http_client_cache.rfc9111.validators import first_date
from http_client_cache.scope import Scope
from http_client_cache.served import Hit
from http_client_cache.steps import filtered, key_of

DIRECTING: Final = frozenset({b"cache-control", b"pragma"})
"""Request fields that speak to caches, in lower case."""


class Found(msgspec.Struct, frozen=True):
    """What is stored for a request.

    Attributes:
        key: of the request.
        hit: what may be served, if anything.
        reason: why it may, or why not.
        stored: the response that the request selects, if any.
        part: the part of a response that it selects, if any.
        candidates: everything that is stored under the key, newest first.
    """

    key: str
    hit: Hit | None
    reason: Reason
    stored: Stored | None = None
    part: Stored | None = None
    candidates: tuple[Stored, ...] = ()


def directives_of(request: Request) -> RequestDirectives:
    """What a request asks of caches."""
    headers = request.headers
    if headers.raw and headers.has_any(DIRECTING):
        return request_directives(headers)
    return NO_REQUEST_DIRECTIVES


def find(
    scope: Scope,
    key: str,
    request: Request,
    asked: RequestDirectives,
    options: Options,
    *,
    plain: bool = False,
) -> Plan[Found]:
    """Look for what is stored for a request, and judge it.

    ``plain`` says that it is a GET of which nothing has to be weighed, neither fields nor options.
    """
    loaded = yield UseStore(scope.store.load(key))
    if type(loaded) is Failed:
        return Found(key, None, Reason.STORE_FAILED)
    if plain and len(loaded) == 1:
        # The hit that most are: what follows comes to the same, and costs half a microsecond more.
        only, now = loaded[0], scope.now()
        if _is_good(only.entry, request, now):
            return Found(key, Hit(only, Reason.HIT, now), Reason.HIT, only, None, loaded)
    if not loaded and request.headers.raw and "authorization" in request.headers:
        loaded = yield from _shared(scope, request, options)
    if not loaded:
        return Found(key, None, Reason.MISS)
    return (yield from _judged(scope, key, request, asked, options, loaded))


def _judged(
    scope: Scope,
    key: str,
    request: Request,
    asked: RequestDirectives,
    options: Options,
    loaded: tuple[Stored, ...],
) -> Plan[Found]:
    whole, part, reason = chosen(loaded, request)
    for stored in (whole, part):
        if stored is None:
            continue
        # What the filter refuses is not to be validated either, nor served when the origin fails.
        if scope.settings.filter_fn is not None and not options.force_refresh:
            kept = yield from filtered(scope, None, stored, stored.body)
            if not kept:
                return Found(key, None, Reason.FILTERED_ON_READ, whole, part, loaded)
        now = scope.now()
        why = weigh.judge_stored(stored.entry, request.url, asked, options, scope.settings, now)
        if why in weigh.SERVED:
            made = respond.respond(stored, request, asked, options, now, why)
            if isinstance(made, Hit):
                return Found(key, made, why, whole, part, loaded)
            why = made
        if stored is whole or whole is None:
            reason = why
    return Found(key, None, reason, whole, part, loaded)


def _is_good(entry: Entry, request: Request, now: float) -> bool:
    """Whether a plain GET may be served, without a further look."""
    expires = entry.expires
    return (
        not entry.no_cache
        and entry.created <= now
        and (expires is None or now < expires)
        and entry.status != PARTIAL
        and entry.method != "HEAD"
        and (not entry.vary or matches(entry.vary, request))
    )


def _shared(scope: Scope, request: Request, options: Options) -> Plan[tuple[Stored, ...]]:
    """Responses that may be shared, whoever's credentials they were answers to (section 3.5)."""
    key = yield from shared_key(scope, request, options)
    loaded = () if key is None else (yield UseStore(scope.store.load(key)))
    if type(loaded) is Failed:
        return ()
    return tuple([stored for stored in loaded if may_be_shared(stored.entry)])


def shared_key(scope: Scope, request: Request, options: Options) -> Plan[str | None]:
    """The key of the same request without credentials; the users' own keys stay apart."""
    if scope.settings.key_fn is not None:
        return None
    bare = request._replace(headers=request.headers.without(frozenset({"authorization"})))
    return (yield from lawful_key(scope, bare, msgspec.structs.replace(options, known=None)))


def lawful_key(scope: Scope, request: Request, options: Options) -> Plan[str | None]:
    """The key of a request, as far as is known which parts of its query count."""
    marks: tuple[str, ...] = ()
    if scope.settings.no_vary_search:
        request, marks = scope.query_rules.apply(request)
    return (yield from key_of(scope, request, options, marks))


def may_be_shared(entry: Entry) -> bool:
    """Whether a response says that it may answer other users than the one it was for.

    A cookie is for one user, whatever else the response says.
    """
    headers = Headers(entry.headers)
    said = response_directives(headers)
    # A shared cache does not store such fields (section 5.2.2.7).
    private = said.private or any(name in headers for name in said.private_fields)
    return allows_sharing(said) and not private and not entry.sets_cookies


def chosen(
    loaded: Sequence[Stored], request: Request
) -> tuple[Stored | None, Stored | None, Reason]:
    """The response that a request selects, the part that it does, and why if it selects none."""
    if len(loaded) == 1:
        # By far the most frequent case needs no dates.
        only = loaded[0]
        entry = only.entry
        if entry.method == "HEAD" and not _answers(entry, request):
            return None, None, Reason.MISS
        if entry.vary and not matches(entry.vary, request):
            return None, None, _mismatch(loaded)
        is_part = entry.status == PARTIAL
        return (None, only, Reason.MISS) if is_part else (only, None, Reason.MISS)
    fit = [stored for stored in loaded if _answers(stored.entry, request)]
    whole = _selected([one for one in fit if one.entry.status != PARTIAL], request)
    part = _selected([one for one in fit if one.entry.status == PARTIAL], request)
    return whole, part, Reason.MISS if whole or part or not fit else _mismatch(fit)


def _answers(entry: Entry, request: Request) -> bool:
    """Whether the method that a response was for allows it to answer this one (section 4)."""
    return entry.method != "HEAD" or request.method == "HEAD"


def _selected(stored: Sequence[Stored], request: Request) -> Stored | None:
    index = select(dates_and_vary(stored), request)
    return None if index is None else stored[index]


def dates_and_vary(candidates: Sequence[Stored]) -> list[tuple[VaryValues, float]]:
    """What :mod:`~http_client_cache.rfc9111.selection` compares."""
    found: list[tuple[VaryValues, float]] = []
    for one in candidates:
        entry = one.entry
        date = first_date(Headers(entry.headers), "date", entry.created)
        found.append((entry.vary, entry.created if date is None else date))
    return found


def _mismatch(candidates: Sequence[Stored]) -> Reason:
    anything = any(name == ANY for one in candidates for name, _ in one.entry.vary)
    return Reason.VARY_ANY if anything else Reason.VARIANT
