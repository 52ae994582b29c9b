"""Asking the origin (RFC 9111 sections 4.3 and 4.2.4): conditions, and what becomes of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from http_client_cache.decide import authorization_added
from http_client_cache.entry import Stored
from http_client_cache.lawful import weigh
from http_client_cache.lawful.asking import Asking
from http_client_cache.lawful.find import DIRECTING, Found, may_be_shared
from http_client_cache.lawful.keep import COMBINED_BYTES, keep, renewed, save
from http_client_cache.lawful.respond import SELECTING, respond
from http_client_cache.message import Headers, Request, to_text
from http_client_cache.plan import Answer, Discard, Exchange, Lost, Plan, UseStore
from http_client_cache.rfc9111.cache_control import response_directives
from http_client_cache.rfc9111.freshness import ERRORS, reusable_on_error
from http_client_cache.rfc9111.ranges import Part, completion, parse_content_range
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.selection import matches, vary_names, vary_values
from http_client_cache.rfc9111.validation import (
    HeadVerdict,
    answers_caller,
    conditions,
    confirmed_by_304,
    goes_along,
    head_updates,
    selected_by_304,
)
from http_client_cache.rfc9111.validators import Validators, validators
from http_client_cache.served import Forwarded, Hit, Served
from http_client_cache.variant import variant_name

NOT_VALIDATED: Final = frozenset(
    {
        *(Reason.FORCE_REFRESH, Reason.FILTERED_ON_READ),
        # A 304 would only confirm what is fresh, and the question come again.
        *(Reason.SEVERAL_RANGES, Reason.CODED_RANGE),
    }
)
"""Why the origin is asked for all of a response, whatever is stored."""

UNDECIDED: Final = frozenset(
    {
        *(Reason.INCOMPLETE, Reason.CONDITION, Reason.NOT_YET, Reason.INVALIDATED),
        *(Reason.REQUEST_NO_STORE, Reason.PARTIAL, Reason.RANGE),
    }
)
"""Refusals that tell nothing about the next answer to the same request."""


def fetch(asking: Asking) -> Plan[Served]:
    """Ask the origin, and make of its answer what house and law allow.

    Raises:
        Exception: what the client raised, where nothing stale may be served instead.
    """
    found, request = asking.found, asking.request
    sent = _sent(asking)
    fields = _conditions(sent, found, request)
    part = found.part if found.stored is None and not fields else None
    rest = () if part is None else _completion(asking, part)
    answer: Answer | Lost = yield Exchange(
        request,
        fields or rest,
        # What the caller made of the response concerns nobody else.
        without=OWN_TERMS if asking.unattended else frozenset(),
        insist=on_error(asking, found.stored) is not None,
    )
    if isinstance(answer, Lost):
        stale = on_error(asking, found.stored)
        if stale is None:
            raise answer.error
        return _released(asking, stale)
    status = answer.head.status
    if status in ERRORS:
        stale = on_error(asking, found.stored, status)
        if stale is not None:
            yield Discard(answer)
            return _released(asking, stale)
    if status == 304 and fields:
        return (yield from _validated(asking, sent, answer))
    if rest and status in _ABOUT_THE_REST:
        return (yield from _completed(asking, answer))
    return (yield from _arrived(asking, answer))


GONE: Final = frozenset({404, 410})
"""Errors that tell something of the resource; others, such as 429, tell of the request."""

OWN_TERMS: Final = frozenset([to_text(name) for name in SELECTING | DIRECTING])
"""Fields with which a caller asks for something else than the whole, or in another way."""

_MOST_OF_THE_REST: Final = 2**20
"""Bytes that a caller waits for before the whole is handed over; more comes faster as it comes."""

_ABOUT_THE_REST: Final = frozenset({206, 304, 412, 416})
"""Answers to what we asked for, and not to what the caller did."""


def _sent(asking: Asking) -> list[Stored]:
    """The stored responses that may be validated."""
    if asking.asked.no_store or asking.found.reason in NOT_VALIDATED:
        return []
    return [
        stored
        for stored in asking.found.candidates
        if stored.entry.status != 206
        and (stored.entry.method != "HEAD" or asking.request.method == "HEAD")
    ]


def _conditions(sent: list[Stored], found: Found, request: Request) -> tuple[tuple[str, str], ...]:
    """The fields to add; ``sent`` is cut down to those that they speak of."""
    if not sent:
        return ()
    known = _validators(sent)
    selected = next((i for i, one in enumerate(sent) if one is found.stored), None)
    fields = conditions(known, request, selected)
    tagged = any(name == "If-None-Match" for name, _ in fields)
    sent[:] = [
        one
        for index, (one, each) in enumerate(zip(sent, known, strict=True))
        if index == selected or (tagged and goes_along(each))
    ]
    return fields


def _validators(stored: Sequence[Stored]) -> list[Validators]:
    return [validators(Headers(one.entry.headers), one.entry.created) for one in stored]


def _completion(asking: Asking, part: Stored) -> tuple[tuple[str, str], ...]:
    """The fields that ask for what is missing of a stored part (section 3.3)."""
    request = asking.request
    if request.method != "GET" or asking.asked.no_store or request.headers.has_any(SELECTING):
        return ()
    headers = Headers(part.entry.headers)
    span = parse_content_range(headers)
    if span is None or span.size is None or span.size - span.stop > _MOST_OF_THE_REST:
        return ()
    if len(part.body) > COMBINED_BYTES:
        return ()
    entry = part.entry
    return completion(Part(206, headers, span.start, span.size, part.body, entry.created))


def on_error(asking: Asking, stored: Stored | None, status: int | None = None) -> Hit | None:
    """What may be served because the origin failed (section 4.2.4, RFC 5861 section 4).

    Args:
        asking: the request that failed.
        stored: what it selects.
        status: of the origin's answer, if there was one.
    """
    scope, request, now = asking.scope, asking.request, asking.scope.now()
    if stored is None or asking.found.reason is Reason.FILTERED_ON_READ:
        return None
    if scope.changed_since(stored.key, asking.since):
        # What an unsafe request has outdated meanwhile is nothing to fall back on (section 4.4).
        return None
    windows = scope.settings.windows_for(request.url, asking.options.windows)
    reason = reusable_on_error(stored.entry, asking.asked, now, windows)
    if reason is not Reason.STALE_IF_ERROR:
        return None
    hit = respond(stored, request, asking.asked, asking.options, now, reason)
    if not isinstance(hit, Hit):
        return None
    return msgspec.structs.replace(hit, asked=asking.found.reason, forward_status=status)


def _released(asking: Asking, hit: Hit) -> Hit:
    """Those who wait may be served the same."""
    asking.release(asking.found.stored)
    return hit


def _validated(asking: Asking, sent: list[Stored], answer: Answer) -> Plan[Served]:
    """A 304 after conditions of ours (section 4.3.4)."""
    scope, found, request = asking.scope, asking.found, asking.request
    headers = answer.head.headers
    known = _validators(sent)
    alone = "if-none-match" not in request.headers
    chosen = selected_by_304(known, headers, answer.received, alone=alone)
    mine = next((index for index, one in enumerate(sent) if one is found.stored), None)
    if chosen and mine not in chosen and mine is not None:
        # Of several with the same weak tag, the request has selected one.
        chosen = [mine] if selected_by_304([known[mine]], headers, answer.received) else chosen
    if not chosen and answers_caller(request, headers):
        return Forwarded(answer, found.reason, refusal=Reason.CONDITION, key=found.key)
    yield Discard(answer)
    if chosen:
        expiry = scope.settings.expiry_for(request.url, asking.options.expire_after)
        fresh = {index: renewed(scope.settings, sent[index], answer, expiry) for index in chosen}
        which = mine if mine in fresh else chosen[0]
        stored = yield from _freshen(asking, sent, fresh, which, answer)
    else:
        index = confirmed_by_304(known, headers)
        if index is None:
            return (yield from fetch(_without_conditions(asking)))
        stored = sent[index]
    hit = respond(
        stored,
        request,
        asking.asked,
        asking.options,
        scope.now(),
        Reason.VALIDATED,
        validated="age" not in headers,
    )
    if not isinstance(hit, Hit):
        return (yield from fetch(_without_conditions(asking)))
    asking.release(stored)
    return msgspec.structs.replace(hit, asked=found.reason, forward_status=304)


def _without_conditions(asking: Asking) -> Asking:
    """The same request, as if nothing were stored that the origin could be asked about."""
    found = msgspec.structs.replace(
        asking.found, reason=Reason.UNIDENTIFIED, candidates=(), part=None
    )
    return msgspec.structs.replace(asking, found=found)


def _freshen(
    asking: Asking, sent: list[Stored], fresh: dict[int, Stored], mine: int, answer: Answer
) -> Plan[Stored]:
    """Rewrite what a 304 speaks of; answers the response for this request."""
    scope, request = asking.scope, asking.request
    stored = fresh[mine]
    if authorization_added(request, answer.sent_authorization):
        asking.release()
        return stored
    gone = [(sent[index].key, sent[index].variant) for index in fresh]
    if _forbids_storing(asking, answer, stored):
        asking.release()
        yield UseStore(scope.store.drop(gone), writes=True)
        return stored
    entry = stored.entry
    names = vary_names(Headers(entry.headers))
    as_before = not names or names == tuple([name for name, _ in entry.vary])
    moved = names and not (as_before and matches(entry.vary, request))
    if moved:
        # The origin has chosen it for other fields than those that it was stored for.
        entry = msgspec.structs.replace(entry, vary=vary_values(names, request))
        stored = stored._replace(entry=entry, variant=variant_name(entry))
    changes = [
        (one.key, one.variant, one.entry)
        for index, one in fresh.items()
        if (index != mine or as_before)
        # Another response may be there by now, and the news is not about that.
        and not scope.saved_since(one.key, one.variant, asking.since)
    ]
    moved = moved and not scope.saved_since(stored.key, stored.variant, asking.since)
    if _is_shared_no_more(asking, stored):
        yield UseStore(scope.store.drop(gone), writes=True)
        stored, moved, changes = stored._replace(key=asking.found.key), True, []
    if changes:
        yield UseStore(scope.store.freshen(changes), writes=True)
    # Large ones are not stored anew; the next request will be asked about at the origin.
    if moved and isinstance(stored.body, bytes):
        nothing = Found(stored.key, None, Reason.VALIDATED)
        yield from save(scope, asking.since, nothing, stored)
    return stored


def _forbids_storing(asking: Asking, answer: Answer, renewed: Stored) -> bool:
    """Whether what an answer tells of a stored response may not be stored (sections 3.5, 5.2.2)."""
    said = response_directives(answer.head.headers)
    if said.no_store and not said.must_understand:
        return True
    if not asking.scope.settings.shared:
        return False
    return said.private or _is_shared_no_more(asking, renewed)


def _is_shared_no_more(asking: Asking, renewed: Stored) -> bool:
    """Whether it was found under the key for all users, and is for this one from now on."""
    return renewed.key != asking.found.key and not may_be_shared(renewed.entry)


def _completed(asking: Asking, answer: Answer) -> Plan[Served]:
    """An answer to a request for the rest of what is stored (section 3.4)."""
    scope, request = asking.scope, asking.request
    stored: Stored | None = None
    if weigh.is_usable_part(answer.head):
        unshared = msgspec.structs.replace(asking, lease=None, unattended=True)
        stored, _ = yield from keep(unshared, answer)
    if stored is None:
        yield Discard(answer)
    if stored is None or stored.entry.status != 200:
        return (yield from fetch(_without_conditions(asking)))
    asking.release(stored)
    reason = Reason.COMPLETED
    hit = respond(
        stored,
        request,
        asking.asked,
        asking.options,
        scope.now(),
        reason,
        validated="age" not in answer.head.headers,
    )
    if not isinstance(hit, Hit):
        return (yield from fetch(_without_conditions(asking)))
    return msgspec.structs.replace(hit, asked=Reason.PART, forward_status=206)


def _arrived(asking: Asking, answer: Answer) -> Plan[Served]:
    """Any other answer: store it, or see what it does to what is stored."""
    scope, found, request = asking.scope, asking.found, asking.request
    status = answer.head.status
    if request.method == "HEAD" and not asking.asked.no_store:
        updated = yield from _told_by_head(asking, answer)
        if updated is not None:
            return Forwarded(answer, found.reason, updated, key=found.key)
    stored, refusal = yield from keep(asking, answer)
    if stored is not None:
        scope.uncacheable.discard(found.key)
    elif refusal not in UNDECIDED and status < 500:
        scope.uncacheable.add(found.key)
        tells = status < 400 or status in GONE
        # Any other answer to HEAD tells nothing about that to GET (section 4.3.5).
        old = found.stored
        if old is not None and tells and request.method in ("GET", old.entry.method):
            # What has changed since, and may not be kept, must not answer in its stead.
            yield UseStore(scope.store.drop([(old.key, old.variant)]), writes=True)
    return Forwarded(
        answer, found.reason, stored, refusal, found.key if stored is None else stored.key
    )


def _told_by_head(asking: Asking, answer: Answer) -> Plan[Stored | None]:
    """What an answer to HEAD says of the stored GET (section 4.3.5)."""
    scope, stored = asking.scope, asking.found.stored
    if stored is None or stored.entry.method == "HEAD":
        return None
    if authorization_added(asking.request, answer.sent_authorization):
        return None
    if scope.saved_since(stored.key, stored.variant, asking.since):
        return None
    headers = Headers(stored.entry.headers)
    verdict = head_updates(headers, stored.entry.body_size, answer.head)
    if verdict is HeadVerdict.SILENT:
        return None
    if verdict is HeadVerdict.CHANGED:
        entry = stored.entry
        expires = answer.received if entry.expires is None else min(entry.expires, answer.received)
        changed = stored._replace(entry=msgspec.structs.replace(entry, expires=expires))
    else:
        expiry = scope.settings.expiry_for(asking.request.url, asking.options.expire_after)
        changed = renewed(scope.settings, stored, answer, expiry)
        if _forbids_storing(asking, answer, changed) or _is_shared_no_more(asking, changed):
            return None
    change = (changed.key, changed.variant, changed.entry)
    yield UseStore(scope.store.freshen([change]), writes=True)
    return changed if verdict is HeadVerdict.SAME else None
