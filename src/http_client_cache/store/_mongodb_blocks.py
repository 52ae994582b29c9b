"""Where the blocks of large bodies lie in MongoDB: in a collection of ours, or in GridFS.

Each block has a date at which it leaves. It is that of a draft until its entry is about to be
published. An entry that never leaves has blocks without one; they get it back (and a mark, so that
nobody takes it away again) before the entry goes. So there are never blocks without a date that no
entry names, whoever dies, and whenever.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from http_client_cache.entry import Entry
from http_client_cache.errors import StoreError
from http_client_cache.limits import server_time
from http_client_cache.mongodb_statements import PATIENCE, Document, Read, Write
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import (
    BLOCK_BYTES,
    DRAFT_SECONDS,
    READER_SECONDS,
    BlockDraft,
    Chain,
)
from http_client_cache.store._mongodb_times import LEAVES, date_in, dated, seconds_of

_OF_A_CHAIN: Final = 10.0
"""Patience with what changes all blocks of a chain."""


class Blocks(ABC):
    """What both layouts have in common.

    Args:
        prefix: begins the names of the collections.

    Attributes:
        indexes: the commands that make them.
    """

    indexes: tuple[Document, ...]
    _collection: str

    @abstractmethod
    def __init__(self, prefix: str) -> None: ...

    @abstractmethod
    def _block(self, name: str, number: int) -> dict[str, Any]:
        """What identifies a block."""

    @abstractmethod
    def _chain(self, name: str, first: int = 0) -> dict[str, Any]:
        """What the blocks of a chain match, from the one with this number on."""

    def write(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        """Write blocks that leave by themselves after :data:`DRAFT_SECONDS`."""
        leaves = date_in(DRAFT_SECONDS)
        documents = [
            {**self._block(draft.name, number), "data": block, "leaves": leaves}
            for number, block in enumerate(blocks, first)
        ]
        yield Write({"insert": self._collection, "documents": documents})

    def read(self, chain: Chain, number: int) -> Plan[bytes | None]:
        """Read a block, and see to it that the others can be read for a while."""
        command = {
            "find": self._collection,
            "filter": self._block(chain.name, number),
            "projection": {"_id": 0, "data": 1, "leaves": 1},
            "limit": 1,
        }
        found: list[Document] = yield Read(command)
        if not found:
            return None
        leaves = seconds_of(found[0].get("leaves"))
        if leaves is not None and leaves < server_time() + READER_SECONDS:
            date = date_in(2 * READER_SECONDS)
            chosen = {**self._chain(chain.name, number), "leaves": {"$lt": date}}
            yield self._update(chosen, {"$set": {"leaves": date}})
        data = found[0].get("data")
        return data if isinstance(data, bytes) else None

    def publish(self, chain: Chain, count: int, entry: Entry, leaves: datetime) -> Plan[None]:
        """Let a draft's blocks stay until its entry leaves, before that is written.

        Raises:
            StoreError: some of them have left: it took too long.
        """
        del entry
        if (yield self._dated(chain.name, leaves)) != count:
            raise StoreError("a body took too long: its first blocks have left the server")

    def stay(self, name: str, leaves: datetime | None) -> Plan[None]:
        """Give the blocks of an entry that is there another date."""
        yield self._dated(name, leaves)

    def leave(self, names: Sequence[str]) -> Plan[None]:
        """Let chains leave when nobody can be reading them, before their entries go."""
        leaves = date_in(2 * READER_SECONDS)
        change = {"$set": {"leaves": leaves, "gone": True}}
        updates = [
            {"q": {**self._chain(name), "gone": None}, "u": change, "multi": True} for name in names
        ]
        yield Write({"update": self._collection, "updates": updates}, PATIENCE)

    def remove(self, name: str) -> Plan[None]:
        """Remove a chain that nobody has seen."""
        deletes = [{"q": self._chain(name), "limit": 0}]
        yield Write({"delete": self._collection, "deletes": deletes}, _OF_A_CHAIN)

    def _dated(self, name: str, leaves: datetime | None) -> Write:
        return self._update({**self._chain(name), "gone": None}, dated(leaves))

    def _update(self, chosen: Document, change: Document) -> Write:
        updates = [{"q": chosen, "u": change, "multi": True}]
        return Write({"update": self._collection, "updates": updates}, _OF_A_CHAIN)


class PlainBlocks(Blocks):
    """Blocks in a collection whose only index, but for that of the dates, is ``_id``."""

    def __init__(self, prefix: str) -> None:
        self._collection = f"{prefix}.blocks"
        self.indexes = ({"createIndexes": self._collection, "indexes": [LEAVES]},)

    def _block(self, name: str, number: int) -> dict[str, Any]:
        return {"_id": {"c": name, "n": number}}

    def _chain(self, name: str, first: int = 0) -> dict[str, Any]:
        # All numbers come before all texts.
        return {"_id": {"$gte": {"c": name, "n": first}, "$lt": {"c": name, "n": ""}}}


class GridBlocks(Blocks):
    """Blocks as chunks of a GridFS bucket, so that others can read bodies as files.

    Each file is named by its URL. What is not of GridFS: ``leaves`` and ``gone``. The digests of
    the blocks lie in the file's metadata, because a file must not have more chunks than it needs.
    """

    def __init__(self, prefix: str) -> None:
        self.bucket = f"{prefix}.bodies"
        self._collection = f"{self.bucket}.chunks"
        self._files = f"{self.bucket}.files"
        of_chunks = {"key": {"files_id": 1, "n": 1}, "name": "files_id_1_n_1", "unique": True}
        of_files = {"key": {"filename": 1, "uploadDate": 1}, "name": "filename_1_uploadDate_1"}
        self.indexes = (
            {"createIndexes": self._collection, "indexes": [of_chunks, LEAVES]},
            {"createIndexes": self._files, "indexes": [of_files, LEAVES]},
        )

    def _block(self, name: str, number: int) -> dict[str, Any]:
        return {"files_id": name, "n": number}

    def _chain(self, name: str, first: int = 0) -> dict[str, Any]:
        return {"files_id": name, "n": {"$gte": first}}

    def write(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        """See :class:`Blocks`."""
        if first < -(-draft.size // BLOCK_BYTES):
            yield from super().write(draft, first, blocks)

    def read(self, chain: Chain, number: int) -> Plan[bytes | None]:
        """See :class:`Blocks`."""
        if number < chain.count:
            return (yield from super().read(chain, number))
        wanted = {
            "find": self._files,
            "filter": {"_id": chain.name},
            "projection": {"_id": 0, "digests": "$metadata.digests"},
            "limit": 1,
        }
        found: list[Document] = yield Read(wanted)
        digests = found[0].get("digests") if found else None
        return digests if isinstance(digests, bytes) else None

    def publish(self, chain: Chain, count: int, entry: Entry, leaves: datetime) -> Plan[None]:
        """See :class:`Blocks`."""
        del count
        yield from super().publish(chain, chain.count, entry, leaves)
        told = {
            "key": chain.key,
            "variant": chain.variant,
            "packed": chain.packed,
            "digests": chain.digests,
        }
        file = {
            "length": chain.size,
            "chunkSize": BLOCK_BYTES,
            "uploadDate": date_in(0),
            "filename": entry.url,
            "metadata": told,
            "leaves": leaves,
        }
        yield Write({"insert": self._files, "documents": [{"_id": chain.name, **file}]})

    def stay(self, name: str, leaves: datetime | None) -> Plan[None]:
        """See :class:`Blocks`."""
        yield from super().stay(name, leaves)
        update = {"q": {"_id": name}, "u": dated(leaves)}
        yield Write({"update": self._files, "updates": [update]})

    def leave(self, names: Sequence[str]) -> Plan[None]:
        """See :class:`Blocks`."""
        yield from super().leave(names)
        deletes = [{"q": {"_id": {"$in": list(names)}}, "limit": 0}]
        yield Write({"delete": self._files, "deletes": deletes})

    def remove(self, name: str) -> Plan[None]:
        """See :class:`Blocks`."""
        yield from super().remove(name)
        yield Write({"delete": self._files, "deletes": [{"q": {"_id": name}, "limit": 1}]})
