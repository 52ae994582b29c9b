"""Stores: each one file of operations, told as plans over statements.

What every store promises (:mod:`http_client_cache.testing` holds each of them to it):

- A key names at most one entry for each variant; ``variant`` is ``""`` unless ``Vary`` says
  otherwise. Which variant answers is decided outside: ``load`` hands over all of them.
- An entry is published whole or not at all; a reader never sees metadata without its body.
- A body that is being read is read to its end, though its entry may have gone or be another one.
- Reading deletes nothing. Expired entries stay until somebody deletes or sweeps them, until
  their room is needed, or, where the store lets them leave by themselves, for their retention.
- A record that cannot be read is absent.
- Where a store has limits, what has expired goes first, then what was used least recently; it
  is never over them by more than one entry.
- Keys are text; the part before the first ``.`` is the locator that all keys of one URL share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from http_client_cache.body import AnyBody, Draft, KeptBody
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.limits import Limits
from http_client_cache.plan import Plan
from http_client_cache.store._unleased import Unleased
from http_client_cache.store._whole import WholeBodies

__all__ = [
    "CLOCK_SECONDS",
    "FRUITLESS_SECONDS",
    "NOBODY",
    "Store",
    "Unleased",
    "WholeBodies",
]

NOBODY: Final = ""
"""Holds a lease of which nothing came: its key is not worth waiting for."""

FRUITLESS_SECONDS: Final = 1.0
"""For so long others can see that nothing came of a fetch; they look several times a second."""

CLOCK_SECONDS: Final = 1.0
"""By so much the clocks of those who share a store may differ."""


class Store(Protocol):
    """The operations of a store, as plans: a driver runs them in either colour."""

    limits: Limits

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """All variants of ``key`` with their bodies; empty if there is none.

        Newest first by ``Entry.created``; equally old ones in the order of their variants.

        With ``follow``, an alias of that name is resolved in the same trip; an entry of the
        key's own comes before an alias.
        """
        ...

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """Publish an entry with its body, replacing that of the same key and variant.

        Answers the body as it can be read from now on. A draft is used up, whatever happens.
        """
        ...

    # Bodies that are stored as they come, and read in pieces.

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """Begin a body that comes in pieces; ``None`` where the store takes them whole.

        ``entry`` is as it will be saved, less ``body_size``. Nobody sees a draft; one whose writer
        dies is removed by a sweep.
        """
        ...

    def append(self, draft: Draft, pieces: Sequence[bytes]) -> Plan[bool]:
        """Add to a draft. Answers whether more is wanted; if not, it is to be forgotten."""
        ...

    def forget(self, draft: Draft) -> Plan[None]:
        """Remove a draft that will not be saved."""
        ...

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """Some of a body from ``start`` on: at least a byte, at most ``size``.

        Raises:
            StoreError: it cannot be read any more, or is damaged.
        """
        ...

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """Rewrite the metadata of ``(key, variant, entry)``; bodies stay. Answers how many.

        ``entry`` is one that was loaded, changed in what does not concern the body.
        """
        ...

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """Let ``key`` lead to another one."""
        ...

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """Delete entries (all variants) and aliases, and the aliases that led to them.

        Answers how many keys were there.
        """
        ...

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """Delete the entries named by ``(key, variant)``; other variants of a key stay.

        With the last variant of a key, the aliases that led to it go as well; one of the key's
        own name stays. Answers how many entries were there.
        """
        ...

    def purge(self, locator: str) -> Plan[int]:
        """Delete every key with this locator, and the aliases that led there."""
        ...

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """Whether the key has an entry (with ``follow``: or leads to one)."""
        ...

    def has_locator(self, locator: str) -> Plan[bool]:
        """Whether any entry, or alias that leads to one, has this locator."""
        ...

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """The next ``limit`` entries in the order of a cursor, each with its own cursor.

        Start with ``after=""``. Entries written meanwhile may be missed; none is told twice.
        Without ``bodies``, ``Stored.body`` is empty.
        """
        ...

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """The next ``limit`` aliases whose key follows ``after``, in the order of the keys."""
        ...

    def size(self) -> Plan[int]:
        """How many entries there are, expired ones included."""
        ...

    def bytes_size(self) -> Plan[int]:
        """How many bytes all of it takes, as counted for ``max_bytes``, aliases included.

        Bodies, metadata (header fields above all) and keys, and for each entry and alias what
        the store itself needs, about.
        """
        ...

    def links_size(self) -> Plan[int]:
        """How many aliases there are."""
        ...

    def clear(self) -> Plan[None]:
        """Delete everything that is this cache's, and nothing else."""
        ...

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """Delete up to ``limit`` entries that have expired by this time (UTC seconds).

        Answers how many; fewer than ``limit`` means that none is left. Aliases that lead
        nowhere go as well.
        """
        ...

    # Leases: of many processes that miss a key, one fetches it. They are no entries.

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """Take a lease, in one atomic step, if it is free, this owner's own, or its time is up.

        A lease lasts from ``now`` for so many seconds; one that was taken at a time that is still
        to come, by more than :data:`CLOCK_SECONDS`, counts as free: a clock went back. Answers
        whose it is from now on: ``owner``, another one's, or :data:`NOBODY`.

        A store that only this process uses answers ``owner`` at once.
        """
        ...

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """Whose a lease is, as for ``claim``; ``None`` if it is free."""
        ...

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """Give a lease back, if it is still this owner's. It comes after what was saved before.

        Where the fetch was ``fruitless``, the lease is :data:`NOBODY`'s for the next
        :data:`FRUITLESS_SECONDS`: whoever asks is to fetch without one. It may be answered before
        it is done.
        """
        ...
