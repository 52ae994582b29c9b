"""Leases: of many processes that miss one thing, one fetches it."""

from __future__ import annotations

import asyncio

import pytest

from http_client_cache.store import FRUITLESS_SECONDS, NOBODY, Store
from http_client_cache.testing._contract import Contract, Do
from http_client_cache.testing.subject import NOW, Subject, entry

NAME = "a.1 with a variant"


async def released(
    do: Do, store: Store, name: str = NAME, now: float = NOW, *, owner: str | None = None
) -> None:
    """Return when a lease is free, or not ``owner``'s any more.

    A release may be answered before it is done.
    """
    async with asyncio.timeout(5):
        while (holder := await do(store.holder(name, now))) is not None:
            if owner is not None and holder != owner:
                return
            await asyncio.sleep(0.001)


class LeaseContract(Contract):
    """For a store that several processes share: a lease is one owner's at a time."""

    async def test_a_lease_is_granted_and_given_back(self, do: Do, store: Store) -> None:
        """Its owner may ask again; when it is free, another one gets it."""
        assert await do(store.holder(NAME, NOW)) is None
        assert await do(store.claim(NAME, "A", NOW, 5)) == "A"
        assert await do(store.claim(NAME, "A", NOW + 1, 5)) == "A"
        await do(store.release(NAME, "A", NOW + 2))
        await released(do, store, now=NOW + 2)
        assert await do(store.claim(NAME, "B", NOW + 2, 5)) == "B"

    async def test_others_are_told_whose_it_is(self, do: Do, store: Store) -> None:
        """They wait for that one; another lease is another matter."""
        await do(store.claim(NAME, "A", NOW, 5))
        assert await do(store.claim(NAME, "B", NOW + 4, 5)) == "A"
        assert await do(store.holder(NAME, NOW + 4)) == "A"
        assert await do(store.holder("another", NOW + 4)) is None
        assert await do(store.claim("another", "B", NOW + 4, 5)) == "B"

    async def test_it_ends_with_its_time(self, do: Do, store: Store) -> None:
        """Its owner may have died."""
        await do(store.claim(NAME, "A", NOW, 5))
        assert await do(store.holder(NAME, NOW + 5)) is None
        assert await do(store.claim(NAME, "B", NOW + 5, 5)) == "B"
        assert await do(store.claim(NAME, "A", NOW + 6, 5)) == "B"

    async def test_who_asks_again_has_it_for_longer(self, do: Do, store: Store) -> None:
        """The time counts from the last claim."""
        await do(store.claim(NAME, "A", NOW, 5))
        await do(store.claim(NAME, "A", NOW + 4, 5))
        assert await do(store.claim(NAME, "B", NOW + 8, 5)) == "A"

    @pytest.mark.parametrize("fruitless", [False, True])
    async def test_it_cannot_be_given_back_by_another(
        self, do: Do, store: Store, fruitless: bool
    ) -> None:
        """Who was too slow must not end the lease of his successor."""
        await do(store.claim(NAME, "A", NOW, 5))
        await do(store.claim(NAME, "B", NOW + 5, 5))
        await do(store.release(NAME, "A", NOW + 6, fruitless=fruitless))
        await do(store.claim("another", "A", NOW, 50))
        await do(store.release("another", "A", NOW + 6))
        await released(do, store, "another", NOW + 6)
        assert await do(store.holder(NAME, NOW + 6)) == "B"

    async def test_of_what_was_fruitless_there_is_no_lease_for_a_while(
        self, do: Do, store: Store
    ) -> None:
        """All who wait are to fetch at once, instead of one after the other."""
        await do(store.claim(NAME, "A", NOW, 60))
        await do(store.release(NAME, "A", NOW + 1, fruitless=True))
        await released(do, store, now=NOW + 1, owner="A")
        assert await do(store.claim(NAME, "B", NOW + 1, 60)) == NOBODY
        assert await do(store.claim(NAME, "A", NOW + 1, 60)) == NOBODY
        assert await do(store.holder(NAME, NOW + 1)) == NOBODY
        later = NOW + 1 + FRUITLESS_SECONDS
        assert await do(store.holder(NAME, later)) is None
        assert await do(store.claim(NAME, "B", later, 60)) == "B"

    async def test_a_clock_that_went_back_blocks_nobody(self, do: Do, store: Store) -> None:
        """A lease from the future is free, unless clocks may differ by so little."""
        await do(store.claim(NAME, "A", NOW, 1e6))
        assert await do(store.holder(NAME, NOW - 0.5)) == "A"
        assert await do(store.claim(NAME, "B", NOW - 0.5, 5)) == "A"
        assert await do(store.holder(NAME, NOW - 1.5)) is None
        assert await do(store.claim(NAME, "B", NOW - 1.5, 5)) == "B"

    async def test_of_many_one_gets_it(self, do: Do, store: Store) -> None:
        """To look whether it is free and to take it is one step."""
        claims = (do(store.claim(NAME, f"{number}", NOW, 5)) for number in range(20))
        owners = set(await asyncio.gather(*claims))
        assert len(owners) == 1, f"several were told that it is theirs: {owners}"
        assert {await do(store.holder(NAME, NOW))} == owners

    async def test_leases_are_no_entries(self, do: Do, store: Store) -> None:
        """Nobody sees them who looks for entries."""
        await do(store.claim(NAME, "A", NOW, 5))
        assert await do(store.size()) == 0
        assert await do(store.bytes_size()) == 0
        assert await do(store.page("", 10)) == []
        assert await do(store.load(NAME)) == ()
        assert not await do(store.has_locator(NAME.partition(".")[0]))

    async def test_clearing_and_sweeping(self, do: Do, store: Store) -> None:
        """A sweep takes those whose time is up, and counts entries only; nothing stays of all."""
        await do(store.claim("short", "A", NOW, 5))
        await do(store.claim("long", "A", NOW, 50))
        assert await do(store.sweep(NOW + 5, 10)) == 0
        assert await do(store.holder("short", NOW + 1)) is None
        assert await do(store.holder("long", NOW + 1)) == "A"
        await do(store.clear())
        assert await do(store.holder("long", NOW + 1)) is None

    async def test_what_was_saved_is_there_before_the_lease_is_free(
        self, do: Do, store: Store
    ) -> None:
        """Who waited for it looks then, and would fetch the same again."""
        await do(store.claim(NAME, "A", NOW, 5))
        for number in range(50):
            await do(store.save(f"a.{number}", entry(body=b"x"), b"x"))
        await do(store.release(NAME, "A", NOW))
        await released(do, store)
        assert await do(store.size()) == 50

    async def test_many_leases_come_and_go(self, do: Do, store: Store, subject: Subject) -> None:
        """Fruitless ones, too; all of them are free when their time is up."""
        count = subject.many // 4
        for number in range(count):
            await do(store.claim(f"{number}", "A", NOW + number, 5))
            await do(store.release(f"{number}", "A", NOW + number, fruitless=True))
        later = NOW + count + 10
        assert await do(store.claim("last", "A", later, 5)) == "A"
        await do(store.release("last", "A", later))
        await released(do, store, "last", later)
        assert await do(store.holder("0", later)) is None
        assert await do(store.claim(f"{count - 1}", "B", later, 5)) == "B"


class NoLeaseContract(Contract):
    """For a store that one process has for itself, whose own leases are enough."""

    async def test_who_shares_with_nobody_need_not_wait(self, do: Do, store: Store) -> None:
        """Every claim is granted at once."""
        assert await do(store.claim(NAME, "A", NOW, 5)) == "A"
        assert await do(store.claim(NAME, "B", NOW, 5)) == "B"
        assert await do(store.holder(NAME, NOW)) is None
        await do(store.release(NAME, "A", NOW, fruitless=True))
        assert await do(store.claim(NAME, "C", NOW, 5)) == "C"
