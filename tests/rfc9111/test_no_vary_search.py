"""No-Vary-Search (draft-ietf-httpbis-no-vary-search), and the structured fields it is made of."""

from __future__ import annotations

import pytest

from http_client_cache.rfc9111.no_vary_search import (
    EVERYTHING,
    Variance,
    significant_query,
    variance,
)
from http_client_cache.rfc9111.structured import Other, parse_dictionary, parse_list
from tests.rfc9111.messages import fields, lines


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (("params",), Variance(None)),
        (("params=?1",), Variance(None)),
        (('params=("a")',), Variance(frozenset({"a"}))),
        (('params=("a" "b";x=1)',), Variance(frozenset({"a", "b"}))),
        (('params=("%C3%A9+%E6%B0%97")',), Variance(frozenset({"é 気"}))),
        (('params, except=("x")',), Variance(None, frozenset({"x"}))),
        (("params, except=()",), Variance(None)),
        (("key-order",), Variance(ordered=False)),
        (("key-order, params",), Variance(None, ordered=False)),
        (("key-order", 'params=("a")'), Variance(frozenset({"a"}), ordered=False)),
        (('new="x", params',), Variance(None)),
        *[
            ((value,), EVERYTHING)
            for value in (
                *("", "unknown-key", 'key-order="x"', 'params="x"', "params=(x)", "params=x"),
                *('params=("a"), except=("x")', "params=(), except=()", "params=1", "PARAMS"),
                *('params=?0, except=("x")', "params, except=(x)", 'params, except="x"'),
                *("params, except", 'except=("x")', "except=()", "params=?0", "params=()"),
                *("key-order=?0", "params,", 'params=("a"', "params=?2", 'params=("a""b")'),
            )
        ],
    ],
)
def test_rules(values: tuple[str, ...], rule: Variance) -> None:
    assert variance(lines("No-Vary-Search", *values)) == rule


def test_without_the_field_everything_counts() -> None:
    assert variance(fields()) == EVERYTHING
    assert significant_query("b=1&&a=%41", EVERYTHING) == "b=1&&a=%41"


@pytest.mark.parametrize(
    ("value", "one", "other", "same"),
    [
        ("params", "a=1&b", "", True),
        ('params=("a")', "a=1&b=2", "b=2&a=3&a", True),
        ('params=("a")', "a=1&b=2", "b=3", False),
        ('params=("a")', "b=1&c=2", "c=2&b=1", False),
        ('params, except=("x")', "x=1&y=2", "z&x=1", True),
        ('params, except=("x")', "x=1", "x=2", False),
        ("key-order", "b=2&a=1", "a=1&b=2", True),
        ("key-order", "a=1&a=2", "a=2&a=1", False),
        ("key-order", "a=x", "%61=%78", True),
        ("key-order", "a=é", "a=%C3%A9", True),
        ("key-order", "a=%f6", "a=%ef%bf%bd", True),
        ("key-order", "a=x&&&&", "a=x", True),
        ("key-order", "a=", "a", True),
        ("key-order", "a=%20", "a=+", True),
        ("key-order", "a=1%262", "a=1&2", False),
        ('params=("%C3%A9+%E6%B0%97")', "é 気=1", "%C3%A9+%E6%B0%97=4", True),
    ],
)
def test_queries(value: str, one: str, other: str, *, same: bool) -> None:
    rule = variance(fields(no_vary_search=value))
    assert (significant_query(one, rule) == significant_query(other, rule)) is same


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", []),
        ("  ", []),
        ('"a" , "b"', ["a", "b"]),
        ("?1, ?0", [True, False]),
        ('("a" b);c=1;d, ()', [("a", Other("b")), ()]),
        (
            "a/b:c, 1, -1.5, :YQ==:, @1, *x",
            [*map(Other, ("a/b:c", "1", "-1.5", ":YQ==:", "@1", "*x"))],
        ),
        ('%"f%c3%bc"', [Other('%"f%c3%bc"')]),
    ],
)
def test_lists(text: str, members: list[object]) -> None:
    assert parse_list([text]) == members


@pytest.mark.parametrize(
    "text",
    [
        *('"', "1.", "1.2345", "1" * 16, "?2", "a b", "a,", ",a", ",", "a,,b", "(a", "(a,b)"),
        *(r'"\a"', "a;", "a;B", "=a", ":a", "ä", '"\x00"', '("a""b")', "\ta"),
    ],
)
def test_no_lists(text: str) -> None:
    assert parse_list([text]) is None


def test_the_last_of_two_equal_keys_counts() -> None:
    assert parse_dictionary(["a=?0, b;x, a"]) == {"b": True, "a": True}
    assert parse_dictionary(["a=1", "", "b=?0"]) == {"a": Other("1"), "b": False}
    assert parse_dictionary(["A=1"]) is None
