"""How the Redis store writes and reads one entry, and the blocks of its body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Entry, Stored
from http_client_cache.errors import RecordError
from http_client_cache.limits import Retention, server_time
from http_client_cache.plan import Plan
from http_client_cache.redis_statements import Run
from http_client_cache.store import _redis_scripts as scripts
from http_client_cache.store._blocks import BlockDraft, BodiesInBlocks, Chain
from http_client_cache.store._packing import packs
from http_client_cache.store._redis_names import Names

MOST_SECONDS: Final = 3e9
"""For so long, at most, the server is told to keep something."""

T = TypeVar("T")


class RedisRecords(BodiesInBlocks):
    """The part of the store that knows what an entry looks like.

    Args:
        codec: turns metadata into records.
        names: of the cache.
        retention: says when entries leave.
        ttl: whether entries leave by themselves.
        compression: as for the store.
    """

    def __init__(
        self,
        codec: Codec,
        names: Names,
        retention: Retention,
        *,
        ttl: bool,
        compression: str | None,
    ) -> None:
        self._codec = codec
        self._names = names
        self._retention = retention
        self._ttl = ttl
        self._packs = packs(compression)

    # Large bodies.

    def _write_blocks(self, draft: BlockDraft, first: int, blocks: Sequence[bytes]) -> Plan[None]:
        name = self._chain(draft.key, draft.name)
        yield Run(scripts.WRITE_BLOCKS, (name,), (first, *blocks))

    def _read_block(self, chain: Chain, number: int) -> Plan[bytes | None]:
        name = self._chain(chain.key, chain.name)
        block: bytes | None = yield Run(scripts.READ_BLOCK, (name,), (number,))
        return block

    def _remove_blocks(self, draft: BlockDraft) -> Plan[None]:
        yield Run(scripts.REMOVE_BLOCKS, (self._chain(draft.key, draft.name),))

    def _chain(self, key: str, name: str) -> bytes:
        return b"%bc:%b" % (self._names.prefix_of(key), name.encode())

    # Entries.

    def _stored(
        self,
        key: str,
        variant: str,
        meta: bytes,
        record: bytes,
        body: bytes,
        *,
        bodies: bool = True,
    ) -> Plan[Stored | None]:
        """What lies there, as it is told to the engine; ``None`` if it cannot be read."""
        try:
            deadline, named, told = meta.split(b" ")
            if deadline != b"-" and int(deadline) <= server_time() * 1000:
                return None
            # What the scripts cannot read is not to be served either.
            int(told[: told.index(b".")])
            name = named.decode()
        except ValueError:
            return None
        inline = name == "-"
        try:
            entry = self._codec.decode(key, variant, record, body if bodies and inline else None)
        except RecordError:
            return None
        if not bodies:
            return Stored(key, entry, b"", (), variant)
        lies = body if inline else name
        return (yield from self._shown(key, variant, record, entry, lies))

    def _deadline(self, entry: Entry) -> bytes:
        """When it leaves the server, in milliseconds; ``-`` for never."""
        deadline = self._retention.deadline(entry) if self._ttl else None
        if deadline is None:
            return b"-"
        return b"%d" % (1000 * min(deadline, server_time() + MOST_SECONDS))

    def _now(self) -> bytes:
        return b"%d" % (1000 * server_time())


def groups(values: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """What came one behind the other, so many at a time."""
    return zip(*[iter(values)] * size, strict=True)
