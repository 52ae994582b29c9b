"""Requests and response heads as the engine sees them: immutable and free of any client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, cast

RawHeaders = tuple[tuple[bytes, bytes], ...]
"""Header fields as received: order, case and repetitions kept (RFC 9110 section 5)."""


def to_text(raw: bytes) -> str:
    """Decode a field as aiohttp does, so that every byte survives the way back."""
    return raw.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Encode a field; the inverse of :func:`to_text`."""
    return text.encode("utf-8", "surrogateescape")


class Headers:
    """Immutable header fields; names are compared without regard to case.

    Args:
        raw: pairs of name and value, as bytes, in the order received.

    Attributes:
        digests: of single fields by name, remembered by whoever makes them.
    """

    __slots__ = ("_index", "digests", "raw")

    def __init__(self, raw: RawHeaders = ()) -> None:
        self.raw: Final = raw
        self._index: dict[bytes, list[bytes]] | None = None
        self.digests: Final[dict[str, str | None]] = {}

    @classmethod
    def of(cls, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
        """Build from text pairs or from a mapping; a multidict keeps its repetitions."""
        pairs: Iterable[tuple[str, str]] = (
            cast("Mapping[str, str]", fields).items() if isinstance(fields, Mapping) else fields
        )
        return cls(tuple([(to_bytes(name), to_bytes(value)) for name, value in pairs]))

    def _fields(self) -> dict[bytes, list[bytes]]:
        """Values by lower-case name, undecoded: most are never asked for."""
        index = self._index
        if index is None:
            index = self._index = {}
            for name, value in self.raw:
                lower = name.lower()
                if lower in index:
                    index[lower].append(value)
                else:
                    index[lower] = [value]
        return index

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of ``name``, or ``default``."""
        values = self._fields().get(to_bytes(name.lower()))
        return to_text(values[0]) if values else default

    def get_all(self, name: str) -> list[str]:
        """Every value of ``name``, in order; empty if the field is absent."""
        return [to_text(value) for value in self._fields().get(to_bytes(name.lower()), ())]

    def __contains__(self, name: str) -> bool:
        return to_bytes(name.lower()) in self._fields()

    def has_any(self, names: frozenset[bytes]) -> bool:
        """Whether any of ``names`` (lower case) is among the fields."""
        index = self._index
        return not names.isdisjoint(self._fields() if index is None else index)

    def __iter__(self) -> Iterator[str]:
        return iter([to_text(name) for name in self._fields()])

    def items(self) -> Iterator[tuple[str, str]]:
        """Pairs of name (as received) and value, in order, repetitions included."""
        return ((to_text(name), to_text(value)) for name, value in self.raw)

    def without(self, names: frozenset[str]) -> Headers:
        """The same fields less those in ``names`` (lower case)."""
        kept = tuple(pair for pair in self.raw if to_text(pair[0]).lower() not in names)
        return self if len(kept) == len(self.raw) else Headers(kept)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        # Values may be secrets; names never are.
        return f"Headers({list(self)})"


NO_HEADERS: Final = Headers()


class Unkeyable:
    """A request body that cannot be read without using it up (a generator, a file)."""

    __slots__ = ()


UNKEYABLE: Final = Unkeyable()


class Request(NamedTuple):
    """A request as it will be sent.

    Attributes:
        method: upper case.
        url: absolute, as the client sends it; a fragment is ignored.
        headers: effective fields, the client's own included.
        body: the bytes that will be sent, or ``UNKEYABLE``.
    """

    method: str
    url: str
    headers: Headers = NO_HEADERS
    body: bytes | Unkeyable = b""


class ResponseHead(NamedTuple):
    """Status line and header fields of a response.

    Attributes:
        url: what answered, absolute.
        status: RFC 9110 section 15.
        reason: the phrase as received; may be empty.
        version: ``(1, 1)`` for HTTP/1.1.
        headers: as received, before any decoding of the body.
    """

    url: str
    status: int
    reason: str
    version: tuple[int, int]
    headers: Headers
