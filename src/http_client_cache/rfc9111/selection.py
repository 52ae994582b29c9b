"""Which of several stored responses a request selects (RFC 9111 section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from http_client_cache.message import Headers, Request, to_bytes
from http_client_cache.rfc9111.fields import OWS, is_token, list_items, unquote

ANY: Final = "*"
VARIES_ON_ANYTHING: Final = (ANY,)
"""What :func:`vary_names` answers where no other request can match."""

VaryValues = tuple[tuple[str, str | None], ...]
"""Name and digest of each selecting field of a request; ``None`` where it was absent."""

PREFERENCES: Final = frozenset({"accept", "accept-charset", "accept-encoding", "accept-language"})
"""Lists with weights, whose order means nothing (RFC 9110 section 12.5)."""

NO_LISTS: Final = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization"),
        *("date", "from", "host", "max-forwards", "origin", "referer", "user-agent"),
        *("if-modified-since", "if-range", "if-unmodified-since", "range"),
    }
)
"""Fields in which a comma separates nothing. In any other one, white space around it and empty
members mean nothing, as in most that there are (RFC 9110 sections 5.3 and 5.6.1); the order may."""

SEPARATORS: Final = {"cookie": "; "}
"""What joins the lines of a field, where it is not a comma (RFC 9113 section 8.2.3)."""

ALIASES: Final = {"x-gzip": "gzip", "x-compress": "compress"}
"""Content codings that are others by an older name (RFC 9110 section 8.4.1)."""

_WEIGHT: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_PARAMETER: Final = re.compile(r'[ \t]*;[ \t]*([^\s;="]+)=([^\s;"]+|"(?:[^"\\]|\\.)*+")', re.DOTALL)
_RANGE: Final = re.compile(r'[^\s;,"]+')


def vary_names(headers: Headers) -> tuple[str, ...]:
    """The selecting fields that a response names: lower case, sorted, each once.

    :data:`VARIES_ON_ANYTHING` if ``*`` is among them, or something that is no name at all:
    what a response depends on is then unknown.
    """
    if "vary" not in headers:
        return ()
    names = {item.lower() for item in list_items(headers.get_all("vary"))}
    if ANY in names or not all(map(is_token, names)):
        return VARIES_ON_ANYTHING
    return tuple(sorted(names))


def normalized(name: str, values: Sequence[str]) -> str:
    """One form for all values of a field that mean the same (section 4.1).

    Args:
        name: of the field, in lower case.
        values: all its lines, in order.
    """
    if name in PREFERENCES:
        return _preferences(tuple(values))
    if name not in NO_LISTS:
        return ", ".join(list_items(values))
    return SEPARATORS.get(name, ", ").join([value.strip(OWS) for value in values])


def vary_values(names: Iterable[str], request: Request) -> VaryValues:
    """What a response that names these fields remembers of its request: no value readable.

    Args:
        names: as :func:`vary_names` tells them.
        request: that was answered.
    """
    return tuple([(name, _digest_of(name, request.headers)) for name in names])


def variant_id(values: VaryValues) -> str:
    """A short name for the response among others of its key; empty without ``Vary``."""
    if not values:
        return ""
    text = "\n".join([f"{name}:{'' if value is None else value}" for name, value in values])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def matches(stored: VaryValues, request: Request) -> bool:
    """Whether a request's selecting fields match those of the stored response's request."""
    headers = request.headers
    for name, value in stored:  # noqa: SIM110 - every hit comes through here
        if name == ANY or _digest_of(name, headers) != value:
            return False
    return True


def select(candidates: Sequence[tuple[VaryValues, float]], request: Request) -> int | None:
    """The stored response that a request selects: the most recent of those that match.

    Where some name selecting fields, one that names none has probably forgotten to: nothing
    tells which request it was for, so it answers none (section 4.1, see :func:`names_to_keep`).

    Args:
        candidates: selecting values and date (Date, else when it arrived) of each.
        request: to answer.
    """
    plain_may_answer = not any(_is_selective(values) for values, _ in candidates)
    found = [
        index
        for index, (values, _) in enumerate(candidates)
        if (matches(values, request) if values else plain_may_answer)
    ]
    # Equals differ in nothing that a request could tell: any order will do, but always the same.
    return max(
        found,
        key=lambda index: (candidates[index][1], variant_id(candidates[index][0])),
        default=None,
    )


def names_to_keep(headers: Headers, stored: Iterable[tuple[VaryValues, float]]) -> tuple[str, ...]:
    """The selecting fields to remember with a response that is about to be stored.

    They are those that it names; for one that names none, those of the most recent response
    beside it that does (section 4.1).

    Args:
        headers: of the response.
        stored: selecting values and date of the others of its key.
    """
    if names := vary_names(headers):
        return names
    selective = [(date, values) for values, date in stored if _is_selective(values)]
    if not selective:
        return ()
    _, values = max(selective, key=lambda one: (one[0], variant_id(one[1])))
    return tuple(name for name, _ in values)


def _is_selective(values: VaryValues) -> bool:
    return bool(values) and all(name != ANY for name, _ in values)


def _digest_of(name: str, headers: Headers) -> str | None:
    digests = headers.digests
    if name not in digests:
        digests[name] = _digested(name, headers)
    return digests[name]


def _digested(name: str, headers: Headers) -> str | None:
    values = tuple(headers.get_all(name))
    if not values:
        return None
    return _of_preferences(name, values) if name in PREFERENCES else _of_values(name, values)


def _of_values(name: str, values: tuple[str, ...]) -> str:
    # Any field may be a secret; the name keeps equal values of two fields apart.
    told = to_bytes(f"{name}:{normalized(name, values)}")
    return blake2b(told, digest_size=16).hexdigest()


# These are few, no secrets, and the same in most requests.
_of_preferences = lru_cache(maxsize=512)(_of_values)


def _preferences(values: tuple[str, ...]) -> str:
    """Members in lower case, each once, by descending weight; unread ones as they are."""
    members: dict[str, float] = {}
    items = list_items(values)
    for item in items:
        parsed = _member(item)
        if parsed is None or members.setdefault(*parsed) != parsed[1]:
            return ", ".join(items)
    ordered = sorted(members.items(), key=lambda member: (-member[1], member[0]))
    return ", ".join([text if weight == 1 else f"{text};q={weight:g}" for text, weight in ordered])


def _member(item: str) -> tuple[str, float] | None:
    """A member of a list with weights, and its weight; ``None`` if it is unlike one."""
    start = _RANGE.match(item)
    if start is None:
        return None
    text = start.group().lower()
    text, weight, position = ALIASES.get(text, text), 1.0, start.end()
    while position < len(item):
        parameter = _PARAMETER.match(item, position)
        if parameter is None:
            return None
        position = parameter.end()
        key, value = parameter.groups()
        if key.lower() == "q":
            # What follows a weight is not of the range, and nobody knows what it means.
            if _WEIGHT.fullmatch(value) is None or position != len(item):
                return None
            weight = float(value)
        else:
            content = unquote(value)
            text += f";{key.lower()}={content if is_token(content) else value}"
    return text, weight
