"""The store in memory: what is its own."""

from __future__ import annotations

import logging
import threading

import msgspec
import pytest

from http_client_cache.limits import Retention
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.shell.store_driver import run_now, run_sync
from http_client_cache.store.memory import MemoryStore
from tests.stores.subjects import alias, entry, standing_clock

SHELL = SyncImmediate()


def save(store: MemoryStore, key: str, size: int = 10_000, variant: str = "") -> None:
    body = bytes(size)
    run_sync(store.save(key, entry(body=body), body, variant=variant), SHELL)


def has(store: MemoryStore, key: str) -> bool:
    return run_sync(store.contains(key, follow=True), SHELL)


def test_what_was_used_least_recently_goes_first(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore(max_bytes=50_000)
    for key in "abcd":
        save(store, key)
    run_sync(store.load("a"), SHELL)
    run_sync(store.link("led", alias("b")), SHELL)
    run_sync(store.load("led", follow=True), SHELL)
    with caplog.at_level(logging.WARNING, "http_client_cache"):
        save(store, "e")
        save(store, "f")
    assert [key for key in "abcdef" if has(store, key)] == ["a", "b", "e", "f"]
    assert has(store, "led")
    assert len(caplog.records) == 1
    assert "max_bytes" in caplog.records[0].getMessage()


def test_an_evicted_entry_takes_its_aliases_along() -> None:
    store = MemoryStore(max_bytes=30_000)
    save(store, "a")
    run_sync(store.link("led", alias("a")), SHELL)
    save(store, "b")
    save(store, "c")
    assert not has(store, "led")
    assert run_sync(store.links_size(), SHELL) == 0


def test_of_the_variants_of_a_key_the_oldest_goes_first() -> None:
    store = MemoryStore(max_bytes=50_000)
    for number in range(10):
        body = bytes(10_000)
        made = entry(body=body, created=float(number))
        run_sync(store.save("a", made, body, variant=str(number)), SHELL)
        assert run_sync(store.load("a"), SHELL)[0].entry == made
    found = run_sync(store.load("a"), SHELL)
    assert [stored.variant for stored in found] == ["9", "8", "7", "6"]
    save(store, "b")
    assert [stored.variant for stored in run_sync(store.load("a"), SHELL)] == ["9", "8", "7"]
    run_sync(store.link("led", alias("a")), SHELL)
    for key in "cdef":
        save(store, key)
    assert not has(store, "a")
    assert run_sync(store.links_size(), SHELL) == 0


def test_selecting_fields_take_room() -> None:
    store = MemoryStore(max_bytes=50_000)
    for number in range(100):
        made = msgspec.structs.replace(entry(), vary=(("accept", None),) * 200)
        run_sync(store.save(f"{number}", made, b""), SHELL)
    assert run_sync(store.size(), SHELL) == 1


def test_what_is_too_large_is_not_kept_and_neither_is_what_it_replaces() -> None:
    store = MemoryStore(max_bytes=30_000)
    save(store, "a")
    save(store, "b")
    save(store, "a", 40_000)
    assert not has(store, "a")
    assert has(store, "b")


def test_without_a_limit_all_is_kept() -> None:
    store = MemoryStore(max_bytes=None)
    for number in range(300):
        save(store, f"a.{number}", 1_000_000 if number == 0 else 10)
    assert run_sync(store.size(), SHELL) == 300


def test_replacing_deleting_and_freshening_give_room_back() -> None:
    store = MemoryStore(max_bytes=100_000, retention=Retention(clock=standing_clock()))
    for number in range(500):
        save(store, "a", variant=str(number % 3))
        run_sync(store.freshen([("a", "1", entry(body=bytes(10_000), expires=number))]), SHELL)
        run_sync(store.link("led", alias("a")), SHELL)
        save(store, f"b.{number}")
        run_sync(store.delete([f"b.{number}"]), SHELL)
        run_sync(store.link(f"c.{number}", alias("nowhere")), SHELL)
        run_sync(store.delete([f"c.{number}"]), SHELL)
    assert run_sync(store.size(), SHELL) == 3
    assert run_sync(store.delete(["a"]), SHELL) == 1
    assert store._bytes == 0
    assert len(store._expiries) < 100
    assert len(store._numbers) < 100
    assert not store._locators


def test_threads_may_share_it() -> None:
    store = MemoryStore(max_bytes=300_000)
    failures: list[Exception] = []

    def work(name: int) -> None:
        try:
            for number in range(300):
                key = f"{(name + number) % 5}.{number % 40}"
                save(store, key, 5000)
                for stored in run_sync(store.load(key), SHELL):
                    assert stored.key == key
                if number % 7 == 0:
                    run_sync(store.purge(str(number % 5)), SHELL)
                run_sync(store.page("", 10), SHELL)
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    run_sync(store.clear(), SHELL)
    assert store._bytes == 0


async def test_its_shells_know_no_statement() -> None:
    for answer in (SHELL.run, AsyncImmediate().run_now):
        with pytest.raises(TypeError, match="asks for nothing"):
            answer("anything")
    with pytest.raises(TypeError, match="asks for nothing"):
        await AsyncImmediate().run("anything")
    assert run_now(MemoryStore().size(), AsyncImmediate()) == 0
