"""What is done to a cache as a whole, over a store in memory."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from http_client_cache import housekeeping
from http_client_cache.entry import Alias
from http_client_cache.expiry import DO_NOT_CACHE, NEVER, after, at
from http_client_cache.limits import Retention
from http_client_cache.plan import Failed, Pause, UseStore
from http_client_cache.settings import Settings
from http_client_cache.shell.immediate import SyncImmediate
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store.memory import MemoryStore
from tests.flow.scene import HOST, NOW, expired, hop, key, stored
from tests.support.clock import StandingClock

SHELL = SyncImmediate()


class Keeper:
    """Runs the plans; counts trips and pauses; may fail."""

    def __init__(self) -> None:
        clock = StandingClock(datetime.fromtimestamp(NOW, UTC))
        self.store = MemoryStore(retention=Retention(clock=clock))
        self.trips = self.pauses = 0
        self.failing = False

    def run(self, plan: Generator[Any, Any, Any]) -> Any:
        reply = None
        try:
            while True:
                effect = plan.send(reply)
                if isinstance(effect, Pause):
                    self.pauses += 1
                    reply = None
                    continue
                assert isinstance(effect, UseStore)
                self.trips += 1
                reply = Failed(OSError()) if self.failing else run_sync(effect.plan, SHELL)
        except StopIteration as stop:
            return stop.value

    def fill(self, *found: Any) -> None:
        for one in found:
            run_sync(self.store.save(one.key, one.entry, one.body), SHELL)

    def fill_many(self, count: int, sample: Any) -> None:
        self.fill(*(sample._replace(key=f"{number:016x}.key") for number in range(count)))

    def expirations(self) -> set[float | None]:
        page = run_sync(self.store.page("", 10_000), SHELL)
        return {stored.entry.expires for _, stored in page}


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def test_urls_are_sorted_and_each_is_told_once(keeper: Keeper) -> None:
    again = stored("/a")._replace(key="another.key")
    keeper.fill(stored("/b"), expired("/a"), again)
    assert keeper.run(housekeeping.urls(keeper.store)) == [HOST + "/a", HOST + "/b"]


def test_by_url(keeper: Keeper) -> None:
    settings = Settings(ignored_parameters=["token"])
    keeper.fill(stored("/a"), stored("/b"))
    alias = Alias(key("/b"), (hop("/c", "/b"),), NOW)
    run_sync(keeper.store.link(key("/c"), alias), SHELL)
    for path in ("/a", "/a?token=1", "/c"):
        assert keeper.run(housekeeping.has_url(keeper.store, settings, HOST + path))
    assert not keeper.run(housekeeping.has_url(keeper.store, settings, HOST + "/a?page=2"))
    assert keeper.run(housekeeping.delete_url(keeper.store, settings, HOST + "/a?token=2")) == 1
    assert not keeper.run(housekeeping.has_url(keeper.store, settings, HOST + "/a"))
    assert keeper.run(housekeeping.delete(keeper.store, [key("/b"), "nowhere"])) == 1
    assert not keeper.run(housekeeping.has_url(keeper.store, settings, HOST + "/c"))


@pytest.mark.parametrize(
    ("many", "trips"), [(0, 1), (1, 1), (housekeeping.SWEEP, 2), (2 * housekeeping.SWEEP + 1, 3)]
)
def test_sweep_goes_page_by_page(keeper: Keeper, many: int, trips: int) -> None:
    keeper.fill_many(many, expired())
    keeper.fill(stored())
    assert keeper.run(housekeeping.sweep(keeper.store, NOW)) == many
    assert keeper.trips == trips
    assert run_sync(keeper.store.size(), SHELL) == 1
    # After each page that deleted something, others have their turn.
    assert keeper.pauses == -(-many // housekeeping.SWEEP)


@pytest.mark.parametrize(
    ("expiry", "expires"),
    [
        (after(5), NOW + 5),
        (at(NOW + 9), NOW + 9),
        (NEVER, None),
        # What is not to be cached has expired as soon as it was created.
        (DO_NOT_CACHE, NOW),
    ],
)
def test_another_expiration_for_all(keeper: Keeper, expiry: Any, expires: float | None) -> None:
    many = housekeeping.PAGE + 1
    keeper.fill_many(many, stored(lifetime=60))
    assert keeper.run(housekeeping.reset_expiration(keeper.store, expiry)) == many
    assert keeper.expirations() == {expires}


def test_counted_from_when_each_was_created(keeper: Keeper) -> None:
    keeper.fill(stored("/a", age=100), stored("/b", age=7))
    keeper.run(housekeeping.reset_expiration(keeper.store, after(50)))
    assert keeper.expirations() == {NOW - 50, NOW + 43}


def test_the_rest_of_the_entry_stays(keeper: Keeper) -> None:
    old = stored(etag='"v1"', body=b"body")
    keeper.fill(old)
    keeper.run(housekeeping.reset_expiration(keeper.store, after(5)))
    (found,) = run_sync(keeper.store.load(old.key), SHELL)
    assert found == old._replace(entry=msgspec.structs.replace(old.entry, expires=NOW + 5))


def test_a_failing_store_has_nothing(keeper: Keeper) -> None:
    keeper.fill(expired())
    keeper.failing = True
    store, settings = keeper.store, Settings()
    for plan, nothing in [
        (housekeeping.urls(store), []),
        (housekeeping.has_url(store, settings, HOST), False),
        (housekeeping.delete_url(store, settings, HOST), 0),
        (housekeeping.delete(store, ["key"]), 0),
        (housekeeping.sweep(store, NOW), 0),
        (housekeeping.reset_expiration(store, NEVER), 0),
        (housekeeping.links(store, ""), []),
        (housekeeping.ask(store.size(), 0), 0),
    ]:
        assert keeper.run(plan) == nothing
