"""How the DynamoDB store calls its items, and how it writes requests.

Every primary key begins with the name of the cache and the version of the schema. What follows
tells the kind:

========== ====================== ================ ===============================================
``pk``     then                   ``sk``           the item
========== ====================== ================ ===============================================
``k``      locator                key, variant     an entry, with its body if that is small
``k``      locator                key              the alias of that name
``k``      locator                key, alias       an alias that leads to this key
``l``                             key              an alias, in the order of their keys
``b``      chain, number                           a block of a large body
``g``                             time, chain      a chain that may have to go by then
``r``      chain                                   when a chain was last read by a slow reader
``w``      name                                    a lease
========== ====================== ================ ===============================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import quote

from http_client_cache.dynamodb_statements import Item, Request

VERSION: Final = 1
"""Of the schema; part of every key, so that versions never read each other's."""

ENTRY, ALIAS, LED = "!e", "!a", "!t"
"""What follows the key in a sort key; quoted text holds no exclamation mark, and no asterisk."""

_AFTER: Final = {ALIAS: "!f", ENTRY: "!f", LED: "!u"}

LARGEST: Final = 1e38
"""Of the numbers that are stored: DynamoDB takes 38 digits."""

_SAFE: Final = "/:.,=&?+@"
_LONGEST: Final = 480
"""Characters of a part of a sort key, which has 1024 bytes, or of a partition key."""

_ORDERED: Final = 900
"""Bytes that count for the order of keys which are longer."""


def text(value: str) -> Item:
    """A text attribute."""
    return {"S": value}


def number(value: float) -> Item:
    """A number attribute; one that DynamoDB has no room for becomes the largest that it takes."""
    if -LARGEST < value < LARGEST:
        return {"N": repr(value)}
    return {"N": repr(math.copysign(LARGEST, value))}


def binary(value: bytes) -> Item:
    """An attribute of bytes."""
    return {"B": value}


def text_of(item: Item, name: str) -> str:
    """A text attribute; empty if it is none. Anybody may have written to the table."""
    value = item.get(name, {}).get("S", "")
    return value if isinstance(value, str) else ""


def number_of(item: Item, name: str) -> float | None:
    """A number attribute; ``None`` if it is none."""
    value = item.get(name, {}).get("N")
    return None if value is None else float(value)


def count_of(item: Item, name: str) -> int:
    """A number attribute as a whole number; 0 if it is none."""
    return int(number_of(item, name) or 0)


def bytes_of(item: Item, name: str) -> bytes | None:
    """An attribute of bytes; ``None`` if it is none."""
    value = item.get(name, {}).get("B")
    if value is None:
        return None
    # boto3's resources have a type of their own for them.
    return value if isinstance(value, bytes) else bytes(getattr(value, "value", value))


def item_bytes(item: Item) -> int:
    """How large DynamoDB takes an item to be, in bytes, about."""
    size = 0
    for name, typed in item.items():
        value: Any = next(iter(typed.values()))
        size += len(name) + (len(value.encode()) if isinstance(value, str) else len(value))
    return size


@lru_cache(1024)
def spelled(part: str) -> str:
    """Text as a part of a primary key: without ``#`` and ``!``, and not too long."""
    quoted = quote(part, _SAFE, errors="surrogatepass")
    if len(quoted) <= _LONGEST:
        return quoted
    return "*" + sha256(part.encode("utf-8", "surrogatepass")).hexdigest()


class Places:
    """Where the items of one cache lie.

    Args:
        table: name of the table.
        cache_name: of the cache.
    """

    def __init__(self, table: str, cache_name: str) -> None:
        self.table = table
        self.space = f"{spelled(cache_name)}#{VERSION}#"
        self.keys = f"{self.space}k#"
        self.blocks = f"{self.space}b#"
        self.garbage = f"{self.space}g"
        self.order = f"{self.space}l"

    def partition(self, key: str) -> str:
        """The partition of a key, or of a locator: all keys of one locator share it."""
        return self.keys + spelled(key.partition(".")[0])

    def of_entry(self, key: str, variant: str) -> Item:
        """The primary key of an entry."""
        return self._of(key, ENTRY, spelled(variant))

    def of_alias(self, key: str) -> Item:
        """The primary key of the alias of this name."""
        return self._of(key, ALIAS, "")

    def of_led(self, target: str, alias: str) -> Item:
        """The primary key of what says that an alias leads to ``target``."""
        return self._of(target, LED, spelled(alias))

    def of_order(self, alias: str) -> Item:
        """The primary key of an alias in the order of their keys."""
        raw = alias.encode()
        if len(raw) > _ORDERED:
            start = raw[:_ORDERED].decode(errors="ignore")
            alias = f"{start}\uffff{sha256(raw).hexdigest()}"
        return {"pk": text(self.order), "sk": text(f"={alias}")}

    def of_block(self, chain: str, number: int) -> Item:
        """The primary key of a block: each in a partition of its own.

        A partition takes no more than 1000 KiB a second, which are four blocks.
        """
        return {"pk": text(f"{self.blocks}{chain}#{number}"), "sk": text("-")}

    def of_garbage(self, due: float, chain: str) -> Item:
        """The primary key of a chain that may have to go at a time (server's seconds)."""
        return {"pk": text(self.garbage), "sk": text(f"{due_text(due)}#{chain}")}

    def of_reading(self, chain: str) -> Item:
        """The primary key of what says when a chain was last read."""
        return {"pk": text(f"{self.space}r#{chain}"), "sk": text("-")}

    def of_lease(self, name: str) -> Item:
        """The primary key of a lease."""
        return {"pk": text(f"{self.space}w#{spelled(name)}"), "sk": text("-")}

    def of_key(self, key: str, first: str, last: str) -> dict[str, Any]:
        """The condition for the items of a key, from one kind to another."""
        start = spelled(key.partition(".")[2]) if "." in key else "!"
        return {
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": text(self.partition(key)),
                ":first": text(start + first),
                ":last": text(start + _AFTER[last]),
            },
        }

    def _of(self, key: str, kind: str, rest: str) -> Item:
        start = spelled(key.partition(".")[2]) if "." in key else "!"
        return {"pk": text(self.partition(key)), "sk": text(f"{start}{kind}{rest}")}


def due_text(due: float) -> str:
    """A time as it stands in a sort key: in order."""
    return f"{max(0, int(due)):012d}"


_NAMED: Final = re.compile(r"#(\w+)")
_EXPRESSIONS: Final = (
    *("KeyConditionExpression", "FilterExpression", "ConditionExpression"),
    *("UpdateExpression", "ProjectionExpression"),
)


def named(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the names of the attributes that their expressions call ``#name``.

    Many plain words are reserved.
    """
    found = {
        name
        for expression in _EXPRESSIONS
        for name in _NAMED.findall(cast("str", arguments.get(expression, "")))
    }
    if found:
        arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in sorted(found)}
    return arguments


def change(kind: str, table: str, **arguments: Any) -> dict[str, Any]:
    """One change of a transaction: ``"Put"``, ``"Delete"`` or ``"Update"``."""
    return {kind: named({"TableName": table, **arguments})}


_ALONE: Final = {"Put": "put_item", "Delete": "delete_item", "Update": "update_item"}


def write(changes: Sequence[dict[str, Any]], token: str, patience: float = 1.0) -> Request:
    """Changes, all of them or none; one of them alone costs half.

    ``token`` tells DynamoDB what it has done already.
    """
    if len(changes) == 1:
        ((kind, arguments),) = changes[0].items()
        return Request(_ALONE[kind], arguments, writes=True, patience=patience)
    arguments = {"TransactItems": list(changes), "ClientRequestToken": token}
    return Request("transact_write_items", arguments, writes=True, patience=patience)
