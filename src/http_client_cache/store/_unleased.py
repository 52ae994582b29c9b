"""For stores that one process has for itself: its own leases are enough."""

from __future__ import annotations

from http_client_cache.plan import Plan


class Unleased:
    """Grants each lease to whoever asks for it."""

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        del name, now, seconds
        yield from ()
        return owner

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        del name, now
        yield from ()
        return None

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        del name, owner, now, fruitless
        yield from ()
