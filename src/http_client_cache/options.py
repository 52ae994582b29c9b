"""What a caller may say about one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from http_client_cache.entry import Hop, Stored
from http_client_cache.expiry import UNSET, Expiry
from http_client_cache.plan import Lease
from http_client_cache.rfc9111.freshness import NO_WINDOWS, Windows
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit
from http_client_cache.urls import normalize_url


@dataclass(slots=True)
class Chain:
    """The redirects that one request has followed so far.

    It belongs to whoever follows redirects (a session); the hops are published under their own
    keys only when the chain has ended in a stored response.

    Attributes:
        hops: key and head of each redirect, in order.
        leases: key and lease of those that wait for the end of the chain.
        granted: leases taken before the request was made, by key.
        ahead: what is known to come, where a stored chain is being replayed.
    """

    hops: list[tuple[str, Hop]] = field(default_factory=list[tuple[str, Hop]])
    leases: list[tuple[str, Lease]] = field(default_factory=list[tuple[str, Lease]])
    granted: dict[str, Lease] = field(default_factory=dict[str, Lease])
    ahead: tuple[tuple[Hop, ...], Hit] | None = None

    @property
    def holds_leases(self) -> bool:
        """Whether others may wait for this chain: then it must not wait for them."""
        return bool(self.leases or self.granted)

    def next_ahead(self, url: str) -> tuple[Hop | None, Hit] | None:
        """What comes next where a stored chain is being replayed.

        Args:
            url: of the next request; the chain counts as long as it is where that went before.

        Returns:
            A hop, or ``None`` at the end of the chain; and what the chain leads to. ``None`` where
            nothing is replayed.
        """
        if self.ahead is None:
            return None
        hops, hit = self.ahead
        expected = hops[0].url if hops else hit.stored.entry.url
        if normalize_url(url) != normalize_url(expected):
            self.ahead = None
            return None
        if not hops:
            self.ahead = None
            return None, hit
        self.ahead = (hops[1:], hit)
        return hops[0], hit

    def end(self, result: Stored | None = None, *, failed: bool = False) -> None:
        """Let those go who wait for this chain: with its result, or to fetch for themselves.

        Args:
            result: with the hops of the whole chain; whoever waits for a later hop is handed
                only those that begin there.
            failed: whether it was served because the origin failed, which is not for everybody.
        """
        keys = [key for key, _ in self.hops]
        for key, lease in self.leases:
            if result is not None and key in keys:
                shared = result._replace(hops=result.hops[keys.index(key) :])
                lease.release(Hit(shared, Reason.STALE_IF_ERROR) if failed else shared)
            else:
                lease.release()
        for lease in self.granted.values():
            lease.release()
        self._forget()

    def abandon(self) -> None:
        """The caller was cancelled: one of those who wait takes over."""
        for lease in (*[lease for _, lease in self.leases], *self.granted.values()):
            lease.abandon()
        self._forget()

    def detach(self) -> Chain:
        """Hand the redirects and their leases to a chain that ends later than the request."""
        later = Chain(self.hops, self.leases, self.granted)
        self.hops, self.leases, self.granted = [], [], {}
        return later

    def _forget(self) -> None:
        self.leases.clear()
        self.granted.clear()
        self.hops.clear()


class Known(NamedTuple):
    """What was found out about a request before it was made.

    Attributes:
        method: of the request.
        url: of the request.
        key: its key.
        epoch: how many fetches had ended when it was looked up; -1 if it was not.
        stored: what was found, and may not be served as it is.
        reason: why not.
    """

    method: str
    url: str
    key: str
    epoch: int = -1
    stored: Stored | None = None
    reason: Reason = Reason.MISS


class Options(msgspec.Struct, frozen=True):
    """The cache's arguments of one request.

    Attributes:
        expire_after: expiration for this request alone.
        refresh: validate the stored response with the origin before it is used.
        force_refresh: ask the origin for a new response, whatever is stored.
        only_if_cached: answer 504 where nothing usable is stored.
        disabled: neither read nor store.
        variant: marks of how the client reads the body (``"raw"``: not decompressed).
        follow: whether a stored redirect chain may answer.
        chain: set where this request's own redirects are to be recorded.
        known: what was found out about the first request before it was made.
        windows: how long stale responses may be served, for this request alone.
    """

    expire_after: Expiry = UNSET
    refresh: bool = False
    force_refresh: bool = False
    only_if_cached: bool = False
    disabled: bool = False
    variant: tuple[str, ...] = ()
    follow: bool = False
    chain: Chain | None = None
    known: Known | None = None
    windows: Windows = NO_WINDOWS
