"""Leases of the stores that processes share, against a model of a few lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store import FRUITLESS_SECONDS, NOBODY
from tests.stores.subjects import SUBJECTS

NAMES = st.sampled_from(["a.1", "a.1 de", "b.1"])
OWNERS = st.sampled_from(["A", "B", "C"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "claim", "release", "fruitless", "sweep", "clear"]),
        NAMES,
        OWNERS,
        st.sampled_from([0.5, 2.0, 10.0]),
        st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0]),
    ),
    max_size=30,
)


class Model:
    """Whose each lease is, and until when."""

    def __init__(self) -> None:
        self.leases: dict[str, tuple[str, float]] = {}

    def holder(self, name: str, now: float) -> str | None:
        owner, until = self.leases.get(name, (None, 0.0))
        return owner if now < until else None

    def claim(self, name: str, owner: str, now: float, seconds: float) -> str:
        if self.holder(name, now) in (None, owner):
            self.leases[name] = owner, now + seconds
        return self.leases[name][0]

    def release(self, name: str, owner: str, now: float, *, fruitless: bool) -> None:
        if self.holder(name, now) == owner:
            del self.leases[name]
            if fruitless:
                self.leases[name] = NOBODY, now + FRUITLESS_SECONDS


@pytest.mark.parametrize("kind", ["sqlite", "files"])
@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
def test_leases(kind: str, steps: list[tuple[str, str, str, float, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, shell, *_ = SUBJECTS[kind](Path(folder))
        model, now = Model(), 1000.0
        for step, name, owner, seconds, passed in steps:
            now += passed
            if step == "claim":
                got = run_sync(store.claim(name, owner, now, seconds), shell)
                assert got == model.claim(name, owner, now, seconds)
            elif step == "sweep":
                run_sync(store.sweep(now, 10), shell)
            elif step == "clear":
                run_sync(store.clear(), shell)
                model.leases.clear()
            else:
                fruitless = step == "fruitless"
                run_sync(store.release(name, owner, now, fruitless=fruitless), shell)
                model.release(name, owner, now, fruitless=fruitless)
                # What is waited for comes after it.
                run_sync(store.drop([("a.1", "")]), shell)
            for one in ("a.1", "a.1 de", "b.1"):
                assert run_sync(store.holder(one, now), shell) == model.holder(one, now)
        shell.close()
