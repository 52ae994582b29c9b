"""Aliases: keys of redirect chains, which lead to the entry that the chain ended in."""

from __future__ import annotations

from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, found, put
from http_client_cache.testing.subject import alias


class Aliases(Contract):
    """An alias counts while there is an entry that it leads to."""

    async def test_an_alias_leads_to_an_entry(self, do: Do, store: Store) -> None:
        """The entry comes under its own key, with the redirects on the way."""
        await put(do, store, "b.1")
        led = alias("b.1")
        await do(store.link("a.1", led))
        for _ in range(2):
            (stored,) = await do(store.load("a.1", follow=True))
            assert (stored.key, stored.body, stored.hops) == ("b.1", BODY, led.hops)
            assert await do(store.load("a.1")) == ()
            assert await do(store.contains("a.1", follow=True))
            assert not await do(store.contains("a.1"))
            assert await do(store.has_locator("a"))
            assert await do(store.links("", 10)) == [("a.1", led)]
            assert (await do(store.size()), await do(store.links_size())) == (1, 1)

    async def test_an_alias_counts_only_while_its_target_is_there(
        self, do: Do, store: Store
    ) -> None:
        """It may be written first."""
        await do(store.link("a.1", alias("b.1")))
        for _ in range(2):
            assert await found(do, store, "a.1") == []
            assert not await do(store.contains("a.1", follow=True))
            assert not await do(store.has_locator("a"))
            assert await do(store.links_size()) == 1
        await put(do, store, "b.1")
        assert await found(do, store, "a.1") == [("b.1", BODY)]

    async def test_an_alias_is_followed_once(self, do: Do, store: Store) -> None:
        """So that a circle of them ends."""
        await put(do, store, "c.1")
        await do(store.link("b.1", alias("c.1")))
        await do(store.link("a.1", alias("b.1")))
        await do(store.link("d.1", alias("d.1")))
        for _ in range(2):
            assert await found(do, store, "a.1") == []
            assert await found(do, store, "b.1") == [("c.1", BODY)]
            assert await found(do, store, "d.1") == []
            assert await do(store.size()) == 1

    async def test_a_keys_own_entry_comes_before_an_alias(self, do: Do, store: Store) -> None:
        """Both may be there."""
        await put(do, store, "b.1")
        await do(store.link("a.1", alias("b.1")))
        await put(do, store, "a.1")
        for _ in range(2):
            assert await found(do, store, "a.1") == [("a.1", BODY)]
            assert await do(store.size()) == 2

    async def test_linking_again_replaces(self, do: Do, store: Store) -> None:
        """What the alias led to before has nothing to do with it any more."""
        await put(do, store, "b.1", "c.1")
        await do(store.link("a.1", alias("b.1")))
        await do(store.link("a.1", alias("c.1")))
        for _ in range(2):
            assert await found(do, store, "a.1") == [("c.1", BODY)]
            assert await do(store.links_size()) == 1
        await do(store.delete(["b.1"]))
        assert await found(do, store, "a.1") == [("c.1", BODY)]

    async def test_all_that_an_alias_ever_led_to_may_go_at_once(self, do: Do, store: Store) -> None:
        """Whatever the store has noted of where it led before."""
        await put(do, store, "b.1", "c.1", "d.1")
        await do(store.link("a.1", alias("b.1")))
        await do(store.link("a.1", alias("c.1")))
        assert await do(store.delete(["b.1", "c.1"])) == 2
        assert (await do(store.size()), await do(store.links_size())) == (1, 0)
        await do(store.link("a.1", alias("d.1")))
        assert await found(do, store, "a.1") == [("d.1", BODY)]

    async def test_deleting_an_entry_takes_its_aliases_along(self, do: Do, store: Store) -> None:
        """An alias that led to it would lead to whatever comes there later."""
        await put(do, store, "b.1", "c.1")
        await do(store.link("a.1", alias("b.1")))
        await do(store.link("a.2", alias("b.1")))
        await do(store.link("a.3", alias("c.1")))
        assert await do(store.delete(["b.1", "nothing.1"])) == 1
        assert await do(store.links("", 10)) == [("a.3", alias("c.1"))]
        assert await found(do, store, "a.1") == []
        assert await do(store.size()) == 1
        await put(do, store, "b.1")
        assert await found(do, store, "a.1") == []

    async def test_dropping_an_entry_takes_its_aliases_along(self, do: Do, store: Store) -> None:
        """As if it were deleted, where it was the only one of its key."""
        await put(do, store, "b.1", "c.1")
        await do(store.link("a.1", alias("b.1")))
        await do(store.link("a.2", alias("c.1")))
        assert await do(store.drop([("b.1", "")])) == 1
        assert await do(store.links("", 10)) == [("a.2", alias("c.1"))]
        assert await found(do, store, "b.1") == []

    async def test_deleting_an_alias_leaves_its_target(self, do: Do, store: Store) -> None:
        """It is counted once, however often it is named."""
        await put(do, store, "b.1")
        await do(store.link("a.1", alias("b.1")))
        assert await do(store.delete(["a.1", "a.1"])) == 1
        assert await do(store.links_size()) == 0
        assert await found(do, store, "b.1") == [("b.1", BODY)]

    async def test_links_come_in_the_order_of_their_keys(self, do: Do, store: Store) -> None:
        """So that the key itself is the cursor."""
        for number in (3, 1, 2, 5, 4):
            await do(store.link(f"a.{number}", alias("b.1", created=float(number))))
        first = await do(store.links("", 3))
        assert len(first) == 3
        rest = await do(store.links(first[-1][0], 3))
        assert [key for key, _ in first + rest] == ["a.1", "a.2", "a.3", "a.4", "a.5"]
        assert [told.created for _, told in first + rest] == [1, 2, 3, 4, 5]
        assert await do(store.links("a.5", 3)) == []
