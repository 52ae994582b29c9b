"""Bodies in blocks that are not what was written."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from http_client_cache.errors import RecordError, StoreError, StoreUnavailable
from http_client_cache.store._blocks import BLOCK_BYTES
from http_client_cache.testing.subject import entry
from tests.support.blocks import (
    KINDS,
    LARGE,
    SAMPLE,
    AsyncShelf,
    BlockStore,
    Do,
    Item,
    Shelf,
    SyncShelf,
    doing,
    load,
    made,
    name_of,
    put,
    read,
)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> BlockStore:
    return made(inline=1000, **KINDS[request.param])


@pytest.fixture(params=[SyncShelf, AsyncShelf])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    return request.param()


@pytest.fixture
def do(shelf: Any) -> Do:
    return doing(shelf)


class TestDamage:
    @pytest.mark.parametrize("number", range(6))
    @pytest.mark.parametrize("way", ["gone", "short", "long", "empty"])
    async def test_a_block_is_not_what_was_written(
        self, do: Do, store: BlockStore, shelf: Shelf, number: int, way: str
    ) -> None:
        await put(do, store, [LARGE])
        place = name_of(store), number
        block = shelf.blocks.pop(place)
        damaged = {"short": block[:-1], "long": block + b"x", "empty": b""}
        if way in damaged:
            shelf.blocks[place] = damaged[way]
        if number == 0:
            assert await load(do, store) is None
            return
        body = await load(do, store)
        start = number * BLOCK_BYTES
        assert await read(do, store, body[:start]) == LARGE[:start]
        with pytest.raises(StoreError, match="gone" if way == "gone" else "damaged"):
            await do(store.read(body, start, 1))

    @pytest.mark.parametrize("number", range(3))
    async def test_of_what_is_small_all_or_nothing(
        self, do: Do, store: BlockStore, shelf: Shelf, number: int
    ) -> None:
        await put(do, store, [SAMPLE[: 3 * BLOCK_BYTES]])
        del shelf.blocks[name_of(store), number]
        assert await load(do, store) is None

    async def test_a_server_that_does_not_answer_is_no_damage(
        self, do: Do, store: BlockStore, shelf: Shelf
    ) -> None:
        """Else a response would count as absent, and be fetched and written in vain."""
        await put(do, store, [LARGE])
        shelf.fails = StoreUnavailable("down")
        with pytest.raises(StoreUnavailable):
            await load(do, store)

    async def test_inline_of_another_size_or_damaged(self, do: Do) -> None:
        for packs in (False, True):
            store = made(packs=packs)
            body = b"compressible" * 100
            await do(store.save("a.1", entry(body=body), body))
            record, lies = store.items["a.1", ""]
            assert isinstance(lies, bytes)
            store.items["a.1", ""] = Item(record, lies + b"x")
            assert await load(do, store) is None
            if packs:
                store.items["a.1", ""] = Item(record, lies[:-1] + b"x")
                assert await load(do, store) is None


@pytest.mark.parametrize("packs", [False, True])
class TestSigned:
    @pytest.fixture
    def store(self, packs: bool) -> BlockStore:
        return made(packs=packs, secret_key="secret", inline=1000)

    async def test_another_block(self, do: Do, store: BlockStore, shelf: Shelf) -> None:
        await put(do, store, [LARGE])
        name = name_of(store)
        block = shelf.blocks[name, 1]
        shelf.blocks[name, 1] = bytes([block[0]]) + bytes(len(block) - 1)
        body = await load(do, store)
        await do(store.read(body, 0, 1))
        with pytest.raises(StoreError, match="not the one that was signed"):
            await do(store.read(body, BLOCK_BYTES, 1))

    async def test_another_order(self, do: Do, store: BlockStore, shelf: Shelf) -> None:
        await put(do, store, [LARGE])
        name = name_of(store)
        blocks = shelf.blocks
        blocks[name, 0], blocks[name, 1] = blocks[name, 1], blocks[name, 0]
        assert await load(do, store) is None

    async def test_another_chain(self, do: Do, store: BlockStore) -> None:
        await put(do, store, [LARGE])
        mine = store.items["a.1", ""]
        await put(do, store, [bytes(len(LARGE))])
        store.items["a.1", ""] = Item(mine.record, name_of(store))
        assert await load(do, store) is None

    @pytest.mark.parametrize("way", ["gone", "another", "longer"])
    async def test_other_sums(self, do: Do, store: BlockStore, shelf: Shelf, way: str) -> None:
        """With which other blocks could be told to be right."""
        await put(do, store, [LARGE])
        place = name_of(store), 6
        sums = shelf.blocks.pop(place)
        assert len(sums) == 6 * 32
        if way != "gone":
            shelf.blocks[place] = sums + bytes(32) if way == "longer" else bytes(len(sums))
        assert await load(do, store) is None

    async def test_the_sums_are_no_body(self, do: Do, store: BlockStore, shelf: Shelf) -> None:
        body = b"thirty-two bytes, no more nor less"[:32]
        await put(do, store, [body])
        record, _ = store.items["a.1", ""]
        (lies,) = (block for (_, number), block in shelf.blocks.items() if number == 0)
        store.items["a.1", ""] = Item(record, sha256(lies).digest())
        with pytest.raises(RecordError):
            await load(do, store)

    async def test_an_empty_body(self, do: Do, store: BlockStore) -> None:
        await put(do, store, [])
        assert await load(do, store) == b""
