"""Dates in header fields (RFC 9110 section 5.6.7), read leniently and written strictly."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Final

_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400
# What four digits of a year can say.
_FIRST: Final = (date.min.toordinal() - _UNIX_EPOCH) * _DAY
_LAST: Final = (date.max.toordinal() - _UNIX_EPOCH + 1) * _DAY - 1

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_MONTH_NUMBERS: Final = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s*)?"
_TIME = r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d|60)"
_ZONE = r"(?:gmt|utc|[+-]0000)"
_FLAGS = re.ASCII | re.IGNORECASE

# IMF-fixdate, RFC 850, and what servers make of them: `Sun, 6-Nov-1994 08:49:37 GMT`.
_DAY_FIRST: Final = re.compile(
    rf"\s*{_WEEKDAY}(\d\d?)[ -]([a-z]{{3}})[ -](\d{{4}}|\d\d)\s+{_TIME}\s*{_ZONE}\s*", _FLAGS
)
# asctime: `Sun Nov  6 08:49:37 1994`.
_MONTH_FIRST: Final = re.compile(
    rf"\s*{_WEEKDAY}([a-z]{{3}})\s+(\d\d?)\s+{_TIME}\s+(?:{_ZONE}\s+)?(\d{{4}})\s*", _FLAGS
)


def parse_http_date(text: str, now: float | None = None) -> float | None:
    """Read a date in any of the three formats of RFC 9110 section 5.6.7.

    Also understood: names in any case, a day without its leading zero, dashes between the parts
    of a date, a missing or wrong weekday, ``UTC`` or ``+0000`` for ``GMT``, a leap second.

    Args:
        text: the field value.
        now: UTC seconds since the epoch. A year of two digits is the latest that is at most 50
            years ahead of it; without it, 00 to 69 mean 2000 to 2069.

    Returns:
        UTC seconds since the epoch, or ``None`` if ``text`` is not such a date.
    """
    match = _DAY_FIRST.fullmatch(text)
    if match is not None:
        day, name, year, hour, minute, second = match.groups()
    else:
        match = _MONTH_FIRST.fullmatch(text)
        if match is None:
            return None
        name, day, hour, minute, second, year = match.groups()
    month = _MONTH_NUMBERS.get(name.lower())
    if month is None:
        return None
    clock = int(hour) * 3600 + int(minute) * 60 + int(second)
    number = int(year)
    if len(year) == 2:
        number = _full_year(number, (month, int(day), clock), now)
    try:
        days = date(number, month, int(day)).toordinal() - _UNIX_EPOCH
    except ValueError:
        return None
    return float(days * _DAY + clock)


def format_http_date(seconds: float) -> str:
    """Write UTC seconds since the epoch as an IMF-fixdate, the one form that may be sent.

    Fractions are cut off; a time outside the years 1 to 9999 is written as the nearest inside.
    """
    whole = int(min(max(seconds, _FIRST), _LAST) // 1)
    days, clock = divmod(whole, _DAY)
    day = date.fromordinal(days + _UNIX_EPOCH)
    return (
        f"{_WEEKDAYS[day.weekday()]}, {day.day:02} {_MONTHS[day.month - 1]} {day.year:04} "
        f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02} GMT"
    )


def _full_year(digits: int, moment: tuple[int, int, int], now: float | None) -> int:
    """The year that two digits stand for; ``moment`` is the rest: month, day, second."""
    if now is None:
        return digits + (2000 if digits < 70 else 1900)
    today = time.gmtime(now)
    horizon = today.tm_year + 50
    year = horizon - (horizon - digits) % 100
    seconds = today.tm_hour * 3600 + today.tm_min * 60 + today.tm_sec
    if year == horizon and moment > (today.tm_mon, today.tm_mday, seconds):
        year -= 100
    return year
