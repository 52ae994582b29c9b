"""A store in a storage of the user's own, and the shell that awaits its methods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from http_client_cache.entry import Alias
from http_client_cache.errors import RecordError, StoreError
from http_client_cache.item import StoredResponse
from http_client_cache.shell.custom import CustomShell, NoSyncShell
from http_client_cache.shell.store_driver import run_async, run_now
from http_client_cache.statements import NOT_NOW, Call, Collect
from http_client_cache.store.custom import CustomStore
from http_client_cache.variant import variant_name
from tests.flow.scene import NOW, hop, key, stored


class Shelf:
    """A storage as users write them."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}

    async def read(self, key: str) -> Any:
        item = self.items.get(key)
        if isinstance(item, Exception):
            raise item
        return item

    async def write(self, key: str, item: Any) -> None:
        self.items[key] = item

    async def contains(self, key: str) -> bool:
        return key in self.items

    async def delete(self, key: str) -> None:
        self.items.pop(key, None)

    async def bulk_delete(self, keys: set[str]) -> None:
        for name in keys:
            self.items.pop(name, None)

    async def clear(self) -> None:
        self.items.clear()

    async def size(self) -> int:
        return len(self.items)

    async def keys(self) -> AsyncIterator[str]:
        for name in list(self.items):
            yield name

    async def values(self) -> AsyncIterator[Any]:
        for item in list(self.items.values()):
            yield item


A, B = stored("/a", b"a"), stored("/b", b"b", age=100, lifetime=10)
HOPS = (hop("/c", "/b"),)


@pytest.fixture
def store() -> CustomStore:
    responses, redirects = Shelf(), Shelf()
    for found in (A, B):
        responses.items[found.key] = StoredResponse(found.entry, found.body)
    redirects.items[key("/c")] = Alias(B.key, HOPS, NOW)
    return CustomStore(responses, redirects)


async def run(plan: Any) -> Any:
    return await run_async(plan, CustomShell([]))


async def test_load(store: CustomStore) -> None:
    assert await run(store.load(A.key)) == (A,)
    assert await run(store.load(key("/c"))) == ()
    assert await run(store.load(key("/c"), follow=True)) == (B._replace(hops=HOPS),)
    assert await run(store.load("nowhere", follow=True)) == ()


async def test_a_redirect_that_is_a_plain_key(store: CustomStore) -> None:
    await store.redirects.write("short", A.key)
    assert await run(store.load("short", follow=True)) == (A,)
    assert await run(store.contains("short", follow=True))


@pytest.mark.parametrize("item", [None, b"bytes", 7, RecordError("damaged")])
async def test_what_is_no_response_is_absent(store: CustomStore, item: Any) -> None:
    await store.responses.write(A.key, item)
    await store.redirects.write(key("/c"), item)
    assert await run(store.load(A.key)) == ()
    assert await run(store.load(key("/c"), follow=True)) == ()
    assert [stored.key for _, stored in await run(store.page("", 10))] == [B.key]


async def test_an_entry_comes_before_a_redirect(store: CustomStore) -> None:
    await run(store.link(A.key, Alias(B.key, HOPS, NOW)))
    assert await run(store.load(A.key, follow=True)) == (A,)


async def test_save_and_freshen(store: CustomStore) -> None:
    await run(store.save("new", A.entry, b"body"))
    entry = msgspec.structs.replace(A.entry, created=NOW + 1, body_size=4)
    other = msgspec.structs.replace(entry, body_size=5)
    # Of a body that was replaced meanwhile, old metadata would tell lies.
    changes = [("new", "", entry), ("new", "", other), ("gone", "", entry)]
    assert await run(store.freshen(changes)) == 1
    (found,) = await run(store.load("new"))
    assert (found.entry, found.body) == (entry, b"body")


async def test_delete_takes_what_led_there(store: CustomStore) -> None:
    assert await run(store.delete([B.key, key("/c"), "nowhere"])) == 2
    assert await run(store.delete([B.key])) == 0
    assert (await run(store.size()), await run(store.links_size())) == (1, 0)


async def test_drop_takes_the_item_of_that_variant(store: CustomStore) -> None:
    await run(store.link(key("/d"), Alias(A.key, (), NOW)))
    await run(store.link(B.key, Alias(A.key, (), NOW)))
    assert await run(store.drop([("nowhere", ""), (key("/c"), "")])) == 0
    assert await run(store.drop([])) == 0
    assert (await run(store.size()), await run(store.links_size())) == (2, 3)
    assert await run(store.bytes_size()) > 5 * 1024
    assert await run(store.drop([(B.key, "de"), (B.key, "en")])) == 0
    assert await run(store.load(B.key)) == (B,)
    assert await run(store.drop([(B.key, "de"), (B.key, "")])) == 1
    assert await run(store.load(B.key)) == ()
    links = await run(store.links("", 10))
    assert {name for name, _ in links} == {key("/d"), B.key}
    varies = msgspec.structs.replace(B.entry, vary=(("accept", None),))
    await run(store.save(B.key, varies, B.body, variant=variant_name(varies)))
    (found,) = await run(store.load(B.key))
    assert (found.entry, found.variant) == (varies, variant_name(varies))
    assert await run(store.freshen([(B.key, "", B.entry)])) == 0


async def test_by_url(store: CustomStore) -> None:
    locator = key("/c").partition(".")[0]
    assert await run(store.has_locator(locator))
    assert await run(store.purge(locator)) == 1
    assert not await run(store.has_locator(locator))
    assert await run(store.size()) == 2


async def test_looking_around(store: CustomStore) -> None:
    page = await run(store.page("", 1))
    assert [stored for _, stored in page] == [A, B]
    assert await run(store.page(page[-1][0], 1)) == []
    links = await run(store.links("", 1))
    assert [(name, str(alias)) for name, alias in links] == [(key("/c"), B.key)]
    assert await run(store.links(links[-1][0], 1)) == []


async def test_sweep(store: CustomStore) -> None:
    assert await run(store.sweep(NOW - 91, 500)) == 0
    assert await run(store.sweep(NOW, 500)) == 1
    assert (await run(store.size()), await run(store.links_size())) == (1, 0)


async def test_clear(store: CustomStore) -> None:
    await run(store.clear())
    assert (await run(store.size()), await run(store.links_size())) == (0, 0)


class TestShell:
    def test_nothing_can_be_had_at_once(self, store: CustomStore) -> None:
        assert run_now(store.load(A.key), CustomShell([])) is NOT_NOW

    def test_nothing_can_be_had_without_awaiting(self) -> None:
        with pytest.raises(StoreError, match=r"await get_urls\(\) instead"):
            NoSyncShell().run(Call(Shelf().size))
        NoSyncShell().close()

    async def test_statements(self) -> None:
        shelf = Shelf()
        await CustomShell([]).run(Call(shelf.write, ("a", 1)))
        assert await CustomShell([]).run(Collect(shelf.keys)) == ["a"]
        with pytest.raises(TypeError, match="cannot carry out 'SELECT'"):
            await CustomShell([]).run("SELECT")

    async def test_close_closes_all(self) -> None:
        closed: list[str] = []

        async def fine() -> None:
            closed.append("fine")

        async def broken() -> None:
            closed.append("broken")
            raise OSError("cannot close")

        with pytest.raises(OSError, match="cannot close"):
            await CustomShell([broken, fine]).close()
        assert closed == ["broken", "fine"]
