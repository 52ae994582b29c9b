"""The store in a DynamoDB table, which other caches and other programs may share."""

from __future__ import annotations

import secrets
from typing import Any, Final

from http_client_cache.body import AnyBody, Draft
from http_client_cache.codec.protocol import Codec
from http_client_cache.dynamodb_statements import Item, Refused
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import StoreError
from http_client_cache.limits import Limits, Retention, server_time
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import BlockDraft, Chain, Laid
from http_client_cache.store._dynamodb_census import CensusInDynamoDB
from http_client_cache.store._dynamodb_chains import ChainNote
from http_client_cache.store._dynamodb_freshen import FreshenInDynamoDB
from http_client_cache.store._dynamodb_items import (
    ALIAS,
    ENTRY,
    Places,
    binary,
    change,
    item_bytes,
    number,
    text,
    write,
)
from http_client_cache.store._dynamodb_leases import LeasesInDynamoDB
from http_client_cache.store._dynamodb_records import OVERHEAD
from http_client_cache.store._dynamodb_removal import RemovalInDynamoDB
from http_client_cache.store._packing import packs

ITEM_BYTES: Final = 400 * 1024 - 1024
"""What an item may have, less what DynamoDB counts that is not seen."""

ALIAS_SECONDS: Final = 365 * 86400
"""For so long aliases stay, unless they are deleted with what they lead to."""

TRIES: Final = 8
"""At a save, while others save the same."""


class DynamoDBStore(RemovalInDynamoDB, CensusInDynamoDB, FreshenInDynamoDB, LeasesInDynamoDB):
    """Entries as items of one table; see ``_dynamodb_items`` for their keys.

    Args:
        codec: turns metadata into records.
        table: name of the table.
        cache_name: tells this cache from others in the table.
        retention: until when what has expired is kept; an hour if left out.
        ttl: whether entries leave by themselves.
        compression: ``"zstd"`` compresses the bodies that are saved, where that saves.

    Raises:
        ConfigurationError: ``compression`` is not known.
        MissingDependency: what compresses is not installed.
    """

    limits = Limits()

    def __init__(
        self,
        codec: Codec,
        *,
        table: str = "http-client-cache",
        cache_name: str = "http-cache",
        retention: Retention | None = None,
        ttl: bool = True,
        compression: str | None = None,
    ) -> None:
        super().__init__(Places(table, cache_name), retention or Retention(), ttl=ttl)
        self._codec = codec
        self._packs = packs(compression)

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        items = yield from self._query(self._places.of_key(key, ALIAS if follow else ENTRY, ENTRY))
        found = yield from self._stored(key, items)
        if not found and follow:
            alias = next((item for item in items if "target" in item), None)
            chain = None if alias is None else self._alias(key, alias)
            if chain is not None:
                items = yield from self._query(self._places.of_key(chain.target, ENTRY, ENTRY))
                led = yield from self._stored(chain.target, items)
                found = [stored._replace(hops=chain.hops) for stored in led]
        if len(found) > 1:
            found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        return tuple(found)

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`.

        Raises:
            StoreError: header fields, URL and key alone are too large for an item. What was
                stored under this name has been deleted then.
        """
        if isinstance(body, BlockDraft) and not body.count:
            # All of it is here.
            body = b"".join(body.take(last=True))
        laid = yield from self._lay(key, variant, entry, body)
        item = self._item(key, variant, laid)
        if item_bytes(item) > ITEM_BYTES and isinstance(body, bytes) and laid.chain is None:
            draft = BlockDraft(key, variant, entry)
            draft.add([body])
            laid = (yield from self._lay(key, variant, entry, draft))._replace(shown=body)
            item = self._item(key, variant, laid)
        size = item_bytes(item)
        if size > ITEM_BYTES:
            yield from self.drop([(key, variant)])
            raise StoreError(f"header fields and key take {size} bytes; an item may have 400 KB")
        yield from self._publish(key, variant, laid, item)
        return laid.shown

    def _publish(self, key: str, variant: str, laid: Laid, item: Item) -> Plan[None]:
        also: list[dict[str, Any]] = []
        if laid.chain is not None:
            yield from self._let_last(laid.chain, laid.entry)
            also = [self._published(laid.chain.note, laid.chain.name)]
        token = secrets.token_hex(16)
        old: Item | None = None
        for _ in range(TRIES):
            condition = "attribute_not_exists(#blocks) OR #blocks = :none"
            values = {":none": number(0)}
            if old is not None:
                condition, values = "#body = :body", {":body": old["body"]}
            put = change(
                "Put",
                self._table,
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            gone = [] if old is None else self._replaced(key, variant, old)
            answer = yield write([put, *also, *gone], token)
            if not isinstance(answer, Refused):
                return
            if also and answer.failed[1]:
                raise StoreError("a body took too long to come: its blocks have been removed")
            old, token = answer.items[0], secrets.token_hex(16)
        # Others save the same all the time, one of them just now: it is as if this one had come
        # before. Its blocks are still on the list of those that have to go.

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        Raises:
            StoreError: its header fields are too large for an item.
        """
        record = self._codec.encode_alias(key, alias)
        size = OVERHEAD + len(key) + len(alias.target) + len(record)
        about = {"key": text(key), "target": text(alias.target), "record": binary(record)}
        leaves = {"ttl": number(int(server_time() + ALIAS_SECONDS))}
        if not self._ttl:
            leaves = {}
        items = [
            {**self._places.of_alias(key), **about, **leaves, "size": number(size)},
            {**self._places.of_order(key), **about, **leaves},
            {
                **self._places.of_led(alias.target, key),
                **leaves,
                "key": text(alias.target),
                "alias": text(key),
            },
        ]
        if item_bytes(items[0]) > ITEM_BYTES:
            raise StoreError(f"a redirect takes {size} bytes; an item may have 400 KB")
        puts = [change("Put", self._table, Item=item) for item in items]
        yield write(puts, secrets.token_hex(16))

    # How it is written and read.

    def _let_last(self, chain: Chain, entry: Entry) -> Plan[None]:
        """Write the blocks anew that would leave before their entry."""
        note: ChainNote = chain.note
        lasts = self._lasting(note, self._ttl_of(entry))
        if lasts != note.lasts:
            yield from self._touch(chain.name, self._count_of(chain), lasts)
