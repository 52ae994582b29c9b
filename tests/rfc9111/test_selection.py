"""Which stored response a request selects: RFC 9111 section 4.1."""

from __future__ import annotations

import pytest

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.selection import (
    VARIES_ON_ANYTHING,
    VaryValues,
    matches,
    names_to_keep,
    normalized,
    select,
    variant_id,
    vary_names,
    vary_values,
)
from tests.rfc9111.messages import NOW, URL, fields, get, lines

ANYTHING = VARIES_ON_ANYTHING


def told(*names: str, **sent: str) -> VaryValues:
    return vary_values(names, get(**sent))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ((), ()),
        (("",), ()),
        ((" , ,",), ()),
        (("Accept",), ("accept",)),
        (("accept, ACCEPT",), ("accept",)),
        (("Accept-Language,Accept",), ("accept", "accept-language")),
        (("Accept", "Accept-Language"), ("accept", "accept-language")),
        ((" Accept ,, X-a\t",), ("accept", "x-a")),
        (("*",), ANYTHING),
        (("Accept, *",), ANYTHING),
        (("Accept", "*"), ANYTHING),
        # What cannot be a name tells that there is something, and not what.
        (("Accept Language",), ANYTHING),
        (('"Accept"',), ANYTHING),
        (("Accept; Cookie",), ANYTHING),
    ],
)
def test_names_of_selecting_fields(values: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert vary_names(lines("Vary", *values)) == names


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("accept-encoding", ["gzip, br"], ["gzip,br"]),
        ("accept-encoding", ["gzip, br"], ["br,   gzip"]),
        ("accept-encoding", ["gzip", "br"], ["gzip, br"]),
        ("accept-encoding", ["gzip, br"], [",gzip,,br, "]),
        ("accept-encoding", ["GZip"], ["gzip"]),
        ("accept-encoding", ["x-gzip"], ["gzip"]),
        ("accept-encoding", ["gzip, gzip"], ["gzip"]),
        ("accept-encoding", ["gzip;q=1"], ["gzip"]),
        ("accept-encoding", ["gzip;q=1.000"], ["gzip;Q=1."]),
        ("accept-encoding", ["gzip;q=0.50, *;q=0"], ["*;q=0.0 , gzip ; q=0.5"]),
        ("accept", ["text/html;level=1;q=0.3"], ['Text/HTML; Level="1"; q=0.3']),
        ("accept", ["text/html, */*;q=0.1"], ["*/*;q=0.1, text/html"]),
        ("accept-charset", ["UTF-8, *;q=0.1"], ["*;q=0.10,utf-8"]),
        ("accept-language", ["da, en-gb;q=0.8, en;q=0.7"], ["en;q=0.7,DA,en-GB;q=0.80"]),
        ("cache-control", ["no-cache,no-store"], ["no-cache", "no-store"]),
        ("cookie", ["a=1; b=2"], ["a=1", "b=2"]),
        # Equal weights are equal preferences: the order "cannot be relied upon" (12.5.4).
        ("accept-language", ["de, en"], ["en, de"]),
        ("x-any", [" a "], ["a"]),
        ("x-any", ["a,b"], ["a ,, b"]),
        ("x-any", ["a", "b"], ["a, b"]),
    ],
)
def test_values_that_mean_the_same(name: str, one: list[str], other: list[str]) -> None:
    assert normalized(name, one) == normalized(name, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("accept-encoding", ["gzip"], [""]),
        ("accept-encoding", ["gzip"], ["gzip;q=0.5"]),
        ("accept-encoding", ["gzip;q=0"], [""]),
        ("accept", ["text/html;charset=A"], ["text/html;charset=a"]),
        ("accept", ['text/html;a="b c"'], ["text/html;a=b"]),
        # A weight that is none, or is said twice, or is followed by something.
        ("accept-encoding", ["gzip;q=2, br"], ["br, gzip;q=2"]),
        ("accept-encoding", ["gzip;q=1, gzip;q=0"], ["gzip;q=0, gzip;q=1"]),
        ("accept", ["text/html;q=0.5;x=1"], ["text/html;x=1;q=0.5"]),
        # Nothing is known about these.
        ("x-any", ["a,b"], ["b,a"]),
        ("x-any", ['"a,b"'], ['"a , b"']),
        ("cookie", ["a=1,2"], ["a=1, 2"]),
        ("user-agent", ["(a, b)"], ["(a,b)"]),
        ("x-any", ["a"], ["A"]),
        ("user-agent", ["a  b"], ["a b"]),
        ("cache-control", ["no-cache, no-store"], ["no-store, no-cache"]),
        ("authorization", ["Basic YQ=="], ["basic YQ=="]),
    ],
)
def test_values_that_may_differ(name: str, one: list[str], other: list[str]) -> None:
    assert normalized(name, one) != normalized(name, other)


def test_all_selecting_fields_have_to_match() -> None:
    stored = told("accept", "x-a", accept="text/html", x_a="1")
    assert matches(stored, get(accept="TEXT/html", x_a="1", x_b="whatever"))
    assert not matches(stored, get(accept="text/html", x_a="2"))
    assert not matches(stored, get(accept="text/html"))


def test_absent_matches_absent_alone() -> None:
    absent, empty = told("accept-encoding"), told("accept-encoding", accept_encoding="")
    assert absent != empty
    assert matches(absent, get())
    assert not matches(absent, get(accept_encoding=""))
    assert matches(empty, get(accept_encoding=" "))
    assert not matches(empty, get())


def test_a_star_matches_not_even_the_same_request() -> None:
    request = get(accept="a")
    assert not matches(vary_values(ANYTHING, request), request)
    assert select([(vary_values(ANYTHING, request), NOW)], request) is None


def test_repeated_lines_match_their_combination() -> None:
    twice = Request("GET", URL, lines("X-A", "1", "2"))
    assert matches(vary_values(["x-a"], twice), get(x_a="1, 2"))


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Proxy-Authorization", "X-Token"])
def test_nothing_that_is_remembered_can_be_read(name: str) -> None:
    request = Request("GET", URL, Headers.of({name: "Bearer s3cret"}))
    values = vary_values([name.lower()], request)
    assert "s3cret" not in repr(values)
    assert "s3cret" not in variant_id(values)
    assert matches(values, request)


def test_names_of_variants() -> None:
    assert variant_id(()) == ""
    names = [
        variant_id(values)
        for values in (
            told("a"),
            told("a", a=""),
            told("a", a="1"),
            told("b", b="1"),
            told("a", "b", a="1"),
            told("a", "b", a="1", b="1"),
        )
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) == 16 for name in names)
    assert variant_id(told("a", a=" 1")) == variant_id(told("a", a="1"))


def test_the_most_recent_of_those_that_match_is_selected() -> None:
    candidates = [
        (told("accept", accept="a"), NOW - 5),
        (told("x-a", x_a="1"), NOW - 1),
        (told("x-a", x_a="2"), NOW),
    ]
    assert select(candidates, get(accept="a", x_a="1")) == 1
    assert select(candidates, get(accept="a", x_a="3")) == 0
    assert select(candidates, get(accept="b")) is None
    assert select([], get()) is None


def test_without_vary_the_most_recent_is_selected() -> None:
    assert select([((), NOW - 1), ((), NOW)], get(accept="a")) == 1


def test_a_response_that_forgot_vary_answers_nothing_beside_those_that_did_not() -> None:
    candidates = [((), NOW), (told("accept", accept="a"), NOW - 5)]
    assert select(candidates, get(accept="a")) == 1
    assert select(candidates, get(accept="b")) is None
    # What matches no request tells nothing about what others depend on.
    assert select([((), NOW), (vary_values(ANYTHING, get()), NOW)], get()) == 0


def test_a_response_that_forgot_vary_takes_it_from_the_most_recent() -> None:
    beside = [
        (told("x-old", x_old="1"), NOW - 9),
        (told("accept", "x-a"), NOW - 1),
        (vary_values(ANYTHING, get()), NOW),
        ((), NOW),
    ]
    assert names_to_keep(fields(), beside) == ("accept", "x-a")
    assert names_to_keep(fields(vary="Cookie"), beside) == ("cookie",)
    assert names_to_keep(fields(vary="*"), beside) == ANYTHING
    assert names_to_keep(fields(), [((), NOW)]) == ()
    # So it answers requests like its own, and no others.
    request = get(accept="b")
    kept = vary_values(names_to_keep(fields(), beside), request)
    assert select([*beside, (kept, NOW)], request) == len(beside)
