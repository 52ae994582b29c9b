"""From entries to items of the DynamoDB store, and back."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Final

from http_client_cache.codec.protocol import Codec
from http_client_cache.dynamodb_statements import Item
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import RecordError
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import READER_SECONDS, Chain, Laid
from http_client_cache.store._dynamodb_chains import (
    SLACK_SECONDS,
    ChainNote,
    ChainsInDynamoDB,
)
from http_client_cache.store._dynamodb_items import (
    binary,
    bytes_of,
    count_of,
    number,
    text,
    text_of,
)

OVERHEAD: Final = 400
"""Bytes that the attributes of an entry or alias take besides key, record and body, about."""

THERE: Final = "(attribute_not_exists(#ttl) OR #ttl > :now)"
"""The condition for what DynamoDB would not have removed, if it did that in time."""


class RecordsInDynamoDB(ChainsInDynamoDB):
    """The part of the store that knows what is in an item."""

    _codec: Codec

    def _item(self, key: str, variant: str, laid: Laid) -> Item:
        entry, inline, chain = laid.entry, laid.inline, laid.chain
        record = self._codec.encode(key, variant, entry, inline or b"", laid.digest)
        item: Item = {
            **self._places.of_entry(key, variant),
            "key": text(key),
            "variant": text(variant),
            "record": binary(record),
            "stored": number(entry.stored_size),
            "arrived": number(entry.arrived),
            "size": number(size_of(key, entry, record)),
        }
        if entry.expires is not None and entry.expires < math.inf:
            item["expires"] = number(entry.expires)
        ttl = self._ttl_of(entry)
        if ttl is not None:
            item["ttl"] = number(ttl)
        if chain is None:
            item["content"] = binary(inline or b"")
            item["body"], item["blocks"] = text(secrets.token_hex(12)), number(0)
            return item
        note: ChainNote = chain.note
        item["body"], item["blocks"] = text(chain.name), number(self._count_of(chain))
        lasts = self._lasting(note, ttl)
        if lasts is not None:
            item["lasts"] = number(lasts)
        return item

    def _count_of(self, chain: Chain) -> int:
        return chain.count + self._codec.binds_body

    def _lasting(self, note: ChainNote, ttl: int | None) -> int | None:
        """When the blocks of a chain leave, given when its entry does."""
        if note.lasts is None or (ttl is not None and note.lasts >= ttl + READER_SECONDS):
            return note.lasts
        return None if ttl is None else ttl + SLACK_SECONDS

    def _stored(self, key: str, items: Sequence[Item]) -> Plan[list[Stored]]:
        found: list[Stored] = []
        entries = [item for item in items if "body" in item]
        notes: dict[str, ChainNote] = {}
        if len(entries) > 1:
            notes = yield from self._opened_together(entries)
        for item in entries:
            stored = yield from self._one(key, item, notes.get(text_of(item, "body")))
            if stored is not None:
                found.append(stored)
        return found

    def _one(self, key: str, item: Item, note: ChainNote | None = None) -> Plan[Stored | None]:
        """An item as it is told to the engine; ``None`` if it cannot be read."""
        lies: bytes | str | None = text_of(item, "body")
        if not count_of(item, "blocks"):
            lies = bytes_of(item, "content")
        if lies is None:
            return None
        bare = self._bare(item, lies if isinstance(lies, bytes) else None)
        if bare is None or bare.key != key:
            return None
        record = bytes_of(item, "record") or b""
        return (yield from self._shown(key, bare.variant, record, bare.entry, lies, note))

    def _bare(self, item: Item, body: bytes | None = None) -> Stored | None:
        """The same, without the body."""
        record = bytes_of(item, "record")
        if record is None or not self._is_there(item):
            return None
        key, variant = text_of(item, "key"), text_of(item, "variant")
        if any(item[name] != value for name, value in self._places.of_entry(key, variant).items()):
            return None
        try:
            entry = self._codec.decode(key, variant, record, body)
        except RecordError:
            return None
        return Stored(key, entry, b"", (), variant)

    def _alias(self, key: str, item: Item) -> Alias | None:
        record = bytes_of(item, "record")
        if record is None or not self._is_there(item) or text_of(item, "key") != key:
            return None
        try:
            alias = self._codec.decode_alias(key, record)
        except RecordError:
            return None
        return alias if alias.target == text_of(item, "target") else None


def size_of(key: str, entry: Entry, record: bytes) -> int:
    """What an entry takes, as it is counted."""
    return OVERHEAD + len(key) + len(record) + entry.stored_size
