"""Normal forms of request bodies: what tells two requests apart, and nothing else."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii
from typing import Final
from urllib.parse import unquote

from http_client_cache.urls import normalize_query

NormalBody = tuple[bytes, ...]
"""The kind of the normal form, and its parts."""

EMPTY: Final[NormalBody] = (b"empty",)

_DEEPEST: Final = 100
_MEDIA_TYPE: Final = re.compile(r"\s*([^;\s]*)")
# RFC 9110 section 5.6.6: a value may be quoted, and hold anything then.
_PARAMETER: Final = re.compile(r';\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.DOTALL)


def normal_body(body: bytes, content_type: str, ignored: frozenset[str]) -> NormalBody:
    """The normal form of a body; equal for two that say the same.

    JSON counts without the order of its members, a form without the order of its fields,
    multipart without its boundary, each without the names in ``ignored``. What does not parse
    counts byte by byte, like any other type.

    Args:
        body: as it will be sent.
        content_type: the header field; empty if absent.
        ignored: names of JSON members, form fields and parts that do not count.
    """
    if not body:
        return EMPTY
    normal = None
    kind = media_type(content_type)
    if kind == "application/json" or kind.endswith("+json"):
        normal = _json(body, ignored)
    elif kind == "application/x-www-form-urlencoded":
        normal = _form(body, ignored)
    elif kind.startswith("multipart/"):
        normal = _multipart(body, content_type, kind, ignored)
    return (b"bytes", body) if normal is None else normal


def media_type(content_type: str) -> str:
    """Type and subtype in lower case; empty if absent."""
    match = _MEDIA_TYPE.match(content_type)
    return match[1].lower() if match is not None else ""


class _Number(str):
    """A number by its text: ``1``, ``1.0`` and ``1e0`` may differ to the one who reads them."""

    __slots__ = ()


class _Members(tuple[tuple[str, "_Json"], ...]):
    """The members of an object, in order and with repetitions."""

    __slots__ = ()


_Json = str | list["_Json"] | _Members | bool | None


class _NotNormal(Exception):
    """The document has no normal form."""


def _no_constant(text: str) -> None:
    raise _NotNormal(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Members,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=_no_constant,
)


def _json(body: bytes, ignored: frozenset[str]) -> NormalBody | None:
    try:
        document = _DECODER.decode(body.decode("utf-8"))
        return b"json", _canonical(document, ignored, 0).encode("ascii")
    except (ValueError, RecursionError, _NotNormal):
        return None


def _canonical(value: _Json, ignored: frozenset[str], depth: int) -> str:
    if depth > _DEEPEST:
        raise _NotNormal("too deep")
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, _Members):
        members = {
            name: f"{encode_basestring_ascii(name)}:{_canonical(member, ignored, depth + 1)}"
            for name, member in value
            if name not in ignored
        }
        if len(members) != sum(name not in ignored for name, _ in value):
            # Which of two members of one name counts is up to the one who reads them.
            raise _NotNormal("repeated member")
        return "{" + ",".join(members[name] for name in sorted(members)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item, ignored, depth + 1) for item in value) + "]"
    return "null" if value is None else "true" if value else "false"


def _form(body: bytes, ignored: frozenset[str]) -> NormalBody | None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return b"form", normalize_query(text, ignored, sort=True).encode("ascii")


def _multipart(
    body: bytes, content_type: str, kind: str, ignored: frozenset[str]
) -> NormalBody | None:
    """RFC 2046 section 5.1; preamble and epilogue count, the boundary between does not."""
    boundary = dict(parameters(content_type)).get("boundary")
    if not boundary:
        return None
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    preamble, *parts = (b"\r\n" + body).split(delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        return None
    epilogue = parts.pop()[2:]
    kept: list[bytes] = []
    for part in parts:
        # Padding after the delimiter says nothing.
        content = part.lstrip(b" \t")
        if not content.startswith(b"\r\n"):
            return None
        if not ignored or ignored.isdisjoint(_part_names(content)):
            kept.append(content)
    return kind.encode("utf-8", "surrogateescape"), preamble, epilogue, *kept


def _part_names(part: bytes) -> set[str]:
    """The spellings of a part's name; empty if it has none."""
    head = part.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    for line in head.split("\r\n"):
        field, _, value = line.partition(":")
        if field.strip().lower() == "content-disposition":
            found = dict(parameters(value))
            if "name*" in found:
                # RFC 8187: charset'language'percent-encoded.
                return {unquote(found["name*"].rpartition("'")[2])}
            name = found.get("name")
            # aiohttp percent-encodes a name, requests does not: either may be meant.
            return set() if name is None else {name, unquote(name)}
    return set()


def parameters(value: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a field value: names in lower case, values without their quotes."""
    return tuple(
        (match[1].lower(), re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3])
        for match in _PARAMETER.finditer(value)
    )
