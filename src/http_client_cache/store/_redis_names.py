"""What the keys of the Redis store are called on the server, and how they are spread."""

from __future__ import annotations

from binascii import crc_hqx
from itertools import count
from typing import Final
from urllib.parse import quote
from zlib import crc32

VERSION: Final = 1
"""Of the schema; part of every name, so that versions never read each other's."""


SLOTS: Final = 16384
"""Of a cluster; which one a name lies in, its CRC-16 tells, or that of what is in braces."""


class Names:
    """The names of all that one cache has on a server.

    Args:
        cache_name: of the cache; any text.
        shards: 1, or more for a cluster.

    Attributes:
        pattern: that all of them fit, and no others.
    """

    def __init__(self, cache_name: str, shards: int) -> None:
        # Neither braces nor colons nor what patterns know are left in it.
        name = quote(to_bytes(cache_name), safe="")
        begin = f"http_cache:v{VERSION}:{{{name}"
        tags = [name] if shards == 1 else [_tag(name, shards, number) for number in range(shards)]
        first = begin.removesuffix(name)
        self.prefixes: Final = tuple([f"{first}{tag}}}:".encode() for tag in tags])
        self.pattern: Final = f"{begin}{'}:' if shards == 1 else f':{shards}.'}*".encode()
        self._count = shards

    def shard_of(self, key: str) -> int:
        """The number of the shard that a key of the cache lies in, with all of its locator."""
        if self._count == 1:
            return 0
        return crc32(to_bytes(key.partition(".")[0])) % self._count

    def keys_of(self, shard: int) -> tuple[bytes, bytes]:
        """What scripts for a shard declare as their keys.

        Two, one of which is never there: so a cluster has them tried again while it moves the slot
        of the shard, and does not run them where only a part of the keys is.
        """
        prefix = self.prefixes[shard]
        return prefix, prefix + b"i"

    def prefix_of(self, key: str) -> bytes:
        """What the names of the server's keys begin with in the shard of a key."""
        return self.prefixes[self.shard_of(key)]


def _tag(name: str, shards: int, number: int) -> str:
    """What tells a shard from others: such that they lie evenly over the slots of a cluster."""
    tags = (f"{name}:{shards}.{number}.{attempt}" for attempt in count())
    return next(tag for tag in tags if crc_hqx(tag.encode(), 0) % SLOTS * shards // SLOTS == number)


def to_bytes(text: str) -> bytes:
    """Text as it lies on the server; the order stays the same."""
    return text.encode("utf-8", "surrogateescape")


def to_text(lies: bytes) -> str:
    """The inverse of :func:`to_bytes`."""
    return lies.decode("utf-8", "surrogateescape")


def escape(lies: bytes) -> bytes:
    """A key or variant without NUL, so that it can be told where it ends."""
    if b"\0" in lies or b"\1" in lies:
        return lies.replace(b"\1", b"\1\2").replace(b"\0", b"\1\1")
    return lies


def place_of(key: bytes, variant: bytes) -> bytes:
    """What an entry is called in the indexes."""
    return b"%b\0%b" % (escape(key), escape(variant))
