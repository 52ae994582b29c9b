"""The large bodies of the DynamoDB store: blocks, and how those leave that nobody names.

Before its first block is written, a chain is listed as one that has to go in an hour. The
transaction that publishes its entry takes it off the list; the one that replaces or deletes the
entry puts it on the list again. Whoever works the list off looks first whether an entry names the
chain after all. So nothing is lost or left by a writer that dies, at whatever step.

Blocks also have a ``ttl``, a day after that of their entry: what leaves by itself costs nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from http_client_cache.body import WHOLE_BYTES, AnyBody, KeptBody
from http_client_cache.dynamodb_statements import Item, Refused, Request
from http_client_cache.entry import CLOCK_SKEW
from http_client_cache.errors import StoreError
from http_client_cache.limits import server_time
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import (
    BLOCK_BYTES,
    DRAFT_SECONDS,
    READER_SECONDS,
    BlockDraft,
    BodiesInBlocks,
    Chain,
)
from http_client_cache.store._dynamodb_items import (
    bytes_of,
    change,
    count_of,
    due_text,
    named,
    number,
    number_of,
    text,
    text_of,
)
from http_client_cache.store._dynamodb_table import BATCH, OneTable

INLINE_BYTES: Final = 256 * 1024
"""Bodies up to this size lie in the item of their entry, which may have 400 KB."""

SLACK_SECONDS: Final = 86400
"""For so long blocks stay after their entry: an entry that lives longer than it was meant to, by
less than this, need not have all its blocks written anew."""

SOON_SECONDS: Final = 2 * SLACK_SECONDS
"""What leaves by itself within this time is not deleted, which costs as much as to write it."""

TOGETHER: Final = 2
"""Blocks of one request: to send more than 1 MiB at once, they say, may hold up an event loop."""

AHEAD: Final = 8
"""Blocks that are read together, at most: as a rule, they come in the time of one call."""

WITH_EACH: Final = 2
"""Chains that are removed, at most, when a new one is begun."""


class ChainNote(NamedTuple):
    """What the store remembers of a chain.

    Attributes:
        lasts: when its blocks leave by themselves (server's seconds); ``None`` for never.
        due: when it leaves as a draft that was not published.
        ahead: blocks that were read together, by number.
        read: one number: when it was last said to be read (server's seconds).
    """

    lasts: int | None
    due: float
    ahead: dict[int, bytes | None]
    read: list[float]


class ChainsInDynamoDB(OneTable, BodiesInBlocks):
    """The part of the store that knows of blocks."""

    _inline_bytes = INLINE_BYTES

    # Writing

    def _write_blocks(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        note: ChainNote | None = draft.note
        if note is None:
            yield from self._collect(WITH_EACH, batches=8)
            note = draft.note = yield from self._begun(draft)
        elif server_time() > note.due - CLOCK_SKEW:
            raise StoreError("a body took too long to come: its blocks may have been removed")
        ttl = {} if note.lasts is None else {"ttl": number(note.lasts)}
        puts = [
            {"PutRequest": {"Item": {**place, **ttl, "block": {"B": block}}}}
            for place, block in zip(
                (self._places.of_block(draft.name, first + n) for n in range(len(blocks))),
                blocks,
                strict=True,
            )
        ]
        for start in range(0, len(puts), TOGETHER):
            yield self._batch(puts[start : start + TOGETHER])

    def _begun(self, draft: BlockDraft) -> Plan[ChainNote]:
        now = server_time()
        lasts = self._ttl_of(draft.entry)
        note = ChainNote(None if lasts is None else lasts + SLACK_SECONDS, draft_due(now), {}, [])
        draft.name = secrets.token_hex(12)
        listed = self._listed(draft.key, draft.variant, draft.name, note.due)
        yield Request("put_item", listed, writes=True)
        return note

    def _remove_blocks(self, draft: BlockDraft) -> Plan[None]:
        note: ChainNote = draft.note
        yield from self._delete_blocks(draft.name, 0, draft.count)
        place = self._places.of_garbage(note.due, draft.name)
        yield Request("delete_item", {"TableName": self._table, "Key": place}, writes=True)

    def _listed(
        self, key: str, variant: str, chain: str, due: float, count: int | None = None
    ) -> dict[str, Any]:
        """The arguments that put a chain on the list of those that may have to go."""
        entry = self._places.of_entry(key, variant)
        item = {
            **self._places.of_garbage(due, chain),
            "chain": text(chain),
            "at_pk": entry["pk"],
            "at_sk": entry["sk"],
        }
        if count is not None:
            item["blocks"] = number(count)
        return {"TableName": self._table, "Item": item}

    def _replaced(self, key: str, variant: str, old: Item) -> list[dict[str, Any]]:
        """What is to be done for the blocks of an entry in the transaction that removes it."""
        now, lasts = server_time(), number_of(old, "lasts")
        if not count_of(old, "blocks") or (lasts is not None and lasts < now + SOON_SECONDS):
            return []
        chain, count = text_of(old, "body"), count_of(old, "blocks")
        return [{"Put": self._listed(key, variant, chain, now + READER_SECONDS, count)}]

    def _touch(self, chain: str, count: int, lasts: int | None) -> Plan[None]:
        """Let blocks stay as long as their entry, which lives longer than it was meant to."""
        for block in range(count):
            arguments: dict[str, Any] = {
                "TableName": self._table,
                "Key": self._places.of_block(chain, block),
                "UpdateExpression": "REMOVE #ttl",
                "ConditionExpression": "attribute_exists(pk)",
            }
            if lasts is not None:
                arguments["UpdateExpression"] = "SET #ttl = :ttl"
                arguments["ExpressionAttributeValues"] = {":ttl": number(lasts)}
            if isinstance((yield Request("update_item", named(arguments), writes=True)), Refused):
                raise StoreError("a stored body has gone while its entry was made to live longer")

    # Reading

    def _opened(self, chain: Chain, record: bytes) -> Plan[AnyBody | None]:
        wanted = list(range(chain.count)) if chain.size <= WHOLE_BYTES else [0]
        if self._codec.binds_body:
            wanted.append(chain.count)
        note: ChainNote = chain.note or ChainNote(None, 0.0, {}, [])
        note.read.append(server_time())
        chain.note = note
        missing = [(note, chain.name, block) for block in wanted if block not in note.ahead]
        if len(missing) > 1:
            yield from self._read_ahead(missing)
        return (yield from super()._opened(chain, record))

    def _opened_together(self, items: Sequence[Item]) -> Plan[dict[str, ChainNote]]:
        """Read the blocks that are needed to open the chains of several entries, by their names.

        Of one chain they are read when it is opened.
        """
        missing: list[tuple[ChainNote, str, int]] = []
        notes: dict[str, ChainNote] = {}
        for item in items:
            count, name = count_of(item, "blocks") - self._codec.binds_body, text_of(item, "body")
            if count > 0 and self._is_there(item):
                note = notes[name] = ChainNote(None, 0.0, {}, [])
                wanted = list(range(count)) if count * BLOCK_BYTES <= WHOLE_BYTES else [0]
                if self._codec.binds_body:
                    wanted.append(count)
                missing += [(note, name, block) for block in wanted]
        if len(notes) > 1:
            for start in range(0, len(missing), AHEAD):
                yield from self._read_ahead(missing[start : start + AHEAD])
        return notes

    def _read_ahead(self, wanted: Sequence[tuple[ChainNote, str, int]]) -> Plan[None]:
        places = [self._places.of_block(name, block) for _, name, block in wanted]
        found = yield from self._get(places)
        by_place = {text_of(item, "pk"): bytes_of(item, "block") for item in found}
        for (note, _, block), place in zip(wanted, places, strict=True):
            note.ahead[block] = by_place.get(text_of(place, "pk"))

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """See :class:`~http_client_cache.store.Store`."""
        chain: Chain = body.source
        yield from self._say_read(chain.name, chain.note)
        return (yield from super().read(body, start, size))

    def _read_block(self, chain: Chain, number: int) -> Plan[bytes | None]:
        note: ChainNote = chain.note
        if number in note.ahead:
            return note.ahead.pop(number)
        arguments = {"TableName": self._table, "Key": self._places.of_block(chain.name, number)}
        # A block never changes: what is found is right, and to ask in this way costs half.
        for more in ({}, {"ConsistentRead": True}):
            answer = yield Request("get_item", {**arguments, **more})
            block = bytes_of(answer.get("Item", {}), "block")
            if block is not None:
                return block
        return None

    def _say_read(self, chain: str, note: ChainNote) -> Plan[None]:
        now = server_time()
        if not note.read:
            note.read.append(now)
        if now - note.read[0] > READER_SECONDS / 2:
            note.read[0] = now
            item = {
                **self._places.of_reading(chain),
                "read": number(now),
                "ttl": number(int(now + 2 * READER_SECONDS)),
            }
            yield Request("put_item", {"TableName": self._table, "Item": item}, writes=True)

    # What nobody names any more

    def _collect(
        self, most: int, *, batches: int | None = None, patience: float = 1.0
    ) -> Plan[None]:
        """Remove chains whose time has come: so many, and with so many requests for each."""
        now = server_time()
        query = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk < :now",
            "ExpressionAttributeValues": {
                ":pk": text(self._places.garbage),
                ":now": text(due_text(now)),
            },
            "Limit": most,
            "ConsistentRead": True,
        }
        while True:
            answer = yield Request("query", query, patience=patience)
            for item in answer["Items"]:
                yield from self._work_off(item, now, batches)
            last = answer.get("LastEvaluatedKey")
            if batches is not None or last is None:
                return
            query = {**query, "ExclusiveStartKey": last}

    def _work_off(self, item: Item, now: float, batches: int | None) -> Plan[None]:
        chain = text_of(item, "chain")
        reading = self._places.of_reading(chain)
        entry = {"pk": text(text_of(item, "at_pk")), "sk": text(text_of(item, "at_sk"))}
        for found in (yield from self._get([entry, reading], "pk, #body, #read")):
            if text_of(found, "body") == chain:
                # Whoever put it on the list did not get to delete its entry.
                break
            if (number_of(found, "read") or 0.0) > now - READER_SECONDS:
                return
        else:
            first, count = count_of(item, "done"), number_of(item, "blocks")
            if count is None:
                done = yield from self._delete_unknown(chain, first, batches)
            else:
                last = int(count) if batches is None else min(int(count), first + batches * BATCH)
                yield from self._delete_blocks(chain, first, last)
                done = None if last == int(count) else last
            if done is not None:
                arguments = {
                    "TableName": self._table,
                    "Key": {"pk": item["pk"], "sk": item["sk"]},
                    "UpdateExpression": "SET #done = :done",
                    "ExpressionAttributeValues": {":done": number(done)},
                }
                yield Request("update_item", named(arguments), writes=True)
                return
        place = {"pk": item["pk"], "sk": item["sk"]}
        yield Request("delete_item", {"TableName": self._table, "Key": place}, writes=True)

    def _delete_unknown(self, chain: str, first: int, batches: int | None) -> Plan[int | None]:
        """Delete the blocks of a writer that died; answers where to go on, if there are more.

        Blocks come in order, but a few are written together, in any order.
        """
        while batches is None or batches > 0:
            arguments = named(
                {
                    "TableName": self._table,
                    "Key": self._places.of_block(chain, first),
                    "ProjectionExpression": "pk",
                    "ConsistentRead": True,
                }
            )
            answer = yield Request("get_item", arguments)
            yield from self._delete_blocks(chain, first, first + BATCH)
            if "Item" not in answer:
                return None
            first += BATCH
            batches = None if batches is None else batches - 1
        return first

    def _delete_blocks(self, chain: str, first: int, last: int) -> Plan[None]:
        places = [self._places.of_block(chain, block) for block in range(first, last)]
        yield from self._delete_all(places)

    def _published(self, note: ChainNote, chain: str) -> dict[str, Any]:
        """The change that takes a draft off the list; refused if it has been removed."""
        return change(
            "Delete",
            self._table,
            Key=self._places.of_garbage(note.due, chain),
            ConditionExpression="attribute_exists(pk)",
        )


def draft_due(now: float) -> float:
    """When a chain goes that is not published."""
    # As long as it may take, and so that two clocks may differ.
    return float(int(now + DRAFT_SECONDS + 2 * CLOCK_SKEW))
