"""How entries of the MongoDB store end: whoever deletes them, and how."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from http_client_cache.mongodb_statements import PATIENCE, Document, Write
from http_client_cache.plan import Plan
from http_client_cache.store._mongodb_blocks import Blocks
from http_client_cache.store._mongodb_census import KEYS, MongoCensus
from http_client_cache.store._mongodb_leases import MongoLeases
from http_client_cache.store._mongodb_shape import (
    IS_ENTRY,
    find,
    in_batches,
    key_of,
    leads_to_locator,
    of_keys,
    of_locator,
    place_of,
)

PAGE: Final = 500
"""Documents that are looked at in one trip where many may have to go."""


class MongoEnds(MongoCensus, MongoLeases):
    """The part of the store that deletes."""

    _blocks: Blocks

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        count = 0
        for some in in_batches(keys, KEYS):
            found = yield find(self._entries, of_keys(some), "chain")
            led = {"q": {"target": {"$in": some}}, "limit": 0}
            yield from self._remove(found, [led])
            count += len({key_of(document) for document in found})
        return count

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        count = 0
        for some in in_batches(variants, KEYS):
            wanted = set(some)
            keys = list(dict.fromkeys([key for key, _ in some]))
            found = yield find(self._entries, {**of_keys(keys), **IS_ENTRY}, "chain")
            going = [document for document in found if place_of(document) in wanted]
            if going:
                staying = {key_of(one) for one in found if place_of(one) not in wanted}
                alone = [key for key in keys if key not in staying]
                led = {"q": {"target": {"$in": alone}}, "limit": 0}
                yield from self._remove(going, [led] if alone else [])
                count += len(going)
        return count

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        keys: set[str] = set()
        led = {"q": leads_to_locator(locator), "limit": 0}
        while True:
            found = yield find(self._entries, of_locator(locator), "chain", limit=PAGE)
            yield from self._remove(found, [led])
            keys.update(map(key_of, found))
            if len(found) < PAGE:
                return len(keys)

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        What is written meanwhile may stay.
        """
        behind: dict[str, Any] = {}
        while True:
            found = yield find(
                self._entries, behind, "chain", limit=PAGE, order="_id", patience=PATIENCE
            )
            yield from self._remove(found, [])
            if len(found) < PAGE:
                break
            behind = {"_id": {"$gt": found[-1]["_id"]}}
        yield from self._end_leases()

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        expired = {"expires": {"$gte": float("-inf"), "$lte": before}}
        found = yield find(
            self._entries, expired, "chain", limit=limit, order="expires", patience=PATIENCE
        )
        yield from self._remove(found, [], expired)
        if len(found) < limit:
            yield from self._remove_lost()
            yield from self._end_leases({"$lte": before})
        return len(found)

    def _remove(
        self, found: Sequence[Document], more: Sequence[Document], still: Document | None = None
    ) -> Plan[None]:
        """Delete documents if they are as they were found, their blocks, and what else goes.

        What has been replaced meanwhile was written after this.
        """
        condition = still or {}
        chains = [document["chain"] for document in found if "chain" in document]
        if chains:
            yield from self._blocks.leave(chains)
        inline = [document["_id"] for document in found if "chain" not in document]
        deletes: list[Document] = [
            {"q": {"_id": one["_id"], "chain": one["chain"], **condition}, "limit": 1}
            for one in found
            if "chain" in one
        ]
        if inline:
            known = {"_id": {"$in": inline}, "chain": None, **condition}
            deletes.append({"q": known, "limit": 0})
        deletes += more
        if deletes:
            patience = PATIENCE if len(found) > KEYS else 1.0
            yield Write({"delete": self._entries, "deletes": deletes}, patience)

    def _remove_lost(self) -> Plan[None]:
        """Delete aliases that lead nowhere."""
        after: str | None = None
        while True:
            aliases: list[Document] = yield self._aliases(after, PAGE)
            targets = {document["target"] for document in aliases}
            lost = list(targets - (yield from self._there(targets)))
            if lost:
                deletes = [{"q": {"target": {"$in": lost}}, "limit": 0}]
                yield Write({"delete": self._entries, "deletes": deletes}, PATIENCE)
            if len(aliases) < PAGE:
                return
            after = key_of(aliases[-1])
