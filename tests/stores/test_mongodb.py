"""What only the stores in MongoDB do: where things lie there, and who else may write there."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import gridfs as gridfs_of_pymongo
import msgspec
import pytest
from pymongo import MongoClient

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.errors import ConfigurationError, StoreError
from http_client_cache.shell.store_driver import run_sync
from http_client_cache.store import Store
from http_client_cache.store._blocks import BLOCK_BYTES
from http_client_cache.store._mongodb_shape import collection_name
from tests.stores.conftest import Do
from tests.stores.mongo import LARGE, all_in, both, chain_of, collections, put, read
from tests.stores.mongo_subjects import database_of
from tests.stores.subjects import (
    NOW,
    SUBJECTS,
    Subject,
    alias,
    entry,
    gridfs,
    mongodb,
    run_as_async,
    run_as_sync,
)
from tests.support.servers import mongodb_url
from tests.support.servers.commands import counting


@pytest.mark.parametrize("subject", ["mongodb", "mongodb_packed_signed", "gridfs"], indirect=True)
async def test_trips(do: Do, store: Store) -> None:
    small = b"x" * 10_000
    await put(do, store, small)
    await do(store.link("b.1", alias("a.1")))
    trips = {
        "hit": store.load("a.1", follow=True),
        "miss": store.load("c.1", follow=True),
        "alias": store.load("b.1", follow=True),
        "save": store.save("c.1", entry(body=small), small),
        "claim": store.claim("c.1", "me", NOW, 5),
        "release": store.release("c.1", "me", NOW),
    }
    counted = {}
    for name, plan in trips.items():
        with counting(mongodb_url()) as told:
            await do(plan)
        counted[name] = told.count
    assert counted == {"hit": 1, "miss": 1, "alias": 2, "save": 1, "claim": 1, "release": 1}


@pytest.mark.parametrize("subject", ["gridfs"], indirect=True)
async def test_others_read_bodies_as_files(do: Do, store: Store, database: Any) -> None:
    await do(store.save("a.1", entry("https://example.org/film", body=LARGE), LARGE))
    bucket = gridfs_of_pymongo.GridFSBucket(database, "http_cache.grid.v1.bodies")
    (file,) = bucket.find({"filename": "https://example.org/film"})
    assert file.read() == LARGE
    assert (file.length, file.chunk_size) == (len(LARGE), BLOCK_BYTES)
    assert file.metadata is not None
    assert file.metadata["key"] == "a.1"
    assert file.upload_date.replace(tzinfo=UTC) <= datetime.now(UTC)
    # No index has to be made, or repaired.
    bucket.upload_from_stream("other", b"theirs")
    assert bucket.open_download_stream_by_name("other").read() == b"theirs"


async def test_signed_bodies_are_files_too(tmp_path: Path) -> None:
    subject = gridfs(tmp_path, secret_key="secret")
    store, do = subject.store, partial(run_as_sync, subject)
    await put(do, store)
    (found,) = await do(store.load("a.1"))
    assert await read(do, store, found.body) == LARGE
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        database = client[database_of(tmp_path)]
        bucket = gridfs_of_pymongo.GridFSBucket(database, "http_cache.grid.v1.bodies")
        (file,) = bucket.find({})
        assert file.read() == LARGE
        database["http_cache.grid.v1.bodies.chunks"].update_one({"n": 3}, {"$set": {"data": b"x"}})
    (found,) = await do(store.load("a.1"))
    with pytest.raises(StoreError, match="signed"):
        await read(do, store, found.body)
    await subject.close()


@both
async def test_bodies_beyond_a_document(do: Do, store: Store) -> None:
    piece = os.urandom(2**20)
    draft = await do(store.begin("a.1", entry()))
    for _ in range(40):
        assert await do(store.append(draft, [piece]))
    told = msgspec.structs.replace(entry(), body_size=40 * len(piece))
    await do(store.save("a.1", told, draft))
    (found,) = await do(store.load("a.1"))
    assert len(found.body) == 40 * 2**20
    for start in (0, 17 * 2**20, 39 * 2**20):
        assert await read(do, store, found.body[start : start + 2**20]) == piece
    await do(store.forget(draft))


@both
async def test_more_than_fits_into_one_answer(do: Do, store: Store) -> None:
    body = os.urandom(WHOLE_BYTES)
    for number in range(20):
        await do(store.save("a.1", entry(body=body), body, variant=f"{number:02}"))
    found = await do(store.load("a.1"))
    assert [stored.variant for stored in found] == [f"{number:02}" for number in range(20)]
    assert all(stored.body == body for stored in found)
    assert len(await do(store.page("", 100, bodies=True))) == 20


NAMES = [
    "cache",
    "cache.v1",
    "cache.v1.entries",
    "cache.grid",
    "Cache",
    "system",
    "a/b $c",
    "é" * 90,
]


async def test_caches_of_one_database_do_not_meet(tmp_path: Path) -> None:
    subjects = [kind(tmp_path, name=name) for name in NAMES for kind in (mongodb, gridfs)]
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        database = client[database_of(tmp_path)]
        for foreign in ("cache", "cache.v2.entries", "entries", "cache.v1.entries.mine"):
            database[foreign].insert_one({"_id": {"k": "a.1", "v": ""}, "leaves": "no date"})
        for number, subject in enumerate(subjects):
            body = LARGE + b"%d" % number
            run_sync(subject.store.save("a.1", entry(body=body), body), subject.sync_shell)
        run_sync(subjects[0].store.clear(), subjects[0].sync_shell)
        run_sync(subjects[3].store.purge("a"), subjects[3].sync_shell)
        run_sync(subjects[5].store.sweep(1e12, 100), subjects[5].sync_shell)
        for number, subject in enumerate(subjects):
            do, store = partial(run_as_sync, subject), subject.store
            found = await do(store.load("a.1"))
            assert len(found) == (number not in {0, 3})
            if found:
                assert await read(do, store, found[0].body) == LARGE + b"%d" % number
        for foreign in ("cache", "cache.v2.entries", "entries", "cache.v1.entries.mine"):
            assert database[foreign].count_documents({}) == 1
            database[foreign].drop()
        for subject in subjects:
            await subject.close()
            for collection in database.list_collection_names():
                if not collection.startswith("http_cache."):
                    database[collection].drop()


@pytest.mark.parametrize(
    "name", ["a", "A-_0", "a.b", "ü", "%", "%41", "system", "x" * 300, "y" * 99]
)
def test_names_of_collections(name: str) -> None:
    made = collection_name(name)
    assert "." not in made
    assert "$" not in made
    assert len(made) <= 100
    assert made != "system"
    assert made.isascii()


def test_names_that_cannot_be() -> None:
    assert len({collection_name(name) for name in (*NAMES, "%73ystem", "A", "%41")}) == 11
    with pytest.raises(ConfigurationError, match="cache_name"):
        collection_name("\ud800")


@both
async def test_many_threads_write_one_key(subject: Subject, database: Any) -> None:
    store, failures = subject.store, list[Exception]()
    bodies = [b"small %d" % number for number in range(16)]
    bodies += [os.urandom(WHOLE_BYTES + number + 1) for number in range(16)]

    def write(body: bytes) -> None:
        try:
            for _ in range(3):
                run_sync(store.save("a.1", entry(body=body), body), subject.sync_shell)
        except Exception as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert failures == []
    do = partial(run_as_sync, subject)
    (found,) = await do(store.load("a.1"))
    body = found.body
    assert (await read(do, store, body) if isinstance(body, KeptBody) else body) in bodies
    (told,), blocks, _ = all_in(database, store)
    for block in blocks:
        assert (chain_of(block) == told.get("chain")) == ("leaves" not in block)


@both
async def test_many_tasks_write_one_key(subject: Subject) -> None:
    store = subject.store

    async def write(number: int) -> None:
        body = b"%d" % number * 1000
        await run_as_async(subject, store.save("a.1", entry(body=body), body))

    await asyncio.gather(*(write(number) for number in range(50)))
    (found,) = await run_as_async(subject, store.load("a.1"))
    assert len(set(found.body.split(b" "))) == 1
    assert await run_as_async(subject, store.size()) == 1
    await subject.close()


@both
@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"record": "text"}},
        {"$unset": {"record": ""}},
        {"$set": {"record": b"\xff"}},
        {"$set": {"body": "text"}},
        {"$set": {"body": b"shorter"}},
        {"$unset": {"body": ""}},
        {"$set": {"chain": 7}},
        {"$set": {"chain": "nothing"}},
        {"$set": {"leaves": "never"}},
    ],
)
async def test_what_others_wrote_there_does_no_harm(
    do: Do, store: Store, database: Any, change: dict[str, Any]
) -> None:
    await put(do, store, b"the body")
    await do(store.link("b.1", alias("a.1")))
    database[collections(store)[0]].update_many({}, change)
    for key in ("a.1", "b.1"):
        found = await do(store.load(key, follow=True))
        assert [stored.body for stored in found] in ([], [b"the body"])
    await do(store.page("", 10, bodies=True))
    await do(store.links("", 10))
    await put(do, store, b"new")
    (found,) = await do(store.load("a.1"))
    assert found.body == b"new"
    await do(store.delete(["a.1", "b.1"]))
    assert await do(store.size()) == 0


async def test_keys_that_cannot_be_written(tmp_path: Path) -> None:
    subject = SUBJECTS["mongodb"](tmp_path)
    do, store = partial(run_as_sync, subject), subject.store
    for _ in range(5):
        with pytest.raises(StoreError, match="cannot be stored"):
            await do(store.save("\ud800", entry(), b""))
    # That is not the server's failure.
    await do(store.save("a.1", entry(), b""))
    await subject.close()
