"""Lists, directives and seconds: RFC 9110 section 5.6, RFC 9111 sections 1.3 and 5.2."""

from __future__ import annotations

import time

import pytest

from http_client_cache.rfc9111.fields import (
    MAX_DELTA,
    Directive,
    delta_seconds,
    directives,
    is_token,
    list_items,
    unquote,
)


@pytest.mark.parametrize(
    ("lines", "items"),
    [
        ([], []),
        ([""], []),
        (["a"], ["a"]),
        (["a,b"], ["a", "b"]),
        ([" a\t, b "], ["a", "b"]),
        ([",, a,,b,", ","], ["a", "b"]),
        (["a", "b, c"], ["a", "b", "c"]),
        (['a="b, c", d'], ['a="b, c"', "d"]),
        (['"a, b"'], ['"a, b"']),
        ([r'a="b\", c", d'], [r'a="b\", c"', "d"]),
        ([r'a="b\\", c'], [r'a="b\\"', "c"]),
        (['a="", b'], ['a=""', "b"]),
        (['W/"a,b", "c"'], ['W/"a,b"', '"c"']),
        (['a="b, c'], ['a="b', "c"]),
        (['a="b', 'c"'], ['a="b', 'c"']),
        (['a="b", c="d, e'], ['a="b"', 'c="d', "e"]),
        ([r'a="b\", c'], [r'a="b\"', "c"]),
    ],
)
def test_list_items(lines: list[str], items: list[str]) -> None:
    assert list_items(lines) == items


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("no-store", Directive("no-store")),
        ("No-STORE", Directive("no-store")),
        ("max-age=5", Directive("max-age", "5")),
        ('max-age="5"', Directive("max-age", "5")),
        ('a="b, \\"c\\""', Directive("a", 'b, "c"')),
        ('a=""', Directive("a", "")),
        ("a='5'", Directive("a", "'5'")),
        ("x-!#$%&'*+.^_`|~9=1", Directive("x-!#$%&'*+.^_`|~9", "1")),
        ("a=", Directive("a", None, well_formed=False)),
        ("a =5", Directive("a", None, well_formed=False)),
        ("a= 5", Directive("a", None, well_formed=False)),
        ("a=5=6", Directive("a", None, well_formed=False)),
        ("a=5 b", Directive("a", None, well_formed=False)),
        ("a;b", Directive("a", None, well_formed=False)),
        ('a="5', Directive("a", None, well_formed=False)),
        ('a="5"x', Directive("a", None, well_formed=False)),
        ("a=é", Directive("a", None, well_formed=False)),
    ],
)
def test_a_directive(line: str, found: Directive) -> None:
    assert directives([line]) == [found]


@pytest.mark.parametrize(
    "garbage", ["", "=", "=5", '"no-store"', "(no-store)", "{}", "é", "\udcff"]
)
def test_what_has_no_name_is_left_out(garbage: str) -> None:
    assert directives([f"a, {garbage}, b=1"]) == [Directive("a"), Directive("b", "1")]


def test_directives_keep_their_repetitions() -> None:
    assert directives(["a=1, b", "A=2"]) == [
        Directive("a", "1"),
        Directive("b"),
        Directive("a", "2"),
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], []),
        (["max-age=5, No-Store"], [("max-age", "5"), ("no-store", None)]),
        (["max-age=5", "max-age=6"], [("max-age", "5"), ("max-age", "6")]),
        (["max-age=, max-age=6"], [("max-age", None), ("max-age", "6")]),
        (['community="UCI", private'], [("community", "UCI"), ("private", None)]),
        (['x="no-store, max-age=5"'], [("x", "no-store, max-age=5")]),
        (["&%$!, no-store, ==, a=1"], [("&%$!", None), ("no-store", None), ("a", "1")]),
    ],
)
def test_lines_of_directives(lines: list[str], found: list[tuple[str, str | None]]) -> None:
    assert [(name, argument) for name, argument, _ in directives(lines)] == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("5", 5),
        ("005", 5),
        ("0" * 5000 + "7", 7),
        (str(MAX_DELTA - 1), MAX_DELTA - 1),
        (str(MAX_DELTA), MAX_DELTA),
        (str(MAX_DELTA + 1), MAX_DELTA),
        ("9" * 5000, MAX_DELTA),
    ],
)
def test_seconds(text: str, seconds: int) -> None:
    assert delta_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", "1e3", "0x10", "1_0", " 1", "1 ", "1,2", "a", '"1"', "٣", "²"]
)
def test_what_are_no_seconds(text: str) -> None:
    assert delta_seconds(text) is None


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('""', ""),
        ('"a"', "a"),
        (r'"a\"b\\"', 'a"b\\'),
        ("a", "a"),
        ('"a', '"a'),
        ('"a"b"', '"a"b"'),
    ],
)
def test_unquote(text: str, content: str) -> None:
    assert unquote(text) == content


@pytest.mark.parametrize(
    ("text", "expected"), [("x-A9", True), ("", False), ("a b", False), ("a:", False), ("é", False)]
)
def test_tokens(text: str, expected: bool) -> None:
    assert is_token(text) is expected


@pytest.mark.parametrize("piece", ['"', '\\"', '"\\', '="', '",', "=", "\\", "a=b "])
def test_long_garbage_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    directives([piece * 20_000, f'"{piece * 20_000}'])
    assert time.perf_counter() - begun < 1
