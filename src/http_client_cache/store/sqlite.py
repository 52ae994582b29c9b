"""The store in an SQLite database."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from http_client_cache.body import AnyBody, Draft, KeptBody
from http_client_cache.body_statements import Begin, Forget
from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import ConfigurationError, RecordError, describe
from http_client_cache.limits import Limits, Retention
from http_client_cache.plan import Plan
from http_client_cache.sqlite_statements import (
    FLUSH_SECONDS,
    MOST_USES,
    Bodies,
    Change,
    Insert,
    Point,
    Query,
    Row,
    Upkeep,
    UpkeepSQL,
    Write,
)
from http_client_cache.store import _sqlite_sql as texts
from http_client_cache.store._packing import Laid, lay, packs, shown
from http_client_cache.store._pieces import BodiesInFiles
from http_client_cache.store._sqlite_leases import SQLiteLeases

VERSION: Final = 1
"""Of the schema; part of every table's name, so that versions never read each other's."""

INLINE_BYTES: Final = 64 * 1024
"""Bodies up to this size lie in the row of their metadata, larger ones in blocks."""

BLOCK_BYTES: Final = 256 * 1024

_BODIES: Final = frozenset({bytes, KeptBody})

_LOOKS: Final = 3
"""At a row whose file has gone; if it is still so then, it is damaged."""

DELETE_KEYS: Final = (1, 20, 500)
"""Keys that are deleted by one statement, in one transaction: others want to write, too."""


class SQLiteStore(BodiesInFiles, SQLiteLeases):
    """Entries as rows of tables whose names begin with ``prefix``.

    Args:
        codec: turns metadata into records.
        prefix: begins the name of every table; a plain identifier.
        max_entries: how many entries may be kept, and how many aliases; ``None`` for no limit.
        max_bytes: how much may be kept, about; ``None`` for no limit. Indexes and unused parts
            of pages come on top.
        retention: until when what has expired is kept; an hour if left out.
        compression: ``"zstd"`` compresses the bodies that are saved, where that saves.

    Attributes:
        schema: the statements that make the tables, for the shell that opens the file.

    Raises:
        ConfigurationError: ``prefix`` is no identifier, or ``compression`` not known.
        MissingDependency: what compresses is not installed.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        prefix: str = "http_cache",
        max_entries: int | None = None,
        max_bytes: int | None = None,
        retention: Retention | None = None,
        compression: str | None = None,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", prefix):
            raise ConfigurationError(f"prefix must be an identifier, not {describe(prefix)}")
        names = f"{prefix}_v{VERSION}"
        super().__init__(names)
        self._codec = codec
        self._packs = packs(compression)
        self.limits = Limits(max_entries, max_bytes)
        self._retention = retention or Retention()
        self._limited = self.limits.any
        self.schema: Final = texts.schema(names, limited=self._limited)
        self._sql: Final = texts.statements(names)
        upkeep = UpkeepSQL(*(self._sql[name] for name in texts.UPKEEP))
        self._bodies = Bodies(self._sql["blocks"], names)
        self._upkeep = Upkeep(self.limits, self._retention.now, upkeep, self._bodies)
        self._point = self._sql["point"]
        self._follow = self._sql["follow"]
        self._into = self._sql["into_responses"]
        self._replace = self._sql["replace_response"]

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        sql = self._follow if follow else self._point
        rows: list[Row] = yield Point(sql, key, self._bodies, 1 + follow)
        if self._limited and rows and self._note_read(rows[0][0]):
            yield Write((), upkeep=self._upkeep, used=self._upkeep.take())
        if len(rows) == 1 and type(rows[0][3]) is bytes:
            one = self._stored(key, rows[0])
            if one is not None and one.entry.packed is not None:
                one = yield from shown(one)
            return () if one is None else (one,)
        for _ in range(_LOOKS):
            if all(row[3] is not None or row[4] is None for row in rows):
                break
            # Its file has gone: another response has taken its place meanwhile.
            rows = yield Point(sql, key, self._bodies, 1 + follow)
        found: list[Stored] = []
        for row in rows:
            stored = self._stored(key, row)
            if stored is not None and (yield from self._is_signed(stored.body, row[2] or b"")):
                stored = yield from shown(stored)
                if stored is not None:
                    found.append(stored)
        found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        return tuple(found)

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`.

        What alone is larger than ``max_bytes`` is not kept.
        """
        if isinstance(body, bytes):
            body = yield from self._in_file(key, entry, body, variant)
        laid: Laid = yield from lay(key, variant, entry, body, compress=self._packs)
        entry, kept, draft = laid.entry, laid.body, laid.draft
        content = kept if isinstance(kept, bytes) else b""
        record = self._codec.encode(key, variant, entry, content, laid.digest)
        size = len(kept)
        most = self.limits.max_bytes
        if most is not None and texts.OVERHEAD + size + len(record) + len(key) > most:
            if draft is not None:
                yield Forget(draft)
            # The one it replaces must not answer in its stead.
            if (yield from self._record(key, variant)) is not None:
                yield from self.drop([(key, variant)])
            return laid.shown
        leaves = self._retention.leaves(entry)
        values: tuple[Any, ...] = (key, variant, entry.created, entry.expires, leaves, size)
        blocks: Iterable[Insert] = ()
        if isinstance(kept, bytes) and size <= INLINE_BYTES:
            place: tuple[Any, ...] = (None, record, kept)
        else:
            chain = secrets.randbits(62) if draft is None else -_number_of(draft)
            place = (chain, record, None)
            if isinstance(kept, bytes):
                blocks = self._block_steps(chain, kept)
        row = Insert(self._into, (*values, *place), self._replace)
        used = self._upkeep.take() if self._upkeep.used else ()
        row_shown = (key, variant, record, kept, None, None)
        # The blocks come first: an entry is published by its row.
        yield Write((*blocks, row), row=row_shown, upkeep=self._upkeep, used=used, draft=draft)
        return laid.shown

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """See :class:`~http_client_cache.store.Store`."""
        del key, entry, variant
        name = self._bodies.file_of(-secrets.randbits(62))
        digest = self._codec.binds_body
        draft: Draft | None = yield Begin(name, digest=digest, packs=self._packs)
        return draft

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody has replaced meanwhile is left alone.
        """
        steps: list[Change] = []
        for key, variant, entry in changes:
            known = yield from self._record(key, variant)
            if known is None:
                continue
            try:
                if not entry.has_body_of(self._codec.decode(key, variant, known, None)):
                    continue
                record = self._codec.renew(key, variant, entry, known)
            except RecordError:
                continue
            times = (entry.created, entry.expires, self._retention.leaves(entry))
            values = (record, *times, key, variant, entry.stored_size, known)
            steps.append(Change(self._sql["freshen"], values))
        if not steps:
            return 0
        counts: list[int] = yield Write(tuple(steps), upkeep=self._upkeep)
        return sum(counts)

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        record = self._codec.encode_alias(key, alias)
        step = Insert(
            self._sql["into_aliases"], (key, alias.target, record), self._sql["replace_alias"]
        )
        yield Write((step,), alias=(key, alias.target, record), upkeep=self._upkeep)

    # What ends an entry.

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        count, rest = 0, iter(keys)
        while some := list(islice(rest, DELETE_KEYS[-1])):
            size = next(size for size in DELETE_KEYS if size >= len(some))
            # Few lengths keep the statements prepared; to name a key twice changes nothing.
            some += some[-1:] * (size - len(some))
            marks = ", ".join("?" * size)
            named = (self._sql[name].format(listed=marks) for name in texts.DELETE_STEPS)
            answers = yield Write(tuple(_change(sql, some) for sql in named), upkeep=self._upkeep)
            count += answers[0][0][0]
        return count

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = list(variants)
        if not wanted:
            return 0
        steps = tuple([Change(self._sql["drop"], one) for one in wanted])
        gone = tuple([_gone(key, variant) for key, variant in wanted])
        counts: list[int] = yield Write(steps, gone=gone, upkeep=self._upkeep)
        return sum(counts)

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        named = (self._sql[name] for name in texts.PURGE_STEPS)
        steps = tuple(_change(sql, _range(locator)) for sql in named)
        answers = yield Write(steps, upkeep=self._upkeep)
        count: int = answers[0][0][0]
        return count

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        steps = tuple(Change(self._sql[name]) for name in texts.CLEAR_STEPS)
        yield Write(steps, shrink=True, upkeep=self._upkeep)

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        Each call is one transaction; with a ``limit`` of 5,000 it takes about 50 ms.
        """
        step = Change(self._sql["sweep"], (before, limit))
        counts: list[int] = yield Write((step,), upkeep=self._upkeep)
        if counts[0] < limit:
            lost = Change(self._sql["delete_lost"])
            strays = Change(self._sql["sweep_leases"], (before,))
            yield Write((lost, strays), shrink=True, upkeep=self._upkeep)
        return counts[0]

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        sql = self._sql["follow_bare" if follow else "point_bare"]
        rows: list[Row] = yield Point(sql, key, self._bodies, 1 + follow)
        return any(row[2] is not None for row in rows)

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        rows = yield Query(*_change(self._sql["has_locator"], _range(locator)), quick=True)
        return bool(rows[0][0])

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`."""
        sql = self._sql["page" if bodies else "page_bare"]
        wanted_bodies = self._bodies if bodies else None
        page: list[tuple[str, Stored]] = []
        cursor = int(after or 0)
        while len(page) < limit:
            wanted = limit - len(page)
            rows = yield Query(sql, (cursor, wanted), wanted_bodies)
            for *row, number in rows:
                stored = self._stored(row[0], tuple(row), bodies=bodies)
                if stored is not None and (yield from self._is_signed(stored.body, row[2])):
                    stored = (yield from shown(stored)) if bodies else stored
                    if stored is not None:
                        page.append((str(number), stored))
                cursor = number
            if len(rows) < wanted:
                break
        return page

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Alias]] = []
        while len(page) < limit:
            wanted = limit - len(page)
            rows = yield Query(self._sql["links"], (after, wanted))
            for key, record in rows:
                after = key
                try:
                    page.append((key, self._codec.decode_alias(key, record)))
                except RecordError:
                    continue
            if len(rows) < wanted:
                break
        return page

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        rows: list[tuple[int]] = yield Query(self._sql["size"])
        return rows[0][0]

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        sql = self._sql["bytes_total" if self._limited else "bytes_size"]
        rows: list[tuple[int]] = yield Query(sql)
        return rows[0][0]

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        rows: list[tuple[int]] = yield Query(self._sql["links_size"])
        return rows[0][0]

    # How it is written and read.

    def _note_read(self, key: str) -> bool:
        """Note a use; answers whether it is time to write the uses down."""
        upkeep, now = self._upkeep, self._retention.now()
        used = upkeep.used
        # To the end, if it is there.
        used.pop(key, None)
        used[key] = None
        # A clock that went back must not put it off.
        soon = upkeep.flush_at - FLUSH_SECONDS[-1] <= now < upkeep.flush_at
        if soon and len(used) < MOST_USES:
            return False
        upkeep.flush_at = now + upkeep.flush_after
        return True

    def _block_steps(self, chain: int, body: bytes) -> Iterator[Insert]:
        view = memoryview(body)
        for number, start in enumerate(range(0, len(body), BLOCK_BYTES)):
            block = view[start : start + BLOCK_BYTES]
            yield Insert(self._sql["into_blocks"], (chain, number, block))

    def _record(self, key: str, variant: str) -> Plan[bytes | None]:
        rows: list[Row] = yield Point(self._sql["point_bare"], key, self._bodies)
        for row in rows:
            if row[1] == variant and type(row[2]) is bytes:
                return row[2]
        return None

    def _stored(self, asked: str, row: Any, *, bodies: bool = True) -> Stored | None:
        """A row as it is told to the engine; ``None`` if it cannot be read."""
        key, variant, record, body, _, alias = row
        # Whoever else writes to this file may have put anything into a column.
        if type(record) is not bytes or type(body) not in _BODIES:
            return None
        if type(key) is not str or type(variant) is not str:
            return None
        try:
            known = body if bodies and type(body) is bytes else None
            entry = self._codec.decode(key, variant, record, known)
            if bodies and len(body) != entry.stored_size:
                return None
            if isinstance(body, KeptBody):
                body = body.of(key, variant)
            if alias is None:
                return Stored(key, entry, body, (), variant)
            chain = self._codec.decode_alias(asked, alias)
        except RecordError:
            return None
        return Stored(key, entry, body, chain.hops, variant) if chain.target == key else None


def _number_of(draft: Draft) -> int:
    return int(draft.name.rpartition("-")[2], 16)


def _gone(key: str, variant: str) -> Row:
    return (key, variant, None, None, None, None)


def _range(locator: str) -> list[str]:
    # "/" is the character after "."
    return [locator, f"{locator}.", f"{locator}/"]


def _change(sql: str, arguments: list[str]) -> Change:
    """A statement that names its arguments one or more times over."""
    return Change(sql, arguments * (sql.count("?") // len(arguments)))
