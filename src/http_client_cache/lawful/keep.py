"""How an answer is stored (RFC 9111 section 3), and how later ones change it (3.2, 3.4, 4.3)."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from http_client_cache import steps
from http_client_cache.body import WHOLE_BYTES, Draft, KeptBody
from http_client_cache.entry import Entry, Stored
from http_client_cache.expiry import Expiry
from http_client_cache.keep import KeepLater, Publish, body_of, leads_elsewhere
from http_client_cache.lawful import weigh
from http_client_cache.lawful.asking import Asking
from http_client_cache.lawful.find import (
    Found,
    chosen,
    dates_and_vary,
    lawful_key,
    may_be_shared,
    shared_key,
)
from http_client_cache.message import Headers, RawHeaders, Request, ResponseHead
from http_client_cache.plan import LATER, Answer, Failed, Plan, UseStore
from http_client_cache.rfc9111.ranges import Part, combine, is_coded, part_of
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.selection import names_to_keep, vary_values
from http_client_cache.rfc9111.storing import storable_headers
from http_client_cache.rfc9111.validation import freshened
from http_client_cache.scope import Scope
from http_client_cache.settings import Settings
from http_client_cache.storable import entry_of, storable_pointers
from http_client_cache.variant import variant_name

COMBINED_BYTES: Final = 16 * 2**20
"""Parts and wholes up to this size are put together (section 3.4), which is done in memory."""

MAX_VARIANTS: Final = 64
"""How many responses are kept for one key; the oldest give way."""


def keep(asking: Asking, answer: Answer) -> Plan[tuple[Stored | None, Reason | None]]:
    """Store an answer if house and law allow it.

    Returns:
        What is stored; else, or beside it, why not.
    """
    stored, refusal = yield from _keep(asking, answer)
    if refusal is not Reason.NOT_YET:
        asking.release(stored)
    return stored, refusal


def _keep(asking: Asking, answer: Answer) -> Plan[tuple[Stored | None, Reason | None]]:
    scope, found, head = asking.scope, asking.found, answer.head
    verdict = weigh.judge_answer(
        asking.request, answer, asking.asked, asking.options, scope.settings
    )
    if isinstance(verdict, Reason):
        return None, verdict
    place = yield from _place(asking, answer, verdict)
    if leads_elsewhere(place.entry, head):
        return None, Reason.REDACTED
    later = None
    if not asking.unattended:
        held = COMBINED_BYTES if head.status == 206 else WHOLE_BYTES
        later = KeepLater(scope, place, _publisher(asking, place), held)
    body = yield from body_of(scope, answer, later)
    if body is LATER:
        if later is not None:
            later.take_over(asking.lease, asking.options.chain)
        return None, Reason.NOT_YET
    if isinstance(body, Reason):
        return None, body
    entry = msgspec.structs.replace(place.entry, body_size=len(body))
    stored: Stored | None = place._replace(entry=entry, body=body)
    if head.status == 206:
        found = yield from _held(scope, found)
        stored = combined_with(found, place._replace(entry=entry, body=body))
    if stored is None:
        return None, Reason.PARTIAL
    stored, refusal = yield from save(scope, asking.since, found, stored)
    return (None if refusal is Reason.INVALIDATED else stored), refusal


def _publisher(asking: Asking, place: Stored) -> Publish:
    """What stores a response whose body comes later."""
    scope, found = asking.scope, asking.found
    if place.entry.status == 206:
        return partial(_save_part, scope, asking.since, asking.request)
    # What waits for its end must not hold the bodies of others.
    others = tuple([one._replace(body=b"") for one in found.candidates])
    bare = Found(found.key, None, found.reason, candidates=others)
    return partial(save, scope, asking.since, bare)


def _save_part(
    scope: Scope, since: int, request: Request, stored: Stored, draft: Draft | None
) -> Plan[tuple[Stored, Reason | None]]:
    """Publish a part, combined with what is stored by the time it has come."""
    if draft is not None:
        stored = stored._replace(body=KeptBody(draft, 0, draft.size))
    loaded = yield UseStore(scope.store.load(stored.key))
    known = () if type(loaded) is Failed else tuple(loaded)
    whole, part, reason = chosen(known, request)
    found = yield from _held(scope, Found(stored.key, None, reason, whole, part, known))
    combined = combined_with(found, stored)
    if combined is None:
        yield from _discard(scope, draft)
        return stored, Reason.PARTIAL
    return (yield from save(scope, since, found, combined, draft))


def _place(asking: Asking, answer: Answer, verdict: weigh.Keep) -> Plan[Stored]:
    """What will be stored, less its body: the metadata, under which key, as which variant."""
    scope, request, options = asking.scope, asking.request, asking.options
    settings, headers = scope.settings, answer.head.headers
    names = names_to_keep(headers, dates_and_vary(asking.found.candidates))
    entry = msgspec.structs.replace(
        entry_by_law(settings, request, answer, verdict), vary=vary_values(names, request)
    )
    key = asking.found.key
    if settings.no_vary_search:
        scope.query_rules.learn(request.url, headers)
        key = (yield from lawful_key(scope, request, options)) or key
    if "authorization" in request.headers and may_be_shared(entry):
        key = (yield from shared_key(scope, request, options)) or key
    return Stored(key, entry, b"", (), variant_name(entry))


def save(
    scope: Scope, since: int, found: Found, stored: Stored, draft: Draft | None = None
) -> Plan[tuple[Stored, Reason | None]]:
    """Publish a response, in the place of those that it outdates; answers it, and why not."""
    if scope.changed_since(stored.key, since):
        # The answer may be older than the change.
        yield from _discard(scope, draft)
        return stored, Reason.INVALIDATED
    outdated = [
        (one.key, one.variant)
        for one in found.candidates
        if one.key != stored.key or (one.variant != stored.variant and _same_selection(one, stored))
    ]
    others = [one for one in found.candidates if (one.key, one.variant) not in outdated]
    # Without a bound, a server that varies by a field like User-Agent fills every look-up.
    outdated += [(one.key, one.variant) for one in others[MAX_VARIANTS - 1 :]]
    saved = yield from steps.save(scope, stored, draft)
    if outdated:
        yield UseStore(scope.store.drop(outdated), writes=True)
    return (stored, Reason.STORE_FAILED) if saved is None else (saved, None)


def _discard(scope: Scope, draft: Draft | None) -> Plan[None]:
    if draft is not None:
        yield UseStore(scope.store.forget(draft), writes=True)


def _same_selection(one: Stored, new: Stored) -> bool:
    """Whether the new one answers all that the other, of the same request, could."""
    if one.entry.vary != new.entry.vary or new.entry.status == 206:
        return False
    return new.entry.method != "HEAD"


def entry_by_law(
    settings: Settings,
    request: Request,
    answer: Answer,
    verdict: weigh.Keep,
) -> Entry:
    """The metadata to store, with all that later hits need to know, but what selects it."""
    said = verdict.said
    entry = entry_of(settings, request, answer, verdict.expires)
    headers = storable_headers(
        entry.headers, said, shared=settings.shared, received=answer.received
    )
    return _assessed(entry, headers, verdict)


def _assessed(entry: Entry, headers: RawHeaders, verdict: weigh.Keep) -> Entry:
    """The entry with all that later hits need to know, so that they have nothing to parse."""
    assessment = verdict.assessment
    return msgspec.structs.replace(
        entry,
        # Every hit has an Age of its own.
        headers=Headers(headers).without(frozenset({"age"})).raw,
        expires=verdict.expires,
        initial_age=assessment.initial_age,
        no_cache=assessment.no_cache,
        must_revalidate=assessment.must_revalidate,
        immutable=assessment.immutable,
        stale_while_revalidate=assessment.stale_while_revalidate,
        stale_if_error=assessment.stale_if_error,
    )


def renewed(settings: Settings, stored: Stored, answer: Answer, expiry: Expiry) -> Stored:
    """A stored response after one that tells news of it: a 304, or an answer to HEAD."""
    entry, head = stored.entry, answer.head
    told = storable_pointers(head, settings.unstored)
    fields = freshened(entry.headers, Headers(told), answer.received, shared=settings.shared)
    after = ResponseHead(entry.url, entry.status, entry.reason, entry.version, Headers(fields))
    verdict = weigh.assessed(
        after,
        answer.requested,
        answer.received,
        expiry,
        settings,
    )
    entry = msgspec.structs.replace(
        entry,
        requested=answer.requested,
        created=answer.received,
        sets_cookies="set-cookie" in after.headers,
    )
    return stored._replace(entry=_assessed(entry, fields, verdict))


def _held(scope: Scope, found: Found) -> Plan[Found]:
    """The same with bodies in memory, as far as a part may be combined with them."""
    held: list[Stored | None] = []
    for one in (found.stored, found.part):
        body = None
        if one is not None and len(one.body) <= COMBINED_BYTES:
            body = yield from steps.whole(scope, one.body)
        held.append(one if one is None or body is None else one._replace(body=body))
    return msgspec.structs.replace(found, stored=held[0], part=held[1])


def combined_with(found: Found, new: Stored) -> Stored | None:
    """A part with what is stored of the same response (section 3.4).

    What is too large to be held in memory is not put together with anything.

    ``None`` if the part makes no sense, or does not fit a whole that is stored.
    """
    part = _part(new)
    if part is None:
        return None
    known = [one for one in (found.stored, found.part) if one is not None]
    if any(isinstance(one.body, KeptBody) for one in (new, *known)):
        known = []
    result = combine([each for one in known if (each := _part(one)) is not None], part)
    if result is part and found.stored is not None and "etag" not in part.headers:
        # Nothing tells whether the whole is outdated by it.
        return None
    entry = msgspec.structs.replace(
        new.entry,
        status=result.status,
        reason="OK" if result.status == 200 else new.entry.reason,
        headers=result.headers.raw,
        body_size=len(result.body),
    )
    return new._replace(entry=entry, body=result.body, variant=variant_name(entry))


def _part(stored: Stored) -> Part | None:
    entry, headers = stored.entry, Headers(stored.entry.headers)
    if entry.status == 200 and not is_coded(headers):
        # Its length is known better than any field can tell.
        return Part(200, headers, 0, len(stored.body), stored.body, entry.created)
    return part_of(entry.status, headers, stored.body, entry.created)
