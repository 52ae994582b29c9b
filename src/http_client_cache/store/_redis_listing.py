"""What the Redis store lists and counts, through all of its shards."""

from __future__ import annotations

from typing import Final

from http_client_cache.entry import Alias, Stored
from http_client_cache.errors import RecordError
from http_client_cache.plan import Plan
from http_client_cache.redis_statements import LOOKS_THROUGH, Run, Script
from http_client_cache.store import _redis_looks as looks
from http_client_cache.store._redis_names import place_of, to_bytes, to_text
from http_client_cache.store._redis_records import RedisRecords, groups

LOOK: Final = 500
"""Entries that one script looks at, at most."""


class RedisListing(RedisRecords):
    """The part of the store that looks through a cache."""

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Stored]] = []
        number, _, place = after.partition(":")
        last = to_bytes(place)
        for shard in range(int(number or 0), len(self._names.prefixes)):
            over = 0
            while not over:
                most = min(limit - len(page), LOOK)
                if most <= 0:
                    return page
                over, last, found = yield self._look(looks.PAGE, shard, last, most, int(bodies))
                for named, variant, *lies in groups(found, 5):
                    key = to_text(named)
                    told = to_text(variant)
                    stored = yield from self._stored(key, told, *lies, bodies=bodies)
                    if stored is not None:
                        page.append((f"{shard}:{to_text(place_of(named, variant))}", stored))
            last = b""
        return page

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        page: list[tuple[str, Alias]] = []
        for shard in range(len(self._names.prefixes)):
            last, over, found = to_bytes(after), 0, 0
            while not over and found < limit:
                over, last, lies = yield self._look(looks.LINKS, shard, last, min(limit, LOOK))
                for named, record in groups(lies, 2):
                    key = to_text(named)
                    try:
                        page.append((key, self._codec.decode_alias(key, record)))
                    except RecordError:
                        continue
                    found += 1
        page.sort(key=lambda link: to_bytes(link[0]))
        return page[:limit]

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        return (yield from self._measure(looks.MEASURE))[0]

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        _, entries = yield from self._measure(looks.MEASURE)
        _, aliases = yield from self._measure(looks.MEASURE_LINKS)
        return entries + aliases

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        return (yield from self._measure(looks.MEASURE_LINKS))[0]

    def _measure(self, script: Script) -> Plan[tuple[int, int]]:
        count, size = 0, 0
        for shard in range(len(self._names.prefixes)):
            last, over = b"", 0
            while not over:
                over, last, found = yield self._look(script, shard, last, LOOK)
                count += found[0]
                size += found[1]
        return count, size

    def _look(self, script: Script, shard: int, *arguments: bytes | int) -> Run:
        """A script of those that go through all shards."""
        keys = self._names.keys_of(shard)
        return Run(script, keys, (self._now(), *arguments), LOOKS_THROUGH)
