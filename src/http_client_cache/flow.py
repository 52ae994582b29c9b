"""How a request flows, told once for both colours: look, serve, fetch, store.

Read :mod:`http_client_cache.plan` first; the verdicts are in :mod:`http_client_cache.decide`.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urldefrag, urljoin

import msgspec

from http_client_cache import decide
from http_client_cache.entry import Alias, Entry, Hop, Stored
from http_client_cache.key import create_key, redact_url, strip_headers
from http_client_cache.message import (
    NO_HEADERS,
    Headers,
    RawHeaders,
    Request,
    ResponseHead,
    to_bytes,
    to_text,
)
from http_client_cache.options import Chain, Options
from http_client_cache.plan import (
    LATER,
    Answer,
    Ask,
    Discard,
    Exchange,
    Failed,
    Followed,
    Lease,
    Locked,
    Lost,
    Plan,
    Present,
    ReadBody,
    UseStore,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.validation import freshened
from http_client_cache.settings import Settings
from http_client_cache.store import Store


class Scope(Protocol):
    """What a plan needs to know of the cache it speaks for."""

    @property
    def settings(self) -> Settings:
        """The house rules."""
        ...

    @property
    def store(self) -> Store:
        """The operations."""
        ...

    @property
    def uncacheable(self) -> Memory:
        """Keys whose answers were not to be stored: nobody needs to wait for those."""
        ...

    def now(self) -> float:
        """UTC seconds."""
        ...

    def fetches_ended(self) -> int:
        """Grows whenever a lease ends: what was looked up before may be out of date."""
        ...


class Memory(Protocol):
    """Remembers a bounded number of keys."""

    def __contains__(self, key: str) -> bool: ...

    def add(self, key: str) -> None:
        """Remember a key."""
        ...

    def discard(self, key: str) -> None:
        """Forget a key."""
        ...


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


def filtered(scope: Scope, answer: Answer | None, stored: Stored | None, body: bytes) -> Plan[bool]:
    """What the user's filter says of a response; a filter that fails keeps nothing."""
    function = scope.settings.filter_fn
    if function is None:
        return True
    response = yield Present(answer, stored, body)
    verdict = yield Ask(function, (response,))
    return not isinstance(verdict, Failed) and bool(verdict)


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
        chain.hops.append((key, hop_of(scope, request, head)))
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


def keep(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    answer: Answer,
    lease: Lease | None,
) -> Plan[tuple[Stored | None, Reason | None]]:
    """Store an answer if house and law allow it."""
    settings = scope.settings
    verdict = decide.judge_head(
        request,
        answer.head,
        settings.expiry_for(request.url, options.expire_after),
        settings,
        received=answer.received,
        sent_authorization=answer.sent_authorization,
    )
    if isinstance(verdict, Reason):
        if lease is not None:
            lease.release()
        return None, verdict
    # A filter is asked with the whole body at hand, so it cannot come later.
    entry = entry_of(scope, request, answer, verdict.expires)
    later = None
    if settings.filter_fn is None:
        later = KeepLater(scope, key, entry)
    body = yield ReadBody(answer, settings.max_entry_bytes, later)
    if body is LATER:
        if later is not None:
            later.take_over(lease, options.chain)
        return None, Reason.NOT_YET
    if isinstance(body, Lost):
        return None, Reason.INCOMPLETE
    if body is None:
        return None, Reason.TOO_LARGE
    if not (yield from filtered(scope, answer, None, body)):
        return None, Reason.FILTERED

    stored = Stored(key, msgspec.structs.replace(entry, body_size=len(body)), body)
    saved = yield UseStore(scope.store.save(key, stored.entry, body), writes=True)
    scope.uncacheable.discard(key)
    if lease is not None:
        lease.release(stored)
    return stored, Reason.STORE_FAILED if isinstance(saved, Failed) else None


class KeepLater:
    """Stores an answer once its caller has read it to the end; those who wait, wait for that.

    It must not hold the answer itself, which holds the stream that waits for the end: a response
    that nobody reads would not go away.
    """

    __slots__ = ("_chain", "_entry", "_hops", "_key", "_lease", "_scope")

    def __init__(self, scope: Scope, key: str, entry: Entry) -> None:
        self._scope = scope
        self._key = key
        self._entry = entry
        self._lease: Lease | None = None
        self._chain = Chain()
        self._hops: tuple[tuple[str, Hop], ...] = ()

    def take_over(self, lease: Lease | None, chain: Chain | None) -> None:
        """From now on the leases end here."""
        if lease is not None:
            lease.held = True
            self._lease = lease
        if chain is not None:
            self._chain = chain.detach()
            # They lead here, however long it takes.
            self._hops = tuple(self._chain.hops)

    def finish(self, body: bytes) -> Plan[None]:
        """The whole body is there."""
        scope, key = self._scope, self._key
        stored = Stored(key, msgspec.structs.replace(self._entry, body_size=len(body)), body)
        yield UseStore(scope.store.save(key, stored.entry, body), writes=True)
        scope.uncacheable.discard(key)
        hops = yield from link(scope, self._hops, stored)
        self._chain.end(stored._replace(hops=hops))
        if self._lease is not None:
            self._lease.release(stored)

    def give_up(self) -> None:
        """There will be no whole body, or not in time for those who wait."""
        self._chain.end()
        if self._lease is not None:
            self._lease.release()


def entry_of(scope: Scope, request: Request, answer: Answer, expires: float | None) -> Entry:
    """The metadata to store, before the body is known: nothing ignored, no secret."""
    head, ignored = answer.head, scope.settings.ignored_parameters
    return Entry(
        method=request.method,
        url=redact_url(head.url, ignored),
        status=head.status,
        reason=head.reason,
        version=head.version,
        headers=storable_pointers(head, ignored),
        request_headers=remembered(scope, request).raw,
        requested=answer.requested,
        created=answer.received,
        expires=expires,
        body_size=0,
        sets_cookies="set-cookie" in head.headers,
    )


def remembered(scope: Scope, request: Request) -> Headers:
    """The request fields that tell this response from others, less what may not be stored."""
    include = scope.settings.include_headers
    if include is False:
        return NO_HEADERS
    kept = strip_headers(request.headers, scope.settings.ignored_parameters)
    if include is True:
        return kept
    return Headers(tuple(pair for pair in kept.raw if pair[0].decode("latin-1").lower() in include))


def hop_of(scope: Scope, request: Request, head: ResponseHead) -> Hop:
    """A redirect as it is kept with the response that it leads to."""
    ignored = scope.settings.ignored_parameters
    url = redact_url(head.url, ignored)
    headers = storable_pointers(head, ignored)
    return Hop(request.method, url, head.status, head.reason, head.version, headers)


POINTERS = frozenset({b"location", b"content-location", b"uri"})


def storable_pointers(head: ResponseHead, ignored: frozenset[str]) -> RawHeaders:
    """The fields of a response; those that point to a URL without what may not be stored.

    Many redirects repeat the query of the request, and some bring credentials of their own.
    """
    fields = head.headers.raw
    if not any(name.lower() in POINTERS for name, _ in fields):
        return fields
    return tuple([_storable_pointer(pair, head.url, ignored) for pair in fields])


def _storable_pointer(
    pair: tuple[bytes, bytes], base: str, ignored: frozenset[str]
) -> tuple[bytes, bytes]:
    name, value = pair
    if name.lower() not in POINTERS:
        return pair
    try:
        target, fragment = urldefrag(urljoin(base, to_text(value)))
    except ValueError:
        return pair
    redacted = redact_url(target, ignored)
    if redacted == target:
        return pair
    return name, to_bytes(f"{redacted}#{fragment}" if fragment else redacted)


def freshen(
    scope: Scope, request: Request, stale: Stored, answer: Answer, options: Options
) -> Plan[Stored]:
    """Take over what a 304 says (RFC 9111 section 4.3.4); the stored body stays."""
    yield Discard(answer)
    expiry = scope.settings.expiry_for(request.url, options.expire_after)
    head = answer.head
    entry = msgspec.structs.replace(
        stale.entry,
        headers=freshened(stale.entry.headers, head.headers),
        requested=answer.requested,
        created=answer.received,
        expires=expiry.expires(answer.received),
        sets_cookies=stale.entry.sets_cookies or "set-cookie" in head.headers,
    )
    if not decide.authorization_added(request, answer.sent_authorization):
        change = (stale.key, stale.variant, entry)
        yield UseStore(scope.store.freshen([change]), writes=True)
    return stale._replace(entry=entry)


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


def link(scope: Scope, chain: tuple[tuple[str, Hop], ...], stored: Stored) -> Plan[tuple[Hop, ...]]:
    """Let each hop of a chain lead to what it ended in; answers the whole way there."""
    hops = tuple(hop for _, hop in chain) + stored.hops
    for index, (name, _) in enumerate(chain):
        if name != stored.key:
            alias = Alias(stored.key, hops[index:], stored.entry.created)
            yield UseStore(scope.store.link(name, alias), writes=True)
            scope.uncacheable.discard(name)
    return hops
