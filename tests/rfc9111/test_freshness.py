"""Lifetime and age: RFC 9111 section 4.2 to 4.2.3, 5.1 and 5.3."""

from __future__ import annotations

import time
from typing import Any

import pytest

from http_client_cache.entry import CLOCK_SKEW
from http_client_cache.message import Headers
from http_client_cache.rfc9111.cache_control import response_directives
from http_client_cache.rfc9111.fields import MAX_DELTA
from http_client_cache.rfc9111.freshness import (
    HEURISTIC_LIMIT,
    HEURISTICALLY_CACHEABLE,
    Lifetime,
    Source,
    current_age,
    initial_age,
    is_fresh,
    lifetime,
    parse_expires,
)
from tests.rfc9111.messages import NOW, at, head, lines, stored

YEAR = 365 * 86_400


def life(response: Any, *, shared: bool = False) -> Lifetime:
    return lifetime(response, response_directives(response.headers), NOW, shared=shared)


# --- Lifetime (4.2.1) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "private", "shared"),
    [
        ({}, (0, Source.NONE), (0, Source.NONE)),
        ({"cache_control": "max-age=5"}, (5, Source.MAX_AGE), (5, Source.MAX_AGE)),
        ({"cache_control": "s-maxage=9"}, (0, Source.NONE), (9, Source.S_MAXAGE)),
        ({"cache_control": "max-age=5, s-maxage=9"}, (5, Source.MAX_AGE), (9, Source.S_MAXAGE)),
        ({"expires": at(60)}, (60, Source.EXPIRES), (60, Source.EXPIRES)),
        (
            {"expires": at(60), "cache_control": "max-age=5"},
            (5, Source.MAX_AGE),
            (5, Source.MAX_AGE),
        ),
        (
            {"expires": at(60), "cache_control": "s-maxage=5"},
            (60, Source.EXPIRES),
            (5, Source.S_MAXAGE),
        ),
        (
            {"expires": at(60), "cache_control": "max-age=x"},
            (0, Source.MAX_AGE),
            (0, Source.MAX_AGE),
        ),
        (
            {"expires": "0", "cache_control": "max-age=5"},
            (5, Source.MAX_AGE),
            (5, Source.MAX_AGE),
        ),
        (
            {"last_modified": at(-1000), "cache_control": "s-maxage=5"},
            (100, Source.HEURISTIC),
            (5, Source.S_MAXAGE),
        ),
        ({"last_modified": at(-1000), "expires": at(-1)}, (0, Source.EXPIRES), (0, Source.EXPIRES)),
        (
            {"cache_control": "max-age=99999999999"},
            (MAX_DELTA, Source.MAX_AGE),
            (MAX_DELTA, Source.MAX_AGE),
        ),
    ],
)
def test_the_first_of_four_sources_counts(
    named: dict[str, str], private: tuple[float, Source], shared: tuple[float, Source]
) -> None:
    assert life(head(**named)) == private
    assert life(head(**named), shared=True) == shared


@pytest.mark.parametrize(
    ("date", "expires", "seconds"),
    [
        (at(0), at(60), 60),
        (at(-30), at(30), 60),
        (at(3600), at(3660), 60),
        (at(3600), at(60), 0),
        (at(0), at(0), 0),
        (at(0), at(-60), 0),
        (None, at(60), 60),
        (None, at(-60), 0),
        ("yesterday", at(60), 60),
        ("", at(60), 60),
        (at(0), "Fri, 31 Dec 9999 23:59:59 GMT", MAX_DELTA),
        ("Mon, 01 Jan 0001 00:00:00 GMT", at(0), MAX_DELTA),
    ],
)
def test_expires_counts_from_date(date: str | None, expires: str, seconds: float) -> None:
    named = {"expires": expires} if date is None else {"expires": expires, "date": date}
    assert life(head(**named)) == (seconds, Source.EXPIRES)


@pytest.mark.parametrize(("first", "second", "seconds"), [(60, 5, 60), (5, 60, 5), (-5, 60, 0)])
def test_the_first_of_several_expires_counts(first: float, second: float, seconds: float) -> None:
    response = head(headers=lines("Expires", at(first), at(second)))
    assert life(response) == (seconds, Source.EXPIRES)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "SUN, 06 NOV 1994 08:49:37 GMT",
        " Sun, 06 Nov 1994 08:49:37 GMT\t",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "sunday, 06-nov-94 08:49:37 gmt",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
    ],
)
def test_expires_in_all_three_formats(text: str) -> None:
    assert parse_expires(text, NOW) == 784111777


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "",
        "never",
        "4102444800",
        "Fri, 01 Jan 2100 00:00:00",
        "Fri, 01 Jan 2100 00:00:00 UTC",
        "Fri, 01 Jan 2100 00:00:00 +0000",
        "Fri, 01 Jan 2100 00:00:00 EST",
        "Fri, 01 Jan 2100 00:00:00 AEST",
        "Fri, 01-Jan-2100 00:00:00 GMT",
        "Fri 01 Jan 2100 00:00:00 GMT",
        "Fri,  01 Jan 2100 00:00:00 GMT",
        "Fri, 1 Jan 2100 00:00:00 GMT",
        "Fri, 01 Jan 2100 0:00:00 GMT",
        "Fri, 01 Jan 2100 00.00.00 GMT",
        "Fri, 01 Jan 00 00:00:00 GMT",
        "Fri, 32 Jan 2100 00:00:00 GMT",
        "Fri, 01 Jan 2100 24:00:00 GMT",
        "01 Jan 2100 00:00:00 GMT",
        "2100-01-01T00:00:00Z",
        f"{at(60)}, {at(60)}",
        "\udcff",
    ],
)
def test_an_invalid_expires_lies_in_the_past(text: str) -> None:
    assert parse_expires(text, NOW) is None
    response = head(expires=text, last_modified=at(-YEAR))
    assert life(response) == (0, Source.EXPIRES)
    assert not is_fresh(stored(response), NOW)


@pytest.mark.parametrize(
    ("year", "ahead"), [("30", True), ("73", True), ("75", False), ("94", False)]
)
def test_two_digits_of_a_year_are_at_most_fifty_years_ahead(year: str, ahead: bool) -> None:
    """RFC 9110 section 5.6.7, as seen from 2023."""
    moment = parse_expires(f"Monday, 01-Jan-{year} 00:00:00 GMT", NOW)
    assert moment is not None
    assert (moment > NOW) is ahead


def test_local_time_zones_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    response = head(date=at(0), expires=at(60), age="1")
    expected = stored(response)
    try:
        for zone in ("Asia/Tokyo", "America/New_York", "XXX-12:34"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert stored(response) == expected
    finally:
        monkeypatch.undo()
        time.tzset()


# --- Heuristics (4.2.2) -------------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(HEURISTICALLY_CACHEABLE))
def test_a_tenth_of_the_time_since_the_last_modification(status: int) -> None:
    response = head(status, last_modified=at(-1000))
    assert life(response) == (100, Source.HEURISTIC)


@pytest.mark.parametrize(
    "status", [201, 202, 302, 303, 307, 400, 403, 418, 429, 500, 503, 599, 999]
)
def test_other_statuses_are_guessed_only_if_public(status: int) -> None:
    named = {"last_modified": at(-1000)}
    assert life(head(status, **named)) == (0, Source.NONE)
    assert life(head(status, **named, cache_control="private")) == (0, Source.NONE)
    assert life(head(status, **named, cache_control="public")) == (100, Source.HEURISTIC)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"last_modified": at(-1000), "date": at(-500)}, (50, Source.HEURISTIC)),
        ({"last_modified": at(-1000), "date": "x"}, (100, Source.HEURISTIC)),
        ({"last_modified": at(0)}, (0, Source.HEURISTIC)),
        ({"last_modified": at(1000)}, (0, Source.HEURISTIC)),
        ({"last_modified": at(-20 * YEAR)}, (HEURISTIC_LIMIT, Source.HEURISTIC)),
        ({"last_modified": "x"}, (0, Source.NONE)),
        ({"last_modified": "Tue, 14-Nov-2023 21:56:40 GMT"}, (100, Source.HEURISTIC)),
        ({"last_modified": at(-1000), "pragma": "no-cache"}, (100, Source.HEURISTIC)),
        ({"etag": '"a"'}, (0, Source.NONE)),
    ],
)
def test_a_guess(named: dict[str, str], expected: tuple[float, Source]) -> None:
    assert life(head(**named)) == expected


@pytest.mark.parametrize(
    "explicit",
    [{"cache_control": "max-age=0"}, {"cache_control": "max-age"}, {"expires": "0"}],
)
def test_nothing_is_guessed_where_the_response_says(explicit: dict[str, str]) -> None:
    assert life(head(last_modified=at(-1000), **explicit)).seconds == 0


# --- Age (4.2.3, 5.1) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "delay", "age"),
    [
        ({}, 0, 0),
        ({}, 3, 3),
        ({}, -3, 0),
        ({"age": "10"}, 0, 10),
        ({"age": "10"}, 3, 13),
        ({"age": "010 "}, 0, 10),
        ({"date": at(-20)}, 3, 20),
        ({"date": at(-20), "age": "10"}, 3, 20),
        ({"date": at(-20), "age": "30"}, 3, 33),
        ({"date": at(20)}, 3, 3),
        ({"date": "x", "age": "10"}, 0, 10),
        ({"date": at(-20 * YEAR - 30 * YEAR - 50 * YEAR)}, 0, MAX_DELTA),
        ({"age": "99999999999"}, 3, MAX_DELTA),
        ({"age": "0"}, 0, 0),
    ],
)
def test_the_age_on_arrival(named: dict[str, str], delay: float, age: float) -> None:
    assert initial_age(head(**named), NOW - delay, NOW) == age


@pytest.mark.parametrize(
    ("first", "second", "age"), [("10", "20", 10), ("20", "x", 20), ("0", "9", 0)]
)
def test_the_first_of_several_ages_counts(first: str, second: str, age: float) -> None:
    assert initial_age(head(headers=lines("Age", first, second)), NOW, NOW) == age
    assert initial_age(head(age=f"{first} ,{second}"), NOW, NOW) == age


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.5", ", 2", "x", "x, 2", '"1"', "1s", "1;a=b", "٣", "\udcff"]
)
def test_an_invalid_age_is_ignored(text: str) -> None:
    assert initial_age(head(age=text), NOW, NOW) == 0
    assert initial_age(head(age=text, date=at(-9)), NOW, NOW) == 9
    assert is_fresh(stored(head(age=text, cache_control="max-age=1")), NOW)


def test_an_invalid_first_age_is_not_repaired_by_the_second() -> None:
    assert initial_age(head(headers=lines("Age", "x", "1")), NOW, NOW) == 0


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.999])
def test_what_was_generated_in_this_second_has_no_age(fraction: float) -> None:
    received = NOW + fraction
    assert initial_age(head(date=at(0)), received, received) == 0


@pytest.mark.parametrize(
    ("initial", "passed", "age"),
    [
        (0, 0, 0),
        (10, 5, 15),
        (10, -CLOCK_SKEW, 10),
        (10, -CLOCK_SKEW - 1, MAX_DELTA),
        (MAX_DELTA, 5, MAX_DELTA),
    ],
)
def test_the_age_grows_with_the_time_since_arrival(
    initial: float, passed: float, age: float
) -> None:
    assert current_age(initial, NOW, NOW + passed) == age


# --- Both (4.2) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "until"),
    [
        ({"cache_control": "max-age=60"}, 60),
        ({"cache_control": "max-age=60", "age": "20"}, 40),
        ({"cache_control": "max-age=60", "date": at(-20)}, 40),
        ({"cache_control": "max-age=60", "age": "60"}, 0),
        ({"cache_control": "max-age=60", "age": "90"}, -30),
        ({"expires": at(60), "date": at(-20)}, 60),
        ({"expires": at(60), "age": "20"}, 40),
        ({"last_modified": at(-1000), "age": "20"}, 80),
    ],
)
def test_fresh_until_the_age_reaches_the_lifetime(named: dict[str, str], until: float) -> None:
    found = stored(head(**named))
    assert found.expires == NOW + until
    assert is_fresh(found, NOW) is (until > 0)
    assert not is_fresh(found, NOW + max(until, 0))
    assert is_fresh(found, NOW + max(until, 0) - 0.001) is (until > 0)


def test_the_time_on_the_way_counts() -> None:
    found = stored(head(cache_control="max-age=60"), delay=10)
    assert (found.initial_age, found.expires) == (10, NOW + 50)


def test_a_clock_that_went_back_makes_nothing_fresh() -> None:
    found = stored(head(cache_control="max-age=3600"))
    assert is_fresh(found, NOW - CLOCK_SKEW)
    assert not is_fresh(found, NOW - CLOCK_SKEW - 1)


@pytest.mark.parametrize(
    ("directive", "private", "shared"),
    [
        ("must-revalidate", True, True),
        ("proxy-revalidate", False, True),
        ("s-maxage=5", False, True),
        ("max-age=5", False, False),
    ],
)
def test_who_must_revalidate(directive: str, private: bool, shared: bool) -> None:
    response = head(cache_control=directive)
    assert stored(response).must_revalidate is private
    assert stored(response, shared=True).must_revalidate is shared


def test_an_assessment_holds_what_a_hit_needs() -> None:
    text = "max-age=5, no-cache, immutable, stale-while-revalidate=6, stale-if-error=7"
    found = stored(head(cache_control=text, age="1"), delay=2)
    assert found._asdict() == {
        "created": NOW,
        "initial_age": 3,
        "expires": NOW + 2,
        "source": Source.MAX_AGE,
        "no_cache": True,
        "must_revalidate": False,
        "immutable": True,
        "stale_while_revalidate": 6,
        "stale_if_error": 7,
    }


def test_fields_of_bytes_that_are_no_text_raise_nothing() -> None:
    names = (b"Date", b"Expires", b"Last-Modified", b"Age", b"Cache-Control")
    raw = tuple((name, b'\xff\x00\xfe="') for name in names)
    found = stored(head(headers=Headers(raw)))
    assert not is_fresh(found, NOW)
