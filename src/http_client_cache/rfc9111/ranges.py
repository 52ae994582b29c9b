"""Range requests (RFC 9110 section 14) and parts of responses (RFC 9111 sections 3.3, 3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from http_client_cache.body import AnyBody
from http_client_cache.message import Headers, RawHeaders, Request, to_bytes, to_text
from http_client_cache.rfc9111.dates import format_http_date, parse_http_date
from http_client_cache.rfc9111.fields import OWS, list_items
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.validation import freshened
from http_client_cache.rfc9111.validators import parse_entity_tag, strongly_equal, validators

_SPECIFIER: Final = re.compile(r"([^\s=,]+)=(.*)", re.DOTALL)
_SPEC: Final = re.compile(r"(\d*)-(\d*)", re.ASCII)
_CONTENT_RANGE: Final = re.compile(r"bytes[ \t]+(\d+)-(\d+)/(\d+|\*)", re.ASCII | re.IGNORECASE)

_MOST_DIGITS: Final = 18
_BEYOND: Final = 10**_MOST_DIGITS

NOT_OF_A_PART: Final = frozenset(
    {
        *("content-digest", "content-length", "content-md5", "content-range"),
        "transfer-encoding",
    }
)
"""Fields of a whole response that would be wrong for a part of it, in lower case."""

ABOUT_NO_PART: Final = frozenset({"date"})
"""Fields of a stored response that its 416 has as well, in lower case."""

HAVE_PARTS: Final = frozenset({200, 206})
"""Stored responses of which a part may be asked for (RFC 9110 section 14.2)."""

KNOWN_TO_CALLER: Final = frozenset(
    {"content-encoding", "content-language", "content-type", "last-modified"}
)
"""Representation fields that who sends ``If-Range`` already has (RFC 9110 section 15.3.7)."""


class Span(NamedTuple):
    """A range of bytes, as a slice: ``stop`` is the first that is not in it.

    Where the size is unknown, ``stop`` may be open, and ``start`` count from the end.
    """

    start: int
    stop: int | None


def parse_range(value: str, size: int | None) -> list[Span] | None:
    """Read a ``Range`` field (RFC 9110 section 14.2).

    Args:
        value: of the field.
        size: of the whole representation in bytes; ``None`` if it is unknown.

    Returns:
        What can be satisfied, in the order asked for, cut to the size; empty if nothing can.
        ``None`` if the field is to be ignored: another unit, or not valid.
    """
    match = _SPECIFIER.fullmatch(value.strip(OWS))
    if match is None or match.group(1).lower() != "bytes":
        return None
    specs = [spec for raw in match.group(2).split(",") if (spec := raw.strip(OWS))]
    spans: list[Span] = []
    for spec in specs:
        parsed = _SPEC.fullmatch(spec)
        if parsed is None or spec == "-":
            return None
        first, last = parsed.groups()
        if first and last and _number(last) < _number(first):
            return None
        span = _span(first, last, size)
        if span is not None:
            spans.append(span)
    return spans if specs else None


def _span(first: str, last: str, size: int | None) -> Span | None:
    """One range; ``None`` if it cannot be satisfied."""
    if not first:
        length = _number(last)
        if length == 0:
            return None
        return Span(-length, None) if size is None else Span(max(size - length, 0), size)
    start = _number(first)
    stop = _number(last) + 1 if last else None
    if size is None:
        return Span(start, stop)
    return Span(start, size if stop is None else min(stop, size)) if start < size else None


def _number(digits: str) -> int:
    """Digits as a number; Python refuses to read thousands of them."""
    digits = digits.lstrip("0")
    return _BEYOND if len(digits) > _MOST_DIGITS else int(digits or "0")


def coalesced(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that overlap or touch made one (RFC 9110 section 15.3.7.2)."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


@dataclass(frozen=True, slots=True)
class Full:
    """The stored response is the answer as it is: ``Range`` does not apply."""


@dataclass(frozen=True, slots=True)
class Partial:
    """206: the bytes from ``start`` to before ``stop`` of the whole representation."""

    start: int
    stop: int
    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """416: no byte of what is asked for exists."""

    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class Forward:
    """The origin has to answer this."""

    reason: Reason


RangeAnswer = Full | Partial | Unsatisfiable | Forward


def answer_range(
    request: Request,
    status: int,
    headers: Headers,
    size: int | None,
    received: float,
    *,
    held: tuple[int, int] | None = None,
    coded: bool | None = None,
) -> RangeAnswer:
    """What a stored response that may be served answers to a request, as for its ``Range``.

    To be asked after the caller's other conditions (RFC 9110 section 13.2.2). Several ranges
    that do not make up one are the origin's to answer: it may know how to write
    ``multipart/byteranges``, or choose to send everything.

    Args:
        request: the caller's.
        status: of the stored response.
        headers: of the stored response.
        size: of the whole representation in bytes; ``None`` if it is unknown.
        received: when the stored response arrived, in UTC seconds.
        held: start and end of what is stored, where that is not everything.
        coded: whether the stored body is not what ranges count in, as its content coding was
            removed. By default, if there is a ``Content-Encoding``.
    """
    whole: RangeAnswer = Full() if held is None else Forward(Reason.PART)
    values = request.headers.get_all("range")
    if request.method != "GET" or len(values) != 1 or status not in HAVE_PARTS:
        return whole
    spans = parse_range(values[0], size)
    if spans is None or not if_range_holds(request, headers, received):
        return whole
    if is_coded(headers) if coded is None else coded:
        return Forward(Reason.CODED_RANGE)
    if not spans and size is not None:
        kept = tuple(pair for pair in headers.raw if to_text(pair[0]).lower() in ABOUT_NO_PART)
        return Unsatisfiable(_described(Headers(kept), f"*/{size}", 0))
    bounds = coalesced([(start, stop) for start, stop in spans if start >= 0 and stop is not None])
    if len(bounds) > 1:
        return Forward(Reason.SEVERAL_RANGES)
    # Where the size is unknown, open ranges are not among the bounds.
    if not bounds or any(span.stop is None for span in spans):
        return Forward(Reason.PART)
    start, stop = bounds[0]
    first, end = (0, size or 0) if held is None else held
    if start < first or stop > end:
        return Forward(Reason.PART)
    if start == stop:
        # The last bytes of nothing: Content-Range has no words for that.
        return whole
    left_out = NOT_OF_A_PART
    if "if-range" in request.headers:
        left_out |= KNOWN_TO_CALLER
    told = f"{start}-{stop - 1}/{'*' if size is None else size}"
    return Partial(start, stop, _described(headers.without(left_out), told, stop - start))


def if_range_holds(request: Request, headers: Headers, received: float) -> bool:
    """Whether a part of the stored response is of use to the caller (RFC 9110 section 13.1.5).

    True without ``If-Range``. An entity-tag is compared strongly; a date has to be the very
    Last-Modified, and that a strong validator.
    """
    values = request.headers.get_all("if-range")
    if not values:
        return True
    if len(values) > 1:
        return False
    stored = validators(headers, received)
    if '"' in values[0]:
        return strongly_equal(parse_entity_tag(values[0]), stored.etag)
    date = parse_http_date(values[0], received)
    return date is not None and stored.has_strong_date and date == stored.modified


def is_coded(headers: Headers) -> bool:
    """Whether the content of a response has a content coding."""
    codings = {item.lower() for item in list_items(headers.get_all("content-encoding"))}
    return bool(codings - {"identity"})


class Part(NamedTuple):
    """Some of a representation, contiguous: a 206, or a 200 that broke off.

    Attributes:
        status: 200 if the fields are those of the whole response.
        headers: fields of the response.
        start: position of the first byte of the body.
        size: of the whole representation in bytes; ``None`` if it is unknown.
        body: the bytes, or what has their number.
        received: when it arrived, in UTC seconds.
    """

    status: int
    headers: Headers
    start: int
    size: int | None
    body: AnyBody
    received: float

    @property
    def stop(self) -> int:
        """The position after the last byte of the body."""
        return self.start + len(self.body)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.start == 0 and len(self.body) == self.size


def part_of(status: int, headers: Headers, body: AnyBody, received: float) -> Part | None:
    """Read what arrived as a part of a representation.

    ``None`` if it is not one that can be stored: another status, several ranges, a
    ``Content-Range`` that is missing or contradicts the body (RFC 9110 section 14.4), or
    content of which only the decoded bytes are known.
    """
    if is_coded(headers):
        return None
    if status == 200:
        size = _length(headers)
        if size is not None and len(body) > size:
            return None
        return Part(200, headers, 0, size, body, received)
    span = parse_content_range(headers)
    if status != 206 or span is None or span.stop - span.start != len(body):
        return None
    return Part(206, headers, span.start, span.size, body, received)


def combine(stored: Sequence[Part], new: Part) -> Part:
    """Add the newest part to the stored ones (section 3.4, RFC 9110 section 15.3.7.3).

    Only those that share a strong validator with it and leave no gap count. If nothing is
    missing, the result is a complete 200; if none counts, it is the new part.
    """
    result, used = new, [new]
    left = [part for part in stored if _combinable(part, new)]
    while touching := [p for p in left if p.start <= result.stop and result.start <= p.stop]:
        left = [part for part in left if part not in touching]
        used += touching
        for part in touching:
            result = _joined(result, part)
    if len(used) == 1 and not (new.is_whole and new.status == 206):
        return new
    sizes = [part.size for part in used if part.size is not None]
    return _told(used, result._replace(size=sizes[0] if sizes else None))


def completion(part: Part) -> tuple[tuple[str, str], ...]:
    """The fields that ask for the rest of a response that broke off (section 3.3).

    None where its beginning is missing, or without a strong validator (RFC 9110 section 13.1.5).
    """
    known = validators(part.headers, part.received)
    if part.start != 0 or part.is_whole or not part.body:
        return ()
    if known.etag is not None:
        if known.etag.weak:
            return ()
        condition = str(known.etag)
    elif known.has_strong_date and known.modified is not None:
        condition = format_http_date(known.modified)
    else:
        return ()
    return (("Range", f"bytes={part.stop}-"), ("If-Range", condition))


class ContentRange(NamedTuple):
    """Which part of a representation a 206 carries; ``size`` is ``None`` if unknown."""

    start: int
    stop: int
    size: int | None


def parse_content_range(headers: Headers) -> ContentRange | None:
    """Read ``Content-Range`` (RFC 9110 section 14.4); ``None`` if it makes no sense."""
    values = {value.strip(OWS) for value in headers.get_all("content-range")}
    match = _CONTENT_RANGE.fullmatch(values.pop()) if len(values) == 1 else None
    if match is None:
        return None
    first, last, total = match.groups()
    start, stop = _number(first), _number(last) + 1
    size = None if total == "*" else _number(total)
    if start >= stop or (size is not None and stop > size) or stop > _BEYOND:
        return None
    return ContentRange(start, stop, size)


def _length(headers: Headers) -> int | None:
    values = set(list_items(headers.get_all("content-length")))
    text = values.pop() if len(values) == 1 else ""
    return _number(text) if text.isascii() and text.isdigit() else None


def _combinable(part: Part, new: Part) -> bool:
    if part.size is not None and new.size is not None and part.size != new.size:
        return False
    one, other = (validators(each.headers, each.received) for each in (part, new))
    if one.etag is not None and other.etag is not None:
        return strongly_equal(one.etag, other.etag)
    return one.has_strong_date and other.has_strong_date and one.modified == other.modified


def _joined(newer: Part, older: Part) -> Part:
    """The bytes of two parts that touch; where they overlap, those of the newer."""
    body, known = newer.body, older.body
    if not (isinstance(body, bytes) and isinstance(known, bytes)):
        raise TypeError("only parts that are in memory can be joined")
    before = known[: max(newer.start - older.start, 0)]
    after = known[max(newer.stop - older.start, 0) :]
    return newer._replace(start=min(newer.start, older.start), body=before + body + after)


def _told(used: Sequence[Part], result: Part) -> Part:
    """The result with the status and fields that it has to have."""
    new, *stored = used
    headers = new.headers.raw
    if new.status == 206 and stored:
        base = max(stored, key=lambda part: (part.status == 200, part.received))
        headers = freshened(base.headers.raw, new.headers, new.received)
    plain = Headers(headers).without(NOT_OF_A_PART)
    if result.is_whole:
        length = ((b"Content-Length", to_bytes(str(result.size))),)
        return result._replace(status=200, headers=Headers(plain.raw + length))
    told = f"{result.start}-{result.stop - 1}/{'*' if result.size is None else result.size}"
    fields = _described(plain, told, len(result.body))
    return result._replace(status=206, headers=Headers(fields))


def _described(headers: Headers, content_range: str, length: int) -> RawHeaders:
    return (
        *headers.raw,
        (b"Content-Range", to_bytes(f"bytes {content_range}")),
        (b"Content-Length", to_bytes(str(length))),
    )
