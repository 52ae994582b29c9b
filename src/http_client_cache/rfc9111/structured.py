"""Structured fields (RFC 9651), as far as caches read them: lists and dictionaries of strings.

Strict, as that RFC wants it: a field with a single mistake in it is no field at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Other:
    """A value of a type that no field of ours has: a token, number, date, bytes."""

    text: str


Value = str | bool | Other | tuple[str | bool | Other, ...]
"""A string, a boolean, an inner list, or something else."""

_STRING: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*+)"')
_BOOLEAN: Final = re.compile(r"\?([01])")
_OTHER: Final = re.compile(
    r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*+"
    r"|-?\d{1,12}\.\d{1,3}(?![\d.])"
    r"|@?-?\d{1,15}(?![\d.])"
    r"|:[A-Za-z0-9+/=]*+:"
    r'|%"(?:[ !#$&-~]|%[0-9a-f]{2})*+"',
    re.ASCII,
)
_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*+", re.ASCII)
_SEMICOLON: Final = re.compile(r"; *+")
_SPACES: Final = re.compile(r" *+")
_COMMA: Final = re.compile(r"[ \t]*+,[ \t]*+(?!$)")
_END: Final = re.compile(r"[ \t]*+$")
_ESCAPED: Final = re.compile(r"\\(.)")


def parse_list(values: Sequence[str]) -> list[Value] | None:
    """Read a list (RFC 9651 section 4.2.1); ``None`` if it is none.

    Args:
        values: all lines of the field, in order.
    """
    reader = _Reader(values)
    try:
        return [] if reader.is_empty() else reader.list_()
    except _Malformed:
        return None


def parse_dictionary(values: Sequence[str]) -> dict[str, Value] | None:
    """Read a dictionary (RFC 9651 section 4.2.2); ``None`` if it is none.

    Args:
        values: all lines of the field, in order.
    """
    reader = _Reader(values)
    try:
        return {} if reader.is_empty() else reader.dictionary()
    except _Malformed:
        return None


class _Malformed(Exception):
    """The text is no structured field."""


class _Reader:
    """Reads a text from its start to its end."""

    __slots__ = ("position", "text")

    def __init__(self, lines: Sequence[str]) -> None:
        self.text = ", ".join([line for line in lines if line.strip(" \t")]).strip(" ")
        self.position = 0

    def is_empty(self) -> bool:
        return not self.text

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def need(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = self.take(pattern)
        if match is None:
            raise _Malformed
        return match

    def more(self) -> bool:
        """Whether another member follows; the text must end if none does."""
        if self.take(_COMMA):
            return True
        self.need(_END)
        return False

    def list_(self) -> list[Value]:
        members = [self.member()]
        while self.more():
            members.append(self.member())
        return members

    def dictionary(self) -> dict[str, Value]:
        members: dict[str, Value] = {}
        while True:
            key = self.need(_KEY).group()
            # The last of two counts, in its own place.
            members.pop(key, None)
            if self.text.startswith("=", self.position):
                self.position += 1
                members[key] = self.member()
            else:
                members[key] = True
                self.parameters()
            if not self.more():
                return members

    def member(self) -> Value:
        """An item or an inner list; parameters are read and forgotten."""
        value: Value
        if not self.text.startswith("(", self.position):
            value = self.bare()
        else:
            self.position += 1
            value = self.inner()
        self.parameters()
        return value

    def inner(self) -> tuple[str | bool | Other, ...]:
        items: list[str | bool | Other] = []
        while True:
            spaces = self.need(_SPACES).group()
            if self.text.startswith(")", self.position):
                self.position += 1
                return tuple(items)
            if items and not spaces:
                raise _Malformed
            items.append(self.bare())
            self.parameters()

    def bare(self) -> str | bool | Other:
        if match := self.take(_STRING):
            return _ESCAPED.sub(r"\1", match.group(1))
        if match := self.take(_BOOLEAN):
            return match.group(1) == "1"
        return Other(self.need(_OTHER).group())

    def parameters(self) -> None:
        while self.take(_SEMICOLON):
            self.need(_KEY)
            if self.text.startswith("=", self.position):
                self.position += 1
                self.bare()
