"""Laws that hold for whatever servers and callers say."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from http_client_cache.entry import CLOCK_SKEW
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.rfc9111.cache_control import (
    NO_REQUEST_DIRECTIVES,
    RequestDirectives,
    request_directives,
    response_directives,
)
from http_client_cache.rfc9111.fields import (
    MAX_DELTA,
    Directive,
    delta_seconds,
    directives,
    list_items,
    unquote,
)
from http_client_cache.rfc9111.freshness import (
    Assessment,
    Source,
    Windows,
    assess,
    current_age,
    initial_age,
    is_fresh,
    lifetime,
    reusable,
    reusable_on_error,
)
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.storing import may_store, storable_headers, worth_storing
from tests.rfc9111.messages import NOW, URL, at

TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
SERVED = {
    *(Reason.HIT, Reason.MAX_STALE, Reason.STALE_WHILE_REVALIDATE, Reason.STALE_IF_ERROR),
}

tokens = st.text(TOKEN, min_size=1, max_size=8)
texts = st.text(st.characters(max_codepoint=255), max_size=12)
numbers = st.integers(min_value=0, max_value=100)
deltas = st.one_of(numbers, st.integers(min_value=0), st.just(MAX_DELTA))
times = st.floats(min_value=-200, max_value=200).map(lambda offset: NOW + offset)
windows = st.builds(Windows, st.none() | numbers, st.none() | numbers)

KNOWN = (
    *("no-store", "no-cache", "private", "public", "must-revalidate", "proxy-revalidate"),
    *("must-understand", "immutable", "max-stale", "only-if-cached", "no-transform"),
)
TIMED = (
    *("max-age", "s-maxage", "max-stale", "min-fresh"),
    *("stale-while-revalidate", "stale-if-error"),
)
words = st.one_of(
    st.sampled_from(KNOWN),
    st.builds("{}={}".format, st.sampled_from(TIMED), deltas | st.just("x") | st.just("")),
    st.builds(
        '{}="{}"'.format, st.sampled_from(KNOWN), st.sampled_from(["", "a", "Vary, b", '\\"'])
    ),
    texts,
)
cache_controls = st.lists(words, max_size=5).map(", ".join)
dates = st.one_of(
    st.integers(-1000, 1000).map(at), st.sampled_from(["0", "", "x", "Mon, 01"]), texts
)
ages = deltas.map(str) | texts


@st.composite
def headers(draw: st.DrawFn) -> Headers:
    values = {
        "Cache-Control": cache_controls,
        "Pragma": st.sampled_from(["no-cache", "x", ""]),
        "Age": ages,
        "Date": dates,
        "Expires": dates,
        "Last-Modified": dates,
        "Connection": texts,
        "Content-Location": st.just(URL) | texts,
        "Authorization": st.just("x"),
        "X-Other": texts,
    }
    names = draw(st.lists(st.sampled_from(sorted(values)), max_size=8))
    return Headers.of([(name, draw(values[name])) for name in names])


statuses = st.sampled_from([100, 200, 203, 206, 301, 302, 304, 404, 412, 416, 429, 500, 599, 999])
heads = st.builds(ResponseHead, st.just(URL), statuses, st.just(""), st.just((1, 1)), headers())


@st.composite
def assessments(draw: st.DrawFn) -> Assessment:
    age = draw(st.floats(0, 100) | st.just(float(MAX_DELTA)))
    flags = st.booleans()
    return Assessment(
        NOW,
        age,
        NOW + draw(st.floats(0, 200)) - age,
        Source.MAX_AGE,
        no_cache=draw(flags) and draw(flags),
        must_revalidate=draw(flags),
        immutable=draw(flags),
        stale_while_revalidate=draw(st.none() | numbers),
        stale_if_error=draw(st.none() | numbers),
    )


requests = st.builds(
    RequestDirectives,
    max_age=st.none() | numbers,
    max_stale=st.none() | numbers | st.just(MAX_DELTA),
    min_fresh=st.none() | numbers,
    no_cache=st.booleans(),
    no_store=st.booleans(),
    no_transform=st.booleans(),
    only_if_cached=st.booleans(),
    stale_if_error=st.none() | numbers,
)


# --- Parsers ------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=30), max_size=4))
def test_parsers_never_raise(values: list[str]) -> None:
    items = list_items(values)
    assert all(item.strip(" \t") == item != "" for item in items)
    for directive in directives(values):
        assert directive.name == directive.name.lower() != ""
    for value in values:
        unquote(value)
        seconds = delta_seconds(value)
        assert seconds is None or 0 <= seconds <= MAX_DELTA


@given(st.lists(st.text('abz=",\\ ;', max_size=20), max_size=3))
def test_a_list_split_once_stays_split(values: list[str]) -> None:
    items = list_items(values)
    assert list_items(items) == items


@given(st.lists(st.tuples(tokens, st.none() | texts), max_size=6, unique_by=lambda pair: pair[0]))
def test_directives_round_trip(pairs: list[tuple[str, str | None]]) -> None:
    def written(name: str, argument: str | None) -> str:
        if argument is None:
            return name.upper()
        escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'

    lines = [written(*pair) for pair in pairs]
    found = [Directive(name, argument) for name, argument in pairs]
    assert directives([" ,, ".join(lines)]) == found
    assert directives(lines) == found


@given(deltas, st.integers(0, 30))
def test_seconds_round_trip(seconds: int, zeros: int) -> None:
    assert delta_seconds("0" * zeros + str(seconds)) == min(seconds, MAX_DELTA)


@given(
    cache_controls, st.sampled_from(["no-store", "no-cache", "must-revalidate", "private"]), texts
)
def test_a_line_of_its_own_hides_nothing(text: str, directive: str, garbage: str) -> None:
    """Sense survives beside garbage, whatever the garbage."""
    found = Headers.of(
        [("Cache-Control", text), ("Cache-Control", directive), ("Cache-Control", garbage)]
    )
    assert getattr(response_directives(found), directive.replace("-", "_"))


# --- Freshness ----------------------------------------------------------------------------------


@given(heads, numbers, st.booleans())
def test_whatever_a_server_sends_is_judged(head: ResponseHead, delay: int, shared: bool) -> None:
    said, asked = response_directives(head.headers), request_directives(head.headers)
    life = lifetime(head, said, NOW, shared=shared)
    assert 0 <= life.seconds <= MAX_DELTA
    assert delay <= initial_age(head, NOW - delay, NOW) <= MAX_DELTA
    found = assess(head, said, NOW - delay, NOW, shared=shared)
    assert abs(found.expires - (NOW + life.seconds - found.initial_age)) < 1e-3
    reusable(found, asked, NOW)
    reusable_on_error(found, asked, NOW)
    worth_storing(head, found)
    request = Request("POST", URL, head.headers)
    may_store(request, head, asked, said, shared=shared)
    storable_headers(head.headers.raw, said, shared=shared, received=NOW)


@given(heads, times, times, st.booleans())
def test_what_is_stale_stays_stale(
    head: ResponseHead, one: float, two: float, shared: bool
) -> None:
    found = assess(head, response_directives(head.headers), NOW, NOW, shared=shared)
    earlier, later = sorted((one, two))
    assume(earlier >= NOW - CLOCK_SKEW)
    assert is_fresh(found, earlier) or not is_fresh(found, later)
    assert current_age(found.initial_age, NOW, earlier) <= current_age(
        found.initial_age, NOW, later
    )


@given(heads, times)
def test_fresh_is_younger_than_its_lifetime(head: ResponseHead, now: float) -> None:
    said = response_directives(head.headers)
    found = assess(head, said, NOW, NOW)
    life, age = lifetime(head, said, NOW).seconds, current_age(found.initial_age, NOW, now)
    if abs(life - age) > 1e-3:
        assert is_fresh(found, now) is (life > age)


@given(assessments(), st.floats(0, 1e9), requests)
def test_a_clock_that_jumps_back_makes_nothing_fresh(
    found: Assessment, back: float, request: RequestDirectives
) -> None:
    now = NOW - back
    if back > CLOCK_SKEW:
        assert not is_fresh(found, now)
        assert reusable(found, request, now) is not Reason.HIT
    elif is_fresh(found, now):
        assert is_fresh(found, NOW)
    assert current_age(found.initial_age, NOW, now) >= found.initial_age


@given(assessments(), times, times, windows)
def test_what_cannot_be_served_now_cannot_be_served_later(
    found: Assessment, one: float, two: float, house: Windows
) -> None:
    earlier, later = sorted((one, two))
    assume(earlier >= NOW - CLOCK_SKEW)
    for judge in (reusable, reusable_on_error):
        if judge(found, NO_REQUEST_DIRECTIVES, later, house) in SERVED:
            assert judge(found, NO_REQUEST_DIRECTIVES, earlier, house) in SERVED


# --- Requests -----------------------------------------------------------------------------------


@given(assessments(), requests, times, windows)
def test_a_request_can_only_narrow(
    found: Assessment, request: RequestDirectives, now: float, house: Windows
) -> None:
    """`max-stale` and `stale-if-error` apart, which are there to widen."""
    narrow = request._replace(max_stale=None, stale_if_error=None)
    for judge in (reusable, reusable_on_error):
        if judge(found, narrow, now, house) in SERVED:
            assert judge(found, narrow, now, house) is judge(
                found, NO_REQUEST_DIRECTIVES, now, house
            )


@given(assessments(), requests, times, windows)
def test_what_forbids_to_be_served_stale_is_not(
    found: Assessment, request: RequestDirectives, now: float, house: Windows
) -> None:
    for judge in (reusable, reusable_on_error):
        served = judge(found, request, now, house) in SERVED
        assert not (served and found.no_cache)
        assert not (served and found.must_revalidate and not is_fresh(found, now))


@given(assessments(), requests, times)
def test_nothing_stale_is_served_unless_somebody_allows_it(
    found: Assessment, request: RequestDirectives, now: float
) -> None:
    strict = found._replace(stale_while_revalidate=None, stale_if_error=None)
    willing = request._replace(max_stale=None, stale_if_error=None)
    if not is_fresh(strict, now):
        assert reusable(strict, willing, now) not in SERVED
        assert reusable_on_error(strict, willing, now) not in SERVED


@given(heads, st.booleans(), st.booleans())
def test_no_store_is_never_overruled(head: ResponseHead, shared: bool, granted: bool) -> None:
    said = response_directives(head.headers)
    request = Request("GET", URL)
    for asked in (NO_REQUEST_DIRECTIVES, RequestDirectives(no_store=True)):
        kept = may_store(request, head, asked, said, shared=shared, granted=granted) is None
        assert not (kept and asked.no_store)
        assert not (kept and said.no_store and not said.must_understand)
        assert not (kept and shared and said.private)


@given(heads)
def test_what_a_shared_cache_may_store_a_private_one_may(head: ResponseHead) -> None:
    said = response_directives(head.headers)._replace(s_maxage=None)
    request = Request("GET", URL, head.headers)
    if may_store(request, head, NO_REQUEST_DIRECTIVES, said, shared=True) is None:
        assert may_store(request, head, NO_REQUEST_DIRECTIVES, said) is None


@given(headers())
def test_storable_fields_are_fields_as_received(fields: Headers) -> None:
    said = response_directives(fields)
    kept = storable_headers(fields.raw, said)
    received = list(fields.raw)
    for pair in kept:
        received = received[received.index(pair) + 1 :]
    assert storable_headers(kept, said) == kept
