"""The leases of the filesystem store: a small file each."""

from __future__ import annotations

from hashlib import blake2b

from http_client_cache.file_statements import Claim, Holder, Release
from http_client_cache.plan import Plan
from http_client_cache.store import CLOCK_SECONDS, FRUITLESS_SECONDS


def lease_file(name: str) -> str:
    """What the file of a lease is called."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class FileLeases:
    """The part of the store that grants leases."""

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        file, latest = lease_file(name), now + CLOCK_SECONDS
        holder: str = yield Claim(file, owner, now, now + seconds, latest)
        return holder

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        holder: str | None = yield Holder(lease_file(name), now, now + CLOCK_SECONDS)
        return holder

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        until = now + FRUITLESS_SECONDS if fruitless else None
        yield Release(lease_file(name), owner, now, until)
