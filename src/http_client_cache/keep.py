"""How an answer is kept: now, or when its caller has read it to the end; and how a 304 counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal

import msgspec

from http_client_cache import decide
from http_client_cache.body import WHOLE_BYTES, Draft
from http_client_cache.entry import Alias, Entry, Hop, Stored
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.options import Chain, Options
from http_client_cache.plan import (
    LATER,
    Answer,
    Body,
    Discard,
    Failed,
    Lease,
    Lost,
    NotYet,
    Plan,
    ReadBody,
    UseStore,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.validation import freshened
from http_client_cache.scope import Scope
from http_client_cache.steps import filtered, save
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
    entry = entry_of(scope.settings, request, answer, verdict.expires)
    if leads_elsewhere(entry, answer.head):
        if lease is not None:
            lease.release()
        return None, Reason.REDACTED
    place = Stored(key, entry, b"", (), variant_name(entry))
    later = None if at_once else KeepLater(scope, place, partial(_publish, scope))
    body = yield from body_of(scope, answer, later)
    if body is LATER:
        if later is not None:
            later.take_over(lease, options.chain)
        return None, Reason.NOT_YET
    if isinstance(body, Reason):
        return None, body
    stored = place._replace(entry=msgspec.structs.replace(entry, body_size=len(body)), body=body)
    stored, refusal = yield from _publish(scope, stored)
    if lease is not None:
        lease.release(stored)
    return stored, refusal


def leads_elsewhere(entry: Entry, head: ResponseHead) -> bool:
    """Whether a redirect is another one without what may not be stored."""
    stored = Headers(entry.headers)
    return head.status in decide.REDIRECTS and any(
        head.headers.get_all(name) != stored.get_all(name) for name in ("location", "uri")
    )


def body_of(
    scope: Scope, answer: Answer, later: KeepLater | None
) -> Plan[bytes | Reason | Literal[NotYet.LATER]]:
    """Read the body of an answer that may be kept; or why not, or that it comes later."""
    settings = scope.settings
    if settings.filters_bodies:
        # It is asked with the whole at hand.
        later = None
    elif settings.filter_fn is not None:
        kept = yield from filtered(scope, answer, None, b"")
        if not kept:
            return Reason.FILTERED
    body: Body = yield ReadBody(answer, settings.max_entry_bytes, later, settings.stream_threshold)
    if isinstance(body, Lost):
        return Reason.INCOMPLETE
    if body is None:
        return Reason.TOO_LARGE
    if settings.filters_bodies and body is not LATER:
        kept = yield from filtered(scope, answer, None, body)
        return body if kept else Reason.FILTERED
    return body


SMALL_PIECE: Final = 2**10
"""Pieces that have fewer bytes on the average are put together: each takes memory of its own."""

Publish = Callable[[Stored, Draft | None], Plan[tuple[Stored, Reason | None]]]
"""Stores a response, with the body of a draft if there is one; answers it, and why not."""


class KeepLater:
    """Stores an answer while its caller reads it; those who wait, wait for its end.

    It must not hold the answer itself, which holds the stream that waits for the end: a response
    that nobody reads would not go away.

    Args:
        scope: the cache.
        stored: as it will be, less its body.
        publish: stores it.
        held: bytes up to which it is held in memory.
    """

    __slots__ = (
        "_chain",
        "_draft",
        "_held",
        "_hops",
        "_in_pieces",
        "_lease",
        "_pieces",
        "_publish",
        "_scope",
        "_size",
        "_stored",
    )

    def __init__(
        self, scope: Scope, stored: Stored, publish: Publish, held: int = WHOLE_BYTES
    ) -> None:
        self._scope = scope
        self._stored = stored
        self._publish = publish
        self._lease: Lease | None = None
        self._chain = Chain()
        self._hops: tuple[tuple[str, Hop], ...] = ()
        self._held = held
        self._size = 0
        self._pieces: list[bytes] = []
        self._draft: Draft | None = None
        self._in_pieces = True

    def take_over(self, lease: Lease | None, chain: Chain | None) -> None:
        """From now on the leases end here."""
        if lease is not None:
            lease.held = True
            self._lease = lease
        if chain is not None:
            self._chain = chain.detach()
            # They lead here, however long it takes.
            self._hops = tuple(self._chain.hops)

    def keep(self, pieces: Sequence[bytes]) -> Plan[bool]:
        """The next of it has come."""
        size = sum(map(len, pieces))
        if size < SMALL_PIECE * len(pieces):
            pieces = [b"".join(pieces)]
        self._size += size
        limits = self._scope.settings.max_entry_bytes, self._scope.store.limits.max_bytes
        if any(limit is not None and self._size > limit for limit in limits):
            yield from self._give_way()
            return False
        if self._draft is None:
            self._pieces += pieces
            if self._size <= self._held or not self._in_pieces:
                return True
            stored = self._stored
            draft = yield UseStore(
                self._scope.store.begin(stored.key, stored.entry, variant=stored.variant),
                writes=True,
            )
            if isinstance(draft, Failed):
                return False
            self._in_pieces = draft is not None
            if draft is None:
                return True
            self._draft = draft
            pieces, self._pieces = self._pieces, []
        else:
            draft = self._draft
        wanted = yield UseStore(self._scope.store.append(draft, pieces), writes=True)
        return wanted is True

    def _give_way(self) -> Plan[None]:
        """It is too large; the one that it would have replaced must not answer in its stead."""
        place = self._stored.key, self._stored.variant
        self._scope.uncacheable.add(self._stored.key)
        yield UseStore(self._scope.store.drop([place]), writes=True)

    def finish(self, pieces: Sequence[bytes]) -> Plan[None]:
        """The last of it has come."""
        wanted = yield from self.keep(pieces)
        if not wanted:
            return (yield from self.forget())
        draft, self._draft = self._draft, None
        body, self._pieces = b"".join(self._pieces), []
        entry = msgspec.structs.replace(self._stored.entry, body_size=self._size)
        stored, refusal = yield from self._publish(
            self._stored._replace(entry=entry, body=body), draft
        )
        if refusal is not None and (refusal is not Reason.STORE_FAILED or draft is not None):
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

    def forget(self) -> Plan[None]:
        """There will be no whole body."""
        self.give_up()
        draft, self._draft, self._pieces = self._draft, None, []
        if draft is not None:
            yield UseStore(self._scope.store.forget(draft), writes=True)


def _publish(
    scope: Scope, stored: Stored, draft: Draft | None = None
) -> Plan[tuple[Stored, Reason | None]]:
    saved = yield from save(scope, stored, draft)
    scope.uncacheable.discard(stored.key)
    return (stored, Reason.STORE_FAILED) if saved is None else (saved, None)


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
