"""What is particular to the store in a mapping of the user's own."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from http_client_cache.plan import Plan
from http_client_cache.shell.immediate import SyncImmediate
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store.mapping import MappingStore, OrderedMapping, StoredUrl
from tests.stores.subjects import alias, entry
from tests.support.mappings import CustomCacheBackend

Make = Callable[[], OrderedMapping]

MAPPINGS = [OrderedDict, CustomCacheBackend]


@pytest.fixture(params=MAPPINGS)
def mapping(request: pytest.FixtureRequest) -> OrderedMapping:
    made: OrderedMapping = request.param()
    return made


def do(plan: Plan[Any]) -> Any:
    return run_sync(plan, SyncImmediate())


def url(number: int) -> str:
    return f"https://example.org/{number}"


def save(store: MappingStore, key: str, number: int, variant: str = "") -> None:
    body = f"{key} {variant}".encode()
    do(store.save(key, entry(url(number), body=body), body, variant=variant))


def found(store: MappingStore, key: str) -> list[bytes]:
    return [stored.body for stored in do(store.load(key))]


def order(mapping: Any) -> list[str]:
    """The keys as the mapping lists them."""
    return list(getattr(mapping, "item_order", mapping))


def test_a_url_is_one_key(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping)
    for key, variant in (("a.1", ""), ("a.1", "de"), ("a.2", ""), ("a.1", "")):
        save(store, key, 1, variant)
    assert order(mapping) == [url(1)]
    assert len(mapping[url(1)].rows) == 3
    do(store.delete(["a.1", "a.2"]))
    assert order(mapping) == []
    assert len(mapping) == 0


def test_the_key_is_the_url_as_it_was_named(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping)
    store.name("a", "https://example.org/normal")
    save(store, "a.1", 1)
    assert order(mapping) == ["https://example.org/normal"]
    assert found(store, "a.1") == [b"a.1 "]


def test_what_was_used_longest_ago_goes_first(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping, capacity=3)
    for number in range(3):
        save(store, f"{number}.x", number)
    assert found(store, "0.x")
    save(store, "1.y", 1)
    save(store, "3.x", 3)
    assert order(mapping) == [url(0), url(1), url(3)]
    assert [bool(found(store, f"{number}.x")) for number in range(4)] == [True, True, False, True]
    assert do(store.size()) == 4


def test_a_redirect_that_is_followed_uses_its_target(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping, capacity=3)
    save(store, "a.1", 1)
    save(store, "b.1", 2)
    do(store.link("c.1", alias("a.1")))
    assert do(store.load("c.1", follow=True))
    save(store, "d.1", 3)
    assert [bool(found(store, key)) for key in ("a.1", "b.1", "d.1")] == [True, False, True]


@pytest.mark.parametrize("capacity", [0, 1])
def test_capacity(mapping: OrderedMapping, capacity: int) -> None:
    store = MappingStore(mapping, capacity=capacity)
    for number in range(3):
        save(store, f"{number}.x", number)
        assert len(mapping) == capacity
    assert do(store.size()) == capacity


def test_of_one_url_the_last_written_are_kept(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping, rows_per_url=2)
    for number in range(4):
        save(store, f"a.{number}", 1)
    save(store, "a.2", 1)
    save(store, "a.4", 1)
    assert [number for number in range(5) if found(store, f"a.{number}")] == [2, 4]


def test_another_store_finds_what_one_put_there(mapping: OrderedMapping) -> None:
    save(MappingStore(mapping), "a.1", 1)
    store = MappingStore(mapping)
    assert found(store, "a.1") == []
    store.name("a", url(1))
    assert found(store, "a.1") == [b"a.1 "]
    save(store, "a.2", 1)
    assert do(store.size()) == 2
    assert do(store.purge("a")) == 2
    assert len(mapping) == 0


def test_what_the_mapping_dropped_is_absent(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping)
    save(store, "a.1", 1)
    save(store, "b.1", 2)
    mapping.pop(url(1))
    assert found(store, "a.1") == []
    assert do(store.size()) == 1
    assert do(store.delete(["a.1"])) == do(store.purge("a")) == 0
    save(store, "a.1", 1)
    assert found(store, "a.1") == [b"a.1 "]


def test_what_is_no_value_of_a_store_is_absent_and_replaced(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping)
    mapping[url(1)] = "what is this?"
    store.name("a", url(1))
    assert found(store, "a.1") == []
    save(store, "a.1", 1)
    assert found(store, "a.1") == [b"a.1 "]
    assert order(mapping) == [url(1)]


def test_a_key_that_vanishes_in_between_is_absent() -> None:
    class Fleeting(OrderedDict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise KeyError(key)

    store = MappingStore(Fleeting())
    save(store, "a.1", 1)
    assert found(store, "a.1") == []


def test_clear_empties_the_mapping(mapping: OrderedMapping) -> None:
    save(MappingStore(mapping), "a.1", 1)
    store = MappingStore(mapping)
    save(store, "b.1", 2)
    do(store.clear())
    assert len(mapping) == 0
    assert order(mapping) == []


def test_names_are_forgotten_in_the_end(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping, capacity=2)
    for number in range(5000):
        store.name(f"n{number}", url(number))
        save(store, f"k{number}.1", number)
    assert len(store._named) <= 1024
    assert len(store._kept) <= 1024
    assert [bool(found(store, f"k{number}.1")) for number in (4997, 4998, 4999)] == [0, 1, 1]


def test_values_are_for_people_and_for_pickles(mapping: OrderedMapping) -> None:
    store = MappingStore(mapping)
    save(store, "a.1", 1)
    do(store.link("a.2", alias("b.1")))
    value = mapping[url(1)]
    assert isinstance(value, StoredUrl)
    assert repr(value) == "<StoredUrl https://example.org/1 [1]>"
    assert [(stored.url, stored.body) for stored in value.responses] == [(url(1), b"a.1 ")]
    assert pickle.loads(pickle.dumps(value)) == value
