"""How entries and aliases lie in their collection of MongoDB, and how they are found there.

The ``_id`` of an entry is ``{k: key, v: variant}``, that of an alias ``{k: key, v: null}``. Such
values are ordered by their parts, so all that a key has lies together, and all that a locator has;
the index that every collection has finds it, and pages go by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, Final, TypeVar

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.mongodb_statements import PATIENCE, Document, Read
from http_client_cache.store._mongodb_times import LEAVES, seconds_of

T = TypeVar("T")

OVERHEAD: Final = 256
"""Bytes that a document takes beside its record and body, about, with its place in the indexes."""

IS_ENTRY: Final = {"expires": {"$gte": float("-inf")}}
"""Every entry has such a number, and nothing else does; of what never expires it is infinite."""

IS_ALIAS: Final = {"target": {"$exists": True}}

_LONGEST_NAME: Final = 100


def indexes(collection: str) -> Document:
    """The command that makes the indexes of a collection of entries."""
    return {
        "createIndexes": collection,
        "indexes": [
            LEAVES,
            # What it takes to count entries and their bytes lies in the index itself.
            {"key": {"expires": 1, "bytes": 1}, "name": "expires", "sparse": True},
            {"key": {"target": 1}, "name": "target", "sparse": True},
            {
                "key": {"_id": 1, "target": 1},
                "name": "aliases",
                "partialFilterExpression": IS_ALIAS,
            },
        ],
    }


def collection_name(cache_name: str) -> str:
    """What the names of a cache's collections begin with: it tells caches apart, and has no dot.

    Raises:
        ConfigurationError: it is no text that could be stored.
    """
    try:
        octets = cache_name.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"cache_name cannot be {describe(cache_name)}") from error
    name = re.sub(rb"[^A-Za-z0-9_-]", lambda found: b"%%%02X" % found[0][0], octets).decode()
    if len(name) > _LONGEST_NAME:
        # What follows the sign is not what could follow it above.
        return f"{name[: _LONGEST_NAME // 2]}%-{sha256(octets).hexdigest()[:32]}"
    # Those that begin with "system." are the server's own.
    return f"%73{name[1:]}" if name == "system" else name


def of_key(key: str) -> dict[str, Any]:
    """What entries and alias of a key match."""
    # All texts come before all documents.
    return {"_id": {"$gte": {"k": key}, "$lt": {"k": key, "v": {}}}}


def of_keys(keys: Sequence[str]) -> dict[str, Any]:
    """What entries and aliases of any of these keys match."""
    return of_key(keys[0]) if len(keys) == 1 else {"$or": [of_key(key) for key in keys]}


def of_locator(locator: str) -> dict[str, Any]:
    """What entries and aliases with this locator match."""
    # "/" is the character after "."
    longer = {"$gte": {"k": f"{locator}."}, "$lt": {"k": f"{locator}/"}}
    return {"$or": [of_key(locator), {"_id": longer}]}


def leads_to_locator(locator: str) -> dict[str, Any]:
    """What aliases match that lead to keys with this locator."""
    longer = {"$gte": f"{locator}.", "$lt": f"{locator}/"}
    return {"$or": [{"target": locator}, {"target": longer}]}


def find(
    collection: str,
    chosen: Document,
    *fields: str,
    limit: int = 0,
    order: str = "",
    patience: float = 1.0,
) -> Read:
    """Look for documents; whole ones if no fields are named."""
    command: dict[str, Any] = {"find": collection, "filter": chosen}
    if fields:
        command["projection"] = dict.fromkeys(fields, 1)
    if order:
        command["sort"] = {order: 1}
    if limit:
        command["limit"] = limit
    return Read(command, patience)


def total(collection: str, chosen: Document, size: Any) -> Read:
    """Count documents, and sum up what they take."""
    group = {"_id": None, "count": {"$sum": 1}, "bytes": {"$sum": size}}
    pipeline = [{"$match": chosen}, {"$group": group}]
    return Read({"aggregate": collection, "pipeline": pipeline, "cursor": {}}, PATIENCE)


def has_left(document: Document, now: float) -> bool:
    """Whether it is to be there no more; the server removes it once a minute or so."""
    leaves = seconds_of(document.get("leaves"))
    return leaves is not None and leaves <= now


def key_of(document: Document) -> str:
    """The key of an entry or alias."""
    key: str = document["_id"]["k"]
    return key


def place_of(entry: Document) -> tuple[str, str]:
    """Key and variant of an entry."""
    place = entry["_id"]
    return place["k"], place["v"]


def is_entry(document: Document) -> bool:
    """Whether it is an entry, and no alias."""
    return isinstance(document["_id"].get("v"), str)


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """So many at a time."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
