"""The store in a DynamoDB table, which other caches and other programs may share."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Sequence
from typing import Any, Final

from http_client_cache.body import AnyBody, Draft
from http_client_cache.codec.protocol import Codec
from http_client_cache.dynamodb_statements import WHOLE_CACHE, Item, Refused, Request
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.limits import Limits, Retention
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import READER_SECONDS, BlockDraft, Chain, Laid
from http_client_cache.store._dynamodb_chains import SLACK_SECONDS, ChainNote, draft_due
from http_client_cache.store._dynamodb_items import (
    ALIAS,
    ENTRY,
    Places,
    binary,
    bytes_of,
    change,
    count_of,
    item_bytes,
    named,
    number,
    number_of,
    text,
    text_of,
    write,
)
from http_client_cache.store._dynamodb_leases import LeasesInDynamoDB
from http_client_cache.store._dynamodb_removal import RemovalInDynamoDB
from http_client_cache.store._packing import packs

ITEM_BYTES: Final = 400 * 1024 - 1024
"""What an item may have, less what DynamoDB counts that is not seen."""

OVERHEAD: Final = 400
"""Bytes that the attributes of an entry or alias take besides key, record and body, about."""

ALIAS_SECONDS: Final = 365 * 86400
"""For so long aliases stay, unless they are deleted with what they lead to."""

TRIES: Final = 5
"""At a save, while others save the same."""

KNOWN: Final = 4096
"""Bodies whose identity is remembered, so that no other one gets their fresh metadata."""

_THERE: Final = "(attribute_not_exists(#ttl) OR #ttl > :now)"


class DynamoDBStore(RemovalInDynamoDB, LeasesInDynamoDB):
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
        self._known: dict[tuple[str, str], str] = {}

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
                self._remember(key, variant, text_of(item, "body"))
                return
            if also and answer.failed[1]:
                raise StoreError("a body took too long to come: its blocks have been removed")
            old, token = answer.items[0], secrets.token_hex(16)
        raise StoreError("others save the same all the time")

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody replaced is left alone: one with a body of another size, or another
        than this process has loaded last.
        """
        count = 0
        for key, variant, entry in changes:
            known: bytes | None = None
            if self._codec.binds_body:
                place = self._places.of_entry(key, variant)
                found = yield from self._get([place], "#record")
                known = bytes_of(found[0], "record") if found else None
                if known is None:
                    continue
            try:
                record = self._codec.renew(key, variant, entry, known or b"")
            except RecordError:
                continue
            update = self._freshening(key, variant, entry, record, known)
            answer = yield Request("update_item", named(update), writes=True)
            if not isinstance(answer, Refused):
                count += 1
                continue
            (old,) = answer.items
            if old is not None and count_of(old, "blocks"):
                count += yield from self._freshen_chain(key, variant, entry, update, old)
        return count

    def _freshening(
        self, key: str, variant: str, entry: Entry, record: bytes, known: bytes | None
    ) -> dict[str, Any]:
        ttl = self._ttl_of(entry)
        fields = {"record": binary(record), "size": number(_size(key, entry, record))}
        if entry.expires is not None and entry.expires < math.inf:
            fields["expires"] = number(entry.expires)
        lasting = "#blocks = :none OR attribute_not_exists(#lasts)"
        values = {":none": number(0), ":stored": number(entry.stored_size), ":now": self._now()}
        if ttl is not None:
            fields["ttl"] = number(ttl)
            lasting += " OR #lasts >= :needed"
            values[":needed"] = number(ttl + int(READER_SECONDS))
        conditions = [f"({lasting})", "#stored = :stored", _THERE]
        body = self._known.get((key, variant))
        if body is not None:
            conditions.append("#body = :body")
            values[":body"] = text(body)
        if known is not None:
            conditions.append("#record = :known")
            values[":known"] = binary(known)
        gone = [f"#{name}" for name in ("expires", "ttl") if name not in fields]
        sets = ", ".join(f"#{name} = :new_{name}" for name in fields)
        return {
            "TableName": self._table,
            "Key": self._places.of_entry(key, variant),
            "UpdateExpression": f"SET {sets}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": {
                **values,
                **{f":new_{name}": value for name, value in fields.items()},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _freshen_chain(
        self, key: str, variant: str, entry: Entry, update: dict[str, Any], old: Item
    ) -> Plan[int]:
        """The same, where blocks have to stay longer than they would, if that is the reason."""
        values: dict[str, Any] = update["ExpressionAttributeValues"]
        lasts, ttl = number_of(old, "lasts"), self._ttl_of(entry)
        if (
            lasts is None
            or (ttl is not None and lasts >= ttl + READER_SECONDS)
            or number_of(old, "stored") != entry.stored_size
            or old["body"] != values.get(":body", old["body"])
            or (":known" in values and old.get("record") != values[":known"])
            or not self._is_there(old)
        ):
            return 0
        chain, count = text_of(old, "body"), count_of(old, "blocks")
        longer = None if ttl is None else ttl + SLACK_SECONDS
        note = ChainNote(longer, self._draft_due(), {}, [])
        listed = self._listed(key, variant, chain, note.due, count)
        yield Request("put_item", listed, writes=True)
        yield from self._touch(chain, count, longer)
        head, removed, rest = update["UpdateExpression"].partition(" REMOVE ")
        if longer is None:
            expression = f"{head} REMOVE #lasts" + (f", {rest}" if removed else "")
        else:
            expression = f"{head}, #lasts = :longer{removed}{rest}"
            values[":longer"] = number(longer)
        kept = {name: value for name, value in values.items() if name in expression}
        again = change(
            "Update",
            self._table,
            Key=update["Key"],
            UpdateExpression=expression,
            ConditionExpression="#body = :body",
            ExpressionAttributeValues={**kept, ":body": old["body"]},
        )
        token = secrets.token_hex(16)
        answer = yield write([again, self._published(note, chain)], token)
        return int(not isinstance(answer, Refused))

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        Raises:
            StoreError: its header fields are too large for an item.
        """
        record = self._codec.encode_alias(key, alias)
        size = OVERHEAD + len(key) + len(alias.target) + len(record)
        about = {"key": text(key), "target": text(alias.target), "record": binary(record)}
        leaves = {"ttl": number(int(self._retention.server_now() + ALIAS_SECONDS))}
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

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        heads = yield from self._heads(key)
        if any("body" in head and self._is_there(head) for head in heads):
            return True
        for head in heads:
            if follow and "target" in head and self._is_there(head):
                return (yield from self.contains(text_of(head, "target")))
        return False

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield from self._heads_of(self._places.partition(locator))
        heads = [head for head in found if self._is_there(head)]
        if any("body" in head for head in heads):
            return True
        for target in {text_of(head, "target") for head in heads if "target" in head}:
            if (yield from self.contains(target)):
                return True
        return False

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`."""
        names = "pk, sk, #key, #variant, #record, #body, #blocks, #lasts, #ttl"
        if bodies:
            names += ", #content"
        scan = self._scan(*self._entries(), names, Limit=max(100, 2 * limit))
        page: list[tuple[str, Stored]] = []
        while True:
            if after:
                pk, sk = json.loads(after)
                start = {"pk": text(pk), "sk": text(sk)}
                scan = scan._replace(arguments={**scan.arguments, "ExclusiveStartKey": start})
            answer = yield scan
            for item in answer["Items"]:
                if bodies:
                    stored = yield from self._one(text_of(item, "key"), item)
                else:
                    stored = self._bare(item)
                if stored is not None:
                    page.append((_cursor(item), stored))
                if len(page) >= limit:
                    return page
            if "LastEvaluatedKey" not in answer:
                return page
            after = _cursor(answer["LastEvaluatedKey"])

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Alias]] = []
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk > :after",
            "ExpressionAttributeValues": {
                ":pk": text(self._places.order),
                ":after": self._places.of_order(after)["sk"],
            },
            "Limit": limit,
            "ConsistentRead": True,
        }
        while True:
            answer = yield Request("query", query, patience=WHOLE_CACHE)
            for item in answer["Items"]:
                key = text_of(item, "key")
                alias = self._alias(key, item)
                if alias is not None:
                    page.append((key, alias))
                if len(page) >= limit:
                    return page
            if "LastEvaluatedKey" not in answer:
                return page
            query = {**query, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        scan = self._scan(*self._entries(), Select="COUNT")
        return (yield from self._total(scan))

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "FilterExpression": _THERE,
            "ExpressionAttributeValues": {":pk": text(self._places.order), ":now": self._now()},
            "Select": "COUNT",
            "ConsistentRead": True,
        }
        return (yield from self._total(Request("query", named(query), patience=WHOLE_CACHE)))

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = f"begins_with(pk, :keys) AND attribute_exists(#size) AND {_THERE}"
        scan = self._scan(wanted, self._entries()[1], "#size")
        return (yield from self._total(scan))

    def _total(self, request: Request) -> Plan[int]:
        total = 0
        while True:
            answer = yield request
            items: list[Item] = answer.get("Items", [])
            total += sum(count_of(item, "size") for item in items) if items else 0
            total += answer["Count"] if "Select" in request.arguments else 0
            if "LastEvaluatedKey" not in answer:
                return total
            more = {**request.arguments, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
            request = request._replace(arguments=more)

    # How it is written and read.

    def _now(self) -> Item:
        return number(int(self._retention.server_now()))

    def _draft_due(self) -> float:
        return draft_due(self._retention.server_now())

    def _entries(self) -> tuple[str, dict[str, Any]]:
        """The condition for entries that are there, and its values."""
        values = {":keys": text(self._places.keys), ":now": self._now()}
        return f"begins_with(pk, :keys) AND attribute_exists(#body) AND {_THERE}", values

    def _item(self, key: str, variant: str, laid: Laid) -> Item:
        entry, inline, chain = laid.entry, laid.inline, laid.chain
        record = self._codec.encode(key, variant, entry, inline or b"", laid.digest)
        item: Item = {
            **self._places.of_entry(key, variant),
            "key": text(key),
            "variant": text(variant),
            "record": binary(record),
            "stored": number(entry.stored_size),
            "size": number(_size(key, entry, record)),
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

    def _let_last(self, chain: Chain, entry: Entry) -> Plan[None]:
        """Write the blocks anew that would leave before their entry."""
        note: ChainNote = chain.note
        lasts = self._lasting(note, self._ttl_of(entry))
        if lasts != note.lasts:
            yield from self._touch(chain.name, self._count_of(chain), lasts)

    def _remember(self, key: str, variant: str, body: str) -> None:
        if len(self._known) >= KNOWN:
            self._known = {}
        self._known[key, variant] = body

    def _stored(self, key: str, items: Sequence[Item]) -> Plan[list[Stored]]:
        found: list[Stored] = []
        for item in items:
            if "body" in item:
                stored = yield from self._one(key, item)
                if stored is not None:
                    found.append(stored)
        return found

    def _one(self, key: str, item: Item) -> Plan[Stored | None]:
        """An item as it is told to the engine; ``None`` if it cannot be read."""
        bare = self._bare(item)
        if bare is None or bare.key != key:
            return None
        body, record = text_of(item, "body"), bytes_of(item, "record") or b""
        lies: bytes | str | None = body if count_of(item, "blocks") else bytes_of(item, "content")
        if lies is None:
            return None
        if isinstance(lies, bytes) and self._codec.binds_body:
            try:
                self._codec.decode(key, bare.variant, record, lies)
            except RecordError:
                return None
        self._remember(key, bare.variant, body)
        return (yield from self._shown(key, bare.variant, record, bare.entry, lies))

    def _bare(self, item: Item) -> Stored | None:
        """The same, without the body."""
        record = bytes_of(item, "record")
        if record is None or not self._is_there(item):
            return None
        key, variant = text_of(item, "key"), text_of(item, "variant")
        try:
            entry = self._codec.decode(key, variant, record, None)
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


def _size(key: str, entry: Entry, record: bytes) -> int:
    return OVERHEAD + len(key) + len(record) + entry.stored_size


def _cursor(item: Item) -> str:
    return json.dumps([text_of(item, "pk"), text_of(item, "sk")])
