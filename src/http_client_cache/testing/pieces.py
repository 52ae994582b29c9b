"""Bodies that are stored as they come and read in pieces; and stores that take them whole."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from http_client_cache.body import WHOLE_BYTES, KeptBody
from http_client_cache.store import Store
from http_client_cache.testing._contract import Contract, Do
from http_client_cache.testing.subject import NOW, entry

_RANDOM = random.Random(4)  # noqa: S311 - no secret is made of it
LARGE = b"".join(
    [
        *[_RANDOM.randbytes(204) + bytes(52) for _ in range(3 * WHOLE_BYTES // 256)],
        _RANDOM.randbytes(17),
    ]
)
"""More than is handed over whole; where bodies are compressed, it is a fifth shorter there."""

OTHER = LARGE[::-1]
STEP = 300_000
PIECES = [LARGE[start : start + STEP] for start in range(0, len(LARGE), STEP)]


async def draft_of(do: Do, store: Store, pieces: list[bytes], key: str = "a.1") -> Any:
    """A draft with these pieces."""
    draft = await do(store.begin(key, entry()))
    assert draft is not None, "begin answers None: this store is one for WholeBodiesContract"
    for piece in pieces:
        assert await do(store.append(draft, [piece])) is True
    return draft


async def put(do: Do, store: Store, body: bytes = LARGE, key: str = "a.1") -> KeptBody:
    """Save a body in pieces."""
    pieces = [body[start : start + STEP] for start in range(0, len(body), STEP)]
    draft = await draft_of(do, store, pieces, key)
    assert draft.size == len(body)
    kept: KeptBody = await do(store.save(key, entry(body=body), draft))
    return kept


async def read(do: Do, store: Store, body: Any) -> bytes:
    """All of a body, whatever kind it is."""
    if isinstance(body, bytes):
        return body
    found = bytearray()
    while len(found) < len(body):
        piece = await do(store.read(body, len(found), 200_000))
        assert 0 < len(piece) <= 200_000, "a read answers at least a byte, at most what is asked"
        found += piece
    return bytes(found)


async def load(do: Do, store: Store, key: str = "a.1") -> Any:
    """The body of a key that has one entry."""
    (found,) = await do(store.load(key))
    assert found.entry.body_size == len(found.body)
    return found.body


class PiecesContract(Contract):
    """A body of any size is stored as it comes, and read in pieces, with little memory.

    A store that takes bodies whole answers ``None`` when one begins, and does without this: see
    :class:`WholeBodiesContract`.
    """

    async def test_nobody_sees_a_draft(self, do: Do, store: Store) -> None:
        """Before it is saved it is no entry."""
        draft = await draft_of(do, store, PIECES[:5])
        assert await do(store.load("a.1")) == ()
        assert not await do(store.contains("a.1"))
        assert await do(store.size()) == 0
        assert await do(store.page("", 10)) == []
        await do(store.forget(draft))

    async def test_saved_it_is_read_as_it_came(self, do: Do, store: Store) -> None:
        """At once, later, and from a page; its bytes are counted."""
        kept = await put(do, store)
        assert await read(do, store, kept) == LARGE
        found = await load(do, store)
        assert isinstance(found, KeptBody)
        assert await read(do, store, found) == LARGE
        # And when it is where it belongs.
        assert await do(store.size()) == 1
        assert await read(do, store, await load(do, store)) == LARGE
        ((_, stored),) = await do(store.page("", 10, bodies=True))
        assert await read(do, store, stored.body) == LARGE
        size = stored.entry.stored_size
        assert 0.75 * len(LARGE) <= size <= len(LARGE)
        assert size <= await do(store.bytes_size()) < 1.01 * size + 4000

    async def test_any_part_of_it_can_be_read(self, do: Do, store: Store) -> None:
        """A part of a part as well: that is how ranges are answered."""
        kept = await put(do, store)
        part = kept[1_000_000:1_000_100]
        assert len(part) == 100
        assert await read(do, store, part) == LARGE[1_000_000:1_000_100]
        assert await read(do, store, part[10:]) == LARGE[1_000_010:1_000_100]
        assert len(part[50:10]) == 0
        assert await read(do, store, kept[-1000:]) == LARGE[-1000:]
        assert await read(do, store, kept[250_000:1_250_000]) == LARGE[250_000:1_250_000]

    async def test_tiny_pieces_are_put_together(self, do: Do, store: Store) -> None:
        """They come as the network brings them, empty ones among them."""
        body = LARGE[: WHOLE_BYTES + 5000]
        tiny = [body[start : start + 100] for start in range(0, 5000, 100)]
        draft = await do(store.begin("a.1", entry()))
        assert await do(store.append(draft, [b"", *tiny, b""])) is True
        assert await do(store.append(draft, [body[5000:]])) is True
        await do(store.save("a.1", entry(body=body), draft))
        assert await read(do, store, await load(do, store)) == body

    async def test_many_read_one_at_their_own_pace(self, do: Do, store: Store) -> None:
        """A handle has no place of its own."""
        kept = await put(do, store)
        places = dict.fromkeys(range(5), 0)
        found = dict.fromkeys(places, b"")
        while places:
            reader = _RANDOM.choice(list(places))
            piece = await do(store.read(kept, places[reader], 100_000 * (reader + 1)))
            found[reader] += piece
            places[reader] += len(piece)
            if places[reader] == len(LARGE):
                del places[reader]
        assert all(body == LARGE for body in found.values())

    @pytest.mark.parametrize("way", ["replace", "drop", "delete", "clear", "sweep", "small"])
    async def test_it_is_read_to_its_end_whatever_becomes_of_it(
        self, do: Do, store: Store, way: str
    ) -> None:
        """Who has begun to read must not be given half of it, or another one."""
        await put(do, store)
        assert await do(store.size()) == 1
        kept = await load(do, store)
        begun = await do(store.read(kept, 0, 1000))
        if way == "replace":
            await put(do, store, OTHER)
        elif way == "small":
            await do(store.save("a.1", entry(body=b"small"), b"small"))
        elif way == "drop":
            assert await do(store.drop([("a.1", "")])) == 1
        elif way == "delete":
            assert await do(store.delete(["a.1"])) == 1
        elif way == "clear":
            await do(store.clear())
        else:
            (found,) = await do(store.load("a.1"))
            expired = msgspec.structs.replace(found.entry, expires=NOW + 1)
            assert await do(store.freshen([("a.1", "", expired)])) == 1
            assert await do(store.sweep(NOW + 2, 10)) == 1
        assert await do(store.size()) == (way in {"replace", "small"})
        assert begun + await read(do, store, kept[len(begun) :]) == LARGE
        if way == "replace":
            assert await read(do, store, await load(do, store)) == OTHER
        elif way == "small":
            assert await load(do, store) == b"small"
        else:
            assert await do(store.load("a.1")) == ()
            assert await do(store.bytes_size()) == 0

    async def test_forgotten_it_leaves_nothing(self, do: Do, store: Store) -> None:
        """A body broke off; the same key may be saved afterwards."""
        draft = await draft_of(do, store, PIECES[:6])
        await do(store.forget(draft))
        assert await do(store.size()) == 0
        assert await do(store.bytes_size()) == 0
        await put(do, store)
        assert await read(do, store, await load(do, store)) == LARGE

    async def test_two_drafts_of_one_key_are_two_bodies(self, do: Do, store: Store) -> None:
        """The one that is saved last counts."""
        one = await draft_of(do, store, PIECES[:4])
        await put(do, store, OTHER)
        assert await read(do, store, await load(do, store)) == OTHER
        for piece in PIECES[4:]:
            assert await do(store.append(one, [piece])) is True
        await do(store.save("a.1", entry(body=LARGE), one))
        assert await read(do, store, await load(do, store)) == LARGE
        assert await do(store.size()) == 1

    async def test_its_metadata_may_change_while_it_comes(self, do: Do, store: Store) -> None:
        """A part that turns out to be the whole is stored with fewer fields, as another variant."""
        told = (*entry().headers, (b"Content-Range", b"bytes 0-9/10"))
        begun = msgspec.structs.replace(entry(), headers=told)
        draft = await do(store.begin("a.1", begun, variant="part"))
        for piece in PIECES:
            assert await do(store.append(draft, [piece])) is True
        await do(store.save("a.1", entry(body=LARGE), draft))
        assert await do(store.size()) == 1
        assert await read(do, store, await load(do, store)) == LARGE

    async def test_a_sweep_spares_what_is_being_written(self, do: Do, store: Store) -> None:
        """It removes drafts of writers that have died, and only those."""
        await do(store.save("a.2", entry(), b""))
        draft = await draft_of(do, store, PIECES[:6])
        await do(store.sweep(NOW - 1000, 10))
        for piece in PIECES[6:]:
            assert await do(store.append(draft, [piece])) is True
        await do(store.save("a.1", entry(body=LARGE), draft))
        await do(store.sweep(NOW - 1000, 10))
        assert await read(do, store, await load(do, store)) == LARGE

    async def test_freshened_it_keeps_its_body(self, do: Do, store: Store) -> None:
        """Only metadata is written anew."""
        await put(do, store)
        (found,) = await do(store.load("a.1"))
        changed = msgspec.structs.replace(found.entry, headers=((b"ETag", b'"2"'),))
        assert await do(store.freshen([("a.1", "", changed)])) == 1
        assert await do(store.size()) == 1
        (found,) = await do(store.load("a.1"))
        assert found.entry == changed
        assert await read(do, store, found.body) == LARGE

    async def test_a_large_body_at_hand_is_as_good(self, do: Do, store: Store) -> None:
        """One that came whole, though it is large."""
        kept = await do(store.save("a.1", entry(body=LARGE), LARGE))
        assert await read(do, store, kept) == LARGE
        assert await do(store.size()) == 1
        assert await read(do, store, await load(do, store)) == LARGE


class WholeBodiesContract(Contract):
    """For a store that is given bodies whole, and hands them over whole."""

    async def test_large_bodies_come_and_go_whole(self, do: Do, store: Store) -> None:
        """They are in memory as long as they are on their way."""
        assert await do(store.begin("a.1", entry())) is None
        assert await do(store.save("a.1", entry(body=LARGE), LARGE)) == LARGE
        for _ in range(2):
            assert await load(do, store) == LARGE
            assert await do(store.size()) == 1
