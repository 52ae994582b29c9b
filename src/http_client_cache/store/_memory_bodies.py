"""Large bodies in memory: the pieces that they came in, never put together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from http_client_cache.body import AnyBody, Draft, KeptBody
from http_client_cache.entry import Entry
from http_client_cache.errors import StoreError
from http_client_cache.plan import Plan


class Pieces:
    """A body that comes, or has come, in pieces.

    Attributes:
        name: none is needed.
        size: of all of them, in bytes.
    """

    __slots__ = ("_ends", "_pieces", "name", "size")

    def __init__(self) -> None:
        self.name = ""
        self.size = 0
        self._pieces: list[bytes] = []
        self._ends: list[int] = []

    def add(self, pieces: Sequence[bytes]) -> None:
        """The next ones."""
        known = [piece for piece in pieces if piece]
        self._pieces += known
        ends = list(accumulate(map(len, known), initial=self.size))[1:]
        self._ends += ends
        self.size = ends[-1] if ends else self.size

    def read(self, start: int, size: int) -> bytes:
        """Some of it: what the piece has that ``start`` lies in."""
        if start >= self.size:
            raise StoreError("the body is shorter")
        index = bisect_right(self._ends, start)
        piece = self._pieces[index]
        begin = start - (self._ends[index] - len(piece))
        return piece if begin == 0 and len(piece) <= size else piece[begin : begin + size]


class BodiesInMemory:
    """What a draft and a :class:`KeptBody` of such a store can do."""

    def begin(self, key: str, entry: Entry, *, variant: str = "") -> Plan[Draft | None]:
        """See :class:`~http_client_cache.store.Store`."""
        del key, entry, variant
        yield from ()
        return Pieces()

    def append(self, draft: Draft, pieces: Sequence[bytes]) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        _pieces_of(draft).add(pieces)
        return True

    def forget(self, draft: Draft) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        del draft
        yield from ()

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        return _pieces_of(body.source).read(body.start + start, min(size, len(body) - start))


def kept_in_memory(body: bytes | Draft, key: str, variant: str) -> AnyBody:
    """A body as it is kept and handed over."""
    if isinstance(body, bytes):
        return body
    return KeptBody(_pieces_of(body), 0, body.size, (key, variant))


def _pieces_of(draft: object) -> Pieces:
    if not isinstance(draft, Pieces):
        raise TypeError(f"a draft of this store is no {type(draft).__name__}")
    return draft
