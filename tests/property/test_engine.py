"""Laws of entries and of what the engine remembers."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from http_client_cache.engine import Recent
from http_client_cache.entry import CLOCK_SKEW, Entry
from http_client_cache.message import Headers
from http_client_cache.rfc9111.validation import NOT_UPDATED, freshened
from tests.flow.scene import stored

times = st.floats(0, 4e9)
lifetimes = st.none() | st.floats(0, 1e9)


def entry_of(created: float, lifetime: float | None) -> Entry:
    expires = None if lifetime is None else created + lifetime
    return msgspec.structs.replace(stored().entry, created=created, expires=expires)


@given(created=times, lifetime=lifetimes, waited=st.tuples(lifetimes, lifetimes))
def test_what_has_expired_does_not_become_fresh_again(
    created: float, lifetime: float | None, waited: tuple[float | None, float | None]
) -> None:
    entry = entry_of(created, lifetime)
    early, late = sorted(created + (seconds or 0.0) for seconds in waited)
    assert entry.is_expired(early) <= entry.is_expired(late)


@given(created=times, lifetime=st.floats(0, 1e9), back=st.floats(1, 1e9))
def test_a_clock_that_went_back_makes_nothing_fresh(
    created: float, lifetime: float, back: float
) -> None:
    assert entry_of(created, lifetime).is_expired(created - CLOCK_SKEW - back)


@given(created=times, now=times)
def test_what_never_expires_never_does(created: float, now: float) -> None:
    assert not entry_of(created, None).is_expired(now)


@given(created=times, lifetime=st.floats(1, 1e9), skew=st.floats(0, CLOCK_SKEW - 1))
def test_clocks_of_processes_may_differ_a_little(
    created: float, lifetime: float, skew: float
) -> None:
    assert not entry_of(created, lifetime).is_expired(created - skew)


operations = st.lists(st.tuples(st.sampled_from(["add", "discard"]), st.sampled_from("abcdefgh")))


@given(operations=operations, limit=st.integers(1, 6))
def test_recent_keeps_the_last_that_were_added(
    operations: list[tuple[str, str]], limit: int
) -> None:
    recent = Recent(limit)
    expected: list[str] = []
    for operation, key in operations:
        getattr(recent, operation)(key)
        expected = [known for known in expected if known != key]
        if operation == "add":
            expected = [*expected, key][-limit:]
        assert {name for name in "abcdefgh" if name in recent} == set(expected)


names = st.sampled_from([b"ETag", b"etag", b"Date", b"X-A", b"Content-Length", b"Set-Cookie"])
fields = st.lists(st.tuples(names, st.binary(max_size=3))).map(tuple)


@given(old=fields, new=fields)
def test_a_304_replaces_whole_fields_and_drops_none(
    old: tuple[tuple[bytes, bytes], ...], new: tuple[tuple[bytes, bytes], ...]
) -> None:
    before, told, after = Headers(old), Headers(new), Headers(freshened(old, Headers(new)))
    for name in {*before, *told}:
        replaced = name in told and name not in NOT_UPDATED
        assert after.get_all(name) == (told if replaced else before).get_all(name)
