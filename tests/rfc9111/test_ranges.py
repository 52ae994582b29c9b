"""Ranges: RFC 9110 sections 13.1.5, 14 and 15.3.7."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.ranges import (
    Forward,
    Full,
    Partial,
    Span,
    Unsatisfiable,
    answer_range,
    coalesced,
    parse_range,
)
from http_client_cache.rfc9111.reasons import Reason
from tests.rfc9111.messages import NOW, URL, at, fields, get, lines

BODY = b"0123456789"
SIZE = len(BODY)
ELSEWHERE = Forward(Reason.PART)


@pytest.mark.parametrize(
    ("value", "spans"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=2-5", [(2, 6)]),
        ("bytes=7-", [(7, 10)]),
        ("bytes=7-99", [(7, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-99", [(0, 10)]),
        ("BYTES=0-1", [(0, 2)]),
        ("bytes=0-1, 3-4 ,\t-2", [(0, 2), (3, 5), (8, 10)]),
        ("bytes=,0-1,,", [(0, 2)]),
        ("bytes=5-6,0-1", [(5, 7), (0, 2)]),
        ("bytes=0-5,3-8", [(0, 6), (3, 9)]),
        ("bytes=00-09", [(0, 10)]),
        # Nothing to satisfy them with.
        ("bytes=10-", []),
        ("bytes=10-20", []),
        ("bytes=-0", []),
        ("bytes=-0, 1-1", [(1, 2)]),
        (f"bytes=0-{'9' * 5000}", [(0, 10)]),
        (f"bytes={'9' * 5000}-", []),
        # Not valid: to be ignored.
        ("bytes=5-2", None),
        ("bytes=0-1,5-2", None),
        ("bytes=", None),
        ("bytes=,", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1", None),
        ("bytes=1-2-3", None),
        ("bytes=0 - 1", None),
        ("bytes 0-1", None),
        ("bytes = 0-1", None),
        ("bytes=+0-1", None),
        ("bytes=٠-١", None),  # noqa: RUF001
        ("bytes=0-1, bytes=3-4", None),
        ("", None),
        ("0-1", None),
        # Another unit.
        ("lines=0-1", None),
        ("none", None),
    ],
)
def test_ranges(value: str, spans: list[tuple[int, int]] | None) -> None:
    assert parse_range(value, SIZE) == spans


@pytest.mark.parametrize(
    ("value", "spans"),
    [
        ("bytes=2-5", [Span(2, 6)]),
        ("bytes=2-", [Span(2, None)]),
        ("bytes=-3", [Span(-3, None)]),
        ("bytes=-0", []),
    ],
)
def test_ranges_of_what_has_no_known_size(value: str, spans: list[Span]) -> None:
    assert parse_range(value, None) == spans


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([], []),
        ([(5, 7), (0, 2)], [(0, 2), (5, 7)]),
        ([(0, 6), (3, 9)], [(0, 9)]),
        ([(3, 5), (0, 3)], [(0, 5)]),
        ([(0, 9), (3, 5)], [(0, 9)]),
    ],
)
def test_ranges_that_overlap_or_touch_are_one(
    spans: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    assert coalesced(spans) == found


def ask(value: str, headers: Headers | None = None, **how: Any) -> Any:
    named = how.pop("request", {})
    status, size = how.pop("status", 200), how.pop("size", SIZE)
    request = get(how.pop("method", "GET"), range=value, **named)
    return answer_range(request, status, headers or fields(), size, NOW, **how)


def test_a_part_of_a_stored_response() -> None:
    stored = fields(
        cache_control="a",
        content_location="b",
        date="c",
        etag='"d"',
        expires="e",
        vary="f",
        content_type="text/plain",
        last_modified="g",
        content_length="10",
        content_md5="h",
        transfer_encoding="chunked",
    )
    answer = ask("bytes=2-5", stored)
    assert isinstance(answer, Partial)
    assert BODY[answer.start : answer.stop] == b"2345"
    assert dict(Headers(answer.headers).items()) == {
        "cache-control": "a",
        "content-location": "b",
        "date": "c",
        "etag": '"d"',
        "expires": "e",
        "vary": "f",
        "content-type": "text/plain",
        "last-modified": "g",
        "Content-Range": "bytes 2-5/10",
        "Content-Length": "4",
    }
    # Who sends If-Range knows these already.
    known = ask("bytes=2-5", stored, request={"if_range": '"d"'})
    assert {"content-type", "last-modified"}.isdisjoint(Headers(known.headers))
    assert Headers(known.headers).get("vary") == "f"


@pytest.mark.parametrize(
    ("value", "how", "answer"),
    [
        ("garbage", {}, Full()),
        ("lines=0-1", {}, Full()),
        ("bytes=5-2", {}, Full()),
        ("bytes=0-1", {"method": "HEAD"}, Full()),
        ("bytes=0-1", {"method": "POST"}, Full()),
        ("bytes=0-1", {"status": 404}, Full()),
        ("bytes=-1", {"size": 0}, Full()),
        ("bytes=0-1, 5-6", {}, Forward(Reason.SEVERAL_RANGES)),
        ("bytes=0-1", {"headers": fields(content_encoding="gzip")}, Forward(Reason.CODED_RANGE)),
        ("bytes=0-1", {"coded": True}, Forward(Reason.CODED_RANGE)),
        # A part is stored, and not enough of it.
        ("garbage", {"status": 206, "held": (2, 6)}, ELSEWHERE),
        ("bytes=1-3", {"status": 206, "held": (2, 6)}, ELSEWHERE),
        ("bytes=2-6", {"status": 206, "held": (2, 6)}, ELSEWHERE),
        ("bytes=-1", {"status": 206, "held": (2, 6)}, ELSEWHERE),
        ("bytes=2-", {"size": None, "held": (2, 6)}, ELSEWHERE),
        ("bytes=-1", {"size": None, "held": (2, 6)}, ELSEWHERE),
        ("bytes=3-3, -1", {"size": None, "held": (2, 6)}, ELSEWHERE),
        ("bytes=0-1", {"method": "HEAD", "held": (0, 6)}, ELSEWHERE),
        ("bytes=0-1", {"size": None}, ELSEWHERE),
    ],
)
def test_what_else_a_range_is_answered_with(value: str, how: dict[str, Any], answer: Any) -> None:
    assert ask(value, **how) == answer


@pytest.mark.parametrize(
    ("value", "how", "start", "stop", "told"),
    [
        ("bytes=0-3, 2-5", {}, 0, 6, "bytes 0-5/10"),
        ("bytes=4-, 99-", {}, 4, 10, "bytes 4-9/10"),
        ("bytes=3-4", {"status": 206, "held": (2, 6)}, 3, 5, "bytes 3-4/10"),
        ("bytes=2-5", {"status": 206, "held": (2, 6)}, 2, 6, "bytes 2-5/10"),
        ("bytes=0-3", {"held": (0, 6)}, 0, 4, "bytes 0-3/10"),
        ("bytes=3-4", {"size": None, "held": (2, 6)}, 3, 5, "bytes 3-4/*"),
        ("bytes=0-1", {"headers": fields(content_encoding="identity")}, 0, 2, "bytes 0-1/10"),
        ("bytes=0-1", {"headers": fields(content_encoding="br"), "coded": False}, 0, 2, None),
    ],
)
def test_what_is_a_single_part_after_all(
    value: str, how: dict[str, Any], start: int, stop: int, told: str | None
) -> None:
    answer = ask(value, **how)
    assert (answer.start, answer.stop) == (start, stop)
    assert told is None or Headers(answer.headers).get("content-range") == told


def test_a_range_that_nothing_can_satisfy() -> None:
    answer = ask("bytes=10-", fields(date=at(0), etag='"a"', content_type="text/plain"))
    assert isinstance(answer, Unsatisfiable)
    assert dict(Headers(answer.headers).items()) == {
        "date": at(0),
        "Content-Range": "bytes */10",
        "Content-Length": "0",
    }


def test_no_range_and_several_fields_are_answered_in_full() -> None:
    assert answer_range(get(), 200, fields(), SIZE, NOW) == Full()
    twice = Request("GET", URL, lines("Range", "bytes=0-1", "bytes=2-3"))
    assert answer_range(twice, 200, fields(), SIZE, NOW) == Full()


STRONG = fields(etag='"a"', last_modified=at(-100), date=at(-50))


@pytest.mark.parametrize(
    ("condition", "stored", "holds"),
    [
        ('"a"', STRONG, True),
        ('"b"', STRONG, False),
        ('W/"a"', STRONG, False),
        ('W/"a"', fields(etag='W/"a"'), False),
        ('"a"', fields(etag='W/"a"'), False),
        ('"a"', fields(), False),
        ("a", fields(etag="a"), False),
        (at(-100), STRONG, True),
        (at(-99), STRONG, False),
        (at(-101), STRONG, False),
        (at(-100), fields(last_modified=at(-100), date=at(-100)), False),
        (at(-100), fields(last_modified=at(-100)), False),
        ("garbage", STRONG, False),
        ("", STRONG, False),
        ('"a", "b"', STRONG, False),
    ],
)
def test_if_range(condition: str, stored: Headers, *, holds: bool) -> None:
    answer = ask("bytes=0-1", stored, request={"if_range": condition})
    assert isinstance(answer, Partial if holds else Full)


def test_if_range_on_two_lines_does_not_hold() -> None:
    named = [("Range", "bytes=0-1"), ("If-Range", '"a"'), ("If-Range", '"a"')]
    request = Request("GET", URL, Headers.of(named))
    assert answer_range(request, 200, STRONG, SIZE, NOW) == Full()
