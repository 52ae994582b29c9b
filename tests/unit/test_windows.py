"""Spans of time: what is accepted, and what it means."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from http_client_cache.errors import ConfigurationError
from http_client_cache.windows import parse_lease, parse_window


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        (True, math.inf),
        (False, 0.0),
        (-1, math.inf),
        (-1.0, math.inf),
        (0, 0.0),
        (0.5, 0.5),
        (60, 60.0),
        (math.inf, math.inf),
        (Fraction(1, 2), 0.5),
        (10**400, math.inf),
        (timedelta(minutes=1), 60.0),
        (timedelta(0), 0.0),
    ],
)
def test_what_is_accepted(given: Any, seconds: float | None) -> None:
    parsed = parse_window(given, "stale_if_error")
    assert parsed == seconds
    assert type(parsed) is type(seconds)


@pytest.mark.parametrize(
    "given", [-2, -0.5, math.nan, -math.inf, "60", b"60", timedelta(seconds=-1), [60], object, 1j]
)
def test_what_is_not_is_said_in_words(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^stale_if_error must be None, True or -1 "):
        parse_window(given, "stale_if_error")


def test_less_than_nothing_is_not_for_ever() -> None:
    """-1 is, as elsewhere; a time span of -1 second is a mistake."""
    with pytest.raises(ConfigurationError):
        parse_window(timedelta(seconds=-1), "stale_if_error")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, 0.0),
        (0, 0.0),
        (0.5, 0.5),
        (60, 60.0),
        (Fraction(1, 2), 0.5),
        (timedelta(minutes=1), 60.0),
        (timedelta(0), 0.0),
    ],
)
def test_how_long_a_lease_lasts(given: Any, seconds: float) -> None:
    parsed = parse_lease(given, "fetch_lease")
    assert parsed == seconds
    assert type(parsed) is float


@pytest.mark.parametrize(
    "given", [True, False, -1, math.nan, math.inf, 10**400, "5", timedelta(seconds=-1), [5]]
)
def test_a_lease_has_an_end(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="fetch_lease must be"):
        parse_lease(given, "fetch_lease")
