"""Laws of dates and expiration values."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from http_client_cache.errors import ConfigurationError
from http_client_cache.expiry import DO_NOT_CACHE, NEVER, after, parse_expire_after
from http_client_cache.rfc9111.dates import format_http_date, parse_http_date

moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
pieces = st.sampled_from(
    [
        "Sun",
        "Sunday",
        ",",
        " ",
        "06",
        "6",
        "Nov",
        "-",
        "1994",
        "94",
        "08:49:37",
        ":",
        "GMT",
        "+0000",
    ]
)


@given(moments)
def test_what_is_written_can_be_read(moment: datetime) -> None:
    assert parse_http_date(format_http_date(moment.timestamp())) == moment.timestamp()


@given(moments)
def test_it_is_written_as_the_standard_library_does(moment: datetime) -> None:
    assert format_http_date(moment.timestamp()) == email.utils.format_datetime(moment, usegmt=True)


@given(moments.filter(lambda moment: moment.year >= 1000))
def test_the_obsolete_formats_say_the_same(moment: datetime) -> None:
    assert parse_http_date(moment.strftime("%a %b %d %H:%M:%S %Y")) == moment.timestamp()
    rfc850 = moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")
    assert parse_http_date(rfc850, moment.timestamp()) == moment.timestamp()


@given(
    st.one_of(st.text(), st.lists(pieces, max_size=14).map("".join)),
    st.none() | st.floats(-1e9, 1e11),
)
def test_no_text_raises(text: str, now: float | None) -> None:
    found = parse_http_date(text, now)
    assert found is None or isinstance(found, float)


@given(
    moments.filter(lambda moment: 1970 < moment.year < 9900),
    st.integers(0, 99),
)
def test_two_digits_are_near(now: datetime, digits: int) -> None:
    text = f"Monday, 01-Jan-{digits:02} 00:00:00 GMT"
    found = parse_http_date(text, now.timestamp())
    assert found is not None
    year = datetime.fromtimestamp(found, UTC).year
    assert year % 100 == digits
    assert now.year - 50 <= year <= now.year + 50


@given(st.floats() | st.integers())
def test_a_number_is_accepted_or_refused_in_words(value: float) -> None:
    try:
        expiry = parse_expire_after(value)
    except ConfigurationError:
        assert not 0 <= value < float("inf")
        assert value != -1
        return
    assert expiry in {NEVER, DO_NOT_CACHE} or expiry == after(float(value))
