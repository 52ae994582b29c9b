"""What every store promises about the variants of a key, in both colours."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import msgspec
import pytest

from http_client_cache.plan import Plan
from http_client_cache.store import Store
from tests.stores.conftest import Do
from tests.stores.subjects import Subject, alias, entry, run_as_async, run_as_sync

LARGE = 300_000
CREATED = {"": 10.0, "de": 20.0, "en": 30.0}


def body_of(key: str, variant: str, size: int = 0) -> bytes:
    return f"{key} {variant}".encode() + bytes(size)


async def put(do: Do, store: Store, key: str, *variants: str, size: int = 0) -> None:
    for variant in variants:
        body = body_of(key, variant, size)
        kept = entry(body=body, created=CREATED.get(variant, 0.0))
        await do(store.save(key, kept, body, variant=variant))


async def variants(do: Do, store: Store, key: str, *, size: int = 0) -> list[str]:
    """The variants that a key, or an alias of that name, leads to; each whole."""
    found = await do(store.load(key, follow=True))
    for stored in found:
        assert stored.body == body_of(stored.key, stored.variant, size)
        assert stored.entry.created == CREATED.get(stored.variant, 0.0)
    return [stored.variant for stored in found]


@pytest.mark.parametrize("size", [0, LARGE])
async def test_newest_first(do: Do, store: Store, size: int) -> None:
    await put(do, store, "a.1", "de", "", "en", size=size)
    for _ in range(2):
        assert await variants(do, store, "a.1", size=size) == ["en", "de", ""]
        # From now on it is committed.
        assert await do(store.size()) == 3
    assert await do(store.delete(["a.1"])) == 1
    assert await do(store.size()) == 0


async def test_equally_old_ones_have_one_order(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "3", "1", "2")
    orders = [await variants(do, store, "a.1")]
    assert await do(store.size()) == 3
    orders.append(await variants(do, store, "a.1"))
    await put(do, store, "a.1", "1")
    orders.append(await variants(do, store, "a.1"))
    assert orders == [["1", "2", "3"]] * 3


async def test_an_alias_leads_to_all_of_them(do: Do, store: Store) -> None:
    await put(do, store, "b.1", "de")
    assert await do(store.size()) == 1
    await put(do, store, "b.1", "en", "")
    await do(store.link("a.1", alias("b.1")))
    for _ in range(2):
        assert await variants(do, store, "a.1") == ["en", "de", ""]
        found = await do(store.load("a.1", follow=True))
        assert {(stored.key, stored.hops) for stored in found} == {("b.1", alias("b.1").hops)}
        assert await do(store.size()) == 3


@pytest.mark.parametrize("size", [0, LARGE])
async def test_saving_replaces_one_of_them(do: Do, store: Store, size: int) -> None:
    await put(do, store, "a.1", "", "de", "en", size=size)
    assert await do(store.size()) == 3
    body = os.urandom(size + 1)
    await do(store.save("a.1", entry(body=body, created=40.0), body, variant="de"))
    for _ in range(2):
        new, *others = await do(store.load("a.1"))
        assert (new.variant, new.body, new.entry.created) == ("de", body, 40.0)
        assert [(stored.variant, stored.body) for stored in others] == [
            ("en", body_of("a.1", "en", size)),
            ("", body_of("a.1", "", size)),
        ]
        assert await do(store.size()) == 3


@pytest.mark.parametrize("size", [0, LARGE])
async def test_freshening_rewrites_one_of_them(do: Do, store: Store, size: int) -> None:
    await put(do, store, "a.1", "", "de", "en", size=size)
    body = body_of("a.1", "", size)
    stale = (await do(store.load("a.1")))[-1].entry
    fresh = msgspec.structs.replace(stale, created=50.0, expires=60.0)
    assert await do(store.freshen([("a.1", "", fresh), ("a.1", "fr", fresh)])) == 1
    new, *others = await do(store.load("a.1"))
    assert (new.variant, new.entry, new.body) == ("", fresh, body)
    assert [(stored.variant, stored.entry.created) for stored in others] == [
        ("en", 30.0),
        ("de", 20.0),
    ]


async def test_freshening_several_at_once(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "", "de", "en")
    changes = [
        ("a.1", variant, entry(body=body_of("a.1", variant), created=created))
        for variant, created in (("de", 100.0), ("en", 90.0), ("", 110.0))
    ]
    assert await do(store.freshen(changes)) == 3
    assert [stored.variant for stored in await do(store.load("a.1"))] == ["", "de", "en"]


@pytest.mark.parametrize("bodies", [False, True])
async def test_pages_tell_each_of_them(do: Do, store: Store, bodies: bool) -> None:
    await put(do, store, "a.1", "", "de", size=LARGE)
    await put(do, store, "b.1", "de", "en", size=LARGE)
    found, after = [], ""
    while page := await do(store.page(after, 1, bodies=bodies)):
        found += [(stored.key, stored.variant, stored.body) for _, stored in page]
        after = page[-1][0]
    assert sorted(found) == [
        (key, variant, body_of(key, variant, LARGE) if bodies else b"")
        for key, variant in (("a.1", ""), ("a.1", "de"), ("b.1", "de"), ("b.1", "en"))
    ]


@pytest.mark.parametrize("size", [0, LARGE])
async def test_dropping_one_leaves_the_others(do: Do, store: Store, size: int) -> None:
    await put(do, store, "a.1", "", "de", "en", size=size)
    await put(do, store, "a.2", "de", size=size)
    await do(store.link("x.1", alias("a.1")))
    assert await do(store.drop([("a.1", "de")])) == 1
    for _ in range(2):
        assert await variants(do, store, "a.1", size=size) == ["en", ""]
        assert await variants(do, store, "x.1", size=size) == ["en", ""]
        assert await variants(do, store, "a.2", size=size) == ["de"]
        assert (await do(store.size()), await do(store.links_size())) == (3, 1)
    assert await do(store.drop([("a.1", "")])) == 1
    assert await variants(do, store, "a.1", size=size) == ["en"]


async def test_dropping_what_is_not_there(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "de")
    await do(store.link("x.1", alias("nowhere.1")))
    assert await do(store.drop([])) == 0
    assert await do(store.drop([("a.1", ""), ("b.1", "de"), ("x.1", ""), ("nowhere.1", "")])) == 0
    assert await variants(do, store, "a.1") == ["de"]
    assert await do(store.links_size()) == 1


async def test_dropping_counts_each_once(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "", "de")
    await put(do, store, "b.1", "en")
    wanted = [("a.1", "de"), ("b.1", "en"), ("a.1", "de"), ("b.1", "de")]
    assert await do(store.drop(one for one in wanted)) == 2
    assert await do(store.drop(wanted)) == 0
    assert await do(store.size()) == 1
    assert await variants(do, store, "a.1") == [""]


async def test_dropping_the_last_takes_its_aliases_along(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "", "de")
    await put(do, store, "b.1", "de")
    await do(store.link("x.1", alias("a.1")))
    await do(store.link("x.2", alias("b.1")))
    assert await do(store.drop([("a.1", "")])) == 1
    assert await do(store.links_size()) == 2
    assert await do(store.drop([("a.1", "de")])) == 1
    assert await do(store.links("", 10)) == [("x.2", alias("b.1"))]
    assert not await do(store.contains("x.1", follow=True))
    assert not await do(store.has_locator("a"))
    assert await do(store.has_locator("x"))


async def test_dropping_leaves_an_alias_of_that_name(do: Do, store: Store) -> None:
    await put(do, store, "b.1", "de")
    await put(do, store, "a.1", "en")
    await do(store.link("a.1", alias("b.1")))
    assert await variants(do, store, "a.1") == ["en"]
    assert await do(store.drop([("a.1", "en")])) == 1
    assert await variants(do, store, "a.1") == ["de"]


@pytest.mark.parametrize("size", [0, LARGE])
async def test_what_was_dropped_may_be_saved_again(do: Do, store: Store, size: int) -> None:
    for _ in range(3):
        await put(do, store, "a.1", "de", "en", size=size)
        assert await do(store.drop([("a.1", "de"), ("a.1", "en")])) == 2
        assert await variants(do, store, "a.1") == []
        await put(do, store, "a.1", "de", size=size)
        assert await variants(do, store, "a.1", size=size) == ["de"]
        assert await do(store.size()) == 1
        assert await variants(do, store, "a.1", size=size) == ["de"]


async def test_dropping_many(do: Do, store: Store) -> None:
    names = [str(number) for number in range(700)]
    await put(do, store, "a.1", *names)
    assert await do(store.drop([("a.1", name) for name in names if name != "7"])) == 699
    assert await variants(do, store, "a.1") == ["7"]
    assert await do(store.size()) == 1


async def test_nobody_sees_what_is_being_dropped(subject: Subject) -> None:
    """Not even while the dropping is under way."""
    store = subject.store

    async def do(plan: Plan[Any]) -> Any:
        return await run_as_async(subject, plan)

    await put(do, store, "a.1", "de", "en")
    await put(do, store, "b.1", "de")
    await do(store.link("x.1", alias("b.1")))
    assert await do(store.size()) == 3
    dropping = asyncio.create_task(
        run_as_async(subject, store.drop([("a.1", "de"), ("b.1", "de")]))
    )
    await asyncio.sleep(0)
    assert await variants(do, store, "a.1") == ["en"]
    assert await variants(do, store, "x.1") == []
    assert not await do(store.contains("b.1"))
    assert await do(store.size()) == 1
    assert await dropping == 2
    await subject.async_shell.close()


async def test_threads_may_save_and_drop(subject: Subject) -> None:
    store, failures = subject.store, list[Exception]()

    def work(name: int) -> None:
        async def do(plan: Plan[Any]) -> Any:
            return await run_as_sync(subject, plan)

        async def main() -> None:
            mine = f"v{name}"
            for _ in range(40):
                await put(do, store, "a.1", mine)
                assert mine in await variants(do, store, "a.1")
                assert await do(store.drop([("a.1", mine)])) == 1
                assert mine not in await variants(do, store, "a.1")

        try:
            asyncio.run(main())
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert not failures
    assert await run_as_sync(subject, store.size()) == 0
