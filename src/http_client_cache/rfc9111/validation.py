"""Validation (RFC 9111 section 4.3): what is asked, what answers change, what callers ask."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from http_client_cache.message import Headers, RawHeaders, Request, ResponseHead, to_text
from http_client_cache.rfc9111.cache_control import response_directives
from http_client_cache.rfc9111.dates import format_http_date, parse_http_date
from http_client_cache.rfc9111.storing import PER_HOP, storable_headers
from http_client_cache.rfc9111.validators import (
    EntityTag,
    Validators,
    entity_tag,
    first_date,
    parse_entity_tags,
    strongly_equal,
    validators,
    weakly_equal,
)

CONDITIONABLE: Final = frozenset({"GET", "HEAD"})
"""Methods to which 304 can be the answer (RFC 9110 section 13.1.2): to others it is 412."""

FOR_THE_ORIGIN: Final = ("if-match", "if-unmodified-since")
"""Conditions that only an origin can weigh (section 4.3.2)."""

CONDITIONAL_STATUSES: Final = frozenset({200, 206})
"""Stored responses that conditions are weighed against (section 4.3.2)."""

IN_304: Final = frozenset({"cache-control", "content-location", "date", "etag", "expires", "vary"})
"""Fields of a 304 (RFC 9110 section 15.4.5), in lower case."""

NOT_UPDATED: Final = PER_HOP | {
    # Of the content: bodies are stored decoded and whole (section 3.2).
    *("content-encoding", "content-length", "content-range"),
}
"""Fields that a newer response does not change in a stored one (section 3.2), in lower case."""


def conditions(
    candidates: Sequence[Validators], request: Request, selected: int | None = 0
) -> tuple[tuple[str, str], ...]:
    """The fields that turn a request into one that validates (section 4.3.1).

    They take the place of the caller's fields of the same name. The caller's own
    ``If-None-Match`` becomes part of the list (section 4.3.2): whether the caller is then
    answered with 304 is for ``precondition`` to say, once the 304 has been taken over.

    Args:
        candidates: all stored responses of the request's key.
        request: the caller's.
        selected: which of them the request selects (section 4.1); ``None`` for none of them.

    Returns:
        No fields where nothing can be validated: no validators, a method other than GET and
        HEAD, or conditions of the caller's that have to reach the origin as they are.
    """
    headers = request.headers
    if request.method not in CONDITIONABLE or any(name in headers for name in FOR_THE_ORIGIN):
        return ()
    theirs = parse_entity_tags(headers.get_all("if-none-match"))
    if isinstance(theirs, str):
        return ()
    chosen = candidates[selected] if selected is not None and candidates else None
    if chosen is not None and not chosen.whole:
        chosen = None
    ours = [] if chosen is None or chosen.etag is None else [chosen.etag]
    # An entity-tag would make the origin ignore the date of the response that was selected.
    if chosen is None or chosen.etag is not None or chosen.modified is None:
        ours += [each.etag for each in candidates if each.etag is not None and goes_along(each)]
    found: list[tuple[str, str]] = []
    if ours:
        tags: dict[EntityTag, None] = dict.fromkeys([*ours, *theirs])
        found.append(("If-None-Match", ", ".join(map(str, tags))))
    elif theirs:
        return ()
    if chosen is not None and chosen.modified is not None:
        found.append(("If-Modified-Since", format_http_date(chosen.modified)))
    return tuple(found)


def goes_along(other: Validators) -> bool:
    """Whether the entity-tag of a response that the request did not select is sent as well.

    A weak one does not tell content codings apart (RFC 9110 section 8.8.3.3): the origin would
    confirm what may be coded in a way that this request does not accept.
    """
    return other.whole and other.etag is not None and not other.etag.weak


def selected_by_304(
    candidates: Sequence[Validators], answer: Headers, received: float, *, alone: bool = True
) -> list[int]:
    """Which stored responses a 304 freshens (section 4.3.4).

    If it is none of them, the 304 answers the caller's own conditions
    (:func:`answers_caller`), or the request has to be sent again without any.

    Args:
        candidates: those whose validators were sent, and no others.
        answer: the fields of the 304.
        received: when it arrived, in UTC seconds.
        alone: False if entity-tags of the caller's were sent with them.
    """
    new = validators(answer, received)
    if new.etag is None and new.modified is None:
        # The origin was asked about one, and that is the one it means.
        return [0] if alone and len(candidates) == 1 else []
    matches = [
        index for index, stored in enumerate(candidates) if _identifies_strongly(new, stored)
    ]
    if matches or (new.etag is not None and not new.etag.weak):
        return matches
    matches = [index for index, stored in enumerate(candidates) if _identifies_weakly(new, stored)]
    return [max(matches, key=lambda index: candidates[index].date)] if matches else []


def confirmed_by_304(candidates: Sequence[Validators], answer: Headers) -> int | None:
    """The stored response that a 304 vouches for, though nothing of it may be taken over.

    An intermediary that codes content makes an entity-tag weak on the way (RFC 9110 section
    8.8.3.3), and lets the 304 pass with the strong one. That is no match (section 4.3.4), yet
    the request is answered: what is stored may be served to it, as old as it is.

    Args:
        candidates: those whose validators were sent, and no others.
        answer: the fields of the 304.
    """
    etag = entity_tag(answer.get_all("etag"))
    alone = len(candidates) == 1 and weakly_equal(etag, candidates[0].etag)
    return 0 if alone else None


def _identifies_strongly(new: Validators, stored: Validators) -> bool:
    if strongly_equal(new.etag, stored.etag):
        return True
    if new.etag is not None and stored.etag is not None and not weakly_equal(new.etag, stored.etag):
        # A date has a second's resolution; the tags know better.
        return False
    return stored.has_strong_date and new.modified == stored.modified


def _identifies_weakly(new: Validators, stored: Validators) -> bool:
    if new.etag is not None and stored.etag is not None:
        return weakly_equal(new.etag, stored.etag)
    return new.modified is not None and new.modified == stored.modified


def freshened(
    stored: RawHeaders,
    answer: Headers,
    received: float | None = None,
    *,
    shared: bool = False,
    spared: frozenset[str] = frozenset(),
) -> RawHeaders:
    """The stored fields after a newer response: each field of that replaces the stored ones.

    Section 3.2, for 304, for HEAD and for parts. An ``Age`` told how old the former answer was
    (section 5.1); where the newer one says nothing about its age, it goes.

    Args:
        stored: fields of the stored response.
        answer: fields of the newer one.
        received: when that arrived; stands in for a missing Date (RFC 9110 section 6.6.1).
        shared: whether the cache is shared.
        spared: names of further fields that are not to change, in lower case.
    """
    directives = response_directives(answer)
    told = storable_headers(answer.raw, directives, shared=shared, received=received)
    new = Headers(told).without(NOT_UPDATED | spared)
    return (*Headers(stored).without(frozenset({"age", *new})).raw, *new.raw)


class HeadVerdict(Enum):
    """What the answer to HEAD says about a stored response to GET (section 4.3.5)."""

    SAME = "it is still the same: take over the fields"
    CHANGED = "it is another one: what is stored is stale"
    SILENT = "nothing: only a 200 speaks"


def head_updates(stored: Headers, body_size: int, answer: ResponseHead) -> HeadVerdict:
    """What an answer to HEAD says about a stored GET that it could have selected (section 4.3.5).

    Args:
        stored: fields of the stored response.
        body_size: of the stored response, in bytes.
        answer: to HEAD.
    """
    if answer.status != 200:
        return HeadVerdict.SILENT
    new = answer.headers
    for name in ("etag", "last-modified"):
        if name in new and _values(new, name) != _values(stored, name):
            return HeadVerdict.CHANGED
    if "content-length" in new:
        known = _values(stored, "content-length")
        if not known and "content-encoding" not in stored:
            known = {str(body_size)}
        if _values(new, "content-length") != known:
            return HeadVerdict.CHANGED
    return HeadVerdict.SAME


def _values(headers: Headers, name: str) -> set[str]:
    return {value.strip(" \t") for value in headers.get_all(name)}


class Outcome(Enum):
    """What the caller's own conditions make of a stored response that may be served."""

    FULL = "serve it"
    NOT_MODIFIED = "the caller has it already: 304"
    FORWARD = "only the origin can tell"


def precondition(
    request: Request, status: int, stored: Headers, received: float, now: float
) -> Outcome:
    """Weigh the caller's conditions (section 4.3.2, RFC 9110 section 13.2.2).

    ``If-Range`` comes after these, with ``Range``: see
    :func:`http_client_cache.rfc9111.ranges.answer_range`.

    Args:
        request: the caller's.
        status: of the stored response that may be served.
        stored: its fields.
        received: when it arrived, in UTC seconds.
        now: UTC seconds.
    """
    headers = request.headers
    if any(name in headers for name in FOR_THE_ORIGIN):
        return Outcome.FORWARD
    by_tag = "if-none-match" in headers
    if not by_tag and "if-modified-since" not in headers:
        return Outcome.FULL
    if request.method not in CONDITIONABLE:
        return Outcome.FORWARD if by_tag else Outcome.FULL
    # Without its conditions, the request would not be answered with 2xx (RFC 9110 13.2.1).
    if status not in CONDITIONAL_STATUSES:
        return Outcome.FULL
    holds = (
        _has_one_of(headers.get_all("if-none-match"), stored)
        if by_tag
        else _unmodified_since(headers.get_all("if-modified-since"), stored, received, now)
    )
    return Outcome.NOT_MODIFIED if holds else Outcome.FULL


def answers_caller(request: Request, answer: Headers) -> bool:
    """Whether a 304 that freshens nothing is for the caller: it names one of their tags."""
    return _has_one_of(request.headers.get_all("if-none-match"), answer)


def not_modified(stored: Headers) -> RawHeaders:
    """The fields of a 304 made from a stored response (RFC 9110 section 15.4.5).

    ``Age`` is left to the caller, as for any stored response.
    """
    names = IN_304 if "etag" in stored else IN_304 | {"last-modified"}
    return tuple(pair for pair in stored.raw if to_text(pair[0]).lower() in names)


def _has_one_of(tags: Sequence[str], stored: Headers) -> bool:
    wanted = parse_entity_tags(tags)
    if isinstance(wanted, str):
        return True
    etag = entity_tag(stored.get_all("etag"))
    return any(weakly_equal(etag, each) for each in wanted)


def _unmodified_since(values: Sequence[str], stored: Headers, received: float, now: float) -> bool:
    since = parse_http_date(values[0], now) if len(values) == 1 else None
    if since is None:
        return False
    modified = first_date(stored, "last-modified", now)
    if modified is None:
        modified = first_date(stored, "date", now)
    return (received if modified is None else modified) <= since
