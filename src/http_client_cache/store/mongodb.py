"""The stores in collections of MongoDB: large bodies in blocks of ours, or in GridFS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from http_client_cache.body import WHOLE_BYTES, AnyBody, Draft
from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.limits import Limits, Retention, server_time
from http_client_cache.mongodb_statements import DUPLICATE, Document, Write
from http_client_cache.plan import Plan
from http_client_cache.store._blocks import (
    DRAFT_SECONDS,
    READER_SECONDS,
    BlockDraft,
    BodiesInBlocks,
    Chain,
)
from http_client_cache.store._mongodb_blocks import Blocks, GridBlocks, PlainBlocks
from http_client_cache.store._mongodb_census import KEYS
from http_client_cache.store._mongodb_ends import MongoEnds
from http_client_cache.store._mongodb_shape import (
    IS_ENTRY,
    OVERHEAD,
    collection_name,
    find,
    has_left,
    in_batches,
    indexes,
    is_entry,
    of_key,
    place_of,
)
from http_client_cache.store._mongodb_times import date_in, date_of, dated
from http_client_cache.store._packing import packs

VERSION: Final = 1
"""Of the schema; part of every collection's name, so that versions never read each other's."""

_UNNAMED_SECONDS: Final = 86400.0
"""For so long, at most, the blocks stay of an entry that was never written."""

_ROUNDS: Final = 100
"""For as many who write large bodies for the same key at the same time."""


class MongoStore(MongoEnds, BodiesInBlocks):
    """Entries as documents of collections whose names begin with that of the cache.

    Args:
        codec: turns metadata into records.
        cache_name: tells caches in one database apart.
        retention: until when what has expired is kept; an hour if left out.
        compression: ``"zstd"`` compresses the bodies that are saved, where that saves.
        ttl: whether entries leave by themselves.

    Attributes:
        schema: the commands that make the indexes, for the shell that connects.

    Raises:
        ConfigurationError: ``cache_name`` is no text, or ``compression`` not known.
        MissingDependency: what compresses is not installed.
    """

    _kind: ClassVar[str] = ""
    _layout: ClassVar[type[Blocks]] = PlainBlocks

    def __init__(
        self,
        codec: Codec,
        *,
        cache_name: str = "http_cache",
        retention: Retention | None = None,
        compression: str | None = None,
        ttl: bool = True,
    ) -> None:
        prefix = f"{collection_name(cache_name)}{self._kind}.v{VERSION}"
        super().__init__(f"{prefix}.leases")
        self.limits = Limits()
        self._codec = codec
        self._packs = packs(compression)
        self._retention = retention or Retention()
        self._ttl = ttl
        self._entries = f"{prefix}.entries"
        self._blocks = self._layout(prefix)
        self.schema: Final = (
            indexes(self._entries),
            *self._blocks.indexes,
            self._lease_indexes(),
        )

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        documents = yield find(self._entries, of_key(key))
        found = yield from self._all_stored(documents)
        if found or not follow:
            return found
        now = server_time()
        for document in documents:
            alias = None if is_entry(document) else self._alias(key, document)
            if alias is not None and not has_left(document, now):
                documents = yield find(self._entries, of_key(alias.target))
                found = yield from self._all_stored(documents)
                return tuple([stored._replace(hops=alias.hops) for stored in found])
        return ()

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`."""
        laid = yield from self._lay(key, variant, entry, body)
        entry, chain = laid.entry, laid.chain
        record = self._codec.encode(key, variant, entry, laid.inline or b"", laid.digest)
        leaves = self._leaves(entry)
        stays = False
        if chain is None:
            place: Document = {"body": laid.inline}
        else:
            place = {"chain": chain.name}
            count = chain.count + (laid.digest is not None)
            # Its writer may die before there is an entry, whose date may be years away.
            until = date_in(_UNNAMED_SECONDS)
            stays = leaves is None or _later(leaves) > until
            if leaves is not None:
                until = min(until, _later(leaves))
            yield from self._blocks.publish(chain, count, entry, until)
        told = self._told(key, entry, record)
        document = {**told, "size": entry.stored_size, "arrived": entry.arrived, **place}
        if leaves is not None:
            document["leaves"] = leaves
        yield from self._put({"k": key, "v": variant}, document, self._led(key, leaves))
        if chain is not None and stays:
            yield from self._blocks.stay(chain.name, None if leaves is None else _later(leaves))
        return laid.shown

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody has replaced meanwhile is left alone.
        """
        count = 0
        for some in in_batches(changes, KEYS):
            # With its body at hand, a document need not be looked at before.
            done = 0 if self._codec.binds_body else (yield from self._freshen_inline(some))
            if done < len(some):
                done += yield from self._freshen_known(some)
            if done:
                led = [self._led(key, self._leaves(entry)) for key, _, entry in some]
                yield Write({"update": self._entries, "updates": led}, float(len(led)))
            count += done
        return count

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        It leaves with what it leads to; if that is not there, after :data:`DRAFT_SECONDS`.
        """
        led = yield find(self._entries, {**of_key(alias.target), **IS_ENTRY}, "leaves")
        dates = [document.get("leaves") for document in led]
        document: dict[str, Any] = {
            "target": alias.target,
            "record": self._codec.encode_alias(key, alias),
        }
        if not dates:
            document["leaves"] = date_in(DRAFT_SECONDS)
        elif all(isinstance(date, datetime) for date in dates):
            document["leaves"] = max(dates)
        yield from self._put({"k": key, "v": None}, document)

    # How it is written and read.

    def _put(self, place: Document, document: Document, *more: Document) -> Plan[None]:
        """Write a document in one step, in the place of what is there."""
        chain: Any = None
        for _ in range(_ROUNDS):
            # It takes the place of what has this chain, or none: nobody's blocks are forgotten.
            step = {"q": {"_id": place, "chain": chain}, "u": document, "upsert": True}
            answer = yield Write({"update": self._entries, "updates": [step, *more]})
            if answer is not DUPLICATE:
                return
            found: list[Document] = yield find(self._entries, {"_id": place}, "chain", limit=1)
            chain = found[0].get("chain") if found else None
            if isinstance(chain, str):
                yield from self._blocks.leave([chain])
        raise StoreError("too many others write the same entry")

    def _freshen_inline(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        updates = [
            {
                "q": {"_id": {"k": key, "v": variant}, **_of_body(entry), "chain": None},
                "u": self._change(key, entry, self._codec.renew(key, variant, entry, b"")),
            }
            for key, variant, entry in changes
            if entry.body_size <= WHOLE_BYTES
        ]
        if not updates:
            return 0
        count: int = yield Write({"update": self._entries, "updates": updates}, float(len(updates)))
        return count

    def _freshen_known(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """Look first what there is: the record that is signed, or the blocks that are to stay."""
        binds = self._codec.binds_body
        wanted: dict[str, Any] = {"_id": {"$in": [{"k": k, "v": v} for k, v, _ in changes]}}
        if not binds:
            wanted["chain"] = {"$exists": True}
        fields = ("chain", "record") if binds else ("chain",)
        found: list[Document] = yield find(self._entries, wanted, *fields)
        known = {place_of(document): document for document in found}
        count = 0
        for key, variant, entry in changes:
            document = known.get((key, variant))
            if document is None:
                continue
            old, chain = document.get("record", b""), document.get("chain")
            try:
                record = self._codec.renew(key, variant, entry, old)
            except RecordError:
                continue
            leaves = self._leaves(entry)
            if chain is not None and leaves is not None:
                yield from self._blocks.stay(chain, _later(leaves))
            same = {"_id": document["_id"], **_of_body(entry), "chain": chain}
            chosen = {**same, "record": old} if binds else same
            step = {"q": chosen, "u": self._change(key, entry, record)}
            done: int = yield Write({"update": self._entries, "updates": [step]})
            if chain is not None and leaves is None and done:
                yield from self._blocks.stay(chain, None)
            count += done
        return count

    def _change(self, key: str, entry: Entry, record: bytes) -> Document:
        told = self._told(key, entry, record)
        leaves = self._leaves(entry)
        if leaves is None:
            return {"$set": told, "$unset": {"leaves": ""}}
        return {"$set": {**told, "leaves": leaves}}

    def _told(self, key: str, entry: Entry, record: bytes) -> Document:
        return {
            "record": record,
            "expires": float("inf") if entry.expires is None else float(entry.expires),
            "bytes": OVERHEAD + entry.stored_size + len(record) + len(key),
        }

    def _leaves(self, entry: Entry) -> datetime | None:
        return date_of(self._retention.deadline(entry)) if self._ttl else None

    def _led(self, key: str, leaves: datetime | None) -> Document:
        """Let aliases that lead to a key stay as long as it does.

        Those that stay longer, or for ever, do so: another variant may. To link one anew dates it.
        """
        others: Document = {"$exists": True} if leaves is None else {"$lt": leaves}
        chosen = {"target": key, "leaves": others}
        return {"q": chosen, "u": dated(leaves), "multi": True}

    def _all_stored(self, documents: Sequence[Document]) -> Plan[tuple[Stored, ...]]:
        found: list[Stored] = []
        now = server_time()
        for document in documents:
            if not has_left(document, now):
                stored = yield from self._stored(document)
                if stored is not None:
                    found.append(stored)
        if len(found) > 1:
            found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        return tuple(found)

    def _stored(self, document: Document, *, bodies: bool = True) -> Plan[Stored | None]:
        place, record = document["_id"], document.get("record")
        key, variant = place["k"], place.get("v")
        # Whoever else writes to this collection may have put anything into a document.
        if type(variant) is not str or type(record) is not bytes:
            return None
        lies = document["chain"] if "chain" in document else document.get("body")
        known = lies if bodies and isinstance(lies, bytes) else None
        try:
            entry = self._codec.decode(key, variant, record, known)
        except RecordError:
            return None
        if not bodies:
            return Stored(key, entry, b"", (), variant)
        if not isinstance(lies, bytes | str):
            return None
        return (yield from self._shown(key, variant, record, entry, lies))

    # Blocks.

    def _write_blocks(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        yield from self._blocks.write(draft, first, blocks)

    def _read_block(self, chain: Chain, number: int) -> Plan[bytes | None]:
        return (yield from self._blocks.read(chain, number))

    def _remove_blocks(self, draft: BlockDraft) -> Plan[None]:
        yield from self._blocks.remove(draft.name)


class GridFSStore(MongoStore):
    """The same, with large bodies in a GridFS bucket, where others can read them as files.

    Those that are compressed they cannot.
    """

    _kind = ".grid"
    _layout = GridBlocks


def _of_body(entry: Entry) -> Document:
    """What a document has that has the body of an entry."""
    return {"size": entry.stored_size, "arrived": entry.arrived}


def _later(leaves: datetime) -> datetime:
    """When the blocks of an entry leave that leaves then."""
    later = date_of(leaves.timestamp() + READER_SECONDS)
    return leaves if later is None else later
