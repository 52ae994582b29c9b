"""Entries: saved, loaded, freshened."""

from __future__ import annotations

import os

import msgspec
import pytest
from msgspec import structs

from http_client_cache.entry import Entry, Stored
from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, all_pages, found, put
from http_client_cache.testing.subject import NOW, Subject, alias, entry, full_entry

SIZES = [0, 1, 1024, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 600_000]


class Entries(Contract):
    """One entry for each key, published whole or not at all."""

    async def test_what_was_never_saved_is_absent(self, do: Do, store: Store) -> None:
        """No operation fails where there is nothing."""
        assert await do(store.load("a.1")) == ()
        assert await do(store.load("a.1", follow=True)) == ()
        assert not await do(store.contains("a.1", follow=True))
        assert not await do(store.has_locator("a"))
        assert await do(store.page("", 10)) == []
        assert await do(store.links("", 10)) == []
        assert await do(store.size()) == await do(store.links_size()) == 0
        assert await do(store.delete(["a.1"])) == 0
        assert await do(store.drop([("a.1", "")])) == 0
        assert await do(store.purge("a")) == 0
        assert await do(store.sweep(NOW + 1e6, 10)) == 0
        assert await do(store.freshen([("a.1", "", entry())])) == 0
        await do(store.clear())

    @pytest.mark.parametrize("size", SIZES)
    async def test_an_entry_comes_back_whole(self, do: Do, store: Store, size: int) -> None:
        """Metadata and body, to the last byte, as often as it is asked for."""
        body = os.urandom(size)
        saved = entry(body=body, expires=NOW + 1000.5)
        assert await do(store.save("a.1", saved, body)) == body
        assert await self._whole(do, store, "a.1") == Stored("a.1", saved, body)
        # What was on its way is where it belongs now.
        assert await do(store.size()) == 1
        assert await self._whole(do, store, "a.1") == Stored("a.1", saved, body)

    async def _whole(self, do: Do, store: Store, key: str) -> Stored:
        (stored,) = await do(store.load(key, follow=True))
        assert await do(store.load(key)) == (stored,)
        return unpacked(stored)

    async def test_every_field_of_an_entry_comes_back(self, do: Do, store: Store) -> None:
        """Fields that came as bytes are the same bytes, fractions of seconds included."""
        saved = full_entry(body=BODY)
        await do(store.save("a.1", saved, BODY, variant="de"))
        for _ in range(2):
            (stored,) = await do(store.load("a.1"))
            assert repr(unpacked(stored)) == repr(Stored("a.1", saved, BODY, (), "de"))
            assert await do(store.size()) == 1
        fresh = msgspec.structs.replace(saved, created=NOW, vary=(), no_cache=False)
        assert await do(store.freshen([("a.1", "de", fresh)])) == 1
        (stored,) = await do(store.load("a.1"))
        assert repr(unpacked(stored).entry) == repr(fresh)

    @pytest.mark.parametrize("first", [10, 100_000])
    @pytest.mark.parametrize("second", [20, 300_000])
    async def test_saving_again_replaces(
        self, do: Do, store: Store, first: int, second: int
    ) -> None:
        """Nothing of the entry before is left."""
        for size in (first, second):
            body = os.urandom(size)
            await do(store.save("a.1", entry(body=body), body))
            assert await found(do, store, "a.1") == [("a.1", body)]
            assert await do(store.size()) == 1
            assert await found(do, store, "a.1") == [("a.1", body)]

    async def test_bytes_are_about_those_of_bodies_and_fields(self, do: Do, store: Store) -> None:
        """With what the store needs beside them; none once nothing is there."""
        assert await do(store.bytes_size()) == 0
        small, large = os.urandom(1000), os.urandom(300_000)
        await do(store.save("a.1", entry(body=small), small))
        one = await do(store.bytes_size())
        assert 1000 < one < 4000
        await do(store.link("b.1", alias("a.1")))
        assert one + 100 < await do(store.bytes_size()) < one + 3000
        await do(store.save("a.1", entry(body=large), large))
        await do(store.save("c.1", entry(body=small), small))
        assert 301_000 < await do(store.bytes_size()) < 310_000
        await do(store.delete(["a.1"]))
        assert await do(store.bytes_size()) == one
        await do(store.delete(["c.1"]))
        assert await do(store.bytes_size()) == 0

    async def test_reading_deletes_nothing(self, do: Do, store: Store) -> None:
        """What has expired may still be validated, or served stale."""
        await put(do, store, "a.1", expires=NOW - 10)
        for _ in range(2):
            assert await found(do, store, "a.1") == [("a.1", BODY)]
        assert await do(store.size()) == 1
        assert len(await all_pages(do, store, 10)) == 1

    @pytest.mark.parametrize("size", [100, 200_000])
    async def test_freshening_leaves_the_body(self, do: Do, store: Store, size: int) -> None:
        """A 304 brings new metadata and no body."""
        body = os.urandom(size)
        for key in ("a.1", "a.2"):
            await do(store.save(key, entry(body=body), body))
        fresh = entry(body=body, created=NOW + 2000, expires=NOW + 3000)
        assert await do(store.freshen([("a.1", "", fresh), ("a.3", "", fresh)])) == 1
        for _ in range(2):
            (new,) = await do(store.load("a.1"))
            assert (unpacked(new).entry, new.body) == (fresh, body)
            (old,) = await do(store.load("a.2"))
            assert (unpacked(old).entry, old.body) == (entry(body=body), body)
            assert await do(store.size()) == 2
        assert await do(store.sweep(NOW + 3001, 10)) == 1

    async def test_freshening_never_joins_metadata_and_body_of_two(
        self, do: Do, store: Store
    ) -> None:
        """Metadata that tells of a body of another length was of one that has been replaced."""
        await put(do, store, "a.1")
        other = entry(body=BODY + b"!", created=NOW + 1000)
        assert await do(store.freshen([("a.1", "", other)])) == 0
        (stored,) = await do(store.load("a.1"))
        assert (unpacked(stored).entry, stored.body) == (entry(body=BODY), BODY)

    async def test_freshening_knows_a_body_by_its_arrival(self, do: Do, store: Store) -> None:
        """Another body of the same length has come meanwhile: what is told is not told of it."""
        first, second = (structs.replace(entry(body=BODY), arrived=time) for time in (NOW, NOW + 1))
        await do(store.save("a.1", first, BODY))
        await do(store.save("a.1", second, BODY[::-1]))
        fresh = structs.replace(first, created=NOW + 1000)
        assert await do(store.freshen([("a.1", "", fresh)])) == 0
        (stored,) = await do(store.load("a.1"))
        assert (unpacked(stored).entry, stored.body) == (second, BODY[::-1])
        fresh = structs.replace(stored.entry, created=NOW + 1000)
        assert await do(store.freshen([("a.1", "", fresh)])) == 1

    async def test_freshening_many(self, do: Do, store: Store, subject: Subject) -> None:
        """As when all expirations are set anew."""
        keys = [f"{number % 7}.{number}" for number in range(subject.many // 8)]
        await put(do, store, *keys)
        fresh = entry(body=BODY, expires=NOW + 5)
        changes = [(key, "", fresh) for key in keys if key != "3.3"]
        assert await do(store.freshen(changes)) == len(keys) - 1
        assert await do(store.freshen([])) == 0
        assert await do(store.sweep(NOW + 5, len(keys))) == len(keys) - 1
        assert await found(do, store, "3.3") == [("3.3", BODY)]

    async def test_keys_may_hold_anything(self, do: Do, store: Store) -> None:
        """They are hashes unless somebody makes his own; no character means anything."""
        keys = ["%_.1", "'\";--.1", "ключ.1", "a b.1", "*.?", "\x00.1", "."]
        await put(do, store, *keys)
        for key in keys:
            assert await found(do, store, key) == [(key, BODY)]
            assert await do(store.has_locator(key.partition(".")[0]))
        assert await do(store.purge("%_")) == 1
        assert await do(store.delete(keys)) == len(keys) - 1


def unpacked(stored: Stored) -> Stored:
    """The same without what only its store has a use for."""
    plain: Entry = msgspec.structs.replace(stored.entry, packed=None)
    return stored._replace(entry=plain)
