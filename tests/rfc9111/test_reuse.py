"""Reuse, fresh and stale: RFC 9111 sections 4, 4.2.4 and 5.2.1, RFC 5861, RFC 8246."""

from __future__ import annotations

import math
from typing import Any

import pytest

from http_client_cache.entry import CLOCK_SKEW
from http_client_cache.rfc9111.cache_control import NO_REQUEST_DIRECTIVES, request_directives
from http_client_cache.rfc9111.freshness import ERRORS, Windows, reusable, reusable_on_error
from http_client_cache.rfc9111.reasons import Reason
from tests.rfc9111.messages import NOW, asks, fields, head, stored

HIT, EXPIRED, MAX_STALE = Reason.HIT, Reason.EXPIRED, Reason.MAX_STALE
SWR, SIE = Reason.STALE_WHILE_REVALIDATE, Reason.STALE_IF_ERROR
FOR_EVER = Windows(while_revalidate=math.inf, if_error=math.inf)


def judge(said: str, asked: str | None, passed: float, **how: Any) -> Reason:
    windows = how.pop("windows", Windows())
    found = stored(head(cache_control=said), **how)
    return reusable(found, asks(asked), NOW + passed, windows)


def judge_error(said: str, asked: str | None, passed: float, **how: Any) -> Reason:
    windows = how.pop("windows", Windows())
    found = stored(head(cache_control=said), **how)
    return reusable_on_error(found, asks(asked), NOW + passed, windows)


@pytest.mark.parametrize(
    ("said", "passed", "reason"),
    [
        ("max-age=60", 0, HIT),
        ("max-age=60", 59.9, HIT),
        ("max-age=60", 60, EXPIRED),
        ("max-age=60", -CLOCK_SKEW, HIT),
        ("max-age=60", -CLOCK_SKEW - 1, Reason.CLOCK),
        ("max-age=0", 0, EXPIRED),
        ("max-age=0", -CLOCK_SKEW, EXPIRED),
        ("max-age=60, no-cache", 0, Reason.NO_CACHE),
        ('max-age=60, no-cache="a"', 0, HIT),
        ("max-age=60, must-revalidate", 0, HIT),
        ("max-age=60, must-revalidate", 60, Reason.MUST_REVALIDATE),
        ("max-age=60, proxy-revalidate", 60, EXPIRED),
        ("max-age=60, no-store", 0, HIT),
    ],
)
def test_a_plain_request(said: str, passed: float, reason: Reason) -> None:
    assert judge(said, None, passed) is reason


@pytest.mark.parametrize(
    ("asked", "passed", "reason"),
    [
        ("no-cache", 0, Reason.REQUEST_NO_CACHE),
        ("no-store", 0, HIT),
        ("no-transform", 0, HIT),
        ("only-if-cached", 0, HIT),
        ("max-age=30", 30, HIT),
        ("max-age=30", 31, Reason.REQUEST_MAX_AGE),
        ("max-age=90", 59, HIT),
        ("max-age=90", 61, EXPIRED),
        ("max-age=0", 0, Reason.REQUEST_MAX_AGE),
        ("max-age=x", 0, Reason.REQUEST_MAX_AGE),
        ("max-age=0, max-stale", 0, Reason.REQUEST_MAX_AGE),
        ("max-age=90, max-stale", 80, MAX_STALE),
        ("max-age=90, max-stale", 100, Reason.REQUEST_MAX_AGE),
        ("min-fresh=20", 40, HIT),
        ("min-fresh=20", 41, Reason.REQUEST_MIN_FRESH),
        ("min-fresh=0", 59, HIT),
        ("min-fresh=x", 0, Reason.REQUEST_MIN_FRESH),
        ("min-fresh=0, max-stale", 61, Reason.REQUEST_MIN_FRESH),
        ("max-stale", 1e9, MAX_STALE),
        ("max-stale", 59, HIT),
        ("max-stale=10", 70, MAX_STALE),
        ("max-stale=10", 71, EXPIRED),
        ("max-stale=x", 61, EXPIRED),
        ("max-stale", -CLOCK_SKEW - 1, MAX_STALE),
        ("max-stale=10", -CLOCK_SKEW - 1, Reason.CLOCK),
        ("max-stale=99999999999", 1e10, MAX_STALE),
        ("min-fresh=60", -CLOCK_SKEW, HIT),
        ("min-fresh=61", -CLOCK_SKEW, Reason.REQUEST_MIN_FRESH),
        ("x, y=z", 0, HIT),
    ],
)
def test_what_a_request_asks_for(asked: str, passed: float, reason: Reason) -> None:
    assert judge("max-age=60", asked, passed) is reason


def test_the_age_on_arrival_counts_for_the_request_too() -> None:
    found = stored(head(cache_control="max-age=60", age="20"))
    assert reusable(found, asks("max-age=25"), NOW + 5) is HIT
    assert reusable(found, asks("max-age=25"), NOW + 6) is Reason.REQUEST_MAX_AGE


def test_pragma_asks_for_validation() -> None:
    found = stored(head(cache_control="max-age=60"))
    assert reusable(found, request_directives(fields(pragma="no-cache")), NOW) is (
        Reason.REQUEST_NO_CACHE
    )


@pytest.mark.parametrize("asked", ["max-stale", "max-stale=99", "stale-if-error=99"])
@pytest.mark.parametrize(
    ("said", "shared", "reason"),
    [
        ("no-cache, stale-while-revalidate=99, stale-if-error=99", False, Reason.NO_CACHE),
        ("max-age=0, must-revalidate, stale-while-revalidate=99", False, Reason.MUST_REVALIDATE),
        ("max-age=0, proxy-revalidate, stale-if-error=99", True, Reason.MUST_REVALIDATE),
        ("s-maxage=0, stale-while-revalidate=99", True, Reason.MUST_REVALIDATE),
    ],
)
def test_nothing_overrules_a_response_that_forbids_to_serve_it_stale(
    said: str, shared: bool, reason: Reason, asked: str
) -> None:
    assert judge(said, asked, 1, shared=shared, windows=FOR_EVER) is reason
    assert judge_error(said, asked, 1, shared=shared, windows=FOR_EVER) is reason


@pytest.mark.parametrize(
    ("asked", "passed", "reason"),
    [
        (None, 59, HIT),
        (None, 60, SWR),
        (None, 90, SWR),
        (None, 91, EXPIRED),
        (None, -CLOCK_SKEW - 1, Reason.CLOCK),
        ("no-cache", 61, Reason.REQUEST_NO_CACHE),
        ("max-age=99", 61, EXPIRED),
        ("min-fresh=0", 61, Reason.REQUEST_MIN_FRESH),
        ("max-stale=9", 61, MAX_STALE),
        ("max-stale=9", 75, EXPIRED),
        ("max-stale", 75, MAX_STALE),
    ],
)
def test_stale_while_revalidate(asked: str | None, passed: float, reason: Reason) -> None:
    assert judge("max-age=60, stale-while-revalidate=30", asked, passed) is reason


@pytest.mark.parametrize(
    ("said", "passed", "reason"),
    [
        ("max-age=60", 80, SWR),
        ("max-age=60", 81, EXPIRED),
        ("max-age=60, stale-while-revalidate=30", 90, SWR),
        ("max-age=60, stale-while-revalidate=0", 61, EXPIRED),
    ],
)
def test_the_house_allows_where_the_response_does_not_say(
    said: str, passed: float, reason: Reason
) -> None:
    assert judge(said, None, passed, windows=Windows(while_revalidate=20)) is reason
    error = judge_error(
        said.replace("while-revalidate", "if-error"), None, passed, windows=Windows(if_error=20)
    )
    assert error is (SIE if reason is SWR else reason)


def test_a_house_that_allows_for_ever() -> None:
    assert judge("max-age=0", None, 1e12, windows=FOR_EVER) is SWR
    assert judge_error("max-age=0", None, 1e12, windows=FOR_EVER) is SIE


@pytest.mark.parametrize(
    ("asked", "passed", "reason"),
    [
        ("max-age=0", 59, HIT),
        ("max-age=10", 59, HIT),
        ("max-age=0", 60, Reason.REQUEST_MAX_AGE),
        ("no-cache", 0, Reason.REQUEST_NO_CACHE),
        ("min-fresh=30", 31, Reason.REQUEST_MIN_FRESH),
        (None, 60, EXPIRED),
    ],
)
def test_what_is_immutable_is_not_validated_while_fresh(
    asked: str | None, passed: float, reason: Reason
) -> None:
    assert judge("max-age=60, immutable", asked, passed) is reason


def test_immutable_is_no_leave_to_serve_it_unvalidated() -> None:
    assert judge("max-age=60, immutable, no-cache", None, 0) is Reason.NO_CACHE


@pytest.mark.parametrize(
    ("said", "asked", "passed", "reason"),
    [
        ("max-age=60", None, 61, EXPIRED),
        ("max-age=60", None, 59, EXPIRED),
        ("max-age=60, stale-if-error=30", None, 59, SIE),
        ("max-age=60, stale-if-error=30", None, 90, SIE),
        ("max-age=60, stale-if-error=30", None, 91, EXPIRED),
        ("max-age=60, stale-if-error=30", None, -CLOCK_SKEW - 1, EXPIRED),
        ("max-age=60, stale-while-revalidate=30", None, 61, EXPIRED),
        ("max-age=60, must-revalidate, stale-if-error=30", None, 59, SIE),
        ("max-age=60, stale-if-error=30", "no-cache", 1, Reason.REQUEST_NO_CACHE),
        ("max-age=60, stale-if-error=30", "max-age=9", 61, Reason.REQUEST_MAX_AGE),
        ("max-age=60, stale-if-error=30", "max-age=99", 61, EXPIRED),
        ("max-age=60, stale-if-error=30", "max-age=99", 59, SIE),
        ("max-age=60, stale-if-error=30", "min-fresh=9", 55, Reason.REQUEST_MIN_FRESH),
        ("max-age=60, stale-if-error=30", "max-stale=9", 69, SIE),
        ("max-age=60, stale-if-error=30", "max-stale=9", 70, EXPIRED),
        ("max-age=60", "stale-if-error=30", 90, SIE),
        ("max-age=60", "stale-if-error=30", 91, EXPIRED),
        ("max-age=60, stale-if-error=99", "stale-if-error=30", 91, EXPIRED),
        ("max-age=60", "no-cache, stale-if-error=30", 90, SIE),
        ("max-age=60", "max-age=0, stale-if-error=30", 90, SIE),
        ("max-age=60, must-revalidate", "stale-if-error=30", 61, Reason.MUST_REVALIDATE),
    ],
)
def test_stale_if_error(said: str, asked: str | None, passed: float, reason: Reason) -> None:
    assert judge_error(said, asked, passed) is reason


def test_what_counts_as_an_error() -> None:
    assert {500, 502, 503, 504} == ERRORS


def test_what_never_expires() -> None:
    class Kept:
        created, initial_age, expires = NOW, 5.0, None
        no_cache = must_revalidate = immutable = False
        stale_while_revalidate = stale_if_error = None

    assert reusable(Kept(), NO_REQUEST_DIRECTIVES, NOW + 1e12) is HIT
    assert reusable(Kept(), asks("min-fresh=999"), NOW) is HIT
    assert reusable(Kept(), asks("max-age=5"), NOW + 1) is Reason.REQUEST_MAX_AGE
    assert reusable(Kept(), NO_REQUEST_DIRECTIVES, NOW - 999) is Reason.CLOCK
