"""What an entry takes in memory, about: what stores count that keep it as it is."""

from __future__ import annotations

from itertools import chain
from typing import Final

from http_client_cache.entry import Alias, Stored
from http_client_cache.message import RawHeaders

_OVERHEAD: Final = 1024
"""Bytes that the objects around one entry take, about."""

_VARY: Final = 200
"""Bytes that a selecting field takes: a name and a digest, about."""


def bytes_of(stored: Stored) -> int:
    """Bytes of an entry: its body, header fields, key and URL, and the objects around them."""
    entry = stored.entry
    fields = _size(entry.headers) + _size(entry.request_headers) + _VARY * len(entry.vary)
    return _OVERHEAD + len(stored.body) + len(stored.key) + len(entry.url) + fields


def bytes_of_alias(alias: Alias) -> int:
    """Bytes of an alias: URLs and header fields of its hops, and the objects around them."""
    return _OVERHEAD + sum([len(hop.url) + _size(hop.headers) for hop in alias.hops])


def _size(fields: RawHeaders) -> int:
    # Two bytes objects and a tuple for each field.
    return 120 * len(fields) + len(b"".join(chain.from_iterable(fields)))
