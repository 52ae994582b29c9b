"""How long responses are fresh (RFC 9111 section 4.2)."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.clock import START
from tests.support.scripted import Line, Received, Reply, reply

DAY = 86_400
NOW = START.timestamp()


def at(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


async def stays_fresh_for(web: Web, seconds: int, *lines: Line, status: int = 200) -> None:
    """It is reused until its last second, and not after it."""
    web.origin.answers("/", reply(*lines, status=status))
    await web.get(allow_redirects=False)
    web.clock.advance(seconds=seconds - 1)
    assert await web.is_reused()
    web.clock.advance(seconds=2)
    assert not await web.is_reused()


async def is_stale_at_once(web: Web, *lines: Line, status: int = 200) -> None:
    web.origin.answers("/", reply(*lines, status=status))
    for _ in range(2):
        assert not await web.is_reused()


@pytest.mark.parametrize(
    "lines",
    [
        ("Cache-Control: max-age=60",),
        ("cache-control: MAX-AGE=60",),
        ('Cache-Control: max-age="60"',),
        ("Cache-Control:max-age=60",),
        ("Cache-Control: \t max-age=60 \t ",),
        ("Cache-Control: max-age=0060",),
        ("Cache-Control: ,, max-age=60,,",),
        ("Cache-Control: foo", "Cache-Control: max-age=60"),
        ("Cache-Control: foo=bar, max-age=60, baz",),
        ('Cache-Control: foo="max-age=5, no-store", max-age=60',),
        ('Cache-Control: foo="a \\", no-store", max-age=60',),
        ("Cache-Control: x-max-age=5, max-age=60",),
        ("Cache-Control: max-age=60, s-maxage=5",),
        ("Cache-Control: max-age=60, proxy-revalidate",),
        ("Cache-Control: max-age=60", f"Expires: {at(-5)}"),
        ("Cache-Control: max-age=60", f"Expires: {at(5)}"),
        ("Cache-Control: max-age=60", "Expires: 0"),
        ("Cache-Control: max-age=60", f"Last-Modified: {at(-DAY * 20)}"),
        ("Cache-Control: max-age=60", "Pragma: whatever"),
        ("Cache-Control: max-age=60", f"Date: {at(30)}"),
        ("Cache-Control: max-age=60", "Date: not a date"),
        ("Cache-Control: max-age=60", "Age: 0"),
        ("Cache-Control: max-age=60", "Age:  0000 "),
        ("Cache-Control: max-age=90", "Age: 30"),
        ("Cache-Control: max-age=90", "Age: 30", "Age: 5"),
        ("Cache-Control: max-age=90", f"Date: {at(-30)}"),
        ("Cache-Control: max-age=90", f"Date: {at(-30)}", "Age: 20"),
        ("Cache-Control: max-age=90", f"Date: {at(-20)}", "Age: 30"),
    ],
    ids=str,
)
async def test_max_age(table_web: Web, lines: tuple[str, ...]) -> None:
    await stays_fresh_for(table_web, 60, *lines)


@pytest.mark.parametrize(
    "lines",
    [
        (f"Expires: {at(60)}",),
        (f"expires: {at(60).lower()}",),
        ("Expires: Friday, 01-Jan-21 18:01:00 GMT",),
        ("Expires: Fri Jan  1 18:01:00 2021",),
        (f"Expires: {at(60)}", "Cache-Control: s-maxage=5"),
        (f"Expires: {at(60)}", "Cache-Control: foo, public"),
        (f"Expires: {at(60)}", f"Expires: {at(600)}"),
        (f"Expires: {at(60)}", f"Last-Modified: {at(-DAY * 20)}"),
        (f"Expires: {at(30)}", f"Date: {at(-30)}", "X-Note: age of half a minute"),
    ],
    ids=str,
)
async def test_expires(table_web: Web, lines: tuple[str, ...]) -> None:
    seconds = 30 if "X-Note: age of half a minute" in lines else 60
    await stays_fresh_for(table_web, seconds, *lines)


async def test_expires_counts_from_the_origins_date(web: Web) -> None:
    """Section 4.2.1: both are of one clock, however wrong that is."""
    await stays_fresh_for(web, 60, f"Date: {at(3600)}", f"Expires: {at(3660)}")


async def test_expires_without_a_date_counts_from_arrival(web: Web) -> None:
    web.origin.answers("/", reply(f"Expires: {at(60)}", date=False))
    await web.get()
    web.clock.advance(seconds=59)
    assert await web.is_reused()
    web.clock.advance(seconds=2)
    assert not await web.is_reused()


@pytest.mark.parametrize(
    "line",
    [
        "Cache-Control: max-age=0",
        "Cache-Control: max-age=-1",
        "Cache-Control: max-age=1.5",
        "Cache-Control: max-age=abc",
        "Cache-Control: max-age=60s",
        "Cache-Control: max-age=",
        "Cache-Control: max-age",
        'Cache-Control: max-age=""',
        "Cache-Control: max-age=0, max-age=0",
    ],
)
async def test_lifetimes_that_are_none(table_web: Web, line: str) -> None:
    """Section 4.2.1: what cannot be read makes a response stale, Expires or not."""
    await is_stale_at_once(table_web, line, f"Expires: {at(60)}", f"Last-Modified: {at(-20 * DAY)}")


@pytest.mark.parametrize(
    "value",
    [
        *("0", "-1", "", "garbage", "60", "never", "1 Jan 2022"),
        at(0),
        at(-60),
        at(60).replace("GMT", "UTC"),
        at(60).replace("GMT", "EST"),
        at(60).replace("GMT", "+0000"),
        at(60).replace(" GMT", ""),
        at(60).replace("2021", "21"),
        at(60).replace("Jan", "Foo"),
        at(60).replace(":01:", ":61:"),
        f"{at(60)}, {at(60)}",
    ],
)
async def test_an_invalid_expires_has_expired(table_web: Web, value: str) -> None:
    """Sections 4.2 and 5.3."""
    await is_stale_at_once(table_web, f"Expires: {value}", f"Last-Modified: {at(-20 * DAY)}")


@pytest.mark.parametrize("value", ["-5", "1.5", "abc", "", "5 5", '"500"', "+500", "x, 500"])
async def test_an_invalid_age_is_ignored(table_web: Web, value: str) -> None:
    """Section 5.1."""
    table_web.origin.answers("/", reply("Cache-Control: max-age=60", f"Age: {value}"))
    await table_web.get()
    seen = await table_web.get()
    assert (seen.from_cache, seen.age) == (True, "0")


@pytest.mark.parametrize("value", ["500", "500, 0", "500 , x"])
async def test_the_first_age_counts(table_web: Web, value: str) -> None:
    await is_stale_at_once(table_web, "Cache-Control: max-age=60", f"Age: {value}")


@pytest.mark.parametrize("age", ["60", "61", "2147483648", "99999999999999999999"])
async def test_older_than_its_lifetime_on_arrival(web: Web, age: str) -> None:
    await is_stale_at_once(web, "Cache-Control: max-age=60", f"Age: {age}")


@pytest.mark.parametrize("seconds", ["2147483648", "99999999999", "9" * 400])
async def test_a_lifetime_beyond_all_bounds(web: Web, seconds: str) -> None:
    """Section 1.3."""
    web.origin.answers("/", reply(f"Cache-Control: max-age={seconds}"))
    await web.get()
    web.clock.advance(days=365 * 20)
    seen = await web.get()
    assert seen.from_cache
    assert (seen.status, web.origin.count()) == (200, 1)


async def test_the_first_of_two_lifetimes_counts_or_none(web: Web) -> None:
    """Section 4.2.1."""
    web.origin.answers("/", reply("Cache-Control: max-age=60, max-age=3600"))
    await web.get()
    web.clock.advance(seconds=61)
    assert not await web.is_reused()


@pytest.mark.parametrize(
    ("line", "shared_seconds"),
    [
        ("Cache-Control: s-maxage=10, max-age=60", 10),
        ('Cache-Control: max-age=60, S-MaxAge="100"', 100),
        ("Cache-Control: s-maxage=0, max-age=60", None),
        ("Cache-Control: s-maxage=x, max-age=60", None),
    ],
)
async def test_s_maxage_is_for_shared_caches(
    open_web: OpenWeb, line: str, shared_seconds: int | None
) -> None:
    await stays_fresh_for(open_web(), 60, line)
    shared = open_web(shared=True)
    if shared_seconds is None:
        await is_stale_at_once(shared, line)
    else:
        await stays_fresh_for(shared, shared_seconds, line)


class TestHeuristic:
    """Section 4.2.2: a tenth of the time since the last modification."""

    @pytest.mark.parametrize("status", [200, 203, 300, 301, 308, 404, 410])
    async def test_a_tenth(self, table_web: Web, status: int) -> None:
        await stays_fresh_for(table_web, 60, f"Last-Modified: {at(-600)}", status=status)

    @pytest.mark.parametrize(
        "line",
        [
            "Cache-Control: max-age=0",
            "Cache-Control: max-age=x",
            "Expires: 0",
            "Cache-Control: no-cache",
            f"Expires: {at(-5)}",
        ],
    )
    async def test_nothing_is_guessed_where_the_response_says(self, web: Web, line: str) -> None:
        await is_stale_at_once(web, line, f"Last-Modified: {at(-20 * DAY)}")

    @pytest.mark.parametrize("value", ["garbage", "0", at(0), at(60)])
    async def test_nothing_to_guess_from(self, web: Web, value: str) -> None:
        await is_stale_at_once(web, f"Last-Modified: {value}")

    async def test_the_dates_of_the_origin_count(self, web: Web) -> None:
        date, modified = f"Date: {at(-100)}", f"Last-Modified: {at(-1700)}"
        await stays_fresh_for(web, 60, date, modified)

    async def test_queries_are_guessed_too(self, web: Web) -> None:
        web.origin.answers("/", reply(f"Last-Modified: {at(-600)}"))
        await web.get("/?a=1")
        assert await web.is_reused("/?a=1")


class TestClock:
    """Section 4.2.3."""

    async def test_the_time_on_the_way_counts(self, web: Web) -> None:
        """An Age is as of the time when the request was made."""

        def slow(_: Received) -> Reply:
            lines = ("Cache-Control: max-age=60", "Age: 20", f"Date: {web.origin.date()}")
            web.clock.advance(seconds=10)
            return reply(*lines)

        web.origin.answers("/", slow)
        await web.get()
        stored = await web.get()
        assert (stored.from_cache, stored.age) == (True, "30")
        web.clock.advance(seconds=29)
        assert await web.is_reused()
        web.clock.advance(seconds=2)
        assert not await web.is_reused()

    async def test_a_clock_that_went_back_makes_nothing_fresh(self, web: Web) -> None:
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        await web.get()
        web.clock.advance(hours=-1)
        assert not await web.is_reused()

    async def test_a_future_date_makes_nothing_fresher(self, web: Web) -> None:
        await stays_fresh_for(web, 60, f"Date: {at(7200)}", "Cache-Control: max-age=60")


class TestImmutable:
    """RFC 8246: no validation while it is fresh, except where that is forced."""

    async def test_a_reload_is_answered(self, web: Web) -> None:
        web.origin.answers("/", reply("Cache-Control: max-age=60, immutable", 'ETag: "a"'))
        await web.get()
        web.clock.advance(seconds=30)
        assert await web.is_reused("/", {"Cache-Control": "max-age=0"})
        assert not await web.is_reused("/", {"Cache-Control": "no-cache"})

    async def test_it_expires_as_any_other(self, web: Web) -> None:
        await stays_fresh_for(web, 60, "Cache-Control: immutable, max-age=60")

    async def test_it_alone_is_no_lifetime(self, web: Web) -> None:
        await is_stale_at_once(web, "Cache-Control: immutable", 'ETag: "a"')
