"""What ends entries: delete, purge, clear."""

from __future__ import annotations

import os

from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, all_pages, found, put
from http_client_cache.testing.subject import Subject, alias, entry


class Deleting(Contract):
    """What is told to go goes, and nothing else."""

    async def test_delete_takes_any_iterable_of_any_length(
        self, do: Do, store: Store, subject: Subject
    ) -> None:
        """More than fit into one batch; a generator can be gone through once."""
        keys = [f"a.{number}" for number in range(subject.many)]
        await put(do, store, *keys)
        assert await do(store.delete(key for key in keys if key != "a.7")) == len(keys) - 1
        assert await do(store.delete([])) == 0
        assert await do(store.size()) == 1
        assert await found(do, store, "a.7") == [("a.7", BODY)]

    async def test_delete_counts_each_key_once(self, do: Do, store: Store) -> None:
        """A key that has an entry and an alias is one that was there."""
        await put(do, store, "a.1", "b.1")
        await do(store.link("a.1", alias("b.1")))
        assert await do(store.delete(["a.1", "a.1", "c.1"])) == 1
        assert await found(do, store, "a.1") == []
        assert (await do(store.size()), await do(store.links_size())) == (1, 0)

    async def test_purge_takes_all_keys_of_a_locator(self, do: Do, store: Store) -> None:
        """All that is kept for a URL; what merely begins alike stays."""
        await put(do, store, "a", "a.1", "a.2.x", "ab.1", "A.1", "b.1", "a-.1", "a/1")
        await do(store.link("a.3", alias("b.1")))
        await do(store.link("c.1", alias("a.2.x")))
        assert await do(store.purge("a")) == 4
        kept = {stored.key for stored in await all_pages(do, store, 3)}
        assert kept == {"ab.1", "A.1", "b.1", "a-.1", "a/1"}
        assert await do(store.links_size()) == 0
        assert not await do(store.has_locator("a"))
        assert await do(store.has_locator("ab"))

    async def test_purge_takes_any_number_of_keys(
        self, do: Do, store: Store, subject: Subject
    ) -> None:
        """More than fit into one page."""
        keys = [f"a.{number}" for number in range(subject.many // 4)]
        await put(do, store, *keys, "b.1")
        assert await do(store.purge("a")) == len(keys)
        assert not await do(store.has_locator("a"))
        assert await do(store.size()) == 1

    async def test_clear_leaves_nothing(self, do: Do, store: Store) -> None:
        """And the store is as good as new."""
        large = os.urandom(100_000)
        await put(do, store, "a.1", "a.2")
        await do(store.save("b.1", entry(body=large), large))
        await do(store.link("c.1", alias("a.1")))
        await do(store.clear())
        assert await do(store.size()) == await do(store.links_size()) == 0
        assert await found(do, store, "a.1") == []
        assert not await do(store.has_locator("b"))
        assert await do(store.page("", 10)) == []
        await put(do, store, "a.1")
        assert await do(store.size()) == 1
        assert await found(do, store, "c.1") == []
