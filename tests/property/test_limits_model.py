"""What goes first where there are limits: both stores beside a model that is a plain list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from http_client_cache.codec import codec_for
from http_client_cache.limits import Retention
from http_client_cache.settings import Settings
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.shell.sqlite import AsyncSQLite, Database, SyncSQLite
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store.memory import MemoryStore
from http_client_cache.store.sqlite import SQLiteStore
from tests.stores.subjects import NOW, Subject, entry, standing_clock
from tests.support.clock import StandingClock

SIZE = 20_000
"""Bytes of a body, so that all entries but the large ones count alike, about."""

keys = st.sampled_from("abcdefgh")
saves = st.tuples(st.just("save"), keys, st.none() | st.integers(0, 30))
large = st.tuples(st.just("large"), keys, st.none() | st.integers(0, 30))
acts = st.lists(
    st.one_of(
        saves,
        saves,
        large,
        st.tuples(st.just("load"), keys, st.none()),
        st.tuples(st.just("load"), keys, st.none()),
        st.tuples(st.just("delete"), keys, st.none()),
        st.tuples(st.just("freshen"), keys, st.none() | st.integers(0, 30)),
        st.tuples(st.just("wait"), st.none(), st.integers(1, 10)),
    ),
    min_size=10,
    max_size=80,
)
limits = st.fixed_dictionaries(
    {
        "max_entries": st.none() | st.integers(0, 5),
        "max_bytes": st.none() | st.integers(1, 5).map(lambda count: count * (SIZE + 2000)),
    }
)


def memory(clock: StandingClock, **limits: Any) -> Subject:
    store = MemoryStore(**limits, retention=Retention(Settings(keep_expired=True), clock))
    return Subject(store, SyncImmediate(), AsyncImmediate())


def sqlite(clock: StandingClock, **limits: Any) -> Subject:
    retention = Retention(Settings(keep_expired=True), clock)
    store = SQLiteStore(codec_for(), **limits, retention=retention)
    database = Database(None, store.schema)
    return Subject(store, SyncSQLite(database), AsyncSQLite(database))


class Model:
    """Keys in the order of their use, each with its weight and its expiration."""

    def __init__(self, max_entries: int | None, max_bytes: int | None) -> None:
        self.max_entries = max_entries
        self.max_weight = None if max_bytes is None else max_bytes // (SIZE + 2000)
        self.entries: dict[str, tuple[int, float | None]] = {}

    def use(self, key: str) -> bool:
        if key not in self.entries:
            return False
        self.entries[key] = self.entries.pop(key)
        return True

    def put(self, key: str, weight: int, expires: float | None, now: float) -> None:
        self.entries.pop(key, None)
        if self.max_weight is None or weight <= self.max_weight:
            self.entries[key] = weight, expires
        while self.is_over():
            expired = [
                (ends, key)
                for key, (_, ends) in self.entries.items()
                if ends is not None and ends <= now
            ]
            del self.entries[min(expired)[1] if expired else next(iter(self.entries))]

    def is_over(self) -> bool:
        weight = sum(weight for weight, _ in self.entries.values())
        return (self.max_entries is not None and len(self.entries) > self.max_entries) or (
            self.max_weight is not None and weight > self.max_weight
        )


@pytest.mark.parametrize("kind", [memory, sqlite])
@pytest.mark.parametrize("at_once", [True, False])
@settings(max_examples=150, deadline=None)
@given(acts=acts, limits=limits)
def test_what_goes_first(
    kind: Callable[..., Subject], at_once: bool, acts: list[Any], limits: dict[str, Any]
) -> None:
    clock = standing_clock()
    subject = kind(clock, **limits)
    model = Model(**limits)
    store, shell = subject.store, subject.sync_shell
    try:
        for number, (act, key, seconds) in enumerate(acts):
            # No two of them expire at the same time.
            expires = None if seconds is None else clock.time() + seconds + number / 1000
            if act in {"save", "large"}:
                # As much as two.
                body = bytes(SIZE if act == "save" else 2 * SIZE + 1500)
                run_sync(store.save(key, entry(body=body, expires=expires), body), shell)
                model.put(key, 1 if act == "save" else 2, expires, clock.time())
            elif act == "load":
                if at_once:
                    assert bool(run_sync(store.load(key), shell)) == model.use(key)
                elif model.use(key):
                    run_sync(store.load(key), shell)
            elif act == "delete":
                run_sync(store.delete([key]), shell)
                model.entries.pop(key, None)
            elif act == "freshen":
                # Where it is, it was read before.
                found = run_sync(store.load(key), shell) if model.use(key) else ()
                for stored in found:
                    fresh = entry(body=stored.body, created=NOW + 1, expires=expires)
                    run_sync(store.freshen([(key, "", fresh)]), shell)
                    weight, _ = model.entries[key]
                    model.put(key, weight, expires, clock.time())
            else:
                # What is on its way gets there in the time that it was given.
                run_sync(store.size(), shell)
                clock.advance(seconds=seconds)
            if at_once:
                assert run_sync(store.size(), shell) == len(model.entries)
        page = run_sync(store.page("", 100), shell)
        kept = {stored.key for _, stored in page}
        if at_once:
            assert kept == set(model.entries)
        elif model.entries:
            # What is written together never was too much in between, so that other things may be
            # there, but not instead of what was used last.
            last = next(reversed(model.entries))
            _, ends = model.entries[last]
            assert last in kept or (ends is not None and ends <= clock.time())
        if limits["max_entries"] is not None:
            assert len(kept) <= limits["max_entries"]
        if limits["max_bytes"] is not None:
            assert run_sync(store.bytes_size(), shell) <= limits["max_bytes"]
    finally:
        shell.close()


def test_the_model_tells_what_goes_first() -> None:
    model = Model(max_entries=2, max_bytes=None)
    for key, expires in (("a", None), ("b", 5.0), ("c", None)):
        model.put(key, 1, expires, now=6.0)
    assert list(model.entries) == ["a", "c"]
    model.use("a")
    model.put("d", 1, None, now=6.0)
    assert list(model.entries) == ["a", "d"]
