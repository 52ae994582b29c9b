"""How a request flows where the settings decide: look, serve, fetch, store.

Read :mod:`http_client_cache.plan` first; the verdicts are in :mod:`http_client_cache.decide`.
"""

from __future__ import annotations

import msgspec

from http_client_cache import decide
from http_client_cache.entry import Stored
from http_client_cache.keep import freshen, keep, link
from http_client_cache.lease import claim, is_news, turn_to_refresh
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.plan import (
    Answer,
    Discard,
    Exchange,
    Failed,
    Followed,
    Lease,
    Locked,
    Lost,
    Plan,
    Spawn,
    UseStore,
)
from http_client_cache.rfc9111.freshness import ERRORS
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.scope import Scope
from http_client_cache.served import Forwarded, Hit, Refused, Served
from http_client_cache.steps import exchange, filtered, key_of
from http_client_cache.storable import hop_of

SERVED = frozenset({Reason.HIT, Reason.STALE_WHILE_REVALIDATE})
"""Verdicts that let a stored response be served."""

SHAREABLE = frozenset({Reason.MISS, Reason.EXPIRED})
"""Verdicts after which what another process stores would do."""


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
    if stored is not None and reason in SERVED:
        if reason is Reason.STALE_WHILE_REVALIDATE and not options.only_if_cached:
            yield Spawn(key, lambda: _refresh(scope, key, request, options))
        return (yield from arrive(scope, options, Hit(stored, reason)))
    if options.only_if_cached:
        stale = _on_error(scope, request, options, stored, reason)
        return stale or Refused(Reason.NOT_CACHED, key)
    if options.force_refresh or key in scope.uncacheable:
        served = yield from fetch(scope, key, request, options, stored, reason)
    else:
        served = yield from fetch_once(scope, key, request, options, stored, reason, epoch)
    return (yield from arrive(scope, options, served))


def admit(scope: Scope, request: Request, options: Options) -> Plan[bool]:
    """Whether a request will be answered without going out; if not, take its lease.

    For callers who must know before they send: the lease waits in ``options.chain``.
    """
    if decide.bypass(request, options, scope.settings) is not None:
        return False
    key = yield from key_of(scope, request, options)
    if key is None or options.refresh or options.force_refresh:
        return False
    epoch = scope.fetches_ended()
    stored, reason = yield from look(scope, key, options)
    if reason in SERVED:
        return True
    chain = options.chain
    if chain is None or key in scope.uncacheable:
        return False

    seen = _Seen(scope, key, options, stored, reason)

    def hold(lease: Lease) -> Plan[bool]:
        if scope.fetches_ended() != epoch:
            yield from seen.again(Reason.HIT)
            if seen.reason in SERVED:
                lease.release(seen.stored)
                return True
        if scope.settings.lease_seconds and seen.reason in SHAREABLE:
            hit = yield from claim(scope, key, lease, seen.again, wait=not chain.holds_leases)
            if isinstance(hit, Hit):
                lease.release(hit.stored)
                return True
        lease.held = True
        chain.granted[key] = lease
        return False

    outcome = yield Locked(key, hold)
    return outcome.result is not None if isinstance(outcome, Followed) else bool(outcome.result)


def look(scope: Scope, key: str, options: Options) -> Plan[tuple[Stored | None, Reason]]:
    """What is stored under a key, and whether it may be served."""
    found = yield UseStore(scope.store.load(key, follow=options.follow))
    if type(found) is Failed:
        return None, Reason.STORE_FAILED
    if not found:
        return None, Reason.MISS
    stored: Stored = found[0]
    reason = decide.judge_stored(stored.entry, options, scope.now())
    if reason is Reason.EXPIRED and not stored.hops:
        settings = scope.settings
        window = settings.windows_for(stored.entry.url, options.windows).while_revalidate
        if decide.within(window, stored.entry, scope.now()):
            reason = Reason.STALE_WHILE_REVALIDATE
    # What the filter refuses is not to be validated either, nor served when the origin fails.
    if scope.settings.filter_fn is not None and reason is not Reason.FORCE_REFRESH:
        kept = yield from filtered(scope, None, stored, stored.body)
        if not kept:
            return stored, Reason.FILTERED_ON_READ
    return stored, reason


class _Seen:
    """What is stored under a key, as it was seen last.

    Args:
        scope: the cache.
        key: of the request.
        options: of the request.
        stored: what was seen, if anything.
        reason: whether it may be served.
    """

    __slots__ = ("_asked", "reason", "stored")

    def __init__(
        self,
        scope: Scope,
        key: str,
        options: Options,
        stored: Stored | None = None,
        reason: Reason = Reason.MISS,
    ) -> None:
        self._asked = scope, key, options
        self.stored = stored
        self.reason = reason

    def again(self, why: Reason) -> Plan[Hit | bool]:
        """Look once more; see :data:`~http_client_cache.lease.Look`."""
        before = self.stored
        self.stored, self.reason = yield from look(*self._asked)
        if self.reason is Reason.HIT and self.stored is not None:
            return Hit(self.stored, why)
        return is_news(before, self.stored)


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
    seen = _Seen(scope, key, options, stale, reason)

    def lead(lease: Lease, *, granted: bool = False) -> Plan[Served]:
        hit: Hit | bool = False
        if scope.fetches_ended() != epoch:
            hit = yield from seen.again(Reason.HIT)
        if scope.settings.lease_seconds and seen.reason in SHAREABLE and not granted:
            hit = yield from claim(scope, key, lease, seen.again, wait=wait)
        if isinstance(hit, Hit):
            lease.release(hit.stored)
            return hit
        return (yield from fetch(scope, key, request, options, seen.stored, seen.reason, lease))

    chain = options.chain
    # Whoever holds a lease does not wait for another: two chains that cross would never end.
    wait = chain is None or not chain.holds_leases
    if chain is not None and key in chain.granted:
        lease = chain.granted.pop(key)
        chain.leases.append((key, lease))
        return (yield from lead(lease, granted=True))
    outcome = yield Locked(key, lead, wait=wait)
    if not isinstance(outcome, Followed):
        served: Served = outcome.result
        return served
    hit = _shared(scope, request, options, outcome.result, reason)
    # Who follows no redirects wants the first of them, not what they lead to.
    if hit is not None and (options.follow or not hit.stored.hops):
        kept = yield from filtered(scope, None, hit.stored, hit.stored.body)
        if kept:
            return hit
    return (yield from fetch(scope, key, request, options, stale, reason))


def _shared(
    scope: Scope, request: Request, options: Options, shared: Stored | Hit | None, reason: Reason
) -> Hit | None:
    """What those are served who have waited; ``reason`` is why they would have asked the origin.

    ``shared`` is a ``Hit`` where the origin failed whoever asked it. To ask again, each for itself,
    helps nobody; but not all may be served then.
    """
    if shared is None or isinstance(shared, Stored):
        return None if shared is None else Hit(shared, Reason.COLLAPSED)
    hit = _on_error(scope, request, options, shared.stored, reason)
    return None if hit is None else msgspec.structs.replace(hit, asked=reason)


def fetch(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    stale: Stored | None,
    reason: Reason,
    lease: Lease | None = None,
    *,
    unattended: bool = False,
) -> Plan[Served]:
    """Ask the origin, store its answer if that is allowed, and hand it over.

    The lease ends as soon as it is known whether there will be something to share. Where the
    origin fails, what has expired may be served, if the settings allow it; so may it be where
    ``unattended`` says that nobody waits for the answer.
    """
    conditions: tuple[tuple[str, str], ...] = ()
    if stale is not None and not stale.hops and reason in (Reason.EXPIRED, Reason.REFRESH):
        conditions = decide.conditions(stale.entry, request)
    otherwise = _on_error(scope, request, options, stale, reason)
    since = scope.changes()
    answer: Answer | Lost = yield Exchange(request, conditions, insist=otherwise is not None)
    if otherwise is not None and (isinstance(answer, Lost) or answer.head.status in ERRORS):
        if lease is not None:
            lease.release(otherwise)
        return (yield from _instead(answer, otherwise, reason))
    if isinstance(answer, Lost):
        raise answer.error

    if conditions and stale is not None and answer.head.status == 304:
        fresh = yield from freshen(scope, request, stale, answer, options, since)
        if lease is not None and not decide.authorization_added(request, answer.sent_authorization):
            lease.release(fresh)
        return Hit(fresh, Reason.VALIDATED, asked=reason, forward_status=304)

    if _leads_on(scope, key, request, options, answer, lease):
        if stale is not None and not stale.hops:
            # It would hide the redirect that has taken its place.
            yield UseStore(scope.store.delete([key]), writes=True)
        return Forwarded(answer, reason, refusal=Reason.REDIRECT, key=key)

    stored, refusal = yield from keep(
        scope, key, request, options, answer, lease, at_once=unattended
    )
    if stored is None:
        if refusal not in decide.UNDECIDED and answer.head.status < 500:
            scope.uncacheable.add(key)
        if stale is not None and decide.outdates(reason, refusal, answer.head.status):
            yield UseStore(scope.store.delete([key]), writes=True)
    return Forwarded(answer, reason, stored, refusal, key)


def _leads_on(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    answer: Answer,
    lease: Lease | None,
) -> bool:
    """Whether an answer is a redirect that is kept with what it leads to; if so, note the hop."""
    chain = options.chain
    if (
        chain is None
        or not options.follow
        or not decide.leads_on(answer.head, scope.settings)
        or decide.authorization_added(request, answer.sent_authorization)
    ):
        return False
    if lease is not None:
        lease.held = True
        chain.leases.append((key, lease))
    chain.hops.append((key, hop_of(scope.settings, request, answer.head)))
    return True


def _instead(answer: Answer | Lost, hit: Hit, reason: Reason) -> Plan[Hit]:
    """Serve what has expired in the place of an answer that is none."""
    status = None
    if not isinstance(answer, Lost):
        status = answer.head.status
        yield Discard(answer)
    return msgspec.structs.replace(hit, asked=reason, forward_status=status)


def _on_error(
    scope: Scope,
    request: Request,
    options: Options,
    stale: Stored | None,
    reason: Reason,
) -> Hit | None:
    """What may be served although it has expired, because the origin fails (RFC 5861 section 4)."""
    if stale is None or reason is Reason.FILTERED_ON_READ:
        return None
    window = scope.settings.windows_for(request.url, options.windows).if_error
    now = scope.now()
    if not window or not (stale.entry.expires is None or decide.within(window, stale.entry, now)):
        return None
    return Hit(stale, Reason.STALE_IF_ERROR)


def _refresh(scope: Scope, key: str, request: Request, options: Options) -> Plan[None]:
    """Fetch in the background what was served although it has expired."""
    options = msgspec.structs.replace(options, chain=None, known=None)
    seen = _Seen(scope, key, options)

    def lead(lease: Lease) -> Plan[None]:
        if not (yield from turn_to_refresh(scope, key, lease, seen.again)):
            return
        # As if before its time: while the server is in trouble, what is stored stays.
        served = yield from fetch(
            scope, key, request, options, seen.stored, Reason.REFRESH, lease, unattended=True
        )
        if isinstance(served, Forwarded) and served.stored is None:
            yield Discard(served.answer)

    yield Locked(key, lead, wait=False)


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
    failed = isinstance(served, Hit) and served.reason is Reason.STALE_IF_ERROR
    chain.end(stored._replace(hops=hops), failed=failed)
    return served
