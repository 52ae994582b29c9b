"""The large bodies in DynamoDB: blocks that nobody names leave, and nobody's reading breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_client_cache.errors import StoreError
from http_client_cache.store import Store
from http_client_cache.store._blocks import DRAFT_SECONDS, READER_SECONDS
from http_client_cache.testing.pieces import LARGE, OTHER, PIECES, draft_of, load, put, read
from tests.stores.conftest import Do
from tests.stores.dynamo import ServerClock, table_of
from tests.stores.subjects import NOW, SUBJECTS, Subject, entry, remove_table

BODY = b"the body"
DAY = 86400


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = SUBJECTS["dynamodb"](tmp_path)
    yield subject
    subject.sync_shell.close()
    remove_table(subject.store)


@pytest.fixture
def server_time(monkeypatch: pytest.MonkeyPatch) -> ServerClock:
    return ServerClock(monkeypatch)


@pytest.mark.parametrize("way", ["replace", "small", "delete", "drop", "purge", "clear"])
async def test_what_was_replaced_goes_when_it_has_been_read(
    do: Do, store: Store, subject: Subject, server_time: ServerClock, way: str
) -> None:
    await put(do, store)
    kept = await load(do, store)
    if way == "replace":
        await put(do, store, OTHER)
    elif way == "small":
        await do(store.save("a.1", entry(body=BODY), BODY))
    elif way == "clear":
        await do(store.clear())
    else:
        argument: Any = {"delete": ["a.1"], "drop": [("a.1", "")], "purge": "a"}[way]
        assert await do(getattr(store, way)(argument)) == 1
    await do(store.sweep(0.0, 10))
    assert await read(do, store, kept) == LARGE
    server_time.ahead = READER_SECONDS + 1
    await do(store.sweep(0.0, 10))
    with pytest.raises(StoreError, match="gone"):
        await read(do, store, kept)
    with table_of(subject) as table:
        assert len(table.items("b")) == (13 if way == "replace" else 0)
        assert table.items("g") == []
    if way == "replace":
        assert await read(do, store, await load(do, store)) == OTHER


async def test_to_clear_once_more_removes_what_is_due(
    do: Do, store: Store, subject: Subject, server_time: ServerClock
) -> None:
    await put(do, store)
    await do(store.clear())
    server_time.ahead = READER_SECONDS + 1
    await do(store.clear())
    with table_of(subject) as table:
        assert table.items() == []


async def test_freshening_one_whose_blocks_last_knows_it_by_its_arrival(
    do: Do, store: Store
) -> None:
    """Its blocks would have to be written anew, but they are those of another body."""
    first, second = (
        msgspec.structs.replace(entry(body=LARGE, expires=NOW + 100), arrived=time)
        for time in (NOW, NOW + 1)
    )
    await do(store.save("a.1", first, LARGE))
    await do(store.save("a.1", second, OTHER))
    for saved, freshened in ((first, 0), (second, 1)):
        lasting = msgspec.structs.replace(saved, expires=None)
        assert await do(store.freshen([("a.1", "", lasting)])) == freshened
    assert await read(do, store, await load(do, store)) == OTHER


async def test_later_large_ones_work_it_off(
    do: Do, store: Store, subject: Subject, server_time: ServerClock
) -> None:
    for number in range(4):
        await put(do, store, key=f"a.{number}")
    await do(store.delete([f"a.{number}" for number in range(4)]))
    server_time.ahead = READER_SECONDS + 1
    for _ in range(3):
        await put(do, store, key="b.1")
    with table_of(subject) as table:
        # Its own, and of those that it replaced.
        assert len(table.items("b")) == 3 * 13


async def test_what_leaves_soon_is_left_to_do_so(do: Do, store: Store, subject: Subject) -> None:
    await do(store.save("a.1", entry(body=LARGE, expires=NOW + 100), LARGE))
    await do(store.delete(["a.1"]))
    with table_of(subject) as table:
        assert table.items("g") == []
        assert all("ttl" in block for block in table.items("b"))


@pytest.mark.parametrize("pieces", [1, 5, 11])
async def test_a_writer_that_dies_leaves_nothing_for_ever(
    do: Do, store: Store, subject: Subject, server_time: ServerClock, pieces: int
) -> None:
    await draft_of(do, store, PIECES[:pieces])
    with table_of(subject) as table:
        assert table.items("b")
        server_time.ahead = DRAFT_SECONDS - 10
        await do(store.sweep(0.0, 10))
        assert table.items("b")
        server_time.ahead = DRAFT_SECONDS + 200
        await do(store.sweep(0.0, 10))
        assert table.items() == []


async def test_a_body_that_takes_too_long_is_not_published(
    do: Do, store: Store, server_time: ServerClock
) -> None:
    draft = await draft_of(do, store, PIECES[:5])
    server_time.ahead = DRAFT_SECONDS + 200
    await do(store.sweep(0.0, 10))
    with pytest.raises(StoreError, match="too long"):
        await do(store.append(draft, PIECES[5:]))
    late = await draft_of(do, store, PIECES, key="b.1")
    late.take(last=True)
    server_time.ahead += DRAFT_SECONDS + 200
    await do(store.sweep(0.0, 10))
    with pytest.raises(StoreError, match="too long"):
        await do(store.save("b.1", entry(body=LARGE), late))
    assert await do(store.size()) == 0


async def test_one_that_is_named_after_all_stays(
    do: Do, store: Store, subject: Subject, server_time: ServerClock
) -> None:
    """Whoever put it on the list has died before it deleted the entry."""
    await put(do, store)
    with table_of(subject) as table:
        (item,) = [item for item in table.items("k") if "body" in item]
        listed = store._listed("a.1", "", item["body"]["S"], 0.0)
        table.put_item(**listed)
        await do(store.sweep(0.0, 10))
        assert table.items("g") == []
    assert await read(do, store, await load(do, store)) == LARGE


async def test_a_slow_reader_is_waited_for(do: Do, store: Store, server_time: ServerClock) -> None:
    await put(do, store)
    kept = await load(do, store)
    await do(store.delete(["a.1"]))
    found = b""
    while len(found) < len(kept):
        found += await do(store.read(kept, len(found), 200_000))
        server_time.ahead += READER_SECONDS * 0.6
        await do(store.sweep(0.0, 10))
    assert found == LARGE


async def test_blocks_stay_as_long_as_their_entry(
    do: Do, store: Store, subject: Subject, server_time: ServerClock
) -> None:
    await do(store.save("a.1", entry(body=LARGE, expires=NOW + 100), LARGE))
    first = server_time()
    for later in (100 + 0.9 * DAY, 3 * DAY, None):
        expires = None if later is None else NOW + later
        assert await do(store.freshen([("a.1", "", entry(body=LARGE, expires=expires))])) == 1
        with table_of(subject) as table:
            (item,) = [item for item in table.items("k") if "body" in item]
            lasts = {block.get("ttl", {}).get("N") for block in table.items("b")}
            assert table.items("g") == []
        assert len(lasts) == 1
        (last,) = lasts
        if later is None:
            assert last is None
            assert "ttl" not in item
            assert "lasts" not in item
        else:
            # A day more at first: nothing had to be written anew.
            days = 1 if later < DAY else 4
            assert abs(int(last) - first - 3600 - days * DAY) < 200
            assert int(last) > int(item["ttl"]["N"])
    assert await read(do, store, await load(do, store)) == LARGE


async def test_a_body_whose_entry_turns_out_to_live_longer(
    do: Do, store: Store, subject: Subject
) -> None:
    draft = await do(store.begin("a.1", entry(expires=NOW + 100)))
    await do(store.append(draft, PIECES))
    await do(store.save("a.1", entry(body=LARGE), draft))
    with table_of(subject) as table:
        assert not [item for item in table.items() if "ttl" in item]


async def test_fresh_metadata_is_for_the_body_that_was_loaded(
    do: Do, store: Store, subject: Subject, tmp_path: Path
) -> None:
    """Another process has stored another body of the same length."""
    await do(store.save("a.1", entry(body=b"12345"), b"12345"))
    await do(store.load("a.1"))
    other = SUBJECTS["dynamodb"](tmp_path).store
    other._places = store._places
    other._table = store._table
    later = msgspec.structs.replace(entry(body=b"54321"), arrived=NOW + 1)
    await do(other.save("a.1", later, b"54321"))
    assert await do(store.freshen([("a.1", "", entry(body=b"12345", expires=5.0))])) == 0
    (found,) = await do(store.load("a.1"))
    assert (found.entry.expires, found.body) == (None, b"54321")
