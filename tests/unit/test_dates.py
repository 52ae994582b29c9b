"""HTTP dates: the three formats, what servers make of them, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from http_client_cache.rfc9111.dates import format_http_date, parse_http_date

RFC_EXAMPLE = 784111777.0
RFC_TEXT = "Sun, 06 Nov 1994 08:49:37 GMT"


def seconds(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        RFC_TEXT,
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        "sun, 06 nov 1994 08:49:37 gmt",
        "SUN, 06 NOV 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 8:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Nov  6 08:49:37 1994",
        "Sun Nov  6 08:49:37 GMT 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "  Sun,  06 Nov 1994  08:49:37GMT ",
    ],
)
def test_reads(text: str) -> None:
    assert parse_http_date(text) == RFC_EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "never",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 EST",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 Nix 1994 08:49:37 GMT",
        "Foo, 06 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        f"{RFC_TEXT}, {RFC_TEXT}",
        f"{RFC_TEXT}\x00",
    ],
)
def test_refuses(text: str) -> None:
    assert parse_http_date(text) is None


def test_a_leap_second_is_the_next_minute() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == seconds(2017, 1, 1)


@pytest.mark.parametrize(
    ("text", "now", "year"),
    [
        ("01-Jan-94", (2025, 6, 1), 1994),
        ("01-Jan-30", (2025, 6, 1), 2030),
        ("31-May-75", (2025, 6, 1), 2075),
        ("01-Jun-75", (2025, 6, 1), 2075),
        ("02-Jun-75", (2025, 6, 1), 1975),
        ("01-Jan-76", (2025, 6, 1), 1976),
        ("01-Jan-05", (2099, 6, 1), 2105),
        ("01-Jan-94", (1994, 6, 1), 1994),
    ],
)
def test_two_digits_are_the_latest_year_at_most_fifty_ahead(
    text: str, now: tuple[int, int, int], year: int
) -> None:
    found = parse_http_date(f"Monday, {text} 00:00:00 GMT", seconds(*now))
    assert found is not None
    assert datetime.fromtimestamp(found, UTC).year == year


@pytest.mark.parametrize(("digits", "year"), [("69", 2069), ("70", 1970), ("00", 2000)])
def test_two_digits_without_a_clock(digits: str, year: int) -> None:
    assert parse_http_date(f"Monday, 01-Jan-{digits} 00:00:00 GMT") == seconds(year, 1, 1)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (RFC_EXAMPLE, RFC_TEXT),
        (RFC_EXAMPLE + 0.999, RFC_TEXT),
        (0.0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-0.5, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (1e18, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1e18, "Mon, 01 Jan 0001 00:00:00 GMT"),
    ],
)
def test_writes(moment: float, text: str) -> None:
    assert format_http_date(moment) == text
