"""Field values: lists, directives and seconds (RFC 9110 section 5.6, RFC 9111 sections 1.3, 5.2).

Nothing here raises, whatever a peer sends: what makes no sense is left out, and the sense beside
it survives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_DELTA: Final = 2_147_483_648
"""What any larger number of seconds counts as: for ever (section 1.3)."""

OWS: Final = " \t"

_NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# Possessive: an unfinished string of quotes and backslashes must not cost a second look.
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'

_IS_NAME: Final = re.compile(_NAME)
_QUOTED_STRING: Final = re.compile(_QUOTED, re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_COMMA_OR_QUOTE: Final = re.compile('[,"]')
_DIRECTIVE: Final = re.compile(rf"({_NAME})(?:=(?:({_NAME})|({_QUOTED})))?", re.DOTALL)


class Directive(NamedTuple):
    """One member of a list of directives.

    Attributes:
        name: in lower case.
        argument: without its quotes; ``None`` if there is none, or none that can be read.
        well_formed: whether the member is a directive and nothing else. ``max-age=`` and
            ``no-store;x`` are not: only their name can be read.
    """

    name: str
    argument: str | None = None
    well_formed: bool = True


def list_items(values: Sequence[str]) -> list[str]:
    """The members of a comma-separated list (RFC 9110 section 5.6.1).

    Commas inside quoted strings do not count, empty members do not either. Each field line is
    read for itself, and a quote that its line does not close is a character like any other, so
    that it hides nothing that follows.

    Args:
        values: every value of the field, in order.
    """
    found: list[str] = []
    for value in values:
        found += _split(value) if '"' in value else value.split(",")
    return [item for raw in found if (item := raw.strip(OWS))]


def directives(values: Sequence[str]) -> list[Directive]:
    """Every member that begins with a name, in order, repetitions included."""
    found: list[Directive] = []
    for item in list_items(values):
        match = _DIRECTIVE.match(item)
        if match is None:
            continue
        name, token, quoted = match.groups()
        if match.end() == len(item):
            argument = token if quoted is None else unquote(quoted)
            found.append(Directive(name.lower(), argument))
        else:
            found.append(Directive(name.lower(), well_formed=False))
    return found


def delta_seconds(text: str) -> int | None:
    """Read a non-negative number of seconds (section 1.3), or ``None`` if it is not one.

    A number beyond :data:`MAX_DELTA` is :data:`MAX_DELTA`. Arguments of directives come here
    without their quotes, so that both forms are accepted where section 5.2 wants it.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    significant = text.lstrip("0")
    # Python refuses to read integers of thousands of digits.
    if len(significant) > len(str(MAX_DELTA)):
        return MAX_DELTA
    return min(int(significant or "0"), MAX_DELTA)


def is_token(text: str) -> bool:
    """Whether a text is a token, as the name of a field is (RFC 9110 section 5.6.2)."""
    return _IS_NAME.fullmatch(text) is not None


def unquote(text: str) -> str:
    """The content of a quoted string (RFC 9110 section 5.6.4); other text is left as it is."""
    if _QUOTED_STRING.fullmatch(text) is None:
        return text
    return _ESCAPED.sub(r"\1", text[1:-1])


def _split(value: str) -> list[str]:
    items: list[str] = []
    start = position = 0
    while (stop := _COMMA_OR_QUOTE.search(value, position)) is not None:
        if stop.group() == ",":
            items.append(value[start : stop.start()])
            start = position = stop.end()
            continue
        closed = _QUOTED_STRING.match(value, stop.start())
        if closed is None:
            return items + value[start:].split(",")
        position = closed.end()
    items.append(value[start:])
    return items
