"""One history of :class:`~http_client_cache.testing.ModelContract`, told to store and model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from http_client_cache.body import WHOLE_BYTES, AnyBody, KeptBody
from http_client_cache.entry import Entry, Stored
from http_client_cache.store import FRUITLESS_SECONDS, NOBODY, Store
from http_client_cache.testing._model import Model, Place, is_at
from http_client_cache.testing._steps import Step, told
from http_client_cache.testing.subject import NOW, alias, entry

Run = Callable[[str, Any], Any]
"""Runs a plan in a colour; the first that there is, where that one is not."""

COLOUR: Final = st.sampled_from(["sync", "async"])
KEY: Final = st.sampled_from(["a.1", "a.2", "ab.1"])
LOCATOR: Final = st.sampled_from(["a", "ab", None])
VARIANT: Final = st.sampled_from(["", "de"])
PLACE: Final = st.tuples(KEY, VARIANT)
CREATED: Final = st.integers(0, 5)
EXPIRES: Final = st.none() | st.integers(0, 20)
SIZE: Final = st.sampled_from([0, 10, 1000, 300_000])
NAME: Final = st.sampled_from(["a.1", "a.1 de"])
OWNER: Final = st.sampled_from(["A", "B"])
LARGE: Final = WHOLE_BYTES + 100_000


class Traits(NamedTuple):
    """What not every store has.

    Attributes:
        keeps_variants: several entries for one key.
        has_leases: one owner at a time.
    """

    keeps_variants: bool
    has_leases: bool


class History(RuleBasedStateMachine):
    """One history: the store begins empty, whatever the one before has left in it."""

    def __init__(
        self, store: Store, run: Run, traits: Traits, failed: list[Sequence[Step]]
    ) -> None:
        super().__init__()
        self.failed = failed
        self.steps: list[Step] = []
        self.store = store
        self.run = run
        self.traits = traits
        self.model = Model()
        self.count = 0
        self.now = NOW
        self.fruitless_until: dict[str, float] = {}
        self.come: list[tuple[Place, Entry, bytes, Any]] = []
        self.reading: list[tuple[KeptBody, bytes]] = []
        run("async", store.clear())

    def teardown(self) -> None:
        if isinstance(sys.exc_info()[1], Exception):
            self.failed.append(self.steps)

    def name(self, variant: str) -> str:
        return variant if self.traits.keeps_variants else ""

    @initialize(do=COLOUR, created=CREATED)
    @told
    def begin_with_something(self, do: str, created: int) -> None:
        self.put(do, "a.1", "", 1000, created, 8)
        self.put(do, "ab.1", "de", 300_000, created + 1, None)
        self.put(do, "ab.1", "", 10, created, 3)
        led = alias("ab.1")
        self.run(do, self.store.link("a.2", led))
        self.model.aliases["a.2"] = led

    # What is written.

    @rule(do=COLOUR, key=KEY, variant=VARIANT, size=SIZE, created=CREATED, expires=EXPIRES)
    @told
    def save(
        self, do: str, key: str, variant: str, size: int, created: int, expires: int | None
    ) -> None:
        self.put(do, key, variant, size, created, expires)

    def put(
        self, do: str, key: str, variant: str, size: int, created: int, expires: int | None
    ) -> None:
        body = self.body(size)
        made = self.made(body, created, expires)
        variant = self.name(variant)
        answer = self.run(do, self.store.save(key, made, body, variant=variant))
        assert self.whole(do, answer) == body
        self.model.save((key, variant), made, body)
        self.look(do, key)

    @rule(do=COLOUR, key=KEY, size=SIZE, created=st.lists(CREATED, min_size=2, max_size=2))
    @told
    def save_two(self, do: str, key: str, size: int, created: list[int]) -> None:
        for variant, number in zip(("", "de"), created, strict=True):
            self.put(do, key, variant, size, number, 8)

    @rule(do=COLOUR, place=PLACE, created=CREATED, expires=EXPIRES, to_its_end=st.booleans())
    @told
    def save_in_pieces(
        self, do: str, place: Place, created: int, expires: int | None, to_its_end: bool
    ) -> None:
        key, variant = place[0], self.name(place[1])
        body = self.body(LARGE)
        made = self.made(body, created, expires)
        begun = msgspec.structs.replace(made, body_size=0)
        draft = self.run(do, self.store.begin(key, begun, variant=variant))
        if draft is not None:
            for start in range(0, len(body), 400_000):
                assert self.run(do, self.store.append(draft, [body[start : start + 400_000]]))
        self.come.append(((key, variant), made, body, draft))
        if to_its_end:
            self.publish(do)

    @precondition(lambda self: bool(self.come))
    @rule(do=COLOUR)
    @told
    def save_what_has_come(self, do: str) -> None:
        if self.come:
            self.publish(do)

    def publish(self, do: str) -> None:
        (key, variant), made, body, draft = self.come.pop()
        come = body if draft is None else draft
        answer = self.run(do, self.store.save(key, made, come, variant=variant))
        assert self.whole(do, answer) == body
        self.model.save((key, variant), made, body)
        self.look(do, key)

    @precondition(lambda self: bool(self.come))
    @rule(do=COLOUR)
    @told
    def forget(self, do: str) -> None:
        if not self.come:
            return
        *_, draft = self.come.pop(0)
        if draft is not None:
            self.run(do, self.store.forget(draft))

    @rule(do=COLOUR, key=KEY, created=CREATED, expires=EXPIRES, same=st.booleans())
    @told
    def freshen(self, do: str, key: str, created: int, expires: int | None, same: bool) -> None:
        changes: list[tuple[str, str, Entry]] = [("nothing", "", entry())]
        for stored in self.run(do, self.store.load(key)):
            old = stored.entry
            fresh = msgspec.structs.replace(
                old, created=NOW + created, expires=None if expires is None else NOW + expires
            )
            if not same:
                # As if another body had been saved since it was loaded.
                fresh = msgspec.structs.replace(fresh, arrived=old.arrived + 1)
            changes.append((key, stored.variant, fresh))
        expected = sum([self.model.freshen(change) for change in changes])
        assert self.run(do, self.store.freshen(changes)) == expected
        self.look(do, key)

    @rule(do=COLOUR, key=KEY, to=KEY)
    @told
    def link(self, do: str, key: str, to: str) -> None:
        led = alias(to, created=NOW + self.count)
        self.run(do, self.store.link(key, led))
        self.model.aliases[key] = led
        self.look(do, key)

    # What is deleted.

    @rule(do=COLOUR, keys=st.lists(KEY, max_size=3))
    @told
    def delete(self, do: str, keys: list[str]) -> None:
        least, most = self.model.delete(keys)
        assert least <= self.run(do, self.store.delete(keys)) <= most
        self.settle(do, [key for key, led in self.model.lost() if led.target in keys])
        self.look(do, *keys)

    @rule(do=COLOUR, places=st.lists(PLACE, max_size=4))
    @told
    def drop(self, do: str, places: list[Place]) -> None:
        named = [(key, self.name(variant)) for key, variant in places]
        expected = self.model.drop(named)
        assert self.run(do, self.store.drop(iter(named))) == expected
        keys = {key for key, _ in named}
        self.settle(do, [key for key, led in self.model.lost() if led.target in keys])
        self.look(do, *keys)

    @rule(do=COLOUR, locator=LOCATOR)
    @told
    def purge_or_clear(self, do: str, locator: str | None) -> None:
        if locator is None:
            self.run(do, self.store.clear())
            self.model = Model()
            return
        least, most = self.model.purge(locator)
        assert least <= self.run(do, self.store.purge(locator)) <= most
        self.settle(do, [key for key, led in self.model.lost() if is_at(led.target, locator)])

    def settle(self, do: str, keys: list[str]) -> None:
        """Some aliases lead nowhere to what was deleted; they may have gone along, or stay."""
        if keys:
            left = dict(self.run(do, self.store.links("", 100)))
            self.model.forget_lost(
                but={key for key, _ in self.model.lost() if key not in keys} | set(left)
            )

    @rule(do=COLOUR, wait=st.sampled_from([0, 3, 10]), limit=st.sampled_from([1, 2, 100]))
    @told
    def sweep(self, do: str, wait: float, limit: int) -> None:
        self.now += wait
        answer = self.run(do, self.store.sweep(self.now, limit))
        due = self.model.due(self.now)
        assert answer == min(len(due), limit)
        if answer < limit:
            self.model.drop(due)
            self.model.forget_lost()
        else:
            # Which of them went is the store's choice, and which aliases that led nowhere before.
            left = {(stored.key, stored.variant) for stored in self.page(do)}
            gone = [place for place in due if place not in left]
            assert len(gone) == limit
            for place in gone:
                del self.model.entries[place]
            self.model.forget_lost(but=dict(self.run(do, self.store.links("", 100))))

    # What is read.

    def look(self, do: str, *keys: str) -> None:
        for key in keys:
            for follow in (True, False):
                found = self.run(do, self.store.load(key, follow=follow))
                told = [self.shown(do, stored) for stored in found]
                assert told == self.model.load(key, follow=follow)
            assert self.run(do, self.store.contains(key, follow=True)) == bool(
                self.model.load(key, follow=True)
            )

    @rule(do=COLOUR, key=KEY)
    @told
    def load(self, do: str, key: str) -> None:
        self.look(do, key)
        locator = key.partition(".")[0]
        answer = self.run(do, self.store.has_locator(locator))
        assert answer == self.model.has_locator(locator)

    @rule(do=COLOUR, key=KEY)
    @told
    def begin_to_read(self, do: str, key: str) -> None:
        for stored in self.run(do, self.store.load(key)):
            if isinstance(stored.body, KeptBody):
                body = self.model.entries[stored.key, stored.variant][1]
                self.reading = [*self.reading[-1:], (stored.body, body)]

    @rule(do=COLOUR, limit=st.integers(1, 4))
    @told
    def pages(self, do: str, limit: int) -> None:
        told = [self.shown(do, stored) for stored in self.page(do, limit, bodies=True)]
        assert sorted(told, key=place_of) == self.model.rows()
        size = self.run(do, self.store.bytes_size())
        if self.model.entries or self.model.aliases:
            known = sum([stored.entry.stored_size for stored in self.page(do)])
            assert size > known
        else:
            assert size == 0

    @invariant()
    def what_is_there(self) -> None:
        do = "async" if self.count % 2 else "sync"
        told = [plain(stored.entry) for stored in sorted(self.page(do), key=place_of)]
        assert told == [stored.entry for stored in self.model.rows()]
        assert self.run(do, self.store.size()) == len(self.model.entries)
        assert self.run(do, self.store.links("", 100)) == sorted(self.model.aliases.items())
        assert self.run(do, self.store.links_size()) == len(self.model.aliases)
        for body, expected in self.reading:
            # Whatever has become of its entry.
            assert (
                self.whole(do, body[:9]) + self.whole(do, body[-9:]) == expected[:9] + expected[-9:]
            )

    # Leases. Real time passes as well, so theirs is counted in minutes.

    @precondition(lambda self: self.traits.has_leases)
    @rule(
        do=COLOUR,
        wait=st.sampled_from([0, 30, 90]),
        name=NAME,
        owner=OWNER,
        seconds=st.sampled_from([60, 600]),
    )
    @told
    def claim(self, do: str, wait: float, name: str, owner: str, seconds: float) -> None:
        self.now += wait
        expected = self.model.claim(name, owner, self.now, seconds)
        answer = self.run(do, self.store.claim(name, owner, self.now, seconds))
        if (
            expected == NOBODY
            and answer == owner
            and time.monotonic() >= self.fruitless_until[name]
        ):
            # What the server keeps for a second has left.
            del self.model.leases[name]
            expected = self.model.claim(name, owner, self.now, seconds)
        assert answer == expected
        assert self.run(do, self.store.holder(name, self.now)) == expected

    @precondition(lambda self: self.traits.has_leases)
    @rule(do=COLOUR, name=NAME, owner=OWNER, fruitless=st.booleans())
    @told
    def release(self, do: str, name: str, owner: str, fruitless: bool) -> None:
        self.fruitless_until[name] = time.monotonic() + FRUITLESS_SECONDS
        self.run(do, self.store.release(name, owner, self.now, fruitless=fruitless))
        self.model.release(name, owner, self.now, fruitless=fruitless)
        expected = self.model.holder(name, self.now)
        # It may be answered before it is done.
        until = time.monotonic() + (0.5 if self.failed else 5)
        while (holder := self.run(do, self.store.holder(name, self.now))) != expected:
            if time.monotonic() > until:
                raise AssertionError(f"{name!r} is held by {holder!r} instead of {expected!r}")
            time.sleep(0.001)

    # How it is told.

    def made(self, body: bytes, created: int, expires: int | None) -> Entry:
        ends = None if expires is None else NOW + expires
        kept = entry(body=body, created=NOW + created, expires=ends)
        return msgspec.structs.replace(kept, arrived=NOW + self.count)

    def body(self, size: int) -> bytes:
        """A new one, and the same in each run of the same history."""
        self.count += 1
        text = b"%d " % self.count
        return (text * (size // len(text) + 1))[:size]

    def page(self, do: str, limit: int = 100, *, bodies: bool = False) -> list[Stored]:
        told: list[Stored] = []
        after = ""
        while page := self.run(do, self.store.page(after, limit, bodies=bodies)):
            assert len(page) <= limit
            told += [stored for _, stored in page]
            assert after != page[-1][0]
            after = page[-1][0]
        return told

    def shown(self, do: str, stored: Stored) -> Stored:
        """As the model has it: the body whole, the entry without what only the store needs."""
        return stored._replace(entry=plain(stored.entry), body=self.whole(do, stored.body))

    def whole(self, do: str, body: AnyBody) -> bytes:
        if isinstance(body, bytes):
            return body
        pieces: list[bytes] = []
        start = 0
        while start < len(body):
            piece = self.run(do, self.store.read(body, start, 700_000))
            assert 0 < len(piece) <= 700_000
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)


def plain(kept: Entry) -> Entry:
    return msgspec.structs.replace(kept, packed=None)


def place_of(stored: Stored) -> Place:
    return stored.key, stored.variant
