"""How a request flows where RFC 9111 decides, told from its beginning."""

from __future__ import annotations

import msgspec

from http_client_cache.entry import Stored
from http_client_cache.key import url_locator
from http_client_cache.lawful import weigh
from http_client_cache.lawful.asking import Asking
from http_client_cache.lawful.fetch import OWN_TERMS, fetch, on_error
from http_client_cache.lawful.find import (
    Found,
    directives_of,
    find,
    lawful_key,
)
from http_client_cache.lawful.invalidate import as_get, invalidate
from http_client_cache.lawful.keep import keep
from http_client_cache.lawful.respond import SELECTING, respond
from http_client_cache.lease import claim, is_news, turn_to_refresh
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.plan import Discard, Followed, Lease, Locked, Plan, Spawn
from http_client_cache.rfc9111.cache_control import NO_REQUEST_DIRECTIVES, RequestDirectives
from http_client_cache.rfc9111.invalidation import is_safe
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.selection import matches, variant_id, vary_values
from http_client_cache.scope import Scope
from http_client_cache.served import Forwarded, Hit, Refused, Served
from http_client_cache.steps import exchange, filtered


def serve(scope: Scope, request: Request, options: Options) -> Plan[Served]:
    """Answer a request, from the cache or from the origin.

    Raises:
        Exception: what the client raised, where the origin gave no answer.
    """
    asked = directives_of(request)
    offline = options.only_if_cached or (asked.only_if_cached and not options.disabled)
    if request.method not in weigh.READING:
        if offline:
            return Refused(Reason.NOT_CACHED)
        return (yield from _other(scope, request, asked, options))
    why = weigh.bypass(request, options, scope.settings)
    key = None if why else (yield from lawful_key(scope, request, options))
    if key is None:
        if offline:
            return Refused(Reason.NOT_CACHED)
        why = why or Reason.KEY_FUNCTION
        answer = yield from exchange(request)
        return Forwarded(answer, why, refusal=why)

    epoch = scope.fetches_ended()
    found = yield from find(scope, key, request, asked, options)
    if found.hit is not None:
        if found.reason is Reason.STALE_WHILE_REVALIDATE and not offline:
            name = _lease_name(request, found)
            yield Spawn(name, lambda: _refresh(scope, name, key, request, options))
        return found.hit
    if offline:
        return _without_the_origin(scope, request, asked, options, found)
    asking = Asking(scope, request, asked, options, found, scope.changes())
    name = _lease_name(request, found)
    if _alone(asking) or key in scope.uncacheable:
        return (yield from fetch(asking))
    return (yield from _fetch_once(asking, name, epoch))


def admit(scope: Scope, request: Request, options: Options) -> Plan[bool]:
    """Whether a request will be answered without going out; if not, take its lease.

    See :func:`http_client_cache.flow.admit`.
    """
    asked = directives_of(request)
    if asked.only_if_cached and not options.disabled:
        return True
    if weigh.bypass(request, options, scope.settings) or request.method not in weigh.READING:
        return False
    key = yield from lawful_key(scope, request, options)
    if key is None:
        return False
    epoch = scope.fetches_ended()
    found = yield from find(scope, key, request, asked, options)
    if found.hit is not None:
        return _stays_here(found.hit)
    asking = Asking(scope, request, asked, options, found, scope.changes())
    name, chain = _lease_name(request, found), options.chain
    if chain is None or _alone(asking) or key in scope.uncacheable:
        return False

    seen = _Seen(asking)

    def hold(lease: Lease) -> Plan[bool]:
        hit: Hit | bool = False
        if scope.fetches_ended() != epoch:
            hit = yield from seen.again(Reason.HIT)
        if not isinstance(hit, Hit) and _may_be_another_process(asking):
            hit = yield from claim(scope, name, lease, seen.again)
        if isinstance(hit, Hit):
            lease.release(hit.stored)
            return _stays_here(hit)
        lease.held = True
        chain.granted[name] = lease
        return False

    outcome = yield Locked(name, hold)
    if not isinstance(outcome, Followed):
        return bool(outcome.result)
    hit = None if outcome.result is None else _shared(asking, outcome.result)
    return hit is not None and _stays_here(hit)


def _stays_here(hit: Hit) -> bool:
    """Where a stored redirect leads to is another question."""
    return not 300 <= hit.stored.entry.status < 400


def _other(
    scope: Scope, request: Request, asked: RequestDirectives, options: Options
) -> Plan[Served]:
    """A request that nothing stored can answer: what it changes, and what may be kept of it."""
    settings, since = scope.settings, scope.changes()
    answer = yield from exchange(request)
    overtaken = scope.changed_since(url_locator(settings, request.url), since)
    if not is_safe(request.method):
        since = yield from invalidate(scope, request, options, answer.head)
    bypassed = weigh.bypass(request, options, settings)
    if request.method != "POST" or bypassed is not None:
        why = Reason.METHOD_NOT_UNDERSTOOD if is_safe(request.method) else Reason.UNSAFE
        return Forwarded(answer, bypassed or why, refusal=bypassed or Reason.METHOD_NOT_UNDERSTOOD)
    key = yield from lawful_key(scope, as_get(request), options)
    if key is None:
        return Forwarded(answer, Reason.KEY_FUNCTION, refusal=Reason.KEY_FUNCTION)
    if overtaken:
        return Forwarded(answer, Reason.UNSAFE, refusal=Reason.INVALIDATED, key=key)
    nothing = Found(key, None, Reason.POST)
    asking = Asking(scope, request, asked, options, nothing, since)
    stored, refusal = yield from keep(asking, answer)
    return Forwarded(answer, Reason.UNSAFE, stored, refusal, key)


def _without_the_origin(
    scope: Scope, request: Request, asked: RequestDirectives, options: Options, found: Found
) -> Served:
    """The origin is not to be asked, which is as if it could not be reached."""
    stale = on_error(Asking(scope, request, asked, options, found, scope.changes()), found.stored)
    if stale is None:
        return Refused(Reason.NOT_CACHED, found.key)
    return msgspec.structs.replace(stale, asked=None)


def _alone(asking: Asking) -> bool:
    """Whether an answer is for its request only, or need not be waited for."""
    return (
        asking.found.reason not in weigh.SHAREABLE
        or asking.options.force_refresh
        or asking.asked is not NO_REQUEST_DIRECTIVES
        or asking.request.headers.has_any(SELECTING)
        or asking.request.method != "GET"
    )


def _lease_name(request: Request, found: Found) -> str:
    """What only one fetches at a time: a key, and the variant if it is known to have some."""
    for stored in found.candidates:
        if stored.entry.vary:
            names = [name for name, _ in stored.entry.vary]
            return f"{found.key} {variant_id(vary_values(names, request))}"
    return found.key


def _fetch_once(asking: Asking, name: str, epoch: int) -> Plan[Served]:
    """Fetch, unless somebody else is at it: then share what they store, if it fits."""
    scope, options = asking.scope, asking.options
    seen = _Seen(asking)

    def lead(lease: Lease, *, granted: bool = False) -> Plan[Served]:
        hit: Hit | bool = False
        if scope.fetches_ended() != epoch:
            hit = yield from seen.again(Reason.HIT)
        if not (isinstance(hit, Hit) or granted) and _may_be_another_process(asking):
            hit = yield from claim(scope, name, lease, seen.again)
        if isinstance(hit, Hit):
            lease.release(hit.stored)
            return hit
        return (yield from fetch(asking.again(seen.found, lease)))

    chain = options.chain
    if chain is not None and name in chain.granted:
        lease = chain.granted.pop(name)
        chain.leases.append((name, lease))
        return (yield from lead(lease, granted=True))
    outcome = yield Locked(name, lead)
    if not isinstance(outcome, Followed):
        served: Served = outcome.result
        return served
    stored: Stored | None = outcome.result
    hit = None if stored is None else _shared(asking, stored)
    if hit is not None:
        kept = yield from filtered(scope, None, hit.stored, hit.stored.body)
        if kept:
            return hit
    return (yield from fetch(asking))


def _may_be_another_process(asking: Asking) -> bool:
    """Whether another process may be fetching the same, so that its answer would do."""
    # Where this request insists on being asked for, nothing that is found will do.
    unserved = asking.found.reason in (Reason.REFRESH, Reason.STORE_FAILED)
    return bool(asking.scope.settings.lease_seconds) and not unserved


class _Seen:
    """What is stored for a request, as it was seen last.

    Args:
        asking: the request.
        stale: whether it may be served stale.
    """

    __slots__ = ("_asking", "_stale", "found")

    def __init__(self, asking: Asking, *, stale: bool = True) -> None:
        self._asking = asking
        self._stale = stale
        self.found = asking.found

    def again(self, why: Reason) -> Plan[Hit | bool]:
        """Look once more; see :data:`~http_client_cache.lease.Look`."""
        asking, before = self._asking, self.found
        found = yield from find(
            asking.scope, before.key, asking.request, asking.asked, asking.options
        )
        self.found = found
        if found.hit is not None and found.reason is Reason.HIT:
            return msgspec.structs.replace(found.hit, reason=why)
        if found.hit is not None and self._stale:
            return found.hit
        newest = [next(iter(one.candidates), None) for one in (before, found)]
        return is_news(*newest)


def _shared(asking: Asking, stored: Stored) -> Hit | None:
    """What somebody else has just fetched, if it answers this request, too."""
    request, options = asking.request, asking.options
    now = asking.scope.now()
    entry = stored.entry
    if not matches(entry.vary, request) or entry.no_cache:
        return None
    if weigh.is_stale(entry, now):
        known = asking.found.stored
        if known is None or known.entry != entry:
            return None
        # The origin failed whoever asked it; to ask again, each for itself, helps nobody.
        return on_error(asking, stored)
    hit = respond(stored, request, asking.asked, options, now, Reason.COLLAPSED)
    return hit if isinstance(hit, Hit) else None


def _refresh(scope: Scope, name: str, key: str, request: Request, options: Options) -> Plan[None]:
    """Fetch in the background what was served stale."""
    options = msgspec.structs.replace(options, chain=None)
    plain = request._replace(headers=request.headers.without(OWN_TERMS))
    nothing = Found(key, None, Reason.MISS)
    asking = Asking(
        scope, plain, NO_REQUEST_DIRECTIVES, options, nothing, scope.changes(), unattended=True
    )
    # Served stale once more, it would never be fetched.
    seen = _Seen(asking, stale=False)

    def lead(lease: Lease) -> Plan[None]:
        if not (yield from turn_to_refresh(scope, name, lease, seen.again)):
            return
        served = yield from fetch(asking.again(seen.found, lease))
        if isinstance(served, Forwarded) and served.stored is None:
            yield Discard(served.answer)

    yield Locked(name, lead, wait=False)
