"""What a plan needs to know of the cache that it speaks for."""

from __future__ import annotations

from typing import Protocol

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.no_vary_search import Variance
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

    @property
    def query_rules(self) -> QueryRules:
        """What responses said with ``No-Vary-Search``."""
        ...

    def now(self) -> float:
        """UTC seconds."""
        ...

    def fetches_ended(self) -> int:
        """Grows whenever a lease ends: what was looked up before may be out of date."""
        ...

    def owner(self) -> str:
        """Whose the leases are that this cache takes in its store; not those of a fork."""
        ...

    def give_back(self, name: str, fruitless: bool) -> None:  # noqa: FBT001 - see AtEnd
        """Begin to release a lease in the store, without waiting for it."""
        ...

    def note_change(self, locator: str) -> None:
        """What is being fetched for this URL may be outdated when it arrives."""
        ...

    def changes(self) -> int:
        """How many changes and saves were noted."""
        ...

    def changed_since(self, key: str, count: int) -> bool:
        """Whether a change of the key's URL was noted after the first ``count``."""
        ...

    def note_save(self, key: str, variant: str) -> None:
        """A response takes this place in the store."""
        ...

    def saved_since(self, key: str, variant: str, count: int) -> bool:
        """Whether a response took this place after the first ``count``."""
        ...


class QueryRules(Protocol):
    """Remembers which parts of a query count, by path."""

    def learn(self, url: str, headers: Headers) -> None:
        """Take note of what a response says."""
        ...

    def apply(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request with the query that counts, and marks for its key."""
        ...

    def rule_for(self, url: str) -> Variance:
        """What is known of how a query counts."""
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
