"""What a plan needs to know of the cache that it speaks for."""

from __future__ import annotations

from typing import Protocol

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
