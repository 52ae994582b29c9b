"""Validators: entity-tags and modification dates (RFC 9110 section 8.8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from http_client_cache.message import Headers
from http_client_cache.rfc9111.dates import parse_http_date

# RFC 9110 section 8.8.3, and spaces, which quoted strings could hold before (RFC 2616 3.11).
# Possessive: no text is looked at twice.
_TAG: Final = re.compile(
    r'(?:(W/)?+"([^"\x00-\x1f\x7f]*+)"|([^\s",\x00-\x1f\x7f]++))[ \t]*+(?=,|$)'
)
_REST: Final = re.compile(r'(?:"[^"]*+"|[^",])*+(?:"[^,]*+)?,?+')
_SEPARATOR: Final = re.compile(r"[ \t,]*+")

ANY: Final = "*"
"""What ``If-None-Match: *`` asks for: any representation at all."""


class EntityTag(NamedTuple):
    """An entity-tag (RFC 9110 section 8.8.3).

    Attributes:
        opaque: what is compared, the quotes included. Some servers forget the quotes; the tag
            they mean is none that another server would have written, and it is never strong.
        weak: whether equal tags promise no more than equivalent content.
    """

    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        """As it is sent."""
        return f"W/{self.opaque}" if self.weak and self.opaque[0] == '"' else self.opaque


class Validators(NamedTuple):
    """What tells one stored response of a resource from another.

    Attributes:
        etag: the entity-tag, if there is one.
        modified: Last-Modified in UTC seconds, if it can be read.
        date: when the response was made, in UTC seconds: Date, else when it arrived.
        dated: whether ``date`` is the server's own.
        whole: False for a part that would not satisfy the request (section 4.3.2).
    """

    etag: EntityTag | None
    modified: float | None
    date: float
    dated: bool = True
    whole: bool = True

    @property
    def has_strong_date(self) -> bool:
        """Whether Last-Modified is a strong validator (RFC 9110 section 8.8.2.2).

        It is if the response was made at least a second later, by the same clock.
        """
        return self.modified is not None and self.dated and self.date >= self.modified + 1


def validators(headers: Headers, received: float, *, whole: bool = True) -> Validators:
    """The validators among the fields of a response.

    Args:
        headers: of the response.
        received: when it arrived, in UTC seconds; stands in for a missing Date.
        whole: False for a part that would not satisfy the request at hand.
    """
    date = first_date(headers, "date", received)
    return Validators(
        etag=entity_tag(headers.get_all("etag")),
        modified=first_date(headers, "last-modified", received),
        date=received if date is None else date,
        dated=date is not None,
        whole=whole,
    )


def first_date(headers: Headers, name: str, now: float | None) -> float | None:
    """A field that holds one date; ``None`` where it is absent or cannot be read."""
    text = headers.get(name)
    return None if text is None else parse_http_date(text, now)


def parse_entity_tag(text: str) -> EntityTag | None:
    """Read one entity-tag; ``None`` if it is empty, a list, or makes no sense."""
    text = text.strip(" \t")
    match = _TAG.match(text)
    if match is None or match.end() != len(text):
        return None
    return _tag_of(match)


def entity_tag(values: Iterable[str]) -> EntityTag | None:
    """The ``ETag`` of a response; ``None`` if its field lines contradict each other."""
    tags = {parse_entity_tag(value) for value in values}
    return tags.pop() if len(tags) == 1 else None


def parse_entity_tags(values: Sequence[str]) -> list[EntityTag] | str:
    """Read a list of entity-tags, as in ``If-None-Match``, or :data:`ANY`.

    Garbage between tags is left out. ``*`` means any only where it stands alone.
    """
    found: list[EntityTag] = []
    for value in values:
        if value.strip(" \t") == ANY and len(values) == 1:
            return ANY
        position = 0
        while (position := _end(_SEPARATOR, value, position)) < len(value):
            match = _TAG.match(value, position)
            if match is None:
                position = _end(_REST, value, position)
                continue
            position = match.end()
            tag = _tag_of(match)
            if tag is not None and tag.opaque != ANY:
                found.append(tag)
    return found


def strongly_equal(one: EntityTag | None, other: EntityTag | None) -> bool:
    """Strong comparison (RFC 9110 section 8.8.3.2): byte for byte the same content."""
    return one is not None and one == other and not one.weak


def weakly_equal(one: EntityTag | None, other: EntityTag | None) -> bool:
    """Weak comparison (RFC 9110 section 8.8.3.2): equivalent content."""
    return one is not None and other is not None and one.opaque == other.opaque


def _tag_of(match: re.Match[str]) -> EntityTag | None:
    weak, quoted, bare = match.groups()
    if quoted is not None:
        return EntityTag(f'"{quoted}"', weak is not None)
    return EntityTag(bare, weak=True)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    # Always on: a pattern that matches nothing must not stop a reader for ever.
    return position if match is None else match.end()
