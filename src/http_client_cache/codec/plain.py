"""Records that people can read, and records of a serializer that the user brings."""

from __future__ import annotations

import base64
import json
from typing import Any, Final, Protocol

import msgspec

from http_client_cache.entry import Alias, Entry, Hop
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.message import to_bytes, to_text

VERSION: Final = 1

_TEXT: Final = b"t"
_BYTES: Final = b"b"


class Serializer(Protocol):
    """Any object like the ``json`` module."""

    def dumps(self, value: Any, /) -> Any:
        """Turn a dict of plain values into text or bytes."""
        ...

    def loads(self, data: Any, /) -> Any:
        """The inverse; it is given what ``dumps`` gave, of the same type."""
        ...


class _Json:
    """The standard library's; one object for one line."""

    @staticmethod
    def dumps(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    @staticmethod
    def loads(data: Any) -> Any:
        return json.loads(data)


class PlainCodec:
    """Hands a dict of plain values to a serializer.

    The dict has the names of the fields of :class:`~http_client_cache.entry.Entry`, header
    fields as pairs of text, and ``"version"``. Bytes that are no text are
    ``{"base64": "…"}``, so that whatever came over the wire comes back.

    Args:
        serializer: with ``dumps`` and ``loads``; JSON if left out.
    """

    __slots__ = ("_prefixed", "_serializer")

    binds_body = False

    def __init__(self, serializer: Serializer | None = None) -> None:
        self._serializer: Serializer = serializer if serializer is not None else _Json()
        # JSON's own records are readable as they lie there; others need to know their type.
        self._prefixed = serializer is not None

    def encode(self, key: str, variant: str, entry: Entry, body: bytes) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`.

        Raises:
            StoreError: the serializer failed.
        """
        return self._dump(_plain_entry(entry))

    def renew(self, key: str, variant: str, entry: Entry, record: bytes) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return self._dump(_plain_entry(entry))

    def decode(self, key: str, variant: str, record: bytes, body: bytes | None) -> Entry:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        plain = self._load(record)
        try:
            plain["headers"] = _raw_fields(plain["headers"])
            plain["request_headers"] = _raw_fields(plain["request_headers"])
            return msgspec.convert(_texts(plain, Entry), Entry)
        except _UNREADABLE as error:
            raise RecordError(f"the record is damaged: {error!r}") from error

    def encode_alias(self, key: str, alias: Alias) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        plain = _plain_fields(alias)
        plain["hops"] = [
            _plain_fields(hop) | {"headers": _plain_headers(hop.headers)} for hop in alias.hops
        ]
        return self._dump(plain)

    def decode_alias(self, key: str, record: bytes) -> Alias:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        plain = self._load(record)
        try:
            plain["hops"] = [
                _texts(hop | {"headers": _raw_fields(hop["headers"])}, Hop) for hop in plain["hops"]
            ]
            return msgspec.convert(_texts(plain, Alias), Alias)
        except _UNREADABLE as error:
            raise RecordError(f"the record is damaged: {error!r}") from error

    def _dump(self, plain: dict[str, Any]) -> bytes:
        try:
            dumped = self._serializer.dumps({"version": VERSION} | plain)
        except Exception as error:
            raise StoreError(f"the serializer failed: {error!r}") from error
        if isinstance(dumped, str):
            return (_TEXT if self._prefixed else b"") + dumped.encode()
        if isinstance(dumped, bytes):
            return _BYTES + dumped
        raise StoreError(f"the serializer's dumps gave {type(dumped).__name__}, not str or bytes")

    def _load(self, record: bytes) -> dict[str, Any]:
        try:
            if not self._prefixed:
                plain = self._serializer.loads(record)
            elif record[:1] == _TEXT:
                plain = self._serializer.loads(record[1:].decode())
            elif record[:1] == _BYTES:
                plain = self._serializer.loads(record[1:])
            else:
                raise RecordError("the record is of another serializer")
        except RecordError:
            raise
        except Exception as error:
            raise RecordError(f"the serializer cannot read the record: {error!r}") from error
        if not isinstance(plain, dict) or plain.get("version") != VERSION:  # pyright: ignore[reportUnknownMemberType]
            raise RecordError("the record is of a newer version or of another serializer")
        return plain  # pyright: ignore[reportUnknownVariableType]


_UNREADABLE: Final = (
    *(KeyError, TypeError, ValueError, AttributeError, RecursionError),
    msgspec.MsgspecError,
)


def _plain_fields(value: Entry | Alias | Hop) -> dict[str, Any]:
    """The fields by name; text that no encoder would take as bytes."""
    plain: dict[str, Any] = {}
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if isinstance(field, str) and not field.isascii():
            field = _plain_text(to_bytes(field))
        plain[name] = list(field) if name == "version" else field  # pyright: ignore[reportUnknownArgumentType]
    # "version" is HTTP's in a head, and the record's at the top.
    if "version" in plain:
        plain["http_version"] = plain.pop("version")
    return plain


def _plain_entry(entry: Entry) -> dict[str, Any]:
    plain = _plain_fields(entry)
    plain["headers"] = _plain_headers(entry.headers)
    plain["request_headers"] = _plain_headers(entry.request_headers)
    return plain


def _plain_headers(raw: tuple[tuple[bytes, bytes], ...]) -> list[list[Any]]:
    return [[_plain_text(name), _plain_text(value)] for name, value in raw]


def _plain_text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _raw_text(plain: Any) -> bytes:
    return to_bytes(plain) if isinstance(plain, str) else base64.b64decode(plain["base64"])


def _raw_fields(plain: Any) -> list[tuple[bytes, bytes]]:
    return [(_raw_text(name), _raw_text(value)) for name, value in plain]


def _texts(plain: dict[str, Any], kind: type[Entry | Alias | Hop]) -> list[Any]:
    """The fields in the order of the record, as far as it has them."""
    values: list[Any] = []
    for name in kind.__struct_fields__:
        field = "http_version" if name == "version" else name
        if field not in plain:
            break
        value = plain[field]
        values.append(to_text(_raw_text(value)) if _is_escaped(value) else value)
    return values


def _is_escaped(value: Any) -> bool:
    return isinstance(value, dict) and "base64" in value
