"""What the tests of the MongoDB stores have in common: bodies, and the collections as they are."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.store import Store
from http_client_cache.store._blocks import BLOCK_BYTES
from http_client_cache.store.mongodb import GridFSStore
from tests.stores.conftest import Do
from tests.stores.subjects import entry

Documents = list[dict[str, Any]]

BOTH = ["mongodb", "gridfs"]
LARGE = os.urandom(2 * WHOLE_BYTES + 17)
BLOCKS = -(-len(LARGE) // BLOCK_BYTES)

both = pytest.mark.parametrize("subject", BOTH, indirect=True)


def collections(store: Store) -> tuple[str, str, str]:
    """Of entries, blocks and files (which only GridFS has)."""
    if isinstance(store, GridFSStore):
        prefix = "http_cache.grid.v1"
        return f"{prefix}.entries", f"{prefix}.bodies.chunks", f"{prefix}.bodies.files"
    return "http_cache.v1.entries", "http_cache.v1.blocks", "nothing"


def all_in(database: Any, store: Store) -> tuple[Documents, Documents, Documents]:
    entries, blocks, files = (
        list(database[name].find({}, {"data": 0})) for name in collections(store)
    )
    return entries, blocks, files


def chain_of(document: dict[str, Any]) -> str:
    """The chain of a block, or file."""
    name = document.get("files_id", document["_id"])
    return name if isinstance(name, str) else name["c"]


def seconds_left(document: dict[str, Any]) -> float:
    left: timedelta = document["leaves"] - datetime.now(UTC)
    return left.total_seconds()


async def put(do: Do, store: Store, body: bytes = LARGE, key: str = "a.1", **what: Any) -> Any:
    return await do(store.save(key, entry(body=body, **what), body))


async def read(do: Do, store: Store, body: KeptBody, start: int = 0) -> bytes:
    found = b""
    while start + len(found) < len(body):
        found += await do(store.read(body, start + len(found), 100_000))
    return found
