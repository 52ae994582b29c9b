"""For stores on a server: large bodies are chains of blocks, each an item of its own there.

A chain is written before the record that names it, and never changed. A writer that dies leaves
blocks that nobody names; the server removes them by itself after :data:`DRAFT_SECONDS`.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from http_client_cache.body import WHOLE_BYTES, AnyBody, Draft, KeptBody
from http_client_cache.body_statements import Pack, Unpack
from http_client_cache.codec.protocol import Codec
from http_client_cache.compression import MIN_BYTES
from http_client_cache.entry import Entry, Stored
from http_client_cache.errors import StoreError
from http_client_cache.plan import Plan

BLOCK_BYTES: Final = 256 * 1024
"""Of a body in one block; what is stored depends on it, so it stays as it is."""

AT_ONCE: Final = 4
"""Blocks that are written in one trip at most."""

DRAFT_SECONDS: Final = 3600.0
"""How long a body may take from its first block to its entry, at least."""

READER_SECONDS: Final = 120.0
"""How long the blocks of an entry that has gone can still be read, after they were last, at
least."""

_RAW, _PACKED = b"\x00", b"\x01"
_DIGEST_BYTES: Final = 32


class Chain:
    """A body in blocks, as it lies on the server.

    Attributes:
        key: of its entry.
        variant: of its entry.
        name: tells it from all others.
        size: of the body in bytes.
        packed: whether its blocks may be compressed, and say so.
        digests: the SHA-256 of every block, one behind the other, if its record is signed.
        note: what its store remembers of it.
    """

    __slots__ = ("_latest", "digests", "key", "name", "note", "packed", "size", "variant")

    def __init__(self, key: str, variant: str, name: str, size: int, *, packed: bool) -> None:
        self.key = key
        self.variant = variant
        self.name = name
        self.size = size
        self.packed = packed
        self.digests = b""
        self.note: Any = None
        # Readers ask for less than a block at a time. One value, as two threads may read the same.
        self._latest = -1, b""

    @property
    def count(self) -> int:
        """How many blocks it has."""
        return -(-self.size // BLOCK_BYTES)

    def known(self, number: int) -> bytes | None:
        """A block, if it is the one that was remembered last."""
        latest, block = self._latest
        return block if latest == number else None

    def remember(self, number: int, block: bytes) -> None:
        """Hold a block, instead of the last one."""
        self._latest = number, block

    def length_of(self, number: int) -> int:
        """How many bytes of the body a block stands for."""
        return min(BLOCK_BYTES, self.size - number * BLOCK_BYTES)


class BlockDraft:
    """A body that comes in pieces, on its way into blocks.

    Attributes:
        key: of its entry to be.
        variant: of its entry to be.
        entry: as it was when the body began.
        name: of its chain.
        size: bytes that were added so far.
        count: blocks that were written so far.
        stored: bytes of those.
        digests: their SHA-256s.
        note: what its store remembers of it.
    """

    __slots__ = (
        *("_held", "_held_size", "count", "digests", "entry", "key"),
        *("name", "note", "size", "stored", "variant"),
    )

    def __init__(self, key: str, variant: str, entry: Entry) -> None:
        self.key = key
        self.variant = variant
        self.entry = entry
        self.name = secrets.token_hex(12)
        self.size = self.stored = self.count = 0
        self.digests: list[bytes] = []
        self.note: Any = None
        self._held: list[bytes] = []
        self._held_size = 0

    def add(self, pieces: Sequence[bytes]) -> None:
        """Hold what came."""
        self._held += pieces
        size = sum(map(len, pieces))
        self._held_size += size
        self.size += size

    def take(self, *, last: bool = False) -> list[bytes]:
        """The blocks that are full; with ``last``, also what is left."""
        if self._held_size < BLOCK_BYTES and not (last and self._held_size):
            return []
        held = b"".join(self._held)
        end = len(held) if last else len(held) - len(held) % BLOCK_BYTES
        rest = held[end:]
        self._held, self._held_size = [rest] if rest else [], len(rest)
        return [held[start : start + BLOCK_BYTES] for start in range(0, end, BLOCK_BYTES)]


class Laid(NamedTuple):
    """A body that is about to be published.

    Attributes:
        entry: says how it lies there.
        inline: the body as it lies in its record's item, or ``None``.
        chain: else the blocks that it lies in.
        shown: as it can be read from now on.
        digest: what the record is to be bound to, where the body is not at hand.
    """

    entry: Entry
    inline: bytes | None
    chain: Chain | None
    shown: AnyBody
    digest: bytes | None = None


class BodiesInBlocks(ABC):
    """What a draft and a :class:`KeptBody` of such a store can do.

    A store brings the three operations on blocks, and ``_inline_bytes``: up to which size bodies
    lie in the item of their record.
    """

    _codec: Codec
    _packs = False
    _inline_bytes: int = WHOLE_BYTES

    @abstractmethod
    def _write_blocks(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        """Write some blocks, the first of which has the number ``first``.

        They leave by themselves after :data:`DRAFT_SECONDS`, unless they are published.
        """

    @abstractmethod
    def _read_block(self, chain: Chain, number: int) -> Plan[bytes | None]:
        """Read a block as it was written; ``None`` if it is not there."""

    @abstractmethod
    def _remove_blocks(self, draft: BlockDraft) -> Plan[None]:
        """Remove the blocks of a draft that nobody has seen."""

    # Bodies that come in pieces.

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        return BlockDraft(key, variant, entry)

    def append(self, draft: Draft, pieces: Sequence[bytes]) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        known = _known(draft)
        known.add(pieces)
        yield from self._write(known, known.take())
        return True

    def forget(self, draft: Draft) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        known = _known(draft)
        if known.count:
            yield from self._remove_blocks(known)

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """See :class:`~http_client_cache.store.Store`."""
        chain: Chain = body.source
        number, offset = divmod(body.start + start, BLOCK_BYTES)
        block = yield from self._block(chain, number)
        return block[offset : offset + min(size, len(body) - start)]

    def _write(self, draft: BlockDraft, blocks: Sequence[bytes]) -> Plan[None]:
        for start in range(0, len(blocks), AT_ONCE):
            lie: list[bytes] = []
            for block in blocks[start : start + AT_ONCE]:
                laid = block
                if self._packs:
                    packed: bytes | None = yield Pack(block)
                    laid = _RAW + block if packed is None else _PACKED + packed
                lie.append(laid)
                draft.stored += len(laid)
                if self._codec.binds_body:
                    draft.digests.append(sha256(laid).digest())
            yield from self._write_blocks(draft, draft.count, lie)
            draft.count += len(lie)

    # From a body to what lies on the server, and back.

    def _lay(self, key: str, variant: str, entry: Entry, body: bytes | Draft) -> Plan[Laid]:
        """Write a body into blocks, as far as it is not there yet, unless it is small."""
        if isinstance(body, bytes):
            laid = yield from self._laid_inline(entry, body)
            if laid is not None:
                return laid
            draft = BlockDraft(key, variant, entry)
            for start in range(0, len(body), AT_ONCE * BLOCK_BYTES):
                yield from self.append(draft, [body[start : start + AT_ONCE * BLOCK_BYTES]])
        else:
            draft = _known(body)
        yield from self._write(draft, draft.take(last=True))
        packed = draft.stored if self._packs else None
        chain = Chain(key, variant, draft.name, draft.size, packed=self._packs)
        chain.note = draft.note
        digest = None
        if self._codec.binds_body:
            chain.digests = b"".join(draft.digests)
            digest = _digest_of_chain(chain.digests)
            yield from self._write_blocks(draft, draft.count, [chain.digests])
            draft.count += 1
        kept = KeptBody(chain, 0, chain.size, (key, variant))
        shown = body if isinstance(body, bytes) else kept
        return Laid(_told(entry, packed), None, chain, shown, digest)

    def _laid_inline(self, entry: Entry, body: bytes) -> Plan[Laid | None]:
        if len(body) > max(WHOLE_BYTES, self._inline_bytes):
            return None
        packed: bytes | None = None
        if self._packs and MIN_BYTES <= len(body) <= WHOLE_BYTES:
            packed = yield Pack(body)
        lies = body if packed is None else packed
        if len(lies) > self._inline_bytes:
            return None
        entry = _told(entry, None if packed is None else len(packed))
        return Laid(entry, lies, None, body)

    def _shown(
        self,
        key: str,
        variant: str,
        record: bytes,
        entry: Entry,
        lies: bytes | str,
        note: Any = None,
    ) -> Plan[Stored | None]:
        """An entry with its body; ``None`` if that has gone or is damaged.

        Args:
            key: of the entry.
            variant: of the entry.
            record: of the entry, which is ``entry``.
            entry: has been decoded from it.
            lies: the body as it lies in the item of the record, or the name of its chain.
            note: what the store remembers of that chain.
        """
        body: AnyBody | None
        if isinstance(lies, bytes):
            body = lies
            if len(lies) != entry.stored_size:
                return None
            if entry.packed is not None:
                body = yield Unpack(lies, entry.body_size)
        else:
            packed = entry.packed is not None
            chain = Chain(key, variant, lies, entry.body_size, packed=packed)
            chain.note = note
            body = yield from self._opened(chain, record)
        return None if body is None else Stored(key, entry, body, (), variant)

    def _opened(self, chain: Chain, record: bytes) -> Plan[AnyBody | None]:
        try:
            if self._codec.binds_body:
                digests = yield from self._read_block(chain, chain.count)
                if digests is None or _digest_of_chain(digests) != self._codec.digest_of(record):
                    return None
                chain.digests = digests
            if chain.size > WHOLE_BYTES:
                # Who has its first block is shown to be there in time.
                yield from self._block(chain, 0)
                return KeptBody(chain, 0, chain.size, (chain.key, chain.variant))
            blocks: list[bytes] = []
            for number in range(chain.count):
                block = yield from self._block(chain, number)
                blocks.append(block)
        except _BlockError:
            return None
        return b"".join(blocks)

    def _block(self, chain: Chain, number: int) -> Plan[bytes]:
        block = chain.known(number)
        if block is not None:
            return block
        lies = yield from self._read_block(chain, number)
        if lies is None:
            raise _BlockError("a stored body has gone while it was read")
        if self._codec.binds_body:
            start = number * _DIGEST_BYTES
            if sha256(lies).digest() != chain.digests[start : start + _DIGEST_BYTES]:
                raise _BlockError(
                    "a stored body is damaged: a block is not the one that was signed"
                )
        if not chain.packed:
            block = lies
        elif lies[:1] == _PACKED:
            block = yield Unpack(lies[1:], chain.length_of(number))
        elif lies[:1] == _RAW:
            block = lies[1:]
        if block is None or len(block) != chain.length_of(number):
            raise _BlockError("a stored body is damaged: a block is not of its size")
        chain.remember(number, block)
        return block


class _BlockError(StoreError):
    """A block is not there, or not what was written."""


def _digest_of_chain(digests: bytes) -> bytes:
    # Not that of a body which consists of those digests.
    return sha256(b"a chain of blocks" + digests).digest()


def _told(entry: Entry, packed: int | None) -> Entry:
    # It may have been loaded, and be saved with another body.
    return entry if entry.packed == packed else msgspec.structs.replace(entry, packed=packed)


def _known(draft: object) -> BlockDraft:
    if not isinstance(draft, BlockDraft):
        raise TypeError(f"a draft of this store is no {type(draft).__name__}")
    return draft
