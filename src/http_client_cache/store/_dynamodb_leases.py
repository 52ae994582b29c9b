"""The leases of the DynamoDB store: an item for each."""

from __future__ import annotations

from typing import Any

from http_client_cache.dynamodb_statements import Item, Refused, Request
from http_client_cache.limits import server_time
from http_client_cache.plan import Plan
from http_client_cache.store import CLOCK_SECONDS, FRUITLESS_SECONDS
from http_client_cache.store._dynamodb_items import (
    Places,
    named,
    number,
    number_of,
    text,
    text_of,
)


class LeasesInDynamoDB:
    """The part of the store that grants leases."""

    _places: Places
    _table: str

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        """See :class:`~http_client_cache.store.Store`."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Item": {
                **self._places.of_lease(name),
                **self._lease(owner, now, seconds),
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #owner = :owner "
            "OR #until <= :now OR #since > :later",
            "ExpressionAttributeValues": {
                ":owner": text(owner),
                ":now": number(now),
                ":later": number(now + CLOCK_SECONDS),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        answer = yield Request("put_item", named(arguments), writes=True)
        if not isinstance(answer, Refused):
            return owner
        (held,) = answer.items
        return owner if held is None else text_of(held, "owner")

    def holder(self, name: str, now: float) -> Plan[str | None]:
        """See :class:`~http_client_cache.store.Store`."""
        arguments = {
            "TableName": self._table,
            "Key": self._places.of_lease(name),
            "ConsistentRead": True,
        }
        answer = yield Request("get_item", arguments)
        held: Item = answer.get("Item", {})
        until, since = number_of(held, "until"), number_of(held, "since")
        if until is None or since is None or until <= now or since > now + CLOCK_SECONDS:
            return None
        return text_of(held, "owner")

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._places.of_lease(name),
            "ConditionExpression": "#owner = :owner",
            "ExpressionAttributeValues": {":owner": text(owner)},
        }
        if not fruitless:
            yield Request("delete_item", named(arguments), writes=True)
            return
        arguments["ConditionExpression"] += " AND #until > :now"
        arguments["UpdateExpression"] = (
            "SET #owner = :nobody, #since = :now, #until = :until, #ttl = :ttl"
        )
        lease = self._lease("", now, FRUITLESS_SECONDS)
        arguments["ExpressionAttributeValues"] |= {
            ":nobody": lease["owner"],
            ":now": lease["since"],
            ":until": lease["until"],
            ":ttl": lease["ttl"],
        }
        yield Request("update_item", named(arguments), writes=True)

    def _lease(self, owner: str, now: float, seconds: float) -> Item:
        leaves = int(server_time() + seconds + 60)
        return {
            "owner": text(owner),
            "since": number(now),
            "until": number(now + seconds),
            "ttl": number(leaves),
        }
