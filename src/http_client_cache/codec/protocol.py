"""What every codec does; bodies are never encoded."""

from __future__ import annotations

from typing import Protocol

from http_client_cache.entry import Alias, Entry


class Codec(Protocol):
    """Turns metadata into records and back.

    Key, variant and body come along so that a codec may bind the record to them; most look
    at none of the three. Every method that reads raises ``RecordError``, and nothing else,
    for a record that cannot be read.

    Attributes:
        binds_body: whether ``renew`` needs the record that it replaces.
    """

    binds_body: bool

    def encode(
        self, key: str, variant: str, entry: Entry, body: bytes, digest: bytes | None = None
    ) -> bytes:
        """The record of an entry.

        ``digest`` is the SHA-256 of a body that is not at hand; ``body`` does not count then.
        """
        ...

    def digest_of(self, record: bytes) -> bytes:
        """The SHA-256 of the body that a record is bound to, if it ``binds_body``.

        Only for a record that ``decode`` has accepted.
        """
        ...

    def renew(self, key: str, variant: str, entry: Entry, record: bytes) -> bytes:
        """The record of an entry whose body stays that of ``record``."""
        ...

    def decode(self, key: str, variant: str, record: bytes, body: bytes | None) -> Entry:
        """The entry of a record. ``body`` is ``None`` where it is not at hand."""
        ...

    def encode_alias(self, key: str, alias: Alias) -> bytes:
        """The record of an alias."""
        ...

    def decode_alias(self, key: str, record: bytes) -> Alias:
        """The alias of a record."""
        ...
