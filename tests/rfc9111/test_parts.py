"""Parts of responses: RFC 9111 sections 3.3 and 3.4, RFC 9110 sections 14.4 and 15.3.7.3."""

from __future__ import annotations

import pytest

from http_client_cache.rfc9111.ranges import (
    Part,
    combine,
    completion,
    parse_content_range,
    part_of,
)
from tests.rfc9111.messages import NOW, at, fields, lines

BODY = b"0123456789"
SIZE = len(BODY)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("bytes 0-0/1", (0, 1, 1)),
        ("bytes 2-5/10", (2, 6, 10)),
        ("BYTES 2-5/*", (2, 6, None)),
        (" bytes  2-5/10 ", (2, 6, 10)),
        ("bytes 5-2/10", None),
        ("bytes 2-10/10", None),
        ("bytes */10", None),
        ("bytes=2-5/10", None),
        ("lines 2-5/10", None),
        ("bytes 2-5", None),
        ("bytes -5/10", None),
        ("", None),
        (f"bytes 0-{'9' * 5000}/*", None),
        (f"bytes 0-1/{'9' * 5000}", (0, 2, 10**18)),
    ],
)
def test_content_ranges(value: str, found: tuple[int, int, int | None] | None) -> None:
    assert parse_content_range(fields(content_range=value)) == found


def test_content_ranges_that_contradict_each_other() -> None:
    assert parse_content_range(lines("Content-Range", "bytes 0-1/9", "bytes 0-2/9")) is None
    assert parse_content_range(fields()) is None


def part(start: int, stop: int, size: int | None = SIZE, **named: str) -> Part:
    named = {"etag": '"a"', "date": at(0), **named}
    told = f"bytes {start}-{stop - 1}/{'*' if size is None else size}"
    found = part_of(206, fields(content_range=told, **named), BODY[start:stop], NOW)
    assert found is not None
    return found


def broken_off(stop: int, **named: str) -> Part:
    headers = fields(**{"etag": '"a"', "content_length": "10", **named})
    found = part_of(200, headers, BODY[:stop], NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "named", "body"),
    [
        (206, {"content_range": "bytes 0-4/10"}, b"1234"),
        (206, {"content_type": "multipart/byteranges; boundary=x"}, b"1234"),
        (206, {"content_range": "bytes 0-3/10", "content_encoding": "gzip"}, b"1234"),
        (200, {"content_length": "3"}, b"1234"),
        (200, {"content_length": "9", "content_encoding": "gzip"}, b"1234"),
        (404, {"content_range": "bytes 0-3/10"}, b"1234"),
        (416, {"content_range": "bytes */10"}, b""),
    ],
)
def test_what_is_not_a_part(status: int, named: dict[str, str], body: bytes) -> None:
    assert part_of(status, fields(**named), body, NOW) is None


def test_parts() -> None:
    assert part(2, 6)[2:5] == (2, 10, b"2345")
    assert broken_off(4)[2:5] == (0, 10, b"0123")
    assert part_of(200, fields(), b"1", NOW) == Part(200, fields(), 0, None, b"1", NOW)
    assert not broken_off(4).is_whole
    assert broken_off(10).is_whole


@pytest.mark.parametrize(
    ("stored", "new", "bounds"),
    [
        ([part(0, 4)], part(4, 10), (0, 10)),
        ([part(4, 10)], part(0, 4), (0, 10)),
        ([part(0, 6)], part(3, 10), (0, 10)),
        ([part(0, 2), part(8, 10)], part(2, 8), (0, 10)),
        ([part(0, 2), part(2, 4)], part(4, 6), (0, 6)),
        ([part(2, 4), part(0, 2)], part(4, 6), (0, 6)),
        ([part(0, 10)], part(4, 6), (0, 10)),
        ([part(0, 4, None)], part(4, 6, None), (0, 6)),
        ([part(0, 4, None)], part(4, 10), (0, 10)),
        ([broken_off(4)], part(4, 10), (0, 10)),
        ([part(2, 6)], broken_off(4), (0, 6)),
        # A gap.
        ([part(0, 2)], part(4, 6), (4, 6)),
        ([part(0, 2), part(5, 7)], part(3, 5), (3, 7)),
        # Not the same representation.
        ([part(0, 4, etag='"b"')], part(4, 10), (4, 10)),
        ([part(0, 4, etag='W/"a"')], part(4, 10, etag='W/"a"'), (4, 10)),
        ([part(0, 4, etag="")], part(4, 10, etag=""), (4, 10)),
        ([part(0, 4, 9)], part(4, 10), (4, 10)),
        # Dates will do, if they are strong and no tag knows better.
        (
            [part(0, 4, etag="", last_modified=at(-5))],
            part(4, 10, etag="", last_modified=at(-5)),
            (0, 10),
        ),
        (
            [part(0, 4, etag="", last_modified=at(0))],
            part(4, 10, etag="", last_modified=at(0)),
            (4, 10),
        ),
        (
            [part(0, 4, etag='"b"', last_modified=at(-5))],
            part(4, 10, last_modified=at(-5)),
            (4, 10),
        ),
    ],
)
def test_combining(stored: list[Part], new: Part, bounds: tuple[int, int]) -> None:
    found = combine(stored, new)
    assert (found.start, found.stop) == bounds
    assert found.body == BODY[slice(*bounds)]
    assert found.is_whole is (found.status == 200) is (bounds == (0, SIZE))
    told = found.headers.get("content-range")
    assert (told is None) is found.is_whole
    if told is not None:
        size = "*" if found.size is None else found.size
        assert told == f"bytes {bounds[0]}-{bounds[1] - 1}/{size}"


def test_fields_of_a_combination() -> None:
    whole = combine([part(0, 4, x_old="1", x_both="old")], part(4, 10, x_new="2", x_both="new"))
    assert whole.headers.get_all("content-length") == ["10"]
    assert [whole.headers.get(name) for name in ("x-old", "x-both", "x-new")] == ["1", "new", "2"]
    # The fields of a 200 come first: a part may not have all of them.
    parts = [broken_off(2, content_type="a"), part(2, 4, content_type="b")]
    assert combine(parts, part(4, 6)).headers.get("content-type") == "a"
    # Those of the newest, if it is a 200 that broke off.
    newest = combine([part(2, 6, x_old="1")], broken_off(4, x_new="2")).headers
    assert (newest.get("x-old"), newest.get("x-new")) == (None, "2")


def test_where_parts_overlap_the_newest_counts() -> None:
    old = part(0, 6)._replace(body=b"abcdef")
    assert combine([old], part(2, 4)).body == b"ab23ef"


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (broken_off(4), {"Range": "bytes=4-", "If-Range": '"a"'}),
        (part(0, 4), {"Range": "bytes=4-", "If-Range": '"a"'}),
        (
            broken_off(4, etag="", last_modified=at(-5), date=at(0)),
            {"Range": "bytes=4-", "If-Range": at(-5)},
        ),
        (broken_off(4, etag='W/"a"', last_modified=at(-5), date=at(0)), {}),
        (broken_off(4, etag="", last_modified=at(0), date=at(0)), {}),
        (broken_off(4, etag=""), {}),
        (broken_off(0), {}),
        (broken_off(10), {}),
        (part(2, 4), {}),
    ],
)
def test_asking_for_the_rest(known: Part, asked: dict[str, str]) -> None:
    assert dict(completion(known)) == asked
