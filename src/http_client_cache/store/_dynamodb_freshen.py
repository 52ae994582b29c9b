"""How entries of the DynamoDB store get new metadata."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

from http_client_cache.dynamodb_statements import Item, Refused, Request
from http_client_cache.entry import Entry
from http_client_cache.errors import RecordError
from http_client_cache.limits import server_time
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import READER_SECONDS
from http_client_cache.store._dynamodb_chains import (
    SLACK_SECONDS,
    ChainNote,
    draft_due,
)
from http_client_cache.store._dynamodb_items import (
    binary,
    bytes_of,
    change,
    count_of,
    named,
    number,
    number_of,
    text_of,
    write,
)
from http_client_cache.store._dynamodb_records import THERE, RecordsInDynamoDB, size_of


class FreshenInDynamoDB(RecordsInDynamoDB):
    """The part of the store that freshens."""

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody replaced is left alone: one with another body.
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
        fields = {"record": binary(record), "size": number(size_of(key, entry, record))}
        if entry.expires is not None and entry.expires < math.inf:
            fields["expires"] = number(entry.expires)
        lasting = "#blocks = :none OR attribute_not_exists(#lasts)"
        values = {
            ":none": number(0),
            ":stored": number(entry.stored_size),
            ":arrived": number(entry.arrived),
            ":now": self._now(),
        }
        if ttl is not None:
            fields["ttl"] = number(ttl)
            lasting += " OR #lasts >= :needed"
            values[":needed"] = number(ttl + int(READER_SECONDS))
        conditions = [f"({lasting})", "#stored = :stored", "#arrived = :arrived", THERE]
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
            or number_of(old, "arrived") != entry.arrived
            or (":known" in values and old.get("record") != values[":known"])
            or not self._is_there(old)
        ):
            return 0
        chain, count = text_of(old, "body"), count_of(old, "blocks")
        longer = None if ttl is None else ttl + SLACK_SECONDS
        note = ChainNote(longer, draft_due(server_time()), {}, [])
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
