"""What every store promises, in both colours. Nothing here knows which store it is.

What concerns several variants of one key is in ``test_variants.py``.
"""

from __future__ import annotations

import asyncio
import os

import msgspec
import pytest

from http_client_cache.entry import Entry, Stored
from http_client_cache.store import Store
from tests.stores.conftest import Do
from tests.stores.subjects import (
    NOT_NOW,
    Subject,
    alias,
    answered_now,
    entry,
    run_as_async,
    run_as_sync,
)
from tests.support.structs import filled

BODY = b"the body"
SIZES = [0, 1, 1024, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 600_000]


async def load(do: Do, store: Store, key: str) -> list[tuple[str, bytes]]:
    """Key and body of whatever a key, or an alias of that name, leads to."""
    return [(stored.key, stored.body) for stored in await do(store.load(key, follow=True))]


async def put(do: Do, store: Store, *keys: str, expires: float | None = None) -> None:
    for key in keys:
        await do(store.save(key, entry(body=BODY, expires=expires), BODY))


async def all_pages(do: Do, store: Store, limit: int, *, bodies: bool = False) -> list[Stored]:
    found, after = [], ""
    while page := await do(store.page(after, limit, bodies=bodies)):
        assert len(page) <= limit
        found += [stored for _, stored in page]
        after = page[-1][0]
    return found


async def test_what_was_never_saved_is_absent(do: Do, store: Store) -> None:
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
    assert await do(store.sweep(1e12, 10)) == 0
    assert await do(store.freshen([("a.1", "", entry())])) == 0
    await do(store.clear())


@pytest.mark.parametrize("size", SIZES)
async def test_an_entry_comes_back_whole(do: Do, store: Store, size: int) -> None:
    body = os.urandom(size)
    saved = entry(body=body, expires=2000.5)
    await do(store.save("a.1", saved, body))
    assert await do(store.load("a.1")) == (Stored("a.1", saved, body),)
    # Also when it does not lie in front of the database any more.
    assert await do(store.size()) == 1
    assert await do(store.load("a.1", follow=True)) == (Stored("a.1", saved, body),)


async def test_every_field_of_an_entry_comes_back(do: Do, store: Store) -> None:
    saved = msgspec.structs.replace(filled(Entry), body_size=len(BODY), packed=None)
    await do(store.save("a.1", saved, BODY, variant="de"))
    for _ in range(2):
        (found,) = await do(store.load("a.1"))
        assert repr(found) == repr(Stored("a.1", saved, BODY, (), "de"))
        assert await do(store.size()) == 1
    fresh = msgspec.structs.replace(saved, created=1000.0, vary=(), no_cache=False)
    assert await do(store.freshen([("a.1", "de", fresh)])) == 1
    (found,) = await do(store.load("a.1"))
    assert repr(found.entry) == repr(fresh)


@pytest.mark.parametrize("first", [10, 100_000])
@pytest.mark.parametrize("second", [20, 300_000])
async def test_saving_again_replaces(do: Do, store: Store, first: int, second: int) -> None:
    for size in (first, second):
        body = os.urandom(size)
        await do(store.save("a.1", entry(body=body), body))
        assert await load(do, store, "a.1") == [("a.1", body)]
        assert await do(store.size()) == 1
        assert await load(do, store, "a.1") == [("a.1", body)]


async def test_bytes_are_about_those_of_bodies_and_fields(do: Do, store: Store) -> None:
    assert await do(store.bytes_size()) == 0
    small, large = os.urandom(1000), os.urandom(300_000)
    await do(store.save("a.1", entry(body=small), small))
    one = await do(store.bytes_size())
    assert 1000 < one < 4000
    await do(store.link("b.1", alias("a.1")))
    assert one + 100 < await do(store.bytes_size()) < one + 3000
    await do(store.save("a.1", entry(body=large), large))
    await do(store.save("a.1", entry(body=small), small, variant="de"))
    assert 301_000 < await do(store.bytes_size()) < 310_000
    await do(store.delete(["a.1"]))
    assert await do(store.bytes_size()) == 0


async def test_reading_deletes_nothing(do: Do, store: Store) -> None:
    await put(do, store, "a.1", expires=1.0)
    for _ in range(2):
        assert await load(do, store, "a.1") == [("a.1", BODY)]
    assert await do(store.size()) == 1
    assert len(await all_pages(do, store, 10)) == 1


@pytest.mark.parametrize("size", [100, 200_000])
async def test_freshening_leaves_the_body(do: Do, store: Store, size: int) -> None:
    body = os.urandom(size)
    for variant in ("", "de"):
        await do(store.save("a.1", entry(body=body), body, variant=variant))
    fresh = entry(body=body, created=3000.0, expires=4000.0)
    assert await do(store.freshen([("a.1", "de", fresh), ("a.2", "", fresh)])) == 1
    new, old = await do(store.load("a.1"))
    assert (new.variant, new.entry, new.body) == ("de", fresh, body)
    assert (old.variant, old.entry, old.body) == ("", entry(body=body), body)
    assert await do(store.sweep(4001.0, 10)) == 1


async def test_freshening_never_joins_metadata_and_body_of_two(do: Do, store: Store) -> None:
    await put(do, store, "a.1")
    other = entry(body=BODY + b"!", created=2000.0)
    assert await do(store.freshen([("a.1", "", other)])) == 0
    assert (await do(store.load("a.1")))[0].entry == entry(body=BODY)


async def test_an_alias_leads_to_an_entry(do: Do, store: Store) -> None:
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


async def test_an_alias_counts_only_while_its_target_is_there(do: Do, store: Store) -> None:
    await do(store.link("a.1", alias("b.1")))
    for _ in range(2):
        assert await load(do, store, "a.1") == []
        assert not await do(store.contains("a.1", follow=True))
        assert not await do(store.has_locator("a"))
        assert await do(store.links_size()) == 1
    await put(do, store, "b.1")
    assert await load(do, store, "a.1") == [("b.1", BODY)]


async def test_an_alias_is_followed_once(do: Do, store: Store) -> None:
    await put(do, store, "c.1")
    await do(store.link("b.1", alias("c.1")))
    await do(store.link("a.1", alias("b.1")))
    for _ in range(2):
        assert await load(do, store, "a.1") == []
        assert await load(do, store, "b.1") == [("c.1", BODY)]
        assert await do(store.size()) == 1


async def test_a_keys_own_entry_comes_before_an_alias(do: Do, store: Store) -> None:
    await put(do, store, "b.1")
    await do(store.link("a.1", alias("b.1")))
    await put(do, store, "a.1")
    for _ in range(2):
        assert await load(do, store, "a.1") == [("a.1", BODY)]
        assert await do(store.size()) == 2


async def test_linking_again_replaces(do: Do, store: Store) -> None:
    await put(do, store, "b.1", "c.1")
    await do(store.link("a.1", alias("b.1")))
    await do(store.link("a.1", alias("c.1")))
    for _ in range(2):
        assert await load(do, store, "a.1") == [("c.1", BODY)]
        assert await do(store.links_size()) == 1
    await do(store.delete(["b.1"]))
    assert await load(do, store, "a.1") == [("c.1", BODY)]


async def test_deleting_an_entry_takes_its_aliases_along(do: Do, store: Store) -> None:
    await put(do, store, "b.1", "c.1")
    await do(store.link("a.1", alias("b.1")))
    await do(store.link("a.2", alias("b.1")))
    await do(store.link("a.3", alias("c.1")))
    assert await do(store.delete(["b.1", "nothing.1"])) == 1
    assert await do(store.links("", 10)) == [("a.3", alias("c.1"))]
    assert await load(do, store, "a.1") == []
    assert await do(store.size()) == 1


async def test_deleting_an_alias_leaves_its_target(do: Do, store: Store) -> None:
    await put(do, store, "b.1")
    await do(store.link("a.1", alias("b.1")))
    assert await do(store.delete(["a.1", "a.1"])) == 1
    assert await do(store.links_size()) == 0
    assert await load(do, store, "b.1") == [("b.1", BODY)]


async def test_delete_takes_any_iterable_of_any_length(do: Do, store: Store) -> None:
    keys = [f"a.{number}" for number in range(1201)]
    await put(do, store, *keys)
    assert await do(store.delete(key for key in keys if key != "a.7")) == 1200
    assert await do(store.delete([])) == 0
    assert await do(store.size()) == 1
    assert await load(do, store, "a.7") == [("a.7", BODY)]


async def test_purge_takes_all_keys_of_a_locator(do: Do, store: Store) -> None:
    await put(do, store, "a", "a.1", "a.2.x", "ab.1", "A.1", "b.1", "a-.1", "a/1")
    await do(store.link("a.3", alias("b.1")))
    await do(store.link("c.1", alias("a.2.x")))
    assert await do(store.purge("a")) == 4
    kept = {stored.key for stored in await all_pages(do, store, 3)}
    assert kept == {"ab.1", "A.1", "b.1", "a-.1", "a/1"}
    assert await do(store.links_size()) == 0
    assert not await do(store.has_locator("a"))
    assert await do(store.has_locator("ab"))


async def test_keys_may_hold_anything(do: Do, store: Store) -> None:
    keys = ["%_.1", "'\";--.1", "ключ.1", "a b.1", "*.?", "\x00.1", "."]
    await put(do, store, *keys)
    for key in keys:
        assert await load(do, store, key) == [(key, BODY)]
        assert await do(store.has_locator(key.partition(".")[0]))
    assert await do(store.purge("%_")) == 1
    assert await do(store.delete(keys)) == len(keys) - 1


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_tell_every_entry_once(do: Do, store: Store, limit: int) -> None:
    keys = [f"{number % 4}.{number}" for number in range(20)]
    await put(do, store, *keys, expires=1.0)
    large = os.urandom(100_000)
    await do(store.save("3.large", entry(body=large), large, variant="v"))
    found = await all_pages(do, store, limit)
    assert sorted(stored.key for stored in found) == sorted([*keys, "3.large"])
    assert all(stored.body == b"" for stored in found)
    whole = await all_pages(do, store, limit, bodies=True)
    assert [stored._replace(body=b"") for stored in whole] == found
    assert {stored.body for stored in whole} == {BODY, large}
    assert {stored.variant for stored in whole} == {"", "v"}


async def test_pages_stand_changes_in_between(do: Do, store: Store) -> None:
    await put(do, store, *(f"a.{number}" for number in range(10)))
    first = await do(store.page("", 4))
    seen = [stored.key for _, stored in first]
    left = sorted({f"a.{number}" for number in range(10)} - set(seen))
    await put(do, store, *seen)
    await do(store.delete([seen[-1], left[0]]))
    rest, after = [], first[-1][0]
    while page := await do(store.page(after, 4)):
        rest += [stored.key for _, stored in page]
        after = page[-1][0]
    assert sorted(rest) == left[1:]


async def test_links_come_in_the_order_of_their_keys(do: Do, store: Store) -> None:
    for number in (3, 1, 2, 5, 4):
        await do(store.link(f"a.{number}", alias("b.1", created=float(number))))
    first = await do(store.links("", 3))
    rest = await do(store.links(first[-1][0], 3))
    assert [key for key, _ in first + rest] == ["a.1", "a.2", "a.3", "a.4", "a.5"]
    assert [found.created for _, found in first + rest] == [1, 2, 3, 4, 5]


async def test_clear_leaves_nothing(do: Do, store: Store) -> None:
    large = os.urandom(100_000)
    await put(do, store, "a.1", "a.2")
    await do(store.save("b.1", entry(body=large), large))
    await do(store.link("c.1", alias("a.1")))
    await do(store.clear())
    assert await do(store.size()) == await do(store.links_size()) == 0
    assert await load(do, store, "a.1") == []
    assert await do(store.page("", 10)) == []
    await put(do, store, "a.1")
    assert await do(store.size()) == 1


async def test_a_sweep_takes_what_has_expired_by_then(do: Do, store: Store) -> None:
    for number in range(20):
        expires = float(number) if number % 2 else None
        await put(do, store, f"a.{number}", expires=expires)
    assert await do(store.sweep(11.0, 100)) == 6
    assert await do(store.sweep(11.0, 100)) == 0
    kept = {stored.entry.expires for stored in await all_pages(do, store, 100)}
    assert kept == {None, 13.0, 15.0, 17.0, 19.0}


async def test_a_sweep_keeps_to_its_limit(do: Do, store: Store) -> None:
    await put(do, store, *(f"a.{number}" for number in range(10)), expires=1.0)
    assert [await do(store.sweep(2.0, 4)) for _ in range(4)] == [4, 4, 2, 0]
    assert await do(store.size()) == 0


async def test_a_sweep_goes_by_the_expiry_of_now(do: Do, store: Store) -> None:
    await put(do, store, "a.1", "a.2", "a.3", expires=1.0)
    await put(do, store, "a.1", expires=None)
    await do(store.freshen([("a.2", "", entry(body=BODY, expires=9.0))]))
    assert await do(store.sweep(5.0, 10)) == 1
    assert {stored.key for stored in await all_pages(do, store, 10)} == {"a.1", "a.2"}


async def test_a_sweep_takes_aliases_that_lead_nowhere(do: Do, store: Store) -> None:
    await put(do, store, "a.1", expires=1.0)
    await put(do, store, "b.1")
    for key, target in (("x.1", "a.1"), ("x.2", "b.1"), ("x.3", "gone.1")):
        await do(store.link(key, alias(target)))
    assert await do(store.sweep(2.0, 10)) == 1
    assert await do(store.links("", 10)) == [("x.2", alias("b.1"))]


async def test_an_alias_stays_while_a_variant_of_its_target_does(do: Do, store: Store) -> None:
    for variant, expires in (("a", 1.0), ("b", 3.0)):
        await do(store.save("t.1", entry(body=BODY, expires=expires), BODY, variant=variant))
    await do(store.link("x.1", alias("t.1")))
    assert await do(store.sweep(2.0, 10)) == 1
    assert await load(do, store, "x.1") == [("t.1", BODY)]
    assert await do(store.sweep(4.0, 10)) == 1
    assert await do(store.links_size()) == 0


async def test_many_at_once(do: Do, store: Store) -> None:
    async def one(number: int) -> None:
        key = f"{number % 7}.{number}"
        body = f"body {number}".encode() * (1 + 5000 * (number % 10 == 0))
        await do(store.save(key, entry(body=body), body))
        assert await load(do, store, key) == [(key, body)]
        if number % 3 == 0:
            assert await do(store.delete([key])) == 1
            assert await load(do, store, key) == []
        elif number % 3 == 1:
            await do(store.link(f"x.{number}", alias(key)))
            assert await load(do, store, f"x.{number}") == [(key, body)]

    await asyncio.gather(*(one(number) for number in range(150)))
    assert await do(store.size()) == 100
    assert await do(store.links_size()) == 50


async def test_both_colours_see_the_same(subject: Subject) -> None:
    store = subject.store
    for number, (write, read) in enumerate(
        [(run_as_sync, run_as_async), (run_as_async, run_as_sync)]
    ):
        await write(subject, store.save(f"a.{number}", entry(body=BODY), BODY))
        (stored,) = await read(subject, store.load(f"a.{number}"))
        assert stored.body == BODY
        assert await read(subject, store.size()) == number + 1


async def test_small_hits_and_all_saves_are_answered_at_once(do: Do, subject: Subject) -> None:
    store = subject.store
    await do(store.load("a.1"))  # Opens whatever has to be opened.
    if answered_now(subject, store.load("a.1")) is NOT_NOW:
        await run_as_async(subject, store.load("a.1"))
    assert answered_now(subject, store.load("a.1")) == ()
    assert answered_now(subject, store.save("a.1", entry(body=BODY), BODY)) == BODY
    assert answered_now(subject, store.link("b.1", alias("a.1"))) is None
    for written in (False, True):
        for key in ("a.1", "b.1") if written or subject.never_waits else ():
            (stored,) = answered_now(subject, store.load(key, follow=True))
            assert stored.body == BODY
        assert await do(store.size()) == 1


async def test_what_was_closed_opens_again(do: Do, subject: Subject) -> None:
    store = subject.store
    await put(do, store, "a.1")
    await subject.async_shell.close()
    subject.sync_shell.close()
    await load(do, store, "a.1")
    await put(do, store, "a.2")
    assert await load(do, store, "a.2") == [("a.2", BODY)]
