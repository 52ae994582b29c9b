"""The leases of the MongoDB store: documents of a collection of their own."""

from __future__ import annotations

from typing import Any, Final

from http_client_cache.limits import server_time
from http_client_cache.mongodb_statements import DUPLICATE, Document, Read, Write
from http_client_cache.plan import Plan
from http_client_cache.store import CLOCK_SECONDS, FRUITLESS_SECONDS
from http_client_cache.store._mongodb_times import LEAVES, date_of

_ROUNDS: Final = 3


class MongoLeases:
    """The part of the store that grants leases.

    Args:
        collection: their name.
    """

    def __init__(self, collection: str) -> None:
        self._leases = collection

    def _lease_indexes(self) -> Document:
        return {"createIndexes": self._leases, "indexes": [LEAVES]}

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        free: list[Document] = [
            {"owner": owner},
            {"until": {"$lte": now}},
            {"since": {"$gt": now + CLOCK_SECONDS}},
        ]
        lease = _lease(owner, now, seconds)
        step = {"q": {"_id": name, "$or": free}, "u": lease, "upsert": True}
        for _ in range(_ROUNDS):
            answer = yield Write({"update": self._leases, "updates": [step]})
            if answer is not DUPLICATE:
                return owner
            holder = yield from self.holder(name, now)
            if holder is not None:
                return holder
        # Others come and go faster than it can be asked whose it is.
        return ""

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        held = {"_id": name, "until": {"$gt": now}, "since": {"$lte": now + CLOCK_SECONDS}}
        found: list[Document] = yield Read({"find": self._leases, "filter": held, "limit": 1})
        return str(found[0].get("owner")) if found else None

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        mine = {"_id": name, "owner": owner}
        if fruitless:
            step = {"q": {**mine, "until": {"$gt": now}}, "u": _lease("", now, FRUITLESS_SECONDS)}
            yield Write({"update": self._leases, "updates": [step]})
        else:
            yield Write({"delete": self._leases, "deletes": [{"q": mine, "limit": 1}]})

    def _end_leases(self, until: Document | None = None) -> Plan[None]:
        """Delete those whose time is up; all of them if nothing is said."""
        over = {} if until is None else {"until": until}
        yield Write({"delete": self._leases, "deletes": [{"q": over, "limit": 0}]})


def _lease(owner: str, since: float, seconds: float) -> Document:
    lease: dict[str, Any] = {"owner": owner, "since": since, "until": since + seconds}
    leaves = date_of(server_time() + seconds + CLOCK_SECONDS)
    return lease if leaves is None else {**lease, "leaves": leaves}
