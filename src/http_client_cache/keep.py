"""How an answer is kept: now, or when its caller has read it to the end; and how a 304 counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from http_client_cache import decide
from http_client_cache.entry import Alias, Hop, Stored
from http_client_cache.message import Request
from http_client_cache.options import Chain, Options
from http_client_cache.plan import (
    LATER,
    Answer,
    Discard,
    Failed,
    Lease,
    Lost,
    Plan,
    ReadBody,
    UseStore,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.validation import freshened
from http_client_cache.scope import Scope
from http_client_cache.steps import filtered
from http_client_cache.storable import entry_of
from http_client_cache.variant import variant_name


def keep(
    scope: Scope,
    key: str,
    request: Request,
    options: Options,
    answer: Answer,
    lease: Lease | None,
    *,
    at_once: bool = False,
) -> Plan[tuple[Stored | None, Reason | None]]:
    """Store an answer if house and law allow it; ``at_once`` where nobody will read its body."""
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
    entry = entry_of(scope.settings, request, answer, verdict.expires)
    place = Stored(key, entry, b"", (), variant_name(entry))
    later = None
    if settings.filter_fn is None and not at_once:
        later = KeepLater(scope, place, partial(_publish, scope))
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

    stored = place._replace(entry=msgspec.structs.replace(entry, body_size=len(body)), body=body)
    refusal = yield from _publish(scope, stored)
    if lease is not None:
        lease.release(stored)
    return stored, refusal


class KeepLater:
    """Stores an answer once its caller has read it to the end; those who wait, wait for that.

    It must not hold the answer itself, which holds the stream that waits for the end: a response
    that nobody reads would not go away.

    Args:
        scope: the cache.
        stored: as it will be, less its body.
        publish: stores it; answers why it did not.
    """

    __slots__ = ("_chain", "_hops", "_lease", "_publish", "_scope", "_stored")

    def __init__(
        self, scope: Scope, stored: Stored, publish: Callable[[Stored], Plan[Reason | None]]
    ) -> None:
        self._scope = scope
        self._stored = stored
        self._publish = publish
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
        entry = msgspec.structs.replace(self._stored.entry, body_size=len(body))
        stored = self._stored._replace(entry=entry, body=body)
        refusal = yield from self._publish(stored)
        if refusal not in (None, Reason.STORE_FAILED):
            return self.give_up()
        self._scope.uncacheable.discard(stored.key)
        hops = yield from link(self._scope, self._hops, stored)
        # Before the chain, which knows only what its hops lead to.
        if self._lease is not None:
            self._lease.release(stored)
        self._chain.end(stored._replace(hops=hops))
        return None

    def give_up(self) -> None:
        """There will be no whole body, or not in time for those who wait."""
        self._chain.end()
        if self._lease is not None:
            self._lease.release()


def _publish(scope: Scope, stored: Stored) -> Plan[Reason | None]:
    scope.note_save(stored.key, stored.variant)
    saving = scope.store.save(stored.key, stored.entry, stored.body, variant=stored.variant)
    saved = yield UseStore(saving, writes=True)
    scope.uncacheable.discard(stored.key)
    return Reason.STORE_FAILED if isinstance(saved, Failed) else None


def freshen(
    scope: Scope, request: Request, stale: Stored, answer: Answer, options: Options, since: int
) -> Plan[Stored]:
    """Take over what a 304 says (RFC 9111 section 4.3.4); the stored body stays.

    What has been stored in the place of the stale one stays as it is: ``since`` is how many changes
    there were before the origin was asked.
    """
    yield Discard(answer)
    expiry = scope.settings.expiry_for(request.url, options.expire_after)
    head = answer.head
    entry = msgspec.structs.replace(
        stale.entry,
        headers=freshened(stale.entry.headers, head.headers, spared=_OF_THE_BODY),
        requested=answer.requested,
        created=answer.received,
        expires=expiry.expires(answer.received),
        sets_cookies=stale.entry.sets_cookies or "set-cookie" in head.headers,
    )
    if not (
        decide.authorization_added(request, answer.sent_authorization)
        or scope.saved_since(stale.key, stale.variant, since)
    ):
        change = (stale.key, stale.variant, entry)
        yield UseStore(scope.store.freshen([change]), writes=True)
    return stale._replace(entry=entry)


# Some servers send a 304 with the type of its own, empty content.
_OF_THE_BODY: Final = frozenset({"content-type"})


def link(scope: Scope, chain: tuple[tuple[str, Hop], ...], stored: Stored) -> Plan[tuple[Hop, ...]]:
    """Let each hop of a chain lead to what it ended in; answers the whole way there."""
    hops = tuple(hop for _, hop in chain) + stored.hops
    for index, (name, _) in enumerate(chain):
        if name != stored.key:
            alias = Alias(stored.key, hops[index:], stored.entry.created)
            yield UseStore(scope.store.link(name, alias), writes=True)
            scope.uncacheable.discard(name)
    return hops
