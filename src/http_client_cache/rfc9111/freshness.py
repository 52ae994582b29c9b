"""Freshness (RFC 9111 section 4.2), and serving stale responses (4.2.4, RFC 5861, RFC 8246)."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple, Protocol

from http_client_cache.entry import CLOCK_SKEW
from http_client_cache.message import ResponseHead
from http_client_cache.rfc9111.cache_control import (
    NO_REQUEST_DIRECTIVES,
    RequestDirectives,
    ResponseDirectives,
)
from http_client_cache.rfc9111.dates import parse_http_date
from http_client_cache.rfc9111.fields import MAX_DELTA, OWS, delta_seconds
from http_client_cache.rfc9111.reasons import Reason

HEURISTICALLY_CACHEABLE: Final = frozenset(
    {
        *(200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501),  # RFC 9110 section 15.1
        451,  # RFC 7725 section 3
    }
)
"""Statuses of responses that may be kept although nothing says for how long."""

HEURISTIC_FRACTION: Final = 0.1
"""How much of the time since the last modification a response is good for (section 4.2.2)."""

HEURISTIC_LIMIT: Final = 7 * 86_400.0
"""The longest lifetime that is guessed: what did not change for years may change next week."""

ERRORS: Final = frozenset({500, 502, 503, 504})
"""Statuses that count as the origin's failure (RFC 5861 section 4); no answer does, too."""


class Source(Enum):
    """What a lifetime was taken from (section 4.2.1)."""

    S_MAXAGE = "s-maxage"
    MAX_AGE = "max-age"
    EXPIRES = "Expires"
    HEURISTIC = "heuristic"
    NONE = "none"


class Lifetime(NamedTuple):
    """How long a response is fresh, counted from its generation; never negative."""

    seconds: float
    source: Source


class Windows(NamedTuple):
    """For how long stale responses may be served where the response does not say.

    ``None`` is not said, ``math.inf`` is for ever. 0 is not at all, whatever the response says.
    """

    while_revalidate: float | None = None
    if_error: float | None = None


NO_WINDOWS: Final = Windows()


class Assessment(NamedTuple):
    """All that a hit needs to know of a response, so that it has nothing to parse.

    Attributes:
        created: when the response arrived, or the last one that validated it.
        initial_age: its age at that time.
        expires: when it stops being fresh, in UTC seconds; may lie before ``created``.
        source: what the lifetime was taken from.
        no_cache: never to be used without validation.
        must_revalidate: never to be used stale.
        immutable: not to be validated while it is fresh, not even on a reload.
        stale_while_revalidate: seconds, ``None`` if the response does not say.
        stale_if_error: seconds, ``None`` if the response does not say.
    """

    created: float
    initial_age: float
    expires: float
    source: Source
    no_cache: bool = False
    must_revalidate: bool = False
    immutable: bool = False
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None


class Assessed(Protocol):
    """What a hit reads: an :class:`Assessment`, or an entry that holds its fields."""

    @property
    def created(self) -> float:
        """When it arrived or was last validated."""
        ...

    @property
    def initial_age(self) -> float:
        """Its age at that time."""
        ...

    @property
    def expires(self) -> float | None:
        """When it stops being fresh; ``None`` for never."""
        ...

    @property
    def no_cache(self) -> bool:
        """Never to be used without validation."""
        ...

    @property
    def must_revalidate(self) -> bool:
        """Never to be used stale."""
        ...

    @property
    def immutable(self) -> bool:
        """Not to be validated while fresh."""
        ...

    @property
    def stale_while_revalidate(self) -> int | None:
        """Seconds, if the response says."""
        ...

    @property
    def stale_if_error(self) -> int | None:
        """Seconds, if the response says."""
        ...


def assess(
    head: ResponseHead,
    directives: ResponseDirectives,
    requested: float,
    received: float,
    *,
    shared: bool = False,
) -> Assessment:
    """Work out what has to be known of a response to judge its freshness at any later time.

    Args:
        head: as received, or as freshened by a validation.
        directives: of ``head``.
        requested: when the request was made.
        received: when the response arrived.
        shared: whether the cache has more than one user.
    """
    age = initial_age(head, requested, received)
    life = lifetime(head, directives, received, shared=shared)
    for_shared = directives.proxy_revalidate or directives.s_maxage is not None
    return Assessment(
        created=received,
        initial_age=age,
        expires=received + life.seconds - age,
        source=life.source,
        no_cache=directives.no_cache,
        must_revalidate=directives.must_revalidate or (shared and for_shared),
        immutable=directives.immutable,
        stale_while_revalidate=directives.stale_while_revalidate,
        stale_if_error=directives.stale_if_error,
    )


def lifetime(
    head: ResponseHead, directives: ResponseDirectives, received: float, *, shared: bool = False
) -> Lifetime:
    """The freshness lifetime and what it is taken from (sections 4.2.1, 4.2.2 and 5.3)."""
    if shared and directives.s_maxage is not None:
        return Lifetime(directives.s_maxage, Source.S_MAXAGE)
    if directives.max_age is not None:
        return Lifetime(directives.max_age, Source.MAX_AGE)
    expires = head.headers.get("expires")
    if expires is not None:
        moment = parse_expires(expires, received)
        seconds = 0.0 if moment is None else moment - date_value(head, received)
        return Lifetime(min(max(seconds, 0.0), MAX_DELTA), Source.EXPIRES)
    return _heuristic(head, directives, received)


def initial_age(head: ResponseHead, requested: float, received: float) -> float:
    """The age of a response on its arrival (section 4.2.3), at most ``MAX_DELTA``.

    Of several values of Age the first counts; one that is no number is ignored, as section 5.1
    was published (its drafts had such a response be stale). Date tells the age all the same.
    """
    age: float = 0
    field = head.headers.get("age")
    if field is not None:
        age = delta_seconds(field.partition(",")[0].strip(OWS)) or 0
    # A date has no fractions: what was generated in this second has no age.
    apparent = received // 1 - date_value(head, received)
    return min(max(apparent, age + max(received - requested, 0.0), 0.0), MAX_DELTA)


def current_age(initial: float, received: float, now: float) -> float:
    """The age of a stored response (section 4.2.3).

    While the clock is behind the time of arrival, by more than clocks differ, nobody knows how
    old anything is: that is ``MAX_DELTA``, older than any lifetime.
    """
    if now < received - CLOCK_SKEW:
        return MAX_DELTA
    age = initial + (now - received) if now > received else initial
    return min(MAX_DELTA, age)


def is_fresh(stored: Assessed, now: float) -> bool:
    """Whether the age has not reached the lifetime (section 4.2).

    A clock that went back, by more than clocks differ, makes nothing fresh; by less, it stands.
    """
    created, expires = stored.created, stored.expires
    if now < created:
        return now >= created - CLOCK_SKEW and (expires is None or created < expires)
    return expires is None or now < expires


def date_value(head: ResponseHead, received: float) -> float:
    """The Date of a response; where it has none that can be read, the time of its arrival.

    RFC 9110 section 6.6.1 has it so for both cases.
    """
    field = head.headers.get("date")
    moment = None if field is None else parse_http_date(field, received)
    return received if moment is None else moment


_EXACT_DATE: Final = re.compile(
    r"(?:mon|tue|wed|thu|fri|sat|sun), \d\d [a-z]{3} \d{4} \d\d:\d\d:\d\d gmt"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day, \d\d-[a-z]{3}-\d\d \d\d:\d\d:\d\d gmt"
    r"|(?:mon|tue|wed|thu|fri|sat|sun) [a-z]{3} [ \d]\d \d\d:\d\d:\d\d \d{4}",
    re.ASCII | re.IGNORECASE,
)


def parse_expires(text: str, received: float) -> float | None:
    """Read an Expires field: one of the three formats as written, in any case, or ``None``.

    Other dates are read with leniency, but here anything invalid, and any zone but GMT, means
    that the response has expired already (sections 4.2 and 5.3).
    """
    stripped = text.strip(OWS)
    if _EXACT_DATE.fullmatch(stripped) is None:
        return None
    return parse_http_date(stripped, received)


def reusable(
    stored: Assessed,
    request: RequestDirectives,
    now: float,
    windows: Windows = NO_WINDOWS,
) -> Reason:
    """Whether a stored response may be served before the origin is asked (section 4).

    Returns:
        ``HIT``, ``MAX_STALE`` or ``STALE_WHILE_REVALIDATE`` where it may; with the last of
        them it is to be validated in the background. Otherwise why not.
    """
    if stored.no_cache:
        return Reason.NO_CACHE
    fresh = is_fresh(stored, now)
    if request is not NO_REQUEST_DIRECTIVES:
        if request.no_cache:
            return Reason.REQUEST_NO_CACHE
        narrower = _narrowed(stored, request, now, fresh=fresh)
        if narrower is not None:
            return narrower
    if fresh:
        return Reason.HIT
    if stored.must_revalidate:
        return Reason.MUST_REVALIDATE
    staleness = _staleness(stored, now)
    if _covers(request.max_stale, staleness):
        return Reason.MAX_STALE
    window = _window(stored.stale_while_revalidate, windows.while_revalidate)
    if _takes_stale(request, staleness) and _covers(window, staleness):
        return Reason.STALE_WHILE_REVALIDATE
    return Reason.CLOCK if now < stored.created - CLOCK_SKEW else Reason.EXPIRED


def reusable_on_error(
    stored: Assessed,
    request: RequestDirectives,
    now: float,
    windows: Windows = NO_WINDOWS,
) -> Reason:
    """Whether a stored response may be served because the origin failed (see ``ERRORS``).

    What the request itself allows in that case (RFC 5861 section 4) comes before what it asks
    for in general; what the response or the house allow does not.

    Returns:
        ``STALE_IF_ERROR`` where it may, otherwise why not.
    """
    if stored.no_cache:
        return Reason.NO_CACHE
    fresh = is_fresh(stored, now)
    if not fresh and stored.must_revalidate:
        return Reason.MUST_REVALIDATE
    staleness = 0.0 if fresh else _staleness(stored, now)
    if _covers(request.stale_if_error, staleness):
        return Reason.STALE_IF_ERROR
    if request.no_cache:
        return Reason.REQUEST_NO_CACHE
    narrower = _narrowed(stored, request, now, fresh=fresh)
    if narrower is not None:
        return narrower
    window = _window(stored.stale_if_error, windows.if_error)
    willing = request.stale_if_error is None and (fresh or _takes_stale(request, staleness))
    if willing and _covers(window, staleness):
        return Reason.STALE_IF_ERROR
    return Reason.EXPIRED


def _heuristic(head: ResponseHead, directives: ResponseDirectives, received: float) -> Lifetime:
    if head.status not in HEURISTICALLY_CACHEABLE and not directives.public:
        return Lifetime(0.0, Source.NONE)
    field = head.headers.get("last-modified")
    modified = None if field is None else parse_http_date(field, received)
    if modified is None:
        return Lifetime(0.0, Source.NONE)
    seconds = (date_value(head, received) - modified) * HEURISTIC_FRACTION
    return Lifetime(min(max(seconds, 0.0), HEURISTIC_LIMIT), Source.HEURISTIC)


def _narrowed(
    stored: Assessed, request: RequestDirectives, now: float, *, fresh: bool
) -> Reason | None:
    """Which limit of the request's own the stored response does not keep (section 5.2.1)."""
    limit = request.max_age
    # A reload of what never changes needs no validation (RFC 8246 section 2).
    if limit is not None and not (fresh and stored.immutable):
        age = current_age(stored.initial_age, stored.created, now)
        if age > limit or limit == 0:
            return Reason.REQUEST_MAX_AGE
    least, left = request.min_fresh, _left(stored, now)
    if least is not None and left is not None and left < least:
        return Reason.REQUEST_MIN_FRESH
    return None


def _takes_stale(request: RequestDirectives, staleness: float) -> bool:
    """Whether a request leaves it to others to allow stale responses (section 5.2.1)."""
    if request.max_stale is not None:
        return _covers(request.max_stale, staleness)
    return request.max_age is None and request.min_fresh is None


def _left(stored: Assessed, now: float) -> float | None:
    """Seconds until it expires, negative if it has; ``None`` for ever."""
    if now < stored.created - CLOCK_SKEW:
        return -MAX_DELTA
    return None if stored.expires is None else stored.expires - max(now, stored.created)


def _staleness(stored: Assessed, now: float) -> float:
    left = _left(stored, now)
    return 0.0 if left is None else max(-left, 0.0)


def _window(said: float | None, house: float | None) -> float | None:
    """The response speaks first; only a 0 of the house's is final, as it allows nothing."""
    if house == 0:
        return None
    return house if said is None else said


def _covers(window: float | None, staleness: float) -> bool:
    """Whether a stale response is within the time it may be stale; ``MAX_DELTA`` is for ever."""
    return window is not None and (staleness <= window or window >= MAX_DELTA)
