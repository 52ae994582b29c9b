"""For stores that may compress bodies: from a body to what lies there, and back."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from http_client_cache.body import WHOLE_BYTES, AnyBody, Draft, KeptBody
from http_client_cache.body_statements import Finish, Pack, Unpack, Whole
from http_client_cache.compression import MIN_BYTES, check_compression, library
from http_client_cache.entry import Entry, Stored
from http_client_cache.plan import Plan


class Laid(NamedTuple):
    """A body that is about to be published.

    Attributes:
        entry: says how it lies there.
        body: as it lies there.
        shown: as it can be read from now on.
        draft: that it was written with, if it is in a file already.
        whole: what is known of that file.
    """

    entry: Entry
    body: AnyBody
    shown: AnyBody
    draft: Draft | None = None
    whole: Whole | None = None

    @property
    def digest(self) -> bytes | None:
        """SHA-256 of what is in the file; ``None`` where there is none."""
        return None if self.whole is None else self.whole.digest


def packs(compression: str | None) -> bool:
    """Whether a store is to compress bodies.

    Raises:
        ConfigurationError: ``compression`` is not known.
        MissingDependency: what compresses is not installed.
    """
    check_compression(compression)
    if compression is None:
        return False
    library()
    return True


def lay(key: str, variant: str, entry: Entry, body: bytes | Draft, *, compress: bool) -> Plan[Laid]:
    """Compress a body that is in memory, or finish one that is in its file."""
    if not isinstance(body, bytes):
        finished: Whole = yield Finish(body)
        size = body.size if finished.packed is None else finished.packed
        lies = shown = KeptBody(finished.source, 0, size, (key, variant))
        if finished.packed is not None:
            shown = yield Unpack(lies, body.size)
        entry = _told(entry, finished.packed)
        return Laid(entry, lies, shown, body, finished)
    content: bytes = body
    packed: bytes | None = None
    if compress and MIN_BYTES <= len(content) <= WHOLE_BYTES:
        packed = yield Pack(content)
    if packed is None:
        return Laid(_told(entry, None), content, content)
    return Laid(_told(entry, len(packed)), packed, content)


def _told(entry: Entry, packed: int | None) -> Entry:
    # It may have been loaded, and be saved with another body.
    return entry if entry.packed == packed else msgspec.structs.replace(entry, packed=packed)


def shown(stored: Stored) -> Plan[Stored | None]:
    """What was read, with its body as it was received; ``None`` if it cannot be decompressed."""
    if stored.entry.packed is None:
        return stored
    body: AnyBody | None = yield Unpack(stored.body, stored.entry.body_size)
    if isinstance(body, KeptBody):
        body = body.of(stored.key, stored.variant)
    return None if body is None else stored._replace(body=body)
