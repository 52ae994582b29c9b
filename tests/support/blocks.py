"""The smallest store that keeps bodies in blocks: what it is made of is in two dicts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from http_client_cache.body import AnyBody, Draft
from http_client_cache.body_statements import Pack, Unpack
from http_client_cache.codec import codec_for
from http_client_cache.codec.protocol import Codec
from http_client_cache.compression import pack, unpack
from http_client_cache.entry import Entry, Stored
from http_client_cache.errors import StoreError
from http_client_cache.plan import Plan
from http_client_cache.shell.store_driver import run_async, run_sync
from http_client_cache.statements import NOT_NOW
from http_client_cache.store._blocks import AT_ONCE, BLOCK_BYTES, BlockDraft, BodiesInBlocks, Chain
from http_client_cache.testing.subject import entry


class Write(NamedTuple):
    """Write blocks by their numbers."""

    name: str
    blocks: dict[int, bytes]


class Read(NamedTuple):
    """Read one."""

    name: str
    number: int


class Remove(NamedTuple):
    """Remove so many."""

    name: str
    count: int


class Item(NamedTuple):
    """A record with its body, or the name of its chain."""

    record: bytes
    lies: bytes | str


class BlockStore(BodiesInBlocks):
    """Saves, loads and reads; nothing else of a store.

    Args:
        codec: of records.
        packs: whether it compresses.
        inline: up to how many bytes bodies lie with their records.
    """

    def __init__(self, codec: Codec, *, packs: bool = False, inline: int = 2**20) -> None:
        self._codec = codec
        self._packs = packs
        self._inline_bytes = inline
        self.items: dict[tuple[str, str], Item] = {}

    def _write_blocks(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        yield Write(draft.name, dict(enumerate(blocks, first)))

    def _read_block(self, chain: Chain, number: int) -> Plan[bytes | None]:
        return (yield Read(chain.name, number))

    def _remove_blocks(self, draft: BlockDraft) -> Plan[None]:
        yield Remove(draft.name, draft.count)

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        laid = yield from self._lay(key, variant, entry, body)
        inline = laid.inline or b""
        record = self._codec.encode(key, variant, laid.entry, inline, laid.digest)
        lies = laid.inline if laid.chain is None else laid.chain.name
        assert lies is not None
        self.items[key, variant] = Item(record, lies)
        return laid.shown

    def load(self, key: str, variant: str = "") -> Plan[Stored | None]:
        record, lies = self.items[key, variant]
        inline = lies if isinstance(lies, bytes) else None
        entry = self._codec.decode(key, variant, record, inline)
        return (yield from self._shown(key, variant, record, entry, lies))


class Shelf:
    """Carries out its statements, in either colour, and remembers them.

    Attributes:
        blocks: by name of the chain and number.
        told: the statements that it was asked.
        fails: raised in the place of an answer.
    """

    def __init__(self) -> None:
        self.blocks: dict[tuple[str, int], bytes] = {}
        self.told: list[Any] = []
        self.fails: Exception | None = None

    def carry_out(self, statement: Any) -> Any:
        if isinstance(statement, Pack):
            return pack(statement.body)
        if isinstance(statement, Unpack):
            assert isinstance(statement.body, bytes)
            try:
                return unpack(statement.body, statement.size)
            except StoreError:
                return None
        self.told.append(statement)
        if self.fails is not None:
            raise self.fails
        if isinstance(statement, Write):
            for number, block in statement.blocks.items():
                self.blocks[statement.name, number] = block
        elif isinstance(statement, Remove):
            for number in range(statement.count):
                del self.blocks[statement.name, number]
        else:
            assert isinstance(statement, Read)
            return self.blocks.get(tuple(statement))
        return None

    def of(self, kind: type) -> list[Any]:
        return [statement for statement in self.told if isinstance(statement, kind)]


class SyncShelf(Shelf):
    def run(self, statement: Any) -> Any:
        return self.carry_out(statement)

    def close(self) -> None:
        """Nothing to let go of."""


class AsyncShelf(Shelf):
    def run_now(self, statement: Any) -> Any:
        return NOT_NOW

    async def run(self, statement: Any) -> Any:
        # Others have their turn.
        await asyncio.sleep(0)
        return self.carry_out(statement)

    async def close(self) -> None:
        """Nothing to let go of."""


Do = Callable[[Plan[Any]], Awaitable[Any]]

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "packed": {"packs": True},
    "signed": {"secret_key": "secret"},
    "packed and signed": {"packs": True, "secret_key": "secret"},
}

BORDERS = [
    size
    for border in (0, BLOCK_BYTES, 2 * BLOCK_BYTES, AT_ONCE * BLOCK_BYTES, 5 * BLOCK_BYTES)
    for size in (border - 1, border, border + 1)
    if size >= 0
]
# Half of it can be compressed, so that a body has blocks of both kinds.
SAMPLE = random.Random(5).randbytes(3 * BLOCK_BYTES) + b"so much text " * (BLOCK_BYTES // 4)
LARGE = SAMPLE[: 5 * BLOCK_BYTES + 1000]


def made(*, secret_key: Any = None, **options: Any) -> BlockStore:
    return BlockStore(codec_for(None, secret_key), **options)


def doing(shelf: Any) -> Do:
    async def do(plan: Plan[Any]) -> Any:
        return (
            run_sync(plan, shelf) if isinstance(shelf, SyncShelf) else await run_async(plan, shelf)
        )

    return do


async def put(do: Do, store: BlockStore, pieces: list[bytes], key: str = "a.1") -> Any:
    draft = await do(store.begin(key, entry()))
    for piece in pieces:
        assert await do(store.append(draft, [piece])) is True
    return await do(store.save(key, entry(body=b"".join(pieces)), draft))


async def read(do: Do, store: BlockStore, body: Any, at_once: int = 100_000) -> bytes:
    if isinstance(body, bytes):
        return body
    found = b""
    while len(found) < len(body):
        piece = await do(store.read(body, len(found), at_once))
        assert 0 < len(piece) <= at_once
        found += piece
    return found


async def load(do: Do, store: BlockStore) -> Any:
    stored = await do(store.load("a.1"))
    if stored is not None:
        assert len(stored.body) == stored.entry.body_size
        assert stored.key == "a.1"
    return None if stored is None else stored.body


def name_of(store: BlockStore) -> str:
    lies = store.items["a.1", ""].lies
    assert isinstance(lies, str)
    return lies
