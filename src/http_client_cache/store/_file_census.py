"""What the filesystem store knows by listing its files, and what clears them away."""

from __future__ import annotations

from typing import Final

from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias
from http_client_cache.errors import RecordError
from http_client_cache.file_format import Head, read_head
from http_client_cache.file_statements import (
    LINK,
    SHARDS,
    List,
    Raw,
    ReadMany,
    Remove,
    SweepLeases,
    Tidy,
)
from http_client_cache.plan import Plan
from http_client_cache.store._file_names import is_response, prefix_of

MANY: Final = 1000
"""Files that are listed, read or removed in one trip, about."""


class FileCensus:
    """Counts and lists."""

    _codec: Codec

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        shard = 0
        while shard < SHARDS:
            found, shard = yield List(shard, enough=MANY)
            yield Remove(list(dict.fromkeys(one.name for one in found)))
        yield SweepLeases(None)
        yield Tidy()

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`.

        Names are digests, so the order of keys takes a look at all of them.
        """
        known: dict[str, Alias] = {}
        shard = 0
        while shard < SHARDS:
            found, shard = yield List(shard, enough=MANY)
            files = [(one.name, one.file) for one in found if one.file == LINK]
            raws: list[Raw | None] = (yield ReadMany(files)) if files else []
            for raw in raws:
                head = head_of(raw)
                alias = self._alias_of(head) if head is not None else None
                if head is not None and alias is not None and head.told.key > after:
                    known[head.told.key] = alias
            # No more than are wanted stay in memory.
            known = dict(sorted(known.items())[:limit])
        return list(known.items())

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        return (yield from self._count(responses=True))

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        The lengths of all files; what a file system adds is not known.
        """
        count, shard = 0, 0
        while shard < SHARDS:
            found, shard = yield List(shard, enough=MANY, measures=True)
            count += sum([one.size for one in found])
        return count

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        return (yield from self._count(responses=False))

    def _count(self, *, responses: bool) -> Plan[int]:
        count, shard = 0, 0
        while shard < SHARDS:
            found, shard = yield List(shard, enough=10 * MANY)
            for one in found:
                count += is_response(one) if responses else one.file == LINK
        return count

    def _names(self, locator: str) -> Plan[list[str]]:
        prefix = prefix_of(locator)
        shard = int(prefix[:2], 16)
        found, _ = yield List(shard, shard + 1, prefix=prefix)
        return list(dict.fromkeys(one.name for one in found))

    def _alias_of(self, head: Head) -> Alias | None:
        try:
            return self._codec.decode_alias(head.told.key, head.record)
        except RecordError:
            return None


def head_of(raw: Raw | None) -> Head | None:
    """The head of a file that was read; ``None`` if there is none, or it is damaged."""
    return read_head(raw.frame, raw.head) if raw is not None else None
