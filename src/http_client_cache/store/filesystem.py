"""The store in a folder: one file for each response."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Sequence
from itertools import islice
from time import time_ns
from typing import Any, Final

import msgspec

from http_client_cache.body import AnyBody, Draft, KeptBody
from http_client_cache.body_statements import Begin, Forget
from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.file_format import Head, make_head, read_head, when
from http_client_cache.file_statements import (
    LINK,
    SHARDS,
    Change,
    Drop,
    Found,
    Freshen,
    Link,
    List,
    Raw,
    Read,
    ReadLink,
    ReadMany,
    Remove,
    Save,
    SweepLeases,
    Tidy,
    Upkeep,
    Use,
)
from http_client_cache.limits import Limits, Retention
from http_client_cache.plan import Plan
from http_client_cache.store._file_census import MANY, FileCensus, head_of
from http_client_cache.store._file_leases import FileLeases
from http_client_cache.store._file_names import (
    file_of,
    is_response,
    name_of,
    stamp_of,
)
from http_client_cache.store._packing import Laid, lay, packs, shown
from http_client_cache.store._pieces import BodiesInFiles

FLUSH_SECONDS: Final = 0.5
"""Between two times when uses are written down though nothing else is."""

MOST_USES: Final = 4096
"""Keys whose use is remembered until it is written down; that of others is lost."""


class FileStore(FileCensus, BodiesInFiles, FileLeases):
    """Entries as files whose names are digests: no key can lead out of the folder.

    Args:
        codec: turns metadata into records.
        max_entries: how many entries may be kept, and how many aliases; ``None`` for no limit.
        max_bytes: how much may be kept, by the lengths of files; ``None`` for no limit.
        retention: until when what has expired is kept; an hour if left out.
        compression: ``"zstd"`` compresses the bodies that are saved, where that saves.

    Raises:
        ConfigurationError: ``compression`` is not known.
        MissingDependency: what compresses is not installed.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        retention: Retention | None = None,
        compression: str | None = None,
    ) -> None:
        self._codec = codec
        self._packs = packs(compression)
        self.limits = Limits(max_entries, max_bytes)
        self._retention = retention or Retention()
        self._upkeep = Upkeep(self.limits, self._retention.now)
        self._limited = self.limits.any
        # Where the next sweep begins.
        self._next = 0

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        found = yield from self._entries(key, bodies=True)
        if not found and follow:
            alias = yield from self._alias(key)
            if alias is not None:
                found = yield from self._entries(alias.target, bodies=True)
                found = [stored._replace(hops=alias.hops) for stored in found]
        if self._limited and found and self._is_due(name_of(found[0].key)):
            yield Use(self._upkeep)
        if len(found) > 1:
            found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        return tuple(found)

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`.

        What alone is larger than ``max_bytes`` is not kept.
        """
        if self._packs and isinstance(body, bytes):
            body = yield from self._in_file(key, entry, body, variant)
        laid: Laid = yield from lay(key, variant, entry, body, compress=self._packs)
        entry, kept, draft = laid.entry, laid.body, laid.draft
        content = kept if isinstance(kept, bytes) else b""
        record = self._codec.encode(key, variant, entry, content, laid.digest)
        told = self._told(key, variant, entry)
        crc, room = (
            (zlib.crc32(content), 0) if laid.whole is None else (laid.whole.crc, laid.whole.room)
        )
        # Not what this entry needs: it may have changed since its body began to come.
        frame, head = make_head(told, record, len(kept), crc, _new_ref(), room)
        if draft is not None and len(head) != room:
            yield Forget(draft)
            raise StoreError("a record is longer than the one that was announced")
        most = self.limits.max_bytes
        if most is not None and len(head) + len(kept) > most:
            if draft is not None:
                yield Forget(draft)
            # The one it replaces must not answer in its stead.
            if (yield Read(name_of(key), bodies=False)):
                yield from self.drop([(key, variant)])
            return laid.shown
        raw = Raw(file_of(variant), head, kept, frame)
        yield Save(name_of(key), raw, stamp_of(entry), self._upkeep, draft)
        return laid.shown

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """See :class:`~http_client_cache.store.Store`."""
        room = self._room(key, variant, entry)
        name, digest = secrets.token_hex(8), self._codec.binds_body
        draft: Draft | None = yield Begin(name, room, crc=True, digest=digest, packs=self._packs)
        return draft

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody has replaced meanwhile is left alone.
        """
        files = [(name_of(key), file_of(variant)) for key, variant, _ in changes]
        known: list[Raw | None]
        if len(files) == 1:
            # Does not wait for others.
            raws: list[Raw] = yield Read(files[0][0], bodies=False)
            known = [next((raw for raw in raws if raw.file == files[0][1]), None)]
        else:
            known = yield ReadMany(files)
        steps: list[Change] = []
        for (key, variant, entry), place, raw in zip(changes, files, known, strict=True):
            head = head_of(raw)
            if head is None or not _is_of(head, entry) or head.told.key != key:
                continue
            try:
                if not entry.has_body_of(self._codec.decode(key, variant, head.record, None)):
                    continue
                record = self._codec.renew(key, variant, entry, head.record)
            except RecordError:
                continue
            told, frame = self._told(key, variant, entry), head.frame
            fresh, data = make_head(told, record, frame.body, frame.body_crc, frame.ref)
            steps.append(Change(place[0], Raw(place[1], data, b"", fresh), stamp_of(entry)))
        if not steps:
            return 0
        count: int = yield Freshen(steps, self._upkeep)
        return count

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        target = name_of(alias.target)
        told = {"key": key, "target": alias.target, "created": when(alias.created)}
        frame, head = make_head(told, self._codec.encode_alias(key, alias), 0, 0, target)
        yield Link(name_of(key), Raw(LINK, head, b"", frame), target, self._upkeep)

    # What ends an entry.

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        count, rest = 0, iter(keys)
        while some := list(islice(rest, MANY)):
            count += yield Remove([name_of(key) for key in some])
        return count

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = [(name_of(key), file_of(variant)) for key, variant in variants]
        if not wanted:
            return 0
        count: int = yield Drop(wanted)
        return count

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        names = yield from self._names(locator)
        if not names:
            return 0
        count: int = yield Remove(names)
        return count

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        It begins where the last one ended, and reads no file whose stamp is not due.
        """
        count, begun = 0, self._next
        ways = [(begun, SHARDS), (0, begun)]
        for first, last in ways:
            shard = first
            while shard < last and count < limit:
                here = shard
                found, shard = yield List(shard, last, MANY, measures=True)
                due = [one for one in found if one.stamp <= before and is_response(one)]
                count += yield from self._sweep(due, before, limit - count)
                self._next = here if count >= limit else shard % SHARDS
        if count < limit:
            yield SweepLeases(before)
            yield Tidy()
        return count

    def _sweep(self, due: list[Found], before: float, limit: int) -> Plan[int]:
        """Drop what is due and has really expired, or cannot be read."""
        if not due:
            return 0
        files = [(one.name, one.file) for one in due]
        known: list[Raw | None] = yield ReadMany(files)
        expired: list[tuple[str, str]] = []
        for place, raw in zip(files, known, strict=True):
            stored = self._stored(raw, bodies=False) if raw is not None else None
            if stored is None or _has_expired(stored.entry, before):
                expired.append(place)
        count: int = (yield Drop(expired[:limit], until=before)) if expired else 0
        return count

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        if (yield from self._entries(key, bodies=False)):
            return True
        alias = (yield from self._alias(key)) if follow else None
        return alias is not None and bool((yield from self._entries(alias.target, bodies=False)))

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        for name in (yield from self._names(locator)):
            raws: list[Raw] = yield Read(name, bodies=False)
            if any(self._stored(raw, bodies=False) for raw in raws):
                return True
            head = head_of((yield ReadLink(name)))
            if head is not None and (yield from self.contains(head.told.key, follow=True)):
                return True
        return False

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`.

        A cursor is the name of a file.
        """
        page: list[tuple[str, Stored]] = []
        shard = int(after[:2] or "0", 16)
        while shard < SHARDS and len(page) < limit:
            found, shard = yield List(shard, enough=limit)
            rest = sorted(
                [
                    (f"{one.name}/{one.file}", (one.name, one.file))
                    for one in found
                    if is_response(one) and f"{one.name}/{one.file}" > after
                ]
            )
            while rest and len(page) < limit:
                some, rest = rest[: limit - len(page)], rest[limit - len(page) :]
                raws = yield ReadMany([place for _, place in some], bodies)
                for (cursor, _), raw in zip(some, raws, strict=True):
                    if raw is not None:
                        stored = yield from self._read(raw, bodies=bodies)
                        if stored is not None:
                            page.append((cursor, stored))
        return page

    # How files are read.

    def _entries(self, key: str, *, bodies: bool) -> Plan[list[Stored]]:
        raws: list[Raw] = yield Read(name_of(key), bodies)
        found: list[Stored] = []
        for raw in raws:
            stored = yield from self._read(raw, bodies=bodies)
            if stored is not None and stored.key == key:
                found.append(stored)
        return found

    def _read(self, raw: Raw, *, bodies: bool) -> Plan[Stored | None]:
        """A file as it is told to the engine, its body as it was received."""
        stored = self._stored(raw, bodies=bodies)
        if stored is None or not bodies:
            return stored
        if isinstance(stored.body, KeptBody):
            head = head_of(raw)
            if head is None or not (yield from self._is_signed(stored.body, head.record)):
                return None
        return stored if stored.entry.packed is None else (yield from shown(stored))

    def _stored(self, raw: Raw, *, bodies: bool) -> Stored | None:
        """A file as it is told to the engine; ``None`` if it cannot be read."""
        head = read_head(raw.frame, raw.head)
        if head is None or file_of(head.told.variant) != raw.file:
            return None
        body = raw.body
        frame, key, variant = head.frame, head.told.key, head.told.variant
        if bodies and len(body) != frame.body:
            return None
        known = None
        if isinstance(body, KeptBody):
            body = body.of(key, variant)
        elif bodies:
            known = body
            if zlib.crc32(body) != frame.body_crc:
                return None
        try:
            entry = self._codec.decode(key, variant, head.record, known)
        except RecordError:
            return None
        return Stored(key, entry, body, (), variant) if _is_of(head, entry) else None

    def _told(self, key: str, variant: str, entry: Entry) -> dict[str, Any]:
        told = {
            "key": key,
            "variant": variant,
            "method": entry.method,
            "url": entry.url,
            "status": entry.status,
            "created": when(entry.created),
            "expires": when(entry.expires),
            "leaves": self._retention.leaves(entry),
        }
        return told if entry.packed is None else told | {"unpacked": entry.body_size}

    def _is_due(self, name: str) -> bool:
        """Note a use; answers whether it is time to write the uses down."""
        upkeep, now = self._upkeep, self._retention.now()
        used = upkeep.used
        # To the end, if it is there.
        used.pop(name, None)
        if len(used) < MOST_USES:
            used[name] = time_ns()
        if upkeep.flush_at - FLUSH_SECONDS <= now < upkeep.flush_at:
            return len(used) == MOST_USES // 2
        upkeep.flush_at = now + FLUSH_SECONDS
        return True

    def _room(self, key: str, variant: str, entry: Entry) -> int:
        """Bytes for the head of a response whose body is not known yet."""
        most = 10**15 - 1
        largest = msgspec.structs.replace(entry, body_size=most, packed=most)
        record = self._codec.encode(key, variant, largest, b"", bytes(32))
        return len(make_head(self._told(key, variant, largest), record, 0, 0, _new_ref())[1])

    def _alias(self, key: str) -> Plan[Alias | None]:
        head = head_of((yield ReadLink(name_of(key))))
        return self._alias_of(head) if head is not None and head.told.key == key else None


def _new_ref() -> str:
    return secrets.token_hex(8)


def _is_of(head: Head, entry: Entry) -> bool:
    """Whether an entry is one of the body that lies behind a head."""
    unpacked = None if entry.packed is None else entry.body_size
    return (entry.stored_size, unpacked) == (head.frame.body, head.told.unpacked)


def _has_expired(entry: Entry, before: float) -> bool:
    return entry.expires is not None and entry.expires <= before
