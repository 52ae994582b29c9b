"""How a request flows, told once for both colours: look, serve, fetch, store.

Read :mod:`http_client_cache.plan` first; the verdicts are in :mod:`http_client_cache.decide`.
"""

from __future__ import annotations

import msgspec

from http_client_cache import decide
from http_client_cache.entry import Stored
from http_client_cache.keep import filtered, freshen, keep, link
from http_client_cache.key import create_key
from http_client_cache.message import (
    Request,
)
from http_client_cache.options import Options
from http_client_cache.plan import (
    Answer,
    Ask,
    Exchange,
    Failed,
    Followed,
    Lease,
    Locked,
    Lost,
    Plan,
    UseStore,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.scope import Scope
from http_client_cache.storable import hop_of


class Hit(msgspec.Struct, frozen=True):
    """Serve what is stored."""

    stored: Stored
    reason: Reason = Reason.HIT


class Forwarded(msgspec.Struct, frozen=True):
    """Hand over the origin's answer.

    Attributes:
        answer: the client's own response is ``answer.raw``.
        reason: why the origin was asked.
        stored: what was stored of it, if anything.
        refusal: why it was not stored.
        key: the key of the request, if it has one.
    """

    answer: Answer
    reason: Reason
    stored: Stored | None = None
    refusal: Reason | None = None
    key: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """The caller asked for the cache alone, and it has nothing: 504 (RFC 9111 section 5.2.1.7)."""

    reason: Reason


Served = Hit | Forwarded | Refused


def serve(scope: Scope, request: Request, options: Options) -> Plan[Served]:
    """Answer a request, from the cache or from the origin.

    Raises:
        Exception: what the client raised, where the origin gave no answer.
    """
    bypassed = decide.bypass(request, options, scope.settings)
    key = None if bypassed else (yield from key_of(scope, request, options))
    if key is None:
        if options.only_if_cached:
            return Refused(Reason.NOT_CACHED)
        why = bypassed or Reason.KEY_FUNCTION
        answer = yield from exchange(request)
        # A chain with a hop that is not kept is not kept either.
        return (yield from arrive(scope, options, Forwarded(answer, why, refusal=why)))

    epoch, known = scope.fetches_ended(), options.known
    if known is not None and known.epoch == epoch and known.key == key:
        stored, reason = known.stored, known.reason
    else:
        stored, reason = yield from look(scope, key, options)
    if reason is Reason.HIT and stored is not None:
        return (yield from arrive(scope, options, Hit(stored)))
    if options.only_if_cached:
        return Refused(Reason.NOT_CACHED)
    if options.force_refresh or key in scope.uncacheable:
        served = yield from fetch(scope, key, request, options, stored, reason)
    else:
        served = yield from fetch_once(scope, key, request, options, stored, reason, epoch)
    return (yield from arrive(scope, options, served))


def admit(scope: Scope, request: Request, options: Options) -> Plan[bool]:
    """Whether a request will be answered without going out; if not, take its lease.

    For callers who must know before they send: the lease waits in ``options.chain``.
    """
    key = yield from key_of(scope, request, options)
    if key is None or options.refresh or options.force_refresh:
        return False
    epoch = scope.fetches_ended()
    _, reason = yield from look(scope, key, options)
    if reason is Reason.HIT:
        return True
    chain = options.chain
    if chain is None or key in scope.uncacheable:
        return False

    def hold(lease: Lease) -> Plan[bool]:
        if scope.fetches_ended() != epoch:
            known, why = yield from look(scope, key, options)
            if why is Reason.HIT:
                lease.release(known)
                return True
        lease.held = True
        chain.granted[key] = lease
        return False

    outcome = yield Locked(key, hold)
    return outcome.result is not None if isinstance(outcome, Followed) else bool(outcome.result)


def key_of(scope: Scope, request: Request, options: Options) -> Plan[str | None]:
    """The key of a request: the user's own, or the one of :mod:`http_client_cache.key`."""
    settings = scope.settings
    if settings.key_fn is not None:
        key = yield Ask(settings.key_fn, (request,))
        if not isinstance(key, str) or not key:
            return None
        return ".".join((key, *options.variant))
    known = options.known
    if (
        known is not None
        and known.method == request.method
        and known.url == request.url
        # Whoever made the request of the call may have added these since.
        and not request.body
        and "authorization" not in request.headers
    ):
        return known.key
    return create_key(
        request,
        ignored=settings.ignored_parameters,
        match_headers=settings.include_headers,
        extra=options.variant,
    )


def look(scope: Scope, key: str, options: Options) -> Plan[tuple[Stored | None, Reason]]:
    """What is stored under a key, and whether it may be served."""
    found = yield UseStore(scope.store.load(key, follow=options.follow))
    if type(found) is Failed:
        return None, Reason.STORE_FAILED
    if not found:
        return None, Reason.MISS
    stored: Stored = found[0]
    reason = decide.judge_stored(stored.entry, options, scope.now())
    if reason is Reason.HIT and scope.settings.filter_fn is not None:
        kept = yield from filtered(scope, None, stored, stored.body)
        if not kept:
            return stored, Reason.FILTERED_ON_READ
    return stored, reason


def exchange(request: Request, conditions: tuple[tuple[str, str], ...] = ()) -> Plan[Answer]:
    """Ask the origin.

    Raises:
        Exception: what the client raised.
    """
    answer: Answer | Lost = yield Exchange(request, conditions)
    if isinstance(answer, Lost):
        raise answer.error
    return answer


def fetch_once(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    stale: Stored | None,
    reason: Reason,
    epoch: int,
) -> Plan[Served]:
    """Fetch a key, unless somebody else is at it: then share what they store."""

    def lead(lease: Lease) -> Plan[Served]:
        known, why = stale, reason
        if scope.fetches_ended() != epoch:
            known, why = yield from look(scope, key, options)
            if why is Reason.HIT and known is not None:
                lease.release(known)
                return Hit(known)
        return (yield from fetch(scope, key, request, options, known, why, lease))

    chain = options.chain
    if chain is not None and key in chain.granted:
        lease = chain.granted.pop(key)
        chain.leases.append((key, lease))
        return (yield from lead(lease))
    # Whoever holds a lease does not wait for another: two chains that cross would never end.
    outcome = yield Locked(key, lead, wait=chain is None or not chain.holds_leases)
    if not isinstance(outcome, Followed):
        served: Served = outcome.result
        return served
    stored: Stored | None = outcome.result
    # Who follows no redirects wants the first of them, not what they lead to.
    if stored is not None and (options.follow or not stored.hops):
        kept = yield from filtered(scope, None, stored, stored.body)
        if kept:
            return Hit(stored, Reason.COLLAPSED)
    return (yield from fetch(scope, key, request, options, stale, reason))


def fetch(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    stale: Stored | None,
    reason: Reason,
    lease: Lease | None = None,
) -> Plan[Served]:
    """Ask the origin, store its answer if that is allowed, and hand it over.

    The lease ends as soon as it is known whether there will be something to share.
    """
    conditions: tuple[tuple[str, str], ...] = ()
    if stale is not None and not stale.hops and reason in (Reason.EXPIRED, Reason.REFRESH):
        conditions = decide.conditions(stale.entry, request)
    answer = yield from exchange(request, conditions)

    if conditions and stale is not None and answer.head.status == 304:
        fresh = yield from freshen(scope, request, stale, answer, options)
        if lease is not None:
            lease.release(fresh)
        return Hit(fresh, Reason.VALIDATED)

    chain, head = options.chain, answer.head
    if (
        chain is not None
        and options.follow
        and decide.leads_on(head, scope.settings)
        and not decide.authorization_added(request, answer.sent_authorization)
    ):
        if lease is not None:
            lease.held = True
            chain.leases.append((key, lease))
        chain.hops.append((key, hop_of(scope.settings, request, head)))
        if stale is not None and not stale.hops:
            # It would hide the redirect that has taken its place.
            yield UseStore(scope.store.delete([key]), writes=True)
        return Forwarded(answer, reason, refusal=Reason.REDIRECT, key=key)

    stored, refusal = yield from keep(scope, key, request, options, answer, lease)
    if stored is None:
        if refusal not in decide.UNDECIDED and head.status < 500:
            scope.uncacheable.add(key)
        if stale is not None and decide.outdates(reason, refusal, head.status):
            yield UseStore(scope.store.delete([key]), writes=True)
    return Forwarded(answer, reason, stored, refusal, key)


def arrive(scope: Scope, options: Options, served: Served) -> Plan[Served]:
    """End a redirect chain: its hops lead to what is stored, and those who wait may go."""
    chain = options.chain
    if chain is None or not chain.hops or isinstance(served, Refused):
        return served
    if isinstance(served, Forwarded) and served.refusal is Reason.REDIRECT:
        return served
    stored = served.stored
    if stored is None:
        chain.end()
        return served
    hops = yield from link(scope, tuple(chain.hops), stored)
    chain.end(stored._replace(hops=hops))
    return served
