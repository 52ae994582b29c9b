"""The default records: a version byte and a msgpack array of the fields in their order."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from http_client_cache.entry import Alias, Entry
from http_client_cache.errors import RecordError
from http_client_cache.message import to_bytes, to_text

VERSION: Final = b"\x01"
"""First byte of a record. Fields that are only added at the end need no new version."""

ESCAPED: Final = b"\x81"
"""The same, for the rare record with text that is not UTF-8 (a reason phrase in Latin-1)."""

_RAW_TEXT: Final = 1
"""msgpack extension type: text as the bytes that came over the wire."""

T = TypeVar("T", Entry, Alias)

_encode = msgspec.msgpack.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_alias = msgspec.msgpack.Decoder(Alias).decode
_decode_escaped = msgspec.msgpack.Decoder(
    ext_hook=lambda _code, data: to_text(bytes(data)),
).decode

_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class MsgpackCodec:
    """Compact, fast, and unable to hold anything but data."""

    __slots__ = ()

    binds_body = False

    def encode(
        self,
        key: str,  # noqa: ARG002
        variant: str,  # noqa: ARG002
        entry: Entry,
        body: bytes,  # noqa: ARG002
        digest: bytes | None = None,  # noqa: ARG002
    ) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return _pack(entry)

    def digest_of(self, record: bytes) -> bytes:  # noqa: ARG002
        """It is bound to none."""
        return b""

    def renew(self, key: str, variant: str, entry: Entry, record: bytes) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return _pack(entry)

    def decode(self, key: str, variant: str, record: bytes, body: bytes | None) -> Entry:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        if record[:1] == VERSION:
            try:
                return _decode_entry(record[1:])
            except _UNREADABLE as error:
                raise RecordError(f"the record is damaged: {error}") from error
        return _unpack_escaped(record, Entry)

    def encode_alias(self, key: str, alias: Alias) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return _pack(alias)

    def decode_alias(self, key: str, record: bytes) -> Alias:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        if record[:1] == VERSION:
            try:
                return _decode_alias(record[1:])
            except _UNREADABLE as error:
                raise RecordError(f"the record is damaged: {error}") from error
        return _unpack_escaped(record, Alias)


def _pack(value: Entry | Alias) -> bytes:
    try:
        return VERSION + _encode(value)
    except UnicodeEncodeError:
        return ESCAPED + _encode(_escape(msgspec.to_builtins(value, builtin_types=(bytes,))))


def _escape(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_escape(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str) and not value.isascii():
        return msgspec.msgpack.Ext(_RAW_TEXT, to_bytes(value))
    return value


def _unpack_escaped(record: bytes, kind: type[T]) -> T:
    if record[:1] != ESCAPED:
        raise RecordError("the record is empty, of a newer version or of another serializer")
    try:
        return msgspec.convert(_decode_escaped(record[1:]), kind)
    except _UNREADABLE as error:
        raise RecordError(f"the record is damaged: {error}") from error
