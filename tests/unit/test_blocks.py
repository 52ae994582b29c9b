"""Bodies in blocks, as stores on servers keep them."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.store._blocks import AT_ONCE, BLOCK_BYTES
from http_client_cache.testing.subject import entry
from tests.support.blocks import (
    BORDERS,
    KINDS,
    LARGE,
    SAMPLE,
    AsyncShelf,
    BlockStore,
    Do,
    Read,
    Remove,
    Shelf,
    SyncShelf,
    Write,
    doing,
    load,
    made,
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


class TestSizes:
    @pytest.mark.parametrize("size", BORDERS)
    async def test_whole(self, do: Do, store: BlockStore, size: int) -> None:
        body = SAMPLE[:size]
        assert await do(store.save("a.1", entry(body=body), body)) == body
        assert await read(do, store, await load(do, store)) == body

    @pytest.mark.parametrize("size", BORDERS)
    async def test_in_pieces(self, do: Do, store: BlockStore, size: int) -> None:
        pieces = [SAMPLE[start : min(start + 300_000, size)] for start in range(0, size, 300_000)]
        shown = await put(do, store, pieces)
        assert isinstance(shown, KeptBody)
        assert await read(do, store, shown) == SAMPLE[:size]
        assert await read(do, store, await load(do, store)) == SAMPLE[:size]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("inline", [0, 100, 400_000, WHOLE_BYTES, 2 * WHOLE_BYTES])
    async def test_inline(self, do: Do, shelf: Shelf, kind: str, inline: int) -> None:
        store = made(inline=inline, **KINDS[kind])
        for size in {0, 1, 99, 100, 101, inline - 1, inline, inline + 1} - {-1}:
            body = b"compressible" * (size // 12) + bytes(size % 12)
            await do(store.save("a.1", entry(body=body), body))
            lies = store.items["a.1", ""].lies
            if isinstance(lies, bytes):
                assert len(lies) <= inline
            else:
                assert size > inline
            if size <= inline:
                assert isinstance(lies, bytes)
            assert await read(do, store, await load(do, store)) == body

    async def test_what_is_small_comes_as_bytes(self, do: Do, store: BlockStore) -> None:
        await put(do, store, [SAMPLE[:WHOLE_BYTES]])
        assert await load(do, store) == SAMPLE[:WHOLE_BYTES]
        await put(do, store, [SAMPLE[: WHOLE_BYTES + 1]])
        assert isinstance(await load(do, store), KeptBody)

    @pytest.mark.parametrize("packs", [False, True])
    async def test_its_entry_says_how_it_lies(self, do: Do, shelf: Shelf, packs: bool) -> None:
        store = made(packs=packs, inline=1000)
        await put(do, store, [LARGE])
        stored = await do(store.load("a.1"))
        lies = sum(map(len, shelf.blocks.values()))
        assert stored.entry.stored_size == lies
        assert (stored.entry.packed is None) is not packs
        assert (lies < 0.85 * len(LARGE)) is packs

    async def test_an_entry_from_elsewhere_is_told_how_it_lies_here(self, do: Do) -> None:
        store = made()
        loaded = msgspec.structs.replace(entry(body=b"body"), packed=3)
        await do(store.save("a.1", loaded, b"body"))
        stored = await do(store.load("a.1"))
        assert (stored.entry.packed, stored.body) == (None, b"body")


class TestPieces:
    @given(cuts=st.lists(st.integers(0, 5 * BLOCK_BYTES), max_size=30), data=st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_split_is_the_same_body(self, cuts: list[int], data: st.DataObject) -> None:
        size = data.draw(st.sampled_from(BORDERS) | st.integers(0, len(LARGE)))
        places = [0, *sorted(cut for cut in cuts if cut < size), size]
        pieces = [SAMPLE[start:end] for start, end in pairwise(places)]
        store, shelf = made(**KINDS[data.draw(st.sampled_from([*KINDS]))]), SyncShelf()
        asyncio.run(put(doing(shelf), store, pieces))
        whole = made(packs=store._packs, inline=-1)
        whole._codec = store._codec
        other = SyncShelf()
        asyncio.run(doing(other)(whole.save("a.1", entry(body=SAMPLE[:size]), SAMPLE[:size])))
        assert [*shelf.blocks.values()] == [*other.blocks.values()]
        body = asyncio.run(load(doing(shelf), store))
        assert asyncio.run(read(doing(shelf), store, body)) == SAMPLE[:size]

    async def test_no_more_than_some_blocks_at_once(
        self, do: Do, store: BlockStore, shelf: Shelf
    ) -> None:
        await put(do, store, [SAMPLE[: 2 * BLOCK_BYTES], SAMPLE[: 3 * BLOCK_BYTES]] * 2)
        assert max(len(write.blocks) for write in shelf.of(Write)) <= AT_ONCE
        assert len(shelf.of(Write)) <= 5

    async def test_no_more_than_a_block_is_held(self, do: Do, store: BlockStore) -> None:
        draft: Any = await do(store.begin("a.1", entry()))
        for size in (1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5):
            await do(store.append(draft, [SAMPLE[:size]]))
            assert sum(map(len, draft._held)) == draft._held_size < BLOCK_BYTES
        assert draft.size == 1 + 1000 + 5 * BLOCK_BYTES + 4

    async def test_forgotten_it_leaves_nothing(
        self, do: Do, store: BlockStore, shelf: Shelf
    ) -> None:
        draft = await do(store.begin("a.1", entry()))
        await do(store.append(draft, [LARGE]))
        assert len(shelf.blocks) == 5
        await do(store.forget(draft))
        assert shelf.blocks == {}

    async def test_what_was_not_written_need_not_be_removed(
        self, do: Do, store: BlockStore, shelf: Shelf
    ) -> None:
        draft = await do(store.begin("a.1", entry()))
        await do(store.append(draft, [b"small"]))
        await do(store.forget(draft))
        assert shelf.told == []

    async def test_nothing_else_is_a_draft(self, do: Do, store: BlockStore) -> None:
        for plan in (store.append(object(), [b""]), store.forget(object())):  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="no object"):
                await do(plan)


class TestReading:
    @given(data=st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_part(self, data: st.DataObject) -> None:
        shelf, store = LAID[data.draw(st.sampled_from([*KINDS]))]
        do = doing(shelf)
        body: Any = asyncio.run(load(do, store))
        places = st.sampled_from(BORDERS) | st.integers(0, len(LARGE))
        places = places.map(lambda place: min(place, len(LARGE) - 1))
        start, last = sorted((data.draw(places), data.draw(places)))
        end = last + 1
        part = body[start:end]
        inner = data.draw(st.integers(0, len(part) - 1))
        size = data.draw(st.sampled_from([1, 2**17, BLOCK_BYTES, 2**20]) | st.integers(1, 2**20))
        found = asyncio.run(do(store.read(part, inner, size)))
        assert 0 < len(found) <= size
        assert LARGE[start:end][inner : inner + len(found)] == found

    async def test_a_block_is_asked_for_once(self, do: Do, store: BlockStore, shelf: Shelf) -> None:
        await put(do, store, [LARGE])
        body = await load(do, store)
        assert await read(do, store, body, 2**17) == LARGE
        asked = [one.number for one in shelf.of(Read) if one.number < 6]
        assert asked == [0, 1, 2, 3, 4, 5]

    async def test_two_readers(self, do: Do, store: BlockStore) -> None:
        await put(do, store, [LARGE])
        body = await load(do, store)
        assert (
            await asyncio.gather(
                *(read(do, store, body, size) for size in (30_000, 2**17, BLOCK_BYTES))
            )
            == [LARGE] * 3
        )


def _laid() -> dict[str, tuple[SyncShelf, BlockStore]]:
    laid = {}
    for kind, options in KINDS.items():
        shelf, store = SyncShelf(), made(**options)
        asyncio.run(put(doing(shelf), store, [LARGE]))
        laid[kind] = shelf, store
    return laid


LAID = _laid()


async def test_blocks_that_were_removed_were_all_of_them(do: Do, shelf: Shelf) -> None:
    """A draft that was given up in the middle, with its sums not written yet."""
    store = made(secret_key="secret")
    draft = await do(store.begin("a.1", entry()))
    for _ in range(3):
        await do(store.append(draft, [SAMPLE[: 2 * BLOCK_BYTES + 7]]))
    await do(store.forget(draft))
    assert [remove.count for remove in shelf.of(Remove)] == [6]
    assert shelf.blocks == {}
