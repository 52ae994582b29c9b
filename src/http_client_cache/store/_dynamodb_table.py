"""What the parts of the DynamoDB store ask of its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from http_client_cache.dynamodb_statements import WHOLE_CACHE, Item, Request
from http_client_cache.entry import Entry
from http_client_cache.limits import Retention, server_time
from http_client_cache.plan import Plan
from http_client_cache.store._dynamodb_items import (
    ALIAS,
    LED,
    Places,
    named,
    number,
    number_of,
    text,
    text_of,
)

HEAD: Final = (
    "pk, sk, #key, #variant, #body, #blocks, #lasts, #stored, #size, #ttl, #target, #alias"
)
"""What is read of an item that is only looked at: neither record nor body."""

FAR: Final = 2.0**40
"""What would leave later than this (UTC seconds) stays: that is tens of thousands of years."""

BATCH: Final = 25
"""Items that are deleted by one request."""


class OneTable:
    """A cache within a table.

    Args:
        places: where items lie.
        retention: says when entries leave.
        ttl: whether entries leave by themselves.
    """

    def __init__(self, places: Places, retention: Retention, *, ttl: bool) -> None:
        self._places = places
        self._table = places.table
        self._retention = retention
        self._ttl = ttl

    def _heads(self, key: str) -> Plan[list[Item]]:
        """Whatever belongs to a key, without records and bodies."""
        found = yield from self._query(
            {**self._places.of_key(key, ALIAS, LED), "ProjectionExpression": HEAD}
        )
        return [head for head in found if text_of(head, "key") == key]

    def _heads_of(self, partition: str) -> Plan[list[Item]]:
        """Whatever belongs to the keys of a locator."""
        return (
            yield from self._query(
                {
                    "KeyConditionExpression": "pk = :pk",
                    "ExpressionAttributeValues": {":pk": text(partition)},
                    "ProjectionExpression": HEAD,
                }
            )
        )

    def _query(self, query: dict[str, Any]) -> Plan[list[Item]]:
        """All items that a query finds, over all its pages."""
        arguments = named({"TableName": self._table, "ConsistentRead": True, **query})
        answer = yield Request("query", arguments)
        found: list[Item] = answer["Items"]
        while "LastEvaluatedKey" in answer:
            more = {**arguments, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
            answer = yield Request("query", more)
            found += answer["Items"]
        return found

    def _scan(self, wanted: str, values: dict[str, Any], names: str = "", **more: Any) -> Request:
        arguments = {
            "TableName": self._table,
            "FilterExpression": wanted,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            **more,
        }
        if names:
            arguments["ProjectionExpression"] = names
        return Request("scan", named(arguments), patience=WHOLE_CACHE)

    def _is_there(self, item: Item) -> bool:
        """Whether DynamoDB would still have an item if it removed them in time."""
        ttl = number_of(item, "ttl")
        return ttl is None or ttl > server_time()

    def _get(self, places: Sequence[Item], names: str = "") -> Plan[list[Item]]:
        wanted: dict[str, Any] = {"Keys": list(places), "ConsistentRead": True}
        if names:
            wanted = named({**wanted, "ProjectionExpression": names})
        answer = yield Request("batch_get_item", {"RequestItems": {self._table: wanted}})
        found: list[Item] = answer["Responses"].get(self._table, [])
        return found

    def _delete_all(self, places: Sequence[Item]) -> Plan[None]:
        """Delete items of which none has a chain."""
        for start in range(0, len(places), BATCH):
            yield self._batch(
                [{"DeleteRequest": {"Key": place}} for place in places[start : start + BATCH]]
            )

    def _batch(self, requests: list[dict[str, Any]]) -> Request:
        arguments = {"RequestItems": {self._table: requests}}
        return Request("batch_write_item", arguments, writes=True)

    def _ttl_of(self, entry: Entry) -> int | None:
        """When an entry leaves by itself, in whole seconds of the server; ``None`` for never."""
        deadline = self._retention.deadline(entry) if self._ttl else None
        return None if deadline is None or deadline > FAR else int(deadline) + 1

    def _now(self) -> Item:
        return number(int(server_time()))


def further(scan: Request, last: Item) -> Request:
    """The next page of a scan."""
    return scan._replace(arguments={**scan.arguments, "ExclusiveStartKey": last})
