"""When servers let entries leave, by their own clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
import pytest

from http_client_cache.clock import Clock
from http_client_cache.limits import KEEP_EXPIRED, Retention
from http_client_cache.settings import Settings
from http_client_cache.testing.subject import entry
from tests.support.clock import StandingClock


def clocks() -> list[StandingClock]:
    """Clocks of tests, which may stand anywhere."""
    return [StandingClock(datetime(year, 1, 1, tzinfo=UTC)) for year in (1990, 2021, 2100)]


@pytest.mark.parametrize("clock", [Clock(), *clocks()])
@pytest.mark.parametrize("lifetime", [-500.0, 0.0, 60.0, 1e9])
def test_it_is_as_far_away_as_by_the_clock_of_the_cache(clock: Clock, lifetime: float) -> None:
    now = clock.time()
    kept = entry(created=now, expires=now + lifetime)
    # What comes expired is counted from its arrival.
    expected = time.time() + max(0.0, lifetime) + KEEP_EXPIRED
    deadline = Retention(clock=clock).deadline(kept)
    assert deadline is not None
    assert abs(deadline - expected) < 1


def test_it_comes_nearer_as_time_passes() -> None:
    clock = StandingClock()
    retention = Retention(Settings(keep_expired=100), clock)
    kept = entry(created=clock.time(), expires=clock.time() + 50)
    first = retention.deadline(kept)
    clock.advance(seconds=30)
    second = retention.deadline(kept)
    clock.advance(hours=5)
    third = retention.deadline(kept)
    assert first is not None
    assert second is not None
    assert third is not None
    assert abs(first - second - 30) < 1
    assert third < time.time()


@pytest.mark.parametrize("settings", [{"keep_expired": True}, {"stale_if_error": -1}])
def test_what_is_kept_for_ever_has_none(settings: dict[str, bool]) -> None:
    retention = Retention(Settings(**settings), StandingClock())
    assert retention.deadline(entry(expires=2000.0)) is None


def test_what_never_expires_has_none() -> None:
    assert Retention(Settings(keep_expired=0)).deadline(entry(expires=None)) is None


def test_windows_of_the_response_count() -> None:
    clock = StandingClock()
    kept = entry(created=clock.time(), expires=clock.time() + 10)
    kept = msgspec.structs.replace(kept, stale_while_revalidate=50, stale_if_error=700)
    deadline = Retention(Settings(keep_expired=5), clock).deadline(kept)
    assert deadline is not None
    assert abs(deadline - time.time() - 715) < 1
