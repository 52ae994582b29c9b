"""The store in Redis, and in what speaks its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from http_client_cache.body import AnyBody, Draft
from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.limits import Limits, Retention
from http_client_cache.plan import Plan
from http_client_cache.redis_statements import LOOKS_THROUGH, Run, Scan, Script
from http_client_cache.store import _redis_looks as looks
from http_client_cache.store import _redis_scripts as scripts
from http_client_cache.store._redis_leases import RedisLeases
from http_client_cache.store._redis_listing import LOOK, RedisListing
from http_client_cache.store._redis_names import Names, escape, to_bytes, to_text
from http_client_cache.store._redis_records import groups

CLUSTER_SHARDS: Final = 16
"""Into so many a cache falls where the server is a cluster: all keys of one lie in one slot.

What looks through the cache takes so many trips; more masters than that are not used by one cache.
"""

AT_ONCE: Final = 200
"""Keys that one script changes at most: a server does one at a time."""


class RedisStore(RedisListing, RedisLeases):
    """Entries as hashes, with indexes; see ``_redis_scripts.py``.

    Args:
        codec: turns metadata into records.
        cache_name: tells the cache from others on the server.
        shards: 1; for a cluster :data:`CLUSTER_SHARDS`.
        retention: until when what has expired is kept; an hour if left out.
        ttl: let entries leave the server by themselves.
        compression: ``"zstd"`` compresses the bodies that are saved, where that saves.

    Raises:
        ConfigurationError: ``compression`` is not known.
        MissingDependency: what compresses is not installed.
    """

    limits = Limits()

    def __init__(
        self,
        codec: Codec,
        *,
        cache_name: str = "aiohttp-cache",
        shards: int = 1,
        retention: Retention | None = None,
        ttl: bool = True,
        compression: str | None = None,
    ) -> None:
        names = Names(cache_name, shards)
        super().__init__(codec, names, retention or Retention(), ttl=ttl, compression=compression)

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        reply = yield self._loading(key, follow=follow)
        alias = None
        if len(reply) == 1:
            try:
                alias = self._codec.decode_alias(key, reply[0])
            except RecordError:
                return ()
            key = alias.target
            reply = yield self._loading(key, follow=False)
        found: list[Stored] = []
        for variant, meta, record, body in groups(reply, 4):
            stored = yield from self._stored(key, to_text(variant), meta, record, body)
            if stored is not None:
                found.append(stored if alias is None else stored._replace(hops=alias.hops))
        if len(found) > 1:
            found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        return tuple(found)

    def _loading(self, key: str, *, follow: bool) -> Run:
        named, prefix = to_bytes(key), self._names.prefix_of(key)
        place = escape(named) + b"\0"
        keys = (b"%be:%b" % (prefix, named), prefix + b"i", prefix + b"a")
        return Run(looks.LOAD, keys, (place, named) if follow else (place,))

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`."""
        laid = yield from self._lay(key, variant, entry, body)
        entry, inline, chain = laid.entry, laid.inline, laid.chain
        record = self._codec.encode(key, variant, entry, inline or b"", laid.digest)
        name, blocks = b"-", 0
        if chain is not None:
            # The digests of signed bodies lie in a block of their own.
            name, blocks = chain.name.encode(), chain.count + (laid.digest is not None)
        meta = b"%b %b %b" % (self._deadline(entry), name, _body_of(entry))
        arguments = (meta, record, inline or b"", _expires(entry), blocks)
        led = yield self._change(scripts.SAVE, key, to_bytes(key), to_bytes(variant), *arguments)
        if led == 0:
            raise StoreError("a part of the body has left the server before it was published")
        yield from self._tell(led)
        return laid.shown

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`.

        An entry that somebody replaced by one with another body is left alone.
        """
        wanted: list[tuple[str, tuple[bytes, ...]]] = []
        for key, variant, entry in changes:
            known = b""
            if self._codec.binds_body:
                known = yield from self._record(key, variant)
                if not known:
                    continue
            try:
                record = self._codec.renew(key, variant, entry, known)
            except RecordError:
                continue
            names = (to_bytes(key), to_bytes(variant), _body_of(entry))
            times = (self._deadline(entry), _expires(entry))
            wanted.append((key, (*names, known, record, *times)))
        return (yield from self._count(scripts.FRESHEN, wanted))

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        named, target = to_bytes(key), to_bytes(alias.target)
        record = self._codec.encode_alias(key, alias)
        if self._names.shard_of(key) == self._names.shard_of(alias.target):
            led = yield self._change(scripts.LINK, key, named, target, record, b"")
            yield from self._tell(led)
            return
        # First its target knows of it: who deletes that is told of all that lead there.
        until = yield self._change(scripts.NOTE, alias.target, target, named)
        led = yield self._change(scripts.LINK, key, named, target, record, until)
        yield from self._tell(led)
        again = yield self._change(scripts.NOTE, alias.target, target, named)
        if again != until:
            # Its target went, or came, before there was anything to tell.
            yield from self._tell((named, target, again))

    # What ends an entry.

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = ((key, (to_bytes(key),)) for key in keys)
        return (yield from self._count(scripts.DELETE, wanted))

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted = ((key, (to_bytes(key), to_bytes(variant))) for key, variant in variants)
        return (yield from self._count(scripts.DROP, wanted))

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        deleted, looked = 0, 1
        while looked:
            answer = yield self._change(scripts.PURGE, locator, to_bytes(locator), LOOK)
            count, led, looked = answer
            yield from self._tell(led)
            deleted += count
            if looked < LOOK:
                break
        return deleted

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`.

        From the beginning it is as if all had gone; then it goes.
        """
        for shard in range(len(self._names.prefixes)):
            yield self._look(scripts.BLANK, shard)
        cursor = None
        while True:
            cursor, names = yield Scan(self._names.pattern, cursor)
            ours: dict[bytes, list[bytes]] = {}
            for name in names:
                prefix, _, rest = name.partition(b"}:")
                ours.setdefault(prefix + b"}:", []).append(rest)
            for prefix, rest in ours.items():
                keys = self._names.keys_of(self._names.prefixes.index(prefix))
                yield Run(scripts.REMOVE, keys, (self._now(), *rest), LOOKS_THROUGH)
            if cursor is None:
                return

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        deleted, latest = 0, repr(before).encode()
        for shard in range(len(self._names.prefixes)):
            while True:
                most = min(limit - deleted, LOOK)
                if most <= 0:
                    return deleted
                count, led, looked = yield self._look(scripts.SWEEP, shard, latest, most)
                yield from self._tell(led)
                deleted += count
                if looked < most:
                    break
        yield from self._sweep_aliases()
        return deleted

    def _sweep_aliases(self) -> Plan[None]:
        """Remove aliases that lead nowhere."""
        after = ""
        while page := (yield from self.links(after, LOOK)):
            after = page[-1][0]
            leading: dict[str, list[str]] = {}
            for key, alias in page:
                leading.setdefault(alias.target, []).append(key)
            gone: list[bytes] = []
            for shard, targets in self._by_shard((to, (to_bytes(to),)) for to in leading):
                for target in (yield self._look(looks.MISSING, shard, *targets)):
                    for key in leading[to_text(target)]:
                        gone += (to_bytes(key), target, b"")
            yield from self._tell(gone)

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        answer = yield self._change(looks.CONTAINS, key, to_bytes(key))
        if follow and isinstance(answer, bytes):
            return (yield from self.contains(to_text(answer)))
        return bool(answer == 1)

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        answer = yield self._change(looks.HAS_LOCATOR, locator, to_bytes(locator), LOOK)
        if isinstance(answer, int):
            return True
        for target in answer:
            if (yield from self.contains(to_text(target))):
                return True
        return False

    # How it is asked.

    def _record(self, key: str, variant: str) -> Plan[bytes]:
        named = to_bytes(variant)
        lies: list[bytes] = yield self._loading(key, follow=False)
        for name, _, record, _ in groups(lies, 4):
            if name == named:
                return record
        return b""

    def _change(self, script: Script, key: str, *arguments: bytes | int) -> Run:
        """A script for the shard of a key."""
        keys = self._names.keys_of(self._names.shard_of(key))
        return Run(script, keys, (self._now(), *arguments))

    def _count(self, script: Script, changes: Iterable[tuple[str, tuple[bytes, ...]]]) -> Plan[int]:
        """Run a script for some keys, a few at a time; answers the sum of its answers."""
        total = 0
        rest = iter(changes)
        while some := list(islice(rest, AT_ONCE)):
            for shard, arguments in self._by_shard(some):
                run = Run(script, self._names.keys_of(shard), (self._now(), *arguments))
                count, led = yield run
                yield from self._tell(led)
                total += count
        return total

    def _tell(self, led: Sequence[bytes]) -> Plan[None]:
        """Let aliases know what has become of the keys that they lead to."""
        aliases = ((to_text(alias), (alias, *rest)) for alias, *rest in groups(led, 3))
        while some := list(islice(aliases, AT_ONCE)):
            for shard, arguments in self._by_shard(some):
                keys = self._names.keys_of(shard)
                yield from self._tell((yield Run(scripts.ALIASES, keys, (self._now(), *arguments))))

    def _by_shard(
        self, changes: Iterable[tuple[str, tuple[bytes, ...]]]
    ) -> Iterator[tuple[int, list[bytes]]]:
        found: dict[int, list[bytes]] = {}
        for key, arguments in changes:
            found.setdefault(self._names.shard_of(key), []).extend(arguments)
        yield from found.items()


def _body_of(entry: Entry) -> bytes:
    """What tells a stored body from others of the same place."""
    return f"{entry.stored_size}.{float(entry.arrived)!r}".encode()


def _expires(entry: Entry) -> bytes:
    return b"" if entry.expires is None else repr(entry.expires).encode()
