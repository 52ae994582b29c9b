"""How entries and aliases leave a DynamoDB table: with all that belongs to them.

Each is deleted only if it still is what was looked at; who saved it anew meanwhile comes after.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from http_client_cache.dynamodb_statements import WHOLE_CACHE, Item, Refused, Request
from http_client_cache.limits import server_time
from http_client_cache.plan import Plan
from http_client_cache.store._dynamodb_chains import ChainsInDynamoDB
from http_client_cache.store._dynamodb_items import (
    change,
    count_of,
    named,
    number,
    text,
    text_of,
    write,
)
from http_client_cache.store._dynamodb_table import HEAD, further

CHANGES: Final = 100
"""Changes of one transaction at most,"""

CHANGED_BYTES: Final = 3 * 2**20
"""and bytes of the items, of which 4 MB are allowed."""

GROUP: Final = 500
"""Keys that are deleted together."""

FEW: Final = 4
"""Keys of one locator that are looked up each on its own."""


class Removal(NamedTuple):
    """Something that goes as a whole, or not at all.

    Attributes:
        changes: of which the first has the condition.
        size: bytes of the items, about.
        counts: whether it is an entry that is there, as far as its ``ttl`` says.
        otherwise: what is done if the condition does not hold.
    """

    changes: list[dict[str, Any]]
    size: int = 1024
    counts: bool = False
    otherwise: list[dict[str, Any]] = []  # noqa: RUF012 - nobody adds to it


class RemovalInDynamoDB(ChainsInDynamoDB):
    """The part of the store that removes."""

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        count, rest = 0, iter(keys)
        while some := dict.fromkeys(islice(rest, GROUP)):
            by_partition: dict[str, list[str]] = {}
            for key in some:
                by_partition.setdefault(self._places.partition(key), []).append(key)
            heads: list[Item] = []
            for partition, listed in by_partition.items():
                if len(listed) > FEW:
                    found = yield from self._heads_of(partition)
                    heads += [head for head in found if text_of(head, "key") in some]
                    continue
                for key in listed:
                    heads += yield from self._heads(key)
            count += yield from self._remove_keys(heads)
        return count

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        heads = yield from self._heads_of(self._places.partition(locator))
        return (yield from self._remove_keys(heads))

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        by_key: dict[str, set[str]] = {}
        for key, variant in variants:
            by_key.setdefault(key, set()).add(variant)
        count = 0
        for key, wanted in by_key.items():
            heads = yield from self._heads(key)
            entries = [head for head in heads if "body" in head]
            going = [head for head in entries if text_of(head, "variant") in wanted]
            removals = [self._entry_removal(head) for head in going]
            if going and not any(
                self._is_there(head) for head in entries if text_of(head, "variant") not in wanted
            ):
                removals += self._led_removals(heads)
            count += yield from self._remove(removals)
        return count

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        Bodies that somebody may be reading are only listed to go. What is due on that list goes:
        it may be the last that anybody does here.
        """
        entries: list[Removal] = []
        others: list[Item] = []
        kept = (self._places.blocks, self._places.garbage)
        scan = self._scan("begins_with(pk, :space)", {":space": text(self._places.space)}, HEAD)
        while True:
            answer = yield scan
            for item in answer["Items"]:
                if "body" in item:
                    entries.append(self._entry_removal(item))
                elif not text_of(item, "pk").startswith(kept):
                    others.append({"pk": item["pk"], "sk": item["sk"]})
            yield from self._remove(entries)
            yield from self._delete_all(others)
            entries, others = [], []
            if "LastEvaluatedKey" not in answer:
                break
            scan = further(scan, answer["LastEvaluatedKey"])
        yield from self._collect(GROUP, patience=WHOLE_CACHE)

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        It reads the whole table, as long as there is something to find.
        """
        now = server_time()
        values = {
            ":space": text(self._places.space),
            ":before": number(before),
            ":gone": number(int(now) - 2),
        }
        wanted = (
            "begins_with(pk, :space) AND (#expires <= :before OR #until <= :before OR #ttl < :gone)"
        )
        scan = self._scan(wanted, values, f"{HEAD}, #expires")
        count, ended = 0, False
        while count < limit and not ended:
            answer = yield scan
            entries: list[Removal] = []
            others: list[Item] = []
            for item in answer["Items"]:
                if "body" not in item:
                    others.append({"pk": item["pk"], "sk": item["sk"]})
                elif count + sum(one.counts for one in entries) < limit:
                    entries.append(self._entry_removal(item, before))
            count += yield from self._remove(entries)
            yield from self._delete_all(others)
            ended = "LastEvaluatedKey" not in answer
            if not ended:
                scan = further(scan, answer["LastEvaluatedKey"])
        if count < limit:
            yield from self._sweep_aliases()
            yield from self._collect(GROUP, patience=WHOLE_CACHE)
        return count

    def _sweep_aliases(self) -> Plan[None]:
        """Remove the aliases that lead nowhere."""
        known: dict[str, bool] = {}
        last: Item | None = None
        while True:
            query: dict[str, Any] = {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": text(self._places.order)},
                "ProjectionExpression": "pk, sk, #key, #target",
                "ConsistentRead": True,
            }
            if last is not None:
                query["ExclusiveStartKey"] = last
            answer = yield Request("query", named(query), patience=WHOLE_CACHE)
            removals: list[Removal] = []
            for item in answer["Items"]:
                target = text_of(item, "target")
                if target not in known:
                    heads = yield from self._heads(target)
                    known[target] = any("body" in head and self._is_there(head) for head in heads)
                if not known[target]:
                    removals.append(self._alias_removal(text_of(item, "key"), target))
            yield from self._remove(removals)
            last = answer.get("LastEvaluatedKey")
            if last is None:
                return

    # How it goes

    def _remove_keys(self, heads: Sequence[Item]) -> Plan[int]:
        """Remove whatever belongs to some keys; answers how many were there."""
        there = {
            text_of(head, "key")
            for head in heads
            if ("body" in head or "target" in head) and self._is_there(head)
        }
        removals = [self._entry_removal(head) for head in heads if "body" in head]
        removals += self._led_removals(heads)
        gone = {
            text_of(head, "key"): self._alias_removal(text_of(head, "key"), text_of(head, "target"))
            for head in heads
            if "target" in head
        }
        # Such as is removed because of its target is not removed once more.
        led = {text_of(head, "alias") for head in heads if "alias" in head}
        removals += [one for key, one in gone.items() if key not in led]
        yield from self._remove(removals)
        again = [one for key, one in gone.items() if key in led]
        yield from self._remove(again)
        return len(there)

    def _led_removals(self, heads: Sequence[Item]) -> list[Removal]:
        """The aliases that lead to the keys of these items."""
        return [
            self._alias_removal(text_of(head, "alias"), text_of(head, "key"))
            for head in heads
            if "alias" in head
        ]

    def _entry_removal(self, head: Item, before: float | None = None) -> Removal:
        key, variant = text_of(head, "key"), text_of(head, "variant")
        condition, values = "#body = :body", {":body": head["body"]}
        if before is not None:
            condition += " AND (#expires <= :before OR #ttl < :gone)"
            values[":before"] = number(before)
            values[":gone"] = number(int(server_time()))
        first = change(
            "Delete",
            self._table,
            Key={"pk": head["pk"], "sk": head["sk"]},
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        changes = [first, *self._replaced(key, variant, head)]
        return Removal(changes, 1024 + count_of(head, "size"), self._is_there(head))

    def _alias_removal(self, alias: str, target: str) -> Removal:
        led = change("Delete", self._table, Key=self._places.of_led(target, alias))
        first = change(
            "Delete",
            self._table,
            Key=self._places.of_alias(alias),
            # It may lead elsewhere by now.
            ConditionExpression="#target = :target",
            ExpressionAttributeValues={":target": text(target)},
        )
        order = change("Delete", self._table, Key=self._places.of_order(alias))
        return Removal([first, order, led], otherwise=[led])

    def _remove(self, removals: Sequence[Removal]) -> Plan[int]:
        """Carry out removals, many at once; answers how many entries went that were there."""
        count = 0
        for some in _together(removals):
            left = some
            while left:
                changes = [one for removal in left for one in removal.changes]
                token = secrets.token_hex(16)
                answer = yield write(changes, token)
                if not isinstance(answer, Refused):
                    count += sum(removal.counts for removal in left)
                    break
                left = _without_refused(left, answer)
        return count


def _together(removals: Sequence[Removal]) -> Iterator[list[Removal]]:
    """Removals in groups that one transaction may hold."""
    some: list[Removal] = []
    named: list[Any] = []
    changes = size = 0
    for removal in removals:
        # An alias that led elsewhere before is noted there as well, and no item may occur twice.
        name = removal.changes[0]["Delete"]["Key"]
        changes += len(removal.changes)
        size += removal.size
        if some and (changes > CHANGES or size > CHANGED_BYTES or name in named):
            yield some
            some, named, changes, size = [], [], len(removal.changes), removal.size
        some.append(removal)
        named.append(name)
    if some:
        yield some


def _without_refused(removals: list[Removal], refused: Refused) -> list[Removal]:
    left: list[Removal] = []
    place = 0
    for removal in removals:
        if not refused.failed[place]:
            left.append(removal)
        elif removal.otherwise:
            left.append(Removal(removal.otherwise))
        place += len(removal.changes)
    return left
