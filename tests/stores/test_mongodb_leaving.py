"""When what is in MongoDB leaves it, by itself or as others end it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from http_client_cache.body import WHOLE_BYTES
from http_client_cache.errors import StoreError
from http_client_cache.store import Store
from http_client_cache.store._blocks import DRAFT_SECONDS, READER_SECONDS
from tests.stores.conftest import Do
from tests.stores.mongo import (
    BLOCKS,
    LARGE,
    Documents,
    all_in,
    both,
    chain_of,
    collections,
    put,
    read,
    seconds_left,
)
from tests.stores.mongo_subjects import database_of
from tests.stores.subjects import NOW, Subject, alias, entry, gridfs, mongodb, run_as_sync
from tests.support.servers import mongodb_url


@both
async def test_an_entry_leaves_when_its_retention_ends(do: Do, store: Store, database: Any) -> None:
    await put(do, store, expires=NOW + 100)
    await do(store.link("b.1", alias("a.1")))
    entries, blocks, files = all_in(database, store)
    for document in entries:
        assert 3600 + 100 - 10 < seconds_left(document) <= 3600 + 100
    assert len(blocks) == BLOCKS
    for document in (*blocks, *files):
        assert 3690 < seconds_left(document) - READER_SECONDS <= 3700
    await do(store.freshen([("a.1", "", entry(body=LARGE, expires=NOW + 1000))]))
    (told, *_), blocks, files = all_in(database, store)
    assert 4590 < seconds_left(told) <= 4600
    for document in (*blocks, *files):
        assert 4590 < seconds_left(document) - READER_SECONDS <= 4600
    await do(store.freshen([("a.1", "", entry(body=LARGE))]))
    (told, *_), blocks, files = all_in(database, store)
    assert not [one for one in (told, *blocks, *files) if "leaves" in one]


@both
async def test_saved_anew_it_takes_its_aliases_along(do: Do, store: Store, database: Any) -> None:
    await put(do, store, b"", expires=NOW + 100)
    await do(store.link("b.1", alias("a.1")))
    await do(store.link("b.2", alias("nowhere.1")))
    names = {"b.1": 3700.0, "b.2": DRAFT_SECONDS}

    def left() -> dict[str, float]:
        entries, _, _ = all_in(database, store)
        return {
            one["_id"]["k"]: seconds_left(one) if "leaves" in one else 0
            for one in entries
            if "target" in one
        }

    for expires, seconds in (
        (NOW + 500, 4100.0),
        (NOW + 100, 4100.0),
        (None, 0.0),
        (NOW + 100, 0.0),
    ):
        assert left() == {name: pytest.approx(value, abs=10) for name, value in names.items()}
        await put(do, store, b"", expires=expires)
        names["b.1"] = seconds
    assert left() == {name: pytest.approx(value, abs=10) for name, value in names.items()}
    await do(store.link("b.1", alias("a.1")))
    assert left()["b.1"] == pytest.approx(3700, abs=10)


@both
@pytest.mark.parametrize("way", ["save", "freshen"])
async def test_an_alias_stays_for_the_variant_that_stays_longest(
    do: Do, store: Store, database: Any, way: str
) -> None:
    await do(store.save("a.1", entry(body=b"x"), b"x", variant="for ever"))
    await do(store.save("a.1", entry(body=b"x"), b"x", variant="for a while"))
    await do(store.link("b.1", alias("a.1")))
    finite = entry(body=b"x", expires=NOW + 100)
    if way == "save":
        await do(store.save("a.1", finite, b"x", variant="for a while"))
    else:
        assert await do(store.freshen([("a.1", "for a while", finite)])) == 1
    entries = database[collections(store)[0]]
    entries.delete_many({"leaves": {"$exists": True}})
    (found,) = await do(store.load("b.1", follow=True))
    assert found.variant == "for ever"


@both
async def test_what_has_left_is_absent_though_the_server_is_late(
    do: Do, store: Store, database: Any
) -> None:
    await put(do, store, b"x", expires=NOW - 4000)
    await do(store.link("b.1", alias("a.1")))
    # A clock that the server's monitor does not go by.
    past = datetime.now(UTC) - timedelta(seconds=1)
    entries = database[collections(store)[0]]
    for key in ("a.1", "b.1"):
        entries.update_one({"_id.k": key}, {"$set": {"leaves": past}})
        assert await do(store.load(key, follow=True)) == ()
        assert not await do(store.contains(key, follow=True))
        assert not await do(store.has_locator(key[0]))
    assert await do(store.page("", 10)) == []
    assert await do(store.links("", 10)) == []


@pytest.mark.parametrize("kind", [mongodb, gridfs])
async def test_the_server_removes_it(kind: Any, tmp_path: Path) -> None:
    """The monitor looks every second here, once a minute elsewhere."""
    subject = kind(tmp_path)
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store, expires=NOW + 5)
    await do(store.link("b.1", alias("a.1")))
    await do(store.claim("a.1", "me", NOW, 5.0))
    draft = await do(store.begin("a.2", entry()))
    await do(store.append(draft, [LARGE]))
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        used = [
            collection
            for collection in client[database_of(tmp_path)].list_collections()
            if client[database_of(tmp_path)][collection["name"]].find_one()
        ]
        assert len(used) == (4 if kind is gridfs else 3)
        for collection in used:
            client[database_of(tmp_path)][collection["name"]].update_many(
                {}, {"$set": {"leaves": datetime.now(UTC)}}
            )
        patience = time.monotonic() + 10
        while any(
            client[database_of(tmp_path)][collection["name"]].find_one() for collection in used
        ):
            assert time.monotonic() < patience
            await asyncio.sleep(0.05)
    await subject.close()


@both
@pytest.mark.parametrize("end", ["save", "delete", "drop", "purge", "clear", "sweep"])
async def test_blocks_of_what_has_gone_are_read_to_their_end_and_leave(
    do: Do, store: Store, database: Any, end: str
) -> None:
    await put(do, store, expires=None if end != "sweep" else 1.0)
    (found,) = await do(store.load("a.1"))
    kept = found.body
    begun = await do(store.read(kept, 0, 100_000))
    ends = {
        "save": partial(store.save, "a.1", entry(body=b"x"), b"x"),
        "delete": partial(store.delete, ["a.1"]),
        "drop": partial(store.drop, [("a.1", "")]),
        "purge": partial(store.purge, "a"),
        "clear": store.clear,
        "sweep": partial(store.sweep, 2.0, 10),
    }
    await do(ends[end]())
    _, blocks, files = all_in(database, store)
    assert len(blocks) == BLOCKS
    assert files == []
    assert all(READER_SECONDS < seconds_left(block) <= 2 * READER_SECONDS for block in blocks)
    # It is about to leave, and somebody reads.
    soon = datetime.now(UTC) + timedelta(seconds=50)
    database[collections(store)[1]].update_many({}, {"$set": {"leaves": soon}})
    assert begun + await read(do, store, kept, len(begun)) == LARGE
    _, blocks, _ = all_in(database, store)
    assert seconds_left(blocks[-1]) > READER_SECONDS
    # Nobody makes it stay.
    await do(store.freshen([("a.1", "", entry(body=LARGE))]))
    assert all("leaves" in block for block in all_in(database, store)[1])


@both
async def test_a_body_that_took_too_long_is_not_published(
    do: Do, store: Store, database: Any
) -> None:
    draft = await do(store.begin("a.1", entry()))
    await do(store.append(draft, [LARGE]))
    assert all(
        DRAFT_SECONDS - 10 < seconds_left(block) <= DRAFT_SECONDS
        for block in all_in(database, store)[1]
    )
    database[collections(store)[1]].delete_many({"$or": [{"_id.n": 0}, {"n": 0}]})
    with pytest.raises(StoreError, match="too long"):
        await do(store.save("a.1", entry(body=LARGE), draft))
    assert await do(store.load("a.1")) == ()


@both
@pytest.mark.parametrize("expires", [None, NOW + 100])
async def test_whoever_dies_leaves_no_block_for_ever(
    store: Store, subject: Subject, database: Any, expires: float | None
) -> None:
    """Every plan is broken off after each of its steps."""
    large = LARGE[: WHOLE_BYTES + 1]
    changed = entry(body=large, expires=NOW + 100 if expires is None else None)
    plans = [
        lambda: store.save("a.1", entry(body=large, expires=expires), large),
        lambda: store.save("a.1", entry(body=large, expires=expires), large),
        lambda: store.freshen([("a.1", "", changed)]),
        lambda: store.save("a.1", entry(body=b"x", expires=expires), b"x"),
        lambda: store.save("a.1", entry(body=large), large),
        lambda: store.delete(["a.1"]),
        lambda: store.save("a.1", entry(body=large), large),
        lambda: store.purge("a"),
        lambda: store.save("a.1", entry(body=large), large),
        store.clear,
    ]

    def nobodys() -> Documents:
        entries, blocks, files = all_in(database, store)
        named = {one.get("chain") for one in entries if "leaves" not in one}
        return [
            one for one in (*blocks, *files) if "leaves" not in one and chain_of(one) not in named
        ]

    for plan in plans:
        steps = 0
        while True:
            running, answer = plan(), None
            try:
                for _ in range(steps):
                    answer = subject.sync_shell.run(running.send(answer))
            except StopIteration:
                break
            running.close()
            assert nobodys() == []
            steps += 1
            if steps > 40:
                pytest.fail("it never ends")
