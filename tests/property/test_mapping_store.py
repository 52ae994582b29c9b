"""The store in a user's mapping answers as the store in memory does, whatever is done to both."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from http_client_cache.limits import Retention
from http_client_cache.plan import Plan
from http_client_cache.shell.immediate import SyncImmediate
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store import Store
from http_client_cache.store.mapping import MappingStore
from http_client_cache.store.memory import MemoryStore
from tests.stores.subjects import alias, entry, standing_clock
from tests.support.mappings import CustomCacheBackend

Act = Callable[[Store], Plan[Any]]

locators = st.sampled_from("abc")
keys = st.builds("{}.{}".format, locators, st.integers(0, 2))
variants = st.sampled_from(["", "de", "en"])
times = st.integers(0, 4).map(float)


def save(key: str, variant: str, created: float, expires: float) -> Act:
    body = f"{key} {variant} {created}".encode()
    stored = entry(f"https://example.org/{key[0]}", body=body, created=created, expires=expires)
    return lambda store: store.save(key, stored, body, variant=variant)


def freshen(key: str, variant: str, created: float) -> Act:
    body = f"{key} {variant} 0.0".encode()
    fresh = entry(f"https://example.org/{key[0]}", body=body, created=created)
    return lambda store: store.freshen([(key, variant, fresh)])


acts = st.one_of(
    st.builds(save, keys, variants, times, times),
    st.builds(freshen, keys, variants, times),
    st.builds(lambda key, to: lambda store: store.link(key, alias(to)), keys, keys),
    st.builds(lambda key: lambda store: store.load(key, follow=True), keys),
    st.builds(lambda key: lambda store: store.delete([key]), keys),
    st.builds(lambda key, kind: lambda store: store.drop([(key, kind)]), keys, variants),
    st.builds(lambda locator: lambda store: store.purge(locator), locators),
    st.builds(lambda before: lambda store: store.sweep(before, 100), times),
    st.just(lambda store: store.clear()),
)


def do(plan: Plan[Any]) -> Any:
    return run_sync(plan, SyncImmediate())


def everything(store: Store) -> Any:
    page = [stored for _, stored in do(store.page("", 100, bodies=True))]
    return (
        sorted(page, key=lambda stored: (stored.key, stored.variant)),
        do(store.links("", 100)),
        do(store.size()),
        do(store.links_size()),
        do(store.bytes_size()),
        [do(store.has_locator(locator)) for locator in "abc"],
    )


@given(st.lists(acts, max_size=30))
def test_it_answers_as_memory_does(history: list[Act]) -> None:
    for kind in (OrderedDict, CustomCacheBackend):
        memory, store = (
            MemoryStore(None, retention=Retention(clock=standing_clock())),
            MappingStore(kind()),
        )
        for act in history:
            assert do(act(store)) == do(act(memory))
            assert everything(store) == everything(memory)


@given(st.lists(acts, max_size=30), st.integers(0, 3))
def test_the_mapping_lists_each_url_once_and_no_more_than_it_may(
    history: list[Act], capacity: int
) -> None:
    plain: OrderedDict[str, Any] = OrderedDict()
    custom = CustomCacheBackend()
    stores = [MappingStore(plain, capacity), MappingStore(custom, capacity)]
    for act in history:
        for store in stores:
            do(act(store))
        assert list(plain) == custom.item_order
        assert sorted(plain) == sorted(custom.storage)
        assert len(plain) <= capacity
