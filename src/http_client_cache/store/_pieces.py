"""For stores that keep large bodies in files: what is the same in all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from http_client_cache.body import WHOLE_BYTES, AnyBody, Draft, KeptBody
from http_client_cache.body_statements import Append, Forget, Piece, Verify
from http_client_cache.codec.protocol import Codec
from http_client_cache.entry import Entry
from http_client_cache.plan import Plan


class BodiesInFiles(ABC):
    """What a draft and a :class:`KeptBody` of such a store can do."""

    _codec: Codec
    _packs = False

    @abstractmethod
    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """See :class:`~http_client_cache.store.Store`."""

    def _in_file(self, key: str, entry: Entry, body: bytes, variant: str) -> Plan[bytes | Draft]:
        """Write a body that is large into a file, if that can be; else it stays as it is."""
        draft = None
        if len(body) > WHOLE_BYTES:
            draft = yield from self.begin(key, entry, variant=variant)
        if draft is None:
            return body
        # A piece at a time: how long each may take is bounded, and all of it takes longer.
        for start in range(0, len(body), WHOLE_BYTES):
            yield from self.append(draft, [body[start : start + WHOLE_BYTES]])
        return draft

    def append(self, draft: Draft, pieces: Sequence[bytes]) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        wanted: bool = yield Append(draft, pieces)
        return wanted

    def forget(self, draft: Draft) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        yield Forget(draft)

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """See :class:`~http_client_cache.store.Store`."""
        piece: bytes = yield Piece(body.source, body.start + start, min(size, len(body) - start))
        return piece

    def _is_signed(self, body: AnyBody, record: bytes) -> Plan[bool]:
        """Whether a body that is read in pieces is the one that its record is bound to, if any."""
        if not (isinstance(body, KeptBody) and self._codec.binds_body):
            return True
        good: bool = yield Verify(body.source, self._codec.digest_of(record))
        return good
