"""Records that people can read, and records of a serializer that the user brings."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from http_client_cache.entry import Alias, Entry, Hop
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.message import RawHeaders, to_bytes, to_text

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
    fields as pairs of text, lists for tuples, and ``"version"``. Bytes that are no text are
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

    def encode(
        self,
        key: str,  # noqa: ARG002
        variant: str,  # noqa: ARG002
        entry: Entry,
        body: bytes,  # noqa: ARG002
        digest: bytes | None = None,  # noqa: ARG002
    ) -> bytes:
        """See :class:`~http_client_cache.codec.protocol.Codec`.

        Raises:
            StoreError: the serializer failed.
        """
        return self._dump(_plain_fields(entry))

    def digest_of(self, record: bytes) -> bytes:  # noqa: ARG002
        """It is bound to none."""
        return b""

    def renew(self, key: str, variant: str, entry: Entry, record: bytes) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return self._dump(_plain_fields(entry))

    def decode(self, key: str, variant: str, record: bytes, body: bytes | None) -> Entry:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        plain = self._load(record)
        try:
            return msgspec.convert(_values(plain, Entry), Entry)
        except _UNREADABLE as error:
            raise RecordError(f"the record is damaged: {error!r}") from error

    def encode_alias(self, key: str, alias: Alias) -> bytes:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        return self._dump(_plain_fields(alias))

    def decode_alias(self, key: str, record: bytes) -> Alias:  # noqa: ARG002
        """See :class:`~http_client_cache.codec.protocol.Codec`."""
        plain = self._load(record)
        try:
            return msgspec.convert(_values(plain, Alias), Alias)
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


def _plain(value: Any) -> Any:
    """Lists, dicts, numbers, ``None`` and text that every encoder takes, at any depth."""
    if isinstance(value, bytes):
        return _plain_text(value)
    if isinstance(value, str):
        return value if value.isascii() else _plain_text(to_bytes(value))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return _plain_fields(value) if isinstance(value, Hop) else value


def _plain_fields(value: Entry | Alias | Hop) -> dict[str, Any]:
    return {field.key: _plain(getattr(value, field.name)) for field in _fields(type(value))}


def _plain_text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _raw_text(plain: Any) -> bytes:
    return to_bytes(plain) if isinstance(plain, str) else base64.b64decode(plain["base64"])


def _text(plain: Any) -> Any:
    """The inverse of ``_plain`` for what holds no bytes."""
    if isinstance(plain, dict):
        return to_text(_raw_text(plain))
    if isinstance(plain, list | tuple):
        return [_text(item) for item in plain]  # pyright: ignore[reportUnknownVariableType]
    return plain


def _raw_fields(plain: Any) -> list[tuple[bytes, bytes]]:
    return [(_raw_text(name), _raw_text(value)) for name, value in plain]


def _hops(plain: Any) -> list[list[Any]]:
    return [_values(hop, Hop) for hop in plain]


def _values(plain: Any, kind: type[Entry | Alias | Hop]) -> list[Any]:
    """The fields in the order of the struct; what a record has not, has its default."""
    values: list[Any] = []
    for field in _fields(kind):
        if field.key in plain:
            values.append(field.read(plain[field.key]))
        elif field.is_required:
            raise KeyError(field.key)
        else:
            values.append(field.default)
    return values


class _Field(NamedTuple):
    name: str
    key: str
    read: Callable[[Any], Any]
    is_required: bool
    default: Any


_READERS: Final = ((RawHeaders, _raw_fields), (tuple[Hop, ...], _hops))


@cache
def _fields(kind: type[Entry | Alias | Hop]) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            field.name,
            # "version" is HTTP's in a head, and the record's at the top.
            "http_version" if field.name == "version" else field.name,
            next((read for known, read in _READERS if field.type == known), _text),
            field.required,
            field.default,
        )
        for field in msgspec.structs.fields(kind)
    )
