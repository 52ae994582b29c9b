"""Whatever a server sends, nothing raises in a user's face; and what makes sense counts."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.scripted import Line, reply

FIELDS = (
    *("Cache-Control", "Expires", "Age", "Date", "Last-Modified", "ETag", "Vary", "Pragma"),
    *("Content-Range", "Content-Location", "Location", "Connection", "Accept-Ranges"),
    *("Cache-Groups", "Cache-Group-Invalidation", "No-Vary-Search", "Cache-Status", "Warning"),
)
GARBAGE = (
    *(b"", b",", b";", b"=", b'"', b"\\", b'"\\', b",,,;=", b"\x80\xff\xfe", b"caf\xe9, =\xe9"),
    *(b"max-age", b"max-age==1", b"=60", b"max-age=60=60", b'max-age="60', b'max-age=60"'),
    *(b"9" * 5000, b"-1", b"1e9", b"0x10", b"\xd9\xa1", b"NaN", b"inf"),
    *(b"Fri, 32 Jan 2021 25:61:61 GMT", b"Mon, 01 Jan 0000 00:00:00 GMT", b"1609524000"),
    *(b"Sun, 06 Nov 99999 08:49:37 GMT", b"W/", b'W/"', b"w/a", b"*", b"**", b'"a" "b"'),
    *(b"bytes 0-/x", b"bytes 9-1/5", b"http://[::", b"//", b"(" * 200, b"a" * 7000),
)


@pytest.mark.parametrize("name", FIELDS)
async def test_garbage(open_table_web: OpenWeb, name: str) -> None:
    """Stored or not, validated or not: the answer arrives as the origin sent it."""
    web = open_table_web(cache_groups=True, no_vary_search=True, cache_status=True)
    for number, value in enumerate(GARBAGE):
        path = f"/{number}"
        lines: tuple[Line, ...] = (name.encode() + b": " + value,)
        for more in ((), ("Cache-Control: max-age=60", 'ETag: "b"')):
            web.origin.answers(path, reply(*lines, *more, body="as sent"))
            for method in ("GET", "GET", "HEAD", "POST", "GET"):
                seen = await web.request(method, path, allow_redirects=False)
                assert seen.status == 200
                assert seen.body == (b"" if method == "HEAD" else b"as sent")
            web.clock.advance(seconds=100)
            web.origin.answers(path, reply(*lines, *more, status=304))
            seen = await web.get(path, allow_redirects=False)
            assert seen.status in (200, 304)


@pytest.mark.parametrize(
    "name",
    [
        *("Cache-Control", "Pragma", "If-None-Match", "If-Modified-Since", "If-Match"),
        *("If-Unmodified-Since", "If-Range", "Range", "Accept", "Accept-Encoding"),
        *("Accept-Language", "Cookie", "Authorization"),
    ],
)
async def test_garbage_in_requests(table_web: Web, name: str) -> None:
    lines = ("Cache-Control: max-age=60", 'ETag: "a"', f"Vary: {name}")
    table_web.origin.answers("/", reply(*lines, body="as sent"))
    for value in GARBAGE:
        text = value.decode("latin-1")
        if not text.isascii():
            text = text.encode("ascii", "replace").decode()
        for fields in ({name: text}, {name: text, "Range": "bytes=0-1"}):
            seen = await table_web.get("/", fields)
            assert seen.status in (200, 206, 304, 416, 504)


@pytest.mark.parametrize(
    "lines",
    [
        ("Cache-Control: max-age=60, =, x",),
        ("Cache-Control: a=b=c, max-age=60",),
        ('Cache-Control: "quoted", max-age=60',),
        ("Cache-Control: \xe9, max-age=60",),
        ("Cache-Control: max-age=60", 'Cache-Control: unclosed="'),
        ("Cache-Control:", "Cache-Control: max-age=60", "Cache-Control: ,"),
    ],
    ids=str,
)
async def test_garbage_beside_sense(table_web: Web, lines: tuple[str, ...]) -> None:
    table_web.origin.answers("/", reply(*lines))
    await table_web.get()
    assert await table_web.is_reused()
    table_web.clock.advance(seconds=61)
    assert not await table_web.is_reused()


@pytest.mark.parametrize(
    "line",
    [
        "Cache-Control: no-store=, max-age=60",
        "Cache-Control: no-store=x, max-age=60",
        "Cache-Control: foo bar, no-store, max-age=60",
        "Cache-Control:no-store,max-age=60",
        "Cache-Control: \tNo-Store\t,\tmax-age=60",
    ],
)
async def test_what_forbids_is_seen_through_garbage(table_web: Web, line: str) -> None:
    """Section 4.2.1: the most restrictive directive is honoured."""
    table_web.origin.answers("/", reply(line))
    for _ in range(2):
        assert not await table_web.is_reused()


@pytest.mark.parametrize(
    "line",
    [
        "Cache-Control: no-storex, max-age=60",
        "Cache-Control: xno-store, max-age=60",
        "Cache-Control: no_store, max-age=60",
        'Cache-Control: x="no-store", max-age=60',
        "X-Cache-Control: no-store",
        "Pragma: no-store",
        "Surrogate-Control: no-store",
    ],
)
async def test_what_only_looks_like_it(table_web: Web, line: str) -> None:
    table_web.origin.answers("/", reply(line, "Cache-Control: max-age=60"))
    await table_web.get()
    assert await table_web.is_reused()
