"""What is remembered of `No-Vary-Search`, and the keys that are made with it."""

from __future__ import annotations

import pytest

from http_client_cache.lawful.query import MOST_PATHS, QueryRules, apply_rule
from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.no_vary_search import EVERYTHING

URL = "http://origin.test/search"


def said(value: str) -> Headers:
    return Headers.of([("No-Vary-Search", value)])


def significant(rules: QueryRules, url: str) -> str:
    return rules.apply(Request("GET", url))[0].url


def test_nothing_is_known() -> None:
    rules, request = QueryRules(), Request("GET", f"{URL}?b=1&a=2")
    assert rules.apply(request) == (request, ())
    assert rules.rule_for(URL) == EVERYTHING


@pytest.mark.parametrize(
    ("value", "url", "expected"),
    [
        ('params=("utm")', f"{URL}?q=1&utm=2", f"{URL}?q=1"),
        ('params=("utm")', f"{URL}?utm=2", URL),
        ("params", f"{URL}?q=1", URL),
        ('params, except=("q")', f"{URL}?x=1&q=1", f"{URL}?q=1"),
        ("key-order", f"{URL}?b=1&a=2", f"{URL}?a=2&b=1"),
        ("key-order", f"{URL}?b=1&a=2#part", f"{URL}?a=2&b=1"),
    ],
)
def test_what_a_response_said_counts_for_its_path(value: str, url: str, expected: str) -> None:
    rules = QueryRules()
    rules.learn(f"{URL}?anything", said(value))
    request, marks = rules.apply(Request("GET", url))
    assert request.url == expected
    # Under another rule, the same query would mean something else.
    assert marks[0] == "no-vary-search"
    other = f"{URL}/other?q=1&utm=2"
    assert significant(rules, other) == other


def test_rules_that_mean_the_same_make_the_same_marks() -> None:
    first, second = QueryRules(), QueryRules()
    first.learn(URL, said('params=("a" "b")'))
    second.learn(URL, said('params=("b" "a")'))
    request = Request("GET", f"{URL}?a=1&q=2")
    assert first.apply(request) == second.apply(request)
    assert apply_rule(request, first.rule_for(URL)) == first.apply(request)


@pytest.mark.parametrize("later", [Headers.of({}), said("what=is this")])
def test_the_latest_response_counts(later: Headers) -> None:
    rules = QueryRules()
    rules.learn(URL, said("params"))
    rules.learn(URL, later)
    assert rules.rule_for(URL) == EVERYTHING


def test_the_oldest_is_forgotten() -> None:
    rules = QueryRules()
    for number in range(MOST_PATHS + 3):
        rules.learn(f"{URL}/{number}", said("params"))
    known = [number for number in range(5) if rules.rule_for(f"{URL}/{number}") != EVERYTHING]
    assert known == [3, 4]


def test_what_is_said_again_is_no_longer_the_oldest() -> None:
    rules = QueryRules()
    for number in (*range(MOST_PATHS), 0, MOST_PATHS):
        rules.learn(f"{URL}/{number}", said("params"))
    assert rules.rule_for(f"{URL}/0") != EVERYTHING
    assert rules.rule_for(f"{URL}/1") == EVERYTHING
