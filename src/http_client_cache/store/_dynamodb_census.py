"""What is in a DynamoDB cache: scans and queries of many items."""

from __future__ import annotations

import json
from typing import Any

from http_client_cache.dynamodb_statements import WHOLE_CACHE, Item, Request
from http_client_cache.entry import Alias, Stored
from http_client_cache.plan import Plan
from http_client_cache.store._dynamodb_items import (
    count_of,
    named,
    text,
    text_of,
)
from http_client_cache.store._dynamodb_records import THERE, RecordsInDynamoDB


class CensusInDynamoDB(RecordsInDynamoDB):
    """The part of the store that looks around."""

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
            "FilterExpression": THERE,
            "ExpressionAttributeValues": {":pk": text(self._places.order), ":now": self._now()},
            "Select": "COUNT",
            "ConsistentRead": True,
        }
        return (yield from self._total(Request("query", named(query), patience=WHOLE_CACHE)))

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = f"begins_with(pk, :keys) AND attribute_exists(#size) AND {THERE}"
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

    def _entries(self) -> tuple[str, dict[str, Any]]:
        """The condition for entries that are there, and its values."""
        values = {":keys": text(self._places.keys), ":now": self._now()}
        return f"begins_with(pk, :keys) AND attribute_exists(#body) AND {THERE}", values


def _cursor(item: Item) -> str:
    return json.dumps([text_of(item, "pk"), text_of(item, "sk")])
