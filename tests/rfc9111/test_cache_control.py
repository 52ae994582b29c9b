"""Cache-Control and Pragma: RFC 9111 sections 5.2 and 5.4, RFC 5861, RFC 8246."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.message import Headers
from http_client_cache.rfc9111.cache_control import (
    NO_REQUEST_DIRECTIVES,
    NO_RESPONSE_DIRECTIVES,
    RequestDirectives,
    ResponseDirectives,
    request_directives,
    response_directives,
)
from http_client_cache.rfc9111.fields import MAX_DELTA
from tests.rfc9111.messages import fields, lines


def request(text: str) -> RequestDirectives:
    return request_directives(fields(cache_control=text))


def response(*texts: str) -> ResponseDirectives:
    return response_directives(lines("Cache-Control", *texts))


def test_without_the_field_nothing_is_parsed() -> None:
    headers = fields(pragma="x", date="y")
    assert request_directives(headers) is NO_REQUEST_DIRECTIVES
    assert response_directives(headers) is NO_RESPONSE_DIRECTIVES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max-age=5", {"max_age": 5}),
        ("MAX-AGE=5", {"max_age": 5}),
        ('max-age="5"', {"max_age": 5}),
        ("max-age=5, max-age=9", {"max_age": 5}),
        ("max-stale=5", {"max_stale": 5}),
        ("max-stale", {"max_stale": MAX_DELTA}),
        ("min-fresh=5", {"min_fresh": 5}),
        ("no-cache", {"no_cache": True}),
        ("no-store", {"no_store": True}),
        ("no-transform", {"no_transform": True}),
        ("only-if-cached", {"only_if_cached": True}),
        ("stale-if-error=5", {"stale_if_error": 5}),
        ("private, must-revalidate, s-maxage=1, x=y", {}),
        ("max-age=0, no-cache, , no-store", {"max_age": 0, "no_cache": True, "no_store": True}),
    ],
)
def test_request_directives(text: str, said: dict[str, Any]) -> None:
    assert request(text) == RequestDirectives(**said)


@pytest.mark.parametrize("value", ["", "=", "=x", "=-1", "=1.5", "=1 2", '="1', "= 1"])
def test_what_a_request_does_not_say_clearly_is_the_least_it_could_want(value: str) -> None:
    assert request(f"max-age{value}").max_age == 0
    assert request(f"min-fresh{value}").min_fresh == MAX_DELTA
    assert request(f"stale-if-error{value}").stale_if_error is None
    if value:
        assert request(f"max-stale{value}").max_stale is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max-age=5", {"max_age": 5}),
        ('max-age="5"', {"max_age": 5}),
        ("s-maxage=5", {"s_maxage": 5}),
        ("no-store", {"no_store": True}),
        ("no-cache", {"no_cache": True}),
        ("private", {"private": True}),
        ("public", {"public": True}),
        ("must-revalidate", {"must_revalidate": True}),
        ("proxy-revalidate", {"proxy_revalidate": True}),
        ("must-understand", {"must_understand": True}),
        ("no-transform", {"no_transform": True}),
        ("immutable", {"immutable": True}),
        ("immutable=1", {"immutable": True}),
        ("stale-while-revalidate=5", {"stale_while_revalidate": 5}),
        ("stale-if-error=5", {"stale_if_error": 5}),
        ("Public, MAX-age=99999999999", {"public": True, "max_age": MAX_DELTA}),
        ("max-stale=1, min-fresh=2, only-if-cached", {}),
    ],
)
def test_response_directives(text: str, said: dict[str, Any]) -> None:
    assert response(text) == ResponseDirectives(**said)


def test_unrecognised_directives_are_ignored() -> None:
    assert response('private, community="UCI, no-store"') == ResponseDirectives(private=True)
    assert response("x, y=1, z") == NO_RESPONSE_DIRECTIVES


@pytest.mark.parametrize(
    "text",
    [
        "max-age",
        "max-age=",
        "max-age=-1",
        "max-age=1.5",
        "max-age=x",
        "max-age=5x",
        "max-age =5",
        "max-age= 5",
        "max-age='5'",
        'max-age="5',
        'max-age=""',
        "max-age=5 no-store",
    ],
)
def test_an_unreadable_lifetime_is_none_at_all(text: str) -> None:
    assert response(text) == ResponseDirectives(max_age=0, unreadable=frozenset({"max-age"}))
    shared = response(text.replace("max-age", "s-maxage"))
    assert shared == ResponseDirectives(s_maxage=0, unreadable=frozenset({"s-maxage"}))


@pytest.mark.parametrize("name", ["stale-while-revalidate", "stale-if-error"])
def test_an_unreadable_allowance_allows_nothing(name: str) -> None:
    assert response(f"{name}=x") == ResponseDirectives(unreadable=frozenset({name}))


@pytest.mark.parametrize(
    ("texts", "max_age"),
    [
        (["max-age=5, max-age=9"], 5),
        (["max-age=9", "max-age=5"], 9),
        (["max-age=x, max-age=9"], 0),
        (["max-age=9, max-age=x"], 9),
    ],
)
def test_of_two_values_the_first_counts(texts: list[str], max_age: int) -> None:
    assert response(*texts).max_age == max_age


@pytest.mark.parametrize("rest", ["", "=1", '="x"', "=", ";x", " x", '="x'])
def test_what_narrows_counts_whatever_follows_its_name(rest: str) -> None:
    said = response(*[name + rest for name in ("no-store", "must-revalidate", "proxy-revalidate")])
    assert said == ResponseDirectives(no_store=True, must_revalidate=True, proxy_revalidate=True)
    assert request(f"only-if-cached, no-store{rest}").no_store
    assert request(f"only-if-cached, no-cache{rest}").no_cache
    assert request(f"no-cache, only-if-cached{rest}").only_if_cached


@pytest.mark.parametrize("rest", ["=", ";x", " x", '="x'])
def test_what_allows_counts_only_if_it_is_clear(rest: str) -> None:
    assert response(f"public{rest}, immutable{rest}, must-understand{rest}") == ResponseDirectives()


@pytest.mark.parametrize("name", ["no-cache", "private"])
@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('="Set-Cookie"', {"set-cookie"}),
        ("=set-cookie", {"set-cookie"}),
        ('="a, B ,,c"', {"a", "b", "c"}),
        ('="a", {}="b"', {"a", "b"}),
        ("", None),
        ("=", None),
        ('=""', None),
        ('=","', None),
        ('="a b"', None),
        ('="a:"', None),
        ('="a', None),
        ('="a", {}', None),
        (', {}="a"', None),
        ('="a, Vary"', None),
        ('="cache-control"', None),
        ('="Content-Encoding"', None),
    ],
)
def test_field_names(name: str, value: str, names: set[str] | None) -> None:
    """Names that cannot be read, or that nothing can do without, make it the stricter form."""
    said = response(name + value.format(name))._asdict()
    attribute = name.replace("-", "_")
    assert said[attribute] is (names is None)
    assert said[f"{attribute}_fields"] == (names or set())


@pytest.mark.parametrize(
    ("fields_", "no_cache"),
    [
        ({"pragma": "no-cache"}, True),
        ({"pragma": "No-Cache"}, True),
        ({"pragma": "x, no-cache"}, True),
        ({"pragma": "no-cache=x"}, True),
        ({"pragma": "x"}, False),
        ({"pragma": '"no-cache"'}, False),
        ({"pragma": "no-cache", "cache_control": "max-age=5"}, False),
        ({"pragma": "no-cache", "cache_control": "x"}, False),
        ({"pragma": "no-cache", "cache_control": " , "}, True),
    ],
)
def test_pragma_counts_where_cache_control_is_silent(
    fields_: dict[str, str], no_cache: bool
) -> None:
    assert request_directives(fields(**fields_)).no_cache is no_cache


def test_pragma_means_nothing_in_a_response() -> None:
    assert response_directives(fields(pragma="no-cache")) is NO_RESPONSE_DIRECTIVES


def test_bytes_that_are_no_text_hide_nothing() -> None:
    raw = ((b"cache-control", b"\xff\xfe, no-store"), (b"Cache-Control", b'max-age=5, x="\xff"'))
    assert response_directives(Headers(raw)) == ResponseDirectives(no_store=True, max_age=5)
