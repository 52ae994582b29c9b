"""Listings: one page after the other."""

from __future__ import annotations

import os

import pytest

from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, all_pages, put
from http_client_cache.testing.subject import NOW, Subject, entry


class Listing(Contract):
    """Each entry is told once, whatever happens between two pages."""

    @pytest.mark.parametrize("limit", [1, 3, 100])
    async def test_pages_tell_every_entry_once(self, do: Do, store: Store, limit: int) -> None:
        """Expired ones as well; bodies are there where they were asked for."""
        keys = [f"{number % 4}.{number}" for number in range(20)]
        await put(do, store, *keys, expires=NOW - 10)
        large = os.urandom(100_000)
        await do(store.save("3.large", entry(body=large), large))
        told = await all_pages(do, store, limit)
        assert sorted(stored.key for stored in told) == sorted([*keys, "3.large"])
        assert all(stored.body == b"" for stored in told)
        whole = await all_pages(do, store, limit, bodies=True)
        assert [stored._replace(body=b"") for stored in whole] == told
        assert {stored.body for stored in whole} == {BODY, large}

    async def test_pages_go_on_however_many_there_are(
        self, do: Do, store: Store, subject: Subject
    ) -> None:
        """A page that is not full would be taken for the last one by nobody; an empty one is."""
        keys = {f"{number % 5}.{number}" for number in range(subject.many // 4)}
        await put(do, store, *sorted(keys))
        told = [stored.key for stored in await all_pages(do, store, 40)]
        assert len(told) == len(keys)
        assert set(told) == keys

    async def test_pages_stand_changes_in_between(self, do: Do, store: Store) -> None:
        """What is saved or deleted meanwhile makes nothing else be told twice, or not at all."""
        keys = {f"a.{number}" for number in range(10)}
        await put(do, store, *sorted(keys))
        first = await do(store.page("", 4))
        seen = [stored.key for _, stored in first]
        left = sorted(keys - set(seen))
        await put(do, store, *seen)
        await do(store.delete([seen[-1], left[0]]))
        rest: list[str] = []
        after = first[-1][0]
        while page := await do(store.page(after, 4)):
            rest += [stored.key for _, stored in page]
            after = page[-1][0]
        assert sorted(rest) == left[1:]
