"""What a store promises that keeps several entries for one key, told apart by their variants."""

from __future__ import annotations

import asyncio
import os
import threading

import msgspec
import pytest

from http_client_cache.plan import Plan
from http_client_cache.store import Store
from http_client_cache.testing._contract import Contract, Do, does
from http_client_cache.testing.subject import NOW, Subject, alias, entry

LARGE = 300_000
CREATED = {"": NOW + 10, "de": NOW + 20, "en": NOW + 30}


def body_of(key: str, variant: str, size: int = 0) -> bytes:
    """A body that tells whose it is."""
    return f"{key} {variant}".encode() + bytes(size)


async def put(do: Do, store: Store, key: str, *variants: str, size: int = 0) -> None:
    """Save an entry for each variant."""
    for variant in variants:
        body = body_of(key, variant, size)
        kept = entry(body=body, created=CREATED.get(variant, NOW))
        await do(store.save(key, kept, body, variant=variant))


async def names(do: Do, store: Store, key: str, *, size: int = 0) -> list[str]:
    """The variants that a key, or an alias of that name, leads to; each whole."""
    found = await do(store.load(key, follow=True))
    for stored in found:
        assert stored.body == body_of(stored.key, stored.variant, size)
        assert stored.entry.created == CREATED.get(stored.variant, NOW)
    return [stored.variant for stored in found]


class VariantsContract(Contract):
    """Where ``Vary`` says so, or a part of a response is kept, a key has several entries.

    A store that keeps only what was saved last for a key does without this.
    """

    @pytest.mark.parametrize("size", [0, LARGE])
    async def test_newest_first(self, do: Do, store: Store, size: int) -> None:
        """Of several that would do, the newest is served."""
        await put(do, store, "a.1", "de", "", "en", size=size)
        for _ in range(2):
            assert await names(do, store, "a.1", size=size) == ["en", "de", ""]
            # From now on it is where it belongs.
            assert await do(store.size()) == 3
        assert await do(store.delete(["a.1"])) == 1
        assert await do(store.size()) == 0

    async def test_equally_old_ones_have_one_order(self, do: Do, store: Store) -> None:
        """That of their variants, so that the same one is served each time."""
        await put(do, store, "a.1", "3", "1", "2")
        orders = [await names(do, store, "a.1")]
        assert await do(store.size()) == 3
        orders.append(await names(do, store, "a.1"))
        await put(do, store, "a.1", "1")
        orders.append(await names(do, store, "a.1"))
        assert orders == [["1", "2", "3"]] * 3

    async def test_an_alias_leads_to_all_of_them(self, do: Do, store: Store) -> None:
        """Each with the redirects on the way."""
        await put(do, store, "b.1", "de")
        assert await do(store.size()) == 1
        await put(do, store, "b.1", "en", "")
        await do(store.link("a.1", alias("b.1")))
        for _ in range(2):
            assert await names(do, store, "a.1") == ["en", "de", ""]
            found = await do(store.load("a.1", follow=True))
            assert {(stored.key, stored.hops) for stored in found} == {("b.1", alias("b.1").hops)}
            assert await do(store.size()) == 3

    @pytest.mark.parametrize("size", [0, LARGE])
    async def test_saving_replaces_one_of_them(self, do: Do, store: Store, size: int) -> None:
        """The others stay as they are."""
        await put(do, store, "a.1", "", "de", "en", size=size)
        assert await do(store.size()) == 3
        body = os.urandom(size + 1)
        await do(store.save("a.1", entry(body=body, created=NOW + 40), body, variant="de"))
        for _ in range(2):
            new, *others = await do(store.load("a.1"))
            assert (new.variant, new.body, new.entry.created) == ("de", body, NOW + 40)
            assert [(stored.variant, stored.body) for stored in others] == [
                ("en", body_of("a.1", "en", size)),
                ("", body_of("a.1", "", size)),
            ]
            assert await do(store.size()) == 3

    @pytest.mark.parametrize("size", [0, LARGE])
    async def test_freshening_rewrites_one_of_them(self, do: Do, store: Store, size: int) -> None:
        """The others stay, and so do all bodies; the order is a new one."""
        await put(do, store, "a.1", "", "de", "en", size=size)
        body = body_of("a.1", "", size)
        stale = (await do(store.load("a.1")))[-1].entry
        fresh = msgspec.structs.replace(stale, created=NOW + 50, expires=NOW + 60)
        assert await do(store.freshen([("a.1", "", fresh), ("a.1", "fr", fresh)])) == 1
        new, *others = await do(store.load("a.1"))
        assert (new.variant, new.entry, new.body) == ("", fresh, body)
        assert [(stored.variant, stored.entry.created) for stored in others] == [
            ("en", NOW + 30),
            ("de", NOW + 20),
        ]
        assert await do(store.sweep(NOW + 61, 10)) == 1

    async def test_freshening_several_at_once(self, do: Do, store: Store) -> None:
        """One 304 may be about several of them."""
        await put(do, store, "a.1", "", "de", "en")
        changes = [
            ("a.1", variant, entry(body=body_of("a.1", variant), created=NOW + created))
            for variant, created in (("de", 100), ("en", 90), ("", 110))
        ]
        assert await do(store.freshen(changes)) == 3
        assert [stored.variant for stored in await do(store.load("a.1"))] == ["", "de", "en"]

    @pytest.mark.parametrize("bodies", [False, True])
    async def test_pages_tell_each_of_them(self, do: Do, store: Store, bodies: bool) -> None:
        """Also where a page ends in the middle of a key."""
        await put(do, store, "a.1", "", "de", size=LARGE)
        await put(do, store, "b.1", "de", "en", size=LARGE)
        found: list[tuple[str, str, bytes]] = []
        after = ""
        while page := await do(store.page(after, 1, bodies=bodies)):
            found += [(stored.key, stored.variant, stored.body) for _, stored in page]
            after = page[-1][0]
        assert sorted(found) == [
            (key, variant, body_of(key, variant, LARGE) if bodies else b"")
            for key, variant in (("a.1", ""), ("a.1", "de"), ("b.1", "de"), ("b.1", "en"))
        ]

    @pytest.mark.parametrize("size", [0, LARGE])
    async def test_dropping_one_leaves_the_others(self, do: Do, store: Store, size: int) -> None:
        """And their aliases."""
        await put(do, store, "a.1", "", "de", "en", size=size)
        await put(do, store, "a.2", "de", size=size)
        await do(store.link("x.1", alias("a.1")))
        assert await do(store.drop([("a.1", "de")])) == 1
        for _ in range(2):
            assert await names(do, store, "a.1", size=size) == ["en", ""]
            assert await names(do, store, "x.1", size=size) == ["en", ""]
            assert await names(do, store, "a.2", size=size) == ["de"]
            assert (await do(store.size()), await do(store.links_size())) == (3, 1)
        assert await do(store.drop([("a.1", "")])) == 1
        assert await names(do, store, "a.1", size=size) == ["en"]

    async def test_dropping_what_is_not_there(self, do: Do, store: Store) -> None:
        """It counts for nothing, and takes no alias along."""
        await put(do, store, "a.1", "de")
        await do(store.link("x.1", alias("nowhere.1")))
        absent = [("a.1", ""), ("b.1", "de"), ("x.1", ""), ("nowhere.1", "")]
        assert await do(store.drop([])) == 0
        assert await do(store.drop(absent)) == 0
        assert await names(do, store, "a.1") == ["de"]
        assert await do(store.links_size()) == 1

    async def test_dropping_counts_each_once(self, do: Do, store: Store) -> None:
        """However often it is named."""
        await put(do, store, "a.1", "", "de")
        await put(do, store, "b.1", "en")
        wanted = [("a.1", "de"), ("b.1", "en"), ("a.1", "de"), ("b.1", "de")]
        assert await do(store.drop(one for one in wanted)) == 2
        assert await do(store.drop(wanted)) == 0
        assert await do(store.size()) == 1
        assert await names(do, store, "a.1") == [""]

    async def test_dropping_the_last_takes_its_aliases_along(self, do: Do, store: Store) -> None:
        """With the last variant the key is gone."""
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

    async def test_dropping_leaves_an_alias_of_that_name(self, do: Do, store: Store) -> None:
        """The key leads elsewhere then."""
        await put(do, store, "b.1", "de")
        await put(do, store, "a.1", "en")
        await do(store.link("a.1", alias("b.1")))
        assert await names(do, store, "a.1") == ["en"]
        assert await do(store.drop([("a.1", "en")])) == 1
        assert await names(do, store, "a.1") == ["de"]

    @pytest.mark.parametrize("size", [0, LARGE])
    async def test_what_was_dropped_may_be_saved_again(
        self, do: Do, store: Store, size: int
    ) -> None:
        """Nothing of its former life is in the way."""
        for _ in range(3):
            await put(do, store, "a.1", "de", "en", size=size)
            assert await do(store.drop([("a.1", "de"), ("a.1", "en")])) == 2
            assert await names(do, store, "a.1") == []
            await put(do, store, "a.1", "de", size=size)
            assert await names(do, store, "a.1", size=size) == ["de"]
            assert await do(store.size()) == 1
            assert await names(do, store, "a.1", size=size) == ["de"]

    async def test_dropping_many(self, do: Do, store: Store, subject: Subject) -> None:
        """More than fit into one batch."""
        many = [str(number) for number in range(subject.many // 2)]
        await put(do, store, "a.1", *many)
        assert await do(store.drop([("a.1", one) for one in many if one != "7"])) == len(many) - 1
        assert await names(do, store, "a.1") == ["7"]
        assert await do(store.size()) == 1

    async def test_a_sweep_takes_those_that_have_expired(self, do: Do, store: Store) -> None:
        """An alias stays while any variant of its target does."""
        body = b"the body"
        for variant, expires in (("a", NOW + 1), ("b", NOW + 3)):
            await do(store.save("t.1", entry(body=body, expires=expires), body, variant=variant))
        await do(store.link("x.1", alias("t.1")))
        assert await do(store.sweep(NOW + 2, 10)) == 1
        (stored,) = await do(store.load("x.1", follow=True))
        assert (stored.key, stored.variant, stored.body) == ("t.1", "b", body)
        assert await do(store.sweep(NOW + 4, 10)) == 1
        assert await do(store.links_size()) == 0

    async def test_threads_may_save_and_drop(self, subject: Subject, store: Store) -> None:
        """Each its own variant of one key; none gets lost, and none comes back."""
        if "sync" not in self.colours:
            pytest.skip("no caller of this store blocks")
        failures: list[Exception] = []
        do = does(subject, "sync")

        async def work(mine: str) -> None:
            for _ in range(subject.many // 30):
                await put(do, store, "a.1", mine)
                assert mine in await names(do, store, "a.1")
                assert await do(store.drop([("a.1", mine)])) == 1
                assert mine not in await names(do, store, "a.1")

        def run(mine: str) -> None:
            try:
                asyncio.run(work(mine))
            except Exception as error:  # noqa: BLE001 - it is raised below
                failures.append(error)

        threads = [threading.Thread(target=run, args=(f"v{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        if failures:
            raise failures[0]
        size: Plan[int] = store.size()
        assert await do(size) == 0
