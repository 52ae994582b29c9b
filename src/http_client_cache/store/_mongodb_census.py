"""What the MongoDB store says of what is there."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final

from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Stored
from http_client_cache.errors import RecordError
from http_client_cache.limits import server_time
from http_client_cache.mongodb_statements import PATIENCE, Document, Read
from http_client_cache.plan import Plan
from http_client_cache.store._mongodb_shape import (
    IS_ALIAS,
    IS_ENTRY,
    find,
    has_left,
    in_batches,
    is_entry,
    key_of,
    of_key,
    of_keys,
    of_locator,
    total,
)

KEYS: Final = 100
"""That are looked for, or deleted, in one trip."""


class MongoCensus(ABC):
    """The part of the store that looks through it."""

    _codec: Codec
    _entries: str

    @abstractmethod
    def _stored(self, document: Document, *, bodies: bool = True) -> Plan[Stored | None]:
        """A document as it is told to the engine; ``None`` if it cannot be read."""

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield find(self._entries, of_key(key), "target", "leaves")
        now = server_time()
        there = [document for document in found if not has_left(document, now)]
        if any(map(is_entry, there)):
            return True
        targets = {document.get("target") for document in there} if follow else set[str]()
        return bool((yield from self._there(targets)))

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield find(self._entries, of_locator(locator), "target", "leaves")
        now = server_time()
        there = [document for document in found if not has_left(document, now)]
        if any(map(is_entry, there)):
            return True
        return bool((yield from self._there({document.get("target") for document in there})))

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Stored]] = []
        key, variant = json.loads(after) if after else ("", None)
        fields = () if bodies else ("record", "leaves")
        while len(page) < limit:
            wanted = limit - len(page)
            behind = {"_id": {"$gt": {"k": key, "v": variant}}, **IS_ENTRY}
            found = yield find(
                self._entries, behind, *fields, limit=wanted, order="_id", patience=PATIENCE
            )
            now = server_time()
            for document in found:
                key, variant = document["_id"]["k"], document["_id"]["v"]
                if has_left(document, now):
                    continue
                stored = yield from self._stored(document, bodies=bodies)
                if stored is not None:
                    page.append((json.dumps([key, variant]), stored))
            if len(found) < wanted:
                break
        return page

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Alias]] = []
        while len(page) < limit:
            wanted = limit - len(page)
            found = yield self._aliases(after, wanted)
            now = server_time()
            for document in found:
                after = key_of(document)
                alias = None if has_left(document, now) else self._alias(after, document)
                if alias is not None:
                    page.append((after, alias))
            if len(found) < wanted:
                break
        return page

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield total(self._entries, IS_ENTRY, "$bytes")
        return found[0]["count"] if found else 0

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        entries = yield total(self._entries, IS_ENTRY, "$bytes")
        aliases = yield total(self._entries, IS_ALIAS, {"$bsonSize": "$$ROOT"})
        return sum(found["bytes"] for found in (*entries, *aliases))

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield total(self._entries, IS_ALIAS, 0)
        return found[0]["count"] if found else 0

    def _aliases(self, after: str | None, limit: int) -> Read:
        behind: Document = {"_id": {"$gt": {"k": after, "v": {}}}, **IS_ALIAS}
        return find(self._entries, behind, limit=limit, order="_id", patience=PATIENCE)

    def _alias(self, key: str, document: Document) -> Alias | None:
        record = document.get("record")
        if not isinstance(record, bytes):
            return None
        try:
            alias = self._codec.decode_alias(key, record)
        except RecordError:
            return None
        return alias if alias.target == document.get("target") else None

    def _there(self, keys: Iterable[object]) -> Plan[set[str]]:
        """Those of some keys that have an entry."""
        known = [key for key in keys if isinstance(key, str)]
        there: set[str] = set()
        now = server_time()
        for some in in_batches(known, KEYS):
            found = yield find(self._entries, {**of_keys(some), **IS_ENTRY}, "leaves")
            there.update(key_of(document) for document in found if not has_left(document, now))
        return there
