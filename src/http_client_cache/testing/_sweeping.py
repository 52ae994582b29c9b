"""Sweeps: what has expired goes when somebody asks for it."""

from __future__ import annotations

from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, all_pages, found, put
from http_client_cache.testing.subject import NOW, alias, entry


class Sweeping(Contract):
    """Sweeps take what has expired by the time that they are told, and no more."""

    async def test_a_sweep_takes_what_has_expired_by_then(self, do: Do, store: Store) -> None:
        """The moment itself included; what never expires stays."""
        for number in range(20):
            expires = NOW + number if number % 2 else None
            await put(do, store, f"a.{number}", expires=expires)
        assert await do(store.sweep(NOW + 11, 100)) == 6
        assert await do(store.sweep(NOW + 11, 100)) == 0
        kept = {stored.entry.expires for stored in await all_pages(do, store, 100)}
        assert kept == {None, *(NOW + number for number in (13, 15, 17, 19))}

    async def test_a_sweep_keeps_to_its_limit(self, do: Do, store: Store) -> None:
        """Fewer than the limit means that none is left."""
        await put(do, store, *(f"a.{number}" for number in range(10)), expires=NOW + 1)
        assert [await do(store.sweep(NOW + 2, 4)) for _ in range(4)] == [4, 4, 2, 0]
        assert await do(store.size()) == 0

    async def test_a_sweep_goes_by_the_expiry_of_now(self, do: Do, store: Store) -> None:
        """Of what was saved again, or freshened, the old time counts no more."""
        await put(do, store, "a.1", "a.2", "a.3", expires=NOW + 1)
        await put(do, store, "a.1", expires=None)
        await do(store.freshen([("a.2", "", entry(body=BODY, expires=NOW + 9))]))
        assert await do(store.sweep(NOW + 5, 10)) == 1
        assert {stored.key for stored in await all_pages(do, store, 10)} == {"a.1", "a.2"}

    async def test_a_sweep_takes_aliases_that_lead_nowhere(self, do: Do, store: Store) -> None:
        """Those of what it takes, and those whose entries went some other way."""
        await put(do, store, "a.1", expires=NOW + 1)
        await put(do, store, "b.1")
        for key, target in (("x.1", "a.1"), ("x.2", "b.1"), ("x.3", "gone.1")):
            await do(store.link(key, alias(target)))
        assert await do(store.sweep(NOW + 2, 10)) == 1
        assert await do(store.links("", 10)) == [("x.2", alias("b.1"))]
        assert await found(do, store, "x.2") == [("b.1", BODY)]
