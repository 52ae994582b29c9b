"""Expiration values: what is accepted, what it means, what the error says."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from http_client_cache.errors import ConfigurationError
from http_client_cache.expiry import (
    DO_NOT_CACHE,
    END_OF_TIME,
    NEVER,
    UNSET,
    Expiry,
    after,
    at,
    parse_expire_after,
)

CREATED = 1_000_000.0
MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
EARLIEST, LATEST = datetime.min, datetime.max  # noqa: DTZ901


@pytest.mark.parametrize(
    ("value", "expiry"),
    [
        (None, UNSET),
        (-1, NEVER),
        (-1.0, NEVER),
        (0, DO_NOT_CACHE),
        (0.0, DO_NOT_CACHE),
        (-0.0, DO_NOT_CACHE),
        (timedelta(0), DO_NOT_CACHE),
    ],
)
def test_what_exists_once(value: Any, expiry: Expiry) -> None:
    assert parse_expire_after(value) is expiry


@pytest.mark.parametrize(
    ("value", "expiry"),
    [
        (30, after(30)),
        (0.5, after(0.5)),
        (Fraction(1, 4), after(0.25)),
        (timedelta(days=1), after(86400)),
        (timedelta(microseconds=1), after(1e-6)),
        (MOMENT, at(784111777)),
        (MOMENT.replace(tzinfo=None), at(784111777)),
        (MOMENT.astimezone(timezone(timedelta(hours=5))), at(784111777)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", at(784111777)),
    ],
)
def test_after_and_at(value: Any, expiry: Expiry) -> None:
    assert parse_expire_after(value) == expiry


@pytest.mark.parametrize(
    ("expiry", "expires"),
    [
        (UNSET, None),
        (NEVER, None),
        (DO_NOT_CACHE, CREATED),
        (after(30), CREATED + 30),
        (at(5.0), 5.0),
    ],
)
def test_when_it_expires(expiry: Expiry, expires: float | None) -> None:
    assert expiry.expires(CREATED) == expires


@pytest.mark.parametrize(
    "value",
    [1e300, 2**63, timedelta.max, LATEST, LATEST.replace(tzinfo=timezone.min)],
)
def test_what_lies_beyond_the_calendar_expires_at_its_end(value: Any) -> None:
    expires = parse_expire_after(value).expires(CREATED)
    assert expires == END_OF_TIME
    assert datetime.fromtimestamp(expires, UTC).year == 9999


@pytest.mark.parametrize("value", [EARLIEST, EARLIEST.replace(tzinfo=timezone.max)])
def test_the_first_moment_of_the_calendar(value: datetime) -> None:
    expires = parse_expire_after(value).expires(CREATED)
    assert expires is not None
    assert expires < 0


@pytest.mark.parametrize(
    "value",
    [
        -2,
        -0.5,
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        True,
        False,
        timedelta(seconds=-1),
        "",
        "30",
        "tomorrow",
        b"30",
        Decimal(30),
        1j,
        [],
        MOMENT.date(),
        MOMENT.time(),
        object(),
    ],
)
def test_refuses(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^expire_after must be None, -1 "):
        parse_expire_after(value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (float("inf"), "use -1 for what never expires"),
        (10**400, "use -1 for what never expires"),
        (timedelta(-1), "only the number -1 means never"),
    ],
)
def test_the_error_knows_what_was_meant(value: Any, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        parse_expire_after(value)


def test_the_error_names_argument_and_value() -> None:
    with pytest.raises(ConfigurationError, match=r"^ttl must be .*, not 'soon' \(str\)$"):
        parse_expire_after("soon", "ttl")


def test_a_datetime_that_is_none() -> None:
    class NotATime(datetime):
        """pandas.NaT."""

        def timestamp(self) -> float:
            return float("nan")

        def replace(self, *_: Any, **__: Any) -> NotATime:
            return self

    with pytest.raises(ConfigurationError):
        parse_expire_after(NotATime(2000, 1, 1))


@pytest.mark.parametrize("expiry", [UNSET, NEVER, DO_NOT_CACHE])
def test_what_exists_once_still_does_in_copies(expiry: Expiry) -> None:
    assert copy.copy(expiry) is expiry
    assert copy.deepcopy(expiry) is expiry
    assert pickle.loads(pickle.dumps(expiry)) is expiry


def test_others_are_copied_by_value() -> None:
    assert pickle.loads(pickle.dumps(after(3))) == after(3)
