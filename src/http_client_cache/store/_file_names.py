"""What the filesystem store calls its files, so that nothing of a key is in a name."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from http_client_cache.entry import Entry
from http_client_cache.file_statements import FRESH_HEAD, LINK, MAIN, TRACES, Found

NEVER: Final = 2.0**31 - 1
"""The stamp of what does not expire: the latest that every file system can hold."""


def prefix_of(locator: str) -> str:
    """What the names of all keys with this locator begin with."""
    digits = blake2b(locator.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{digits[:2]}/{digits}-"


# What is in the cache is asked for again.
@lru_cache(maxsize=1024)
def name_of(key: str) -> str:
    """The name of a key."""
    digits = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return prefix_of(key.partition(".")[0]) + digits


def file_of(variant: str) -> str:
    """The file of a variant, among those of its key's name."""
    if not variant:
        return MAIN
    return blake2b(variant.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def stamp_of(entry: Entry) -> float:
    """When an entry expires, as its file tells: in whole seconds, as some file systems have."""
    expires = entry.expires
    if expires is not None and expires <= 0:
        return 0.0
    # Also where it is no number.
    return float(int(expires)) if expires is not None and expires < NEVER else NEVER


def is_response(found: Found) -> bool:
    """Whether a listing tells of a response."""
    return found.file not in {LINK, TRACES, FRESH_HEAD}
