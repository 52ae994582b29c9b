"""Limits, and what leaves by itself: what every store with limits promises, in both colours."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_client_cache.clock import Clock
from http_client_cache.limits import Limits, Retention
from http_client_cache.settings import Settings
from tests.stores.subjects import (
    COLOURS,
    NOW,
    Subject,
    alias,
    entry,
    files,
    memory,
    sqlite,
    standing_clock,
)
from tests.support.clock import StandingClock

HOUR = 3600.0
KINDS: dict[str, Callable[..., Subject]] = {
    "memory": memory,
    "sqlite": sqlite,
    "files": files,
}


class Cache:
    """A store of some kind, in some colour, and its clock."""

    def __init__(self, subject: Subject, colour: Callable[..., Awaitable[Any]]) -> None:
        self.subject = subject
        self._colour = colour
        self.store = subject.store

    async def do(self, plan: Any) -> Any:
        return await self._colour(self.subject, plan)

    async def save(
        self, *keys: str, size: int = 10, expires: float | None = None, **fields: Any
    ) -> None:
        for key in keys:
            body = bytes(size)
            made = msgspec.structs.replace(entry(body=body, expires=expires), **fields)
            await self.do(self.store.save(key, made, body))

    async def load(self, *keys: str) -> None:
        for key in keys:
            assert await self.do(self.store.load(key, follow=True)), key

    async def keys(self) -> str:
        page = await self.do(self.store.page("", 10_000))
        return "".join(sorted(stored.key for _, stored in page))

    async def size(self) -> int:
        size: int = await self.do(self.store.size())
        return size

    async def bytes(self) -> int:
        size: int = await self.do(self.store.bytes_size())
        return size


@pytest.fixture
def clock() -> StandingClock:
    return standing_clock()


Make = Callable[..., Cache]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[..., Subject]:
    return KINDS[request.param]


@pytest.fixture(params=COLOURS)
async def make(
    request: pytest.FixtureRequest,
    kind: Callable[..., Subject],
    tmp_path: Path,
    clock: StandingClock,
) -> AsyncIterator[Make]:
    """Makes caches; a new folder for each."""
    made: list[Cache] = []

    def make(**limits: Any) -> Cache:
        folder = tmp_path / str(len(made))
        cache = Cache(kind(folder, **{"clock": clock, **limits}), COLOURS[request.param])
        made.append(cache)
        return cache

    yield make
    for cache in made:
        await cache.subject.async_shell.close()


async def test_what_was_used_least_recently_goes_first(make: Make) -> None:
    cache = make(max_entries=3)
    await cache.save(*"abc")
    await cache.load("a")
    await cache.save("d")
    assert await cache.keys() == "acd"
    await cache.save("c", "e")
    assert await cache.keys() == "cde"


async def test_what_an_alias_leads_to_is_used(make: Make) -> None:
    cache = make(max_entries=3)
    await cache.save(*"abc")
    await cache.do(cache.store.link("led", alias("a")))
    await cache.load("led")
    await cache.save("d")
    assert await cache.keys() == "acd"


async def test_to_look_whether_something_is_there_is_no_use(make: Make) -> None:
    cache = make(max_entries=2)
    await cache.save(*"ab")
    assert await cache.do(cache.store.contains("a", follow=True))
    await cache.save("c")
    assert await cache.keys() == "bc"


async def test_to_freshen_is_no_use(make: Make) -> None:
    cache = make(max_entries=3)
    await cache.save(*"abc")
    changes = [(key, "", entry(body=bytes(10), created=NOW + 1)) for key in "ba"]
    assert await cache.do(cache.store.freshen(changes)) == 2
    await cache.save("d")
    assert await cache.keys() == "bcd"


async def test_what_was_used_before_it_was_written_down_is_known_later(
    make: Make, clock: StandingClock
) -> None:
    cache = make(max_entries=3)
    await cache.save(*"abc")
    for keys in ("a", "b", "ab", "ba"):
        clock.advance(seconds=5)
        await cache.load(*keys)
    await cache.save("d", "e")
    assert await cache.keys() == "ade"


async def test_what_has_expired_goes_first_of_all(
    make: Make, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    cache = make(max_entries=3)
    await cache.save("a")
    await cache.save("b", expires=NOW + 20)
    await cache.save("c", expires=NOW + 10)
    clock.advance(seconds=30)
    await cache.load("b", "c")
    await cache.save("d")
    assert await cache.keys() == "abd"
    await cache.save("e")
    assert await cache.keys() == "ade"
    assert not caplog.records
    await cache.save("f", "g")
    assert await cache.keys() == "efg"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "max_entries=3" in record.getMessage()


async def test_there_is_never_more_than_the_limit(make: Make) -> None:
    cache = make(max_entries=10)
    for number in range(100):
        await cache.save(str(number % 50))
        assert await cache.size() <= 10
    assert await cache.size() == 10


async def test_without_room_for_one_nothing_is_kept(make: Make) -> None:
    for limits in ({"max_entries": 0}, {"max_bytes": 0}, {"max_bytes": 100}):
        cache = make(**limits)
        await cache.save(*"ab")
        assert await cache.keys() == ""
        assert await cache.bytes() == 0


async def test_bytes_are_limited(make: Make) -> None:
    cache = make(max_bytes=100_000)
    for number in range(100):
        await cache.save(str(number), size=20_000 if number % 3 else 70_000)
        await cache.do(cache.store.link(f"to {number}", alias(str(number))))
        assert await cache.size() > 0
        assert await cache.bytes() <= 100_000
    await cache.load("99")


async def test_what_is_too_large_is_not_kept_and_neither_is_what_it_replaces(make: Make) -> None:
    cache = make(max_bytes=50_000)
    await cache.save("a", "b")
    await cache.save("a", "c", size=60_000)
    assert await cache.keys() == "b"


async def test_bytes_are_those_of_what_is_there(make: Make, clock: StandingClock) -> None:
    cache, again = make(max_entries=5, max_bytes=400_000), make(max_entries=None, max_bytes=None)
    for number, key in enumerate("abcdefgabchijklmaamno"):
        await cache.save(key, size=number * 3000, url=f"https://example.org/{'x' * number}")
        await cache.do(cache.store.link(f"to {key}", alias(key)))
        made = entry(body=bytes(number * 3000), expires=NOW + 10)
        await cache.do(cache.store.freshen([(key, "", made)]))
        if number % 5 == 0:
            await cache.do(cache.store.delete([key]))
    assert await cache.size() > 1
    for _, stored in await cache.do(cache.store.page("", 100, bodies=True)):
        await again.do(again.store.save(stored.key, stored.entry, stored.body))
    for key, link in await cache.do(cache.store.links("", 100)):
        await again.do(again.store.link(key, link))
    assert await cache.bytes() == await again.bytes() > 10_000
    await cache.do(cache.store.purge("n"))
    await cache.do(cache.store.clear())
    assert await cache.bytes() == 0
    clock.advance(days=1)
    await again.do(again.store.sweep(clock.time(), 100))
    assert await again.bytes() == 0


async def test_aliases_are_limited(make: Make) -> None:
    cache = make(max_entries=3)
    await cache.save("a")
    for number in range(10):
        await cache.do(cache.store.link(str(number), alias("a")))
        assert await cache.do(cache.store.links_size()) <= 3
    assert [key for key, _ in await cache.do(cache.store.links("", 10))] == ["7", "8", "9"]
    few = make(max_bytes=50_000)
    await few.save("a")
    for number in range(1000):
        await few.do(few.store.link(str(number), alias("nowhere")))
    assert await few.bytes() <= 50_000
    assert await few.do(few.store.links_size()) > 10


async def test_what_has_expired_leaves_an_hour_later(make: Make, clock: StandingClock) -> None:
    cache = make()
    await cache.save("a", expires=NOW + 10)
    await cache.save("b")
    await cache.save("c", expires=NOW + 10, stale_if_error=500)
    clock.advance(seconds=HOUR + 9)
    await cache.save("d")
    assert await cache.keys() == "abcd"
    clock.advance(seconds=20)
    await cache.save("e")
    assert await cache.keys() == "bcde"
    clock.advance(seconds=500)
    await cache.save("f")
    assert await cache.keys() == "bdef"
    clock.advance(days=1000)
    await cache.save("g")
    assert await cache.keys() == "bdefg"


async def test_what_comes_expired_stays_for_an_hour(make: Make, clock: StandingClock) -> None:
    cache = make()
    await cache.save("a", expires=0.0)
    clock.advance(seconds=HOUR - 20)
    await cache.save("b")
    assert await cache.keys() == "ab"
    clock.advance(seconds=30)
    await cache.save("c")
    assert await cache.keys() == "bc"


async def test_what_is_good_again_stays(make: Make, clock: StandingClock) -> None:
    cache = make()
    await cache.save(*"ab", expires=NOW + 10)
    fresh = entry(body=bytes(10), created=NOW + 20, expires=NOW + 10 * HOUR)
    await cache.do(cache.store.freshen([("a", "", fresh)]))
    clock.advance(seconds=2 * HOUR)
    await cache.save("c")
    assert await cache.keys() == "ac"
    for_ever = entry(body=bytes(10), created=NOW + 20)
    await cache.do(cache.store.freshen([("a", "", for_ever)]))
    clock.advance(days=1000)
    await cache.save("d")
    assert await cache.keys() == "acd"


async def test_what_has_left_goes_a_few_at_a_time(make: Make, clock: StandingClock) -> None:
    cache = make()
    for number in range(700):
        await cache.save(f"a{number}", expires=NOW + 10)
    sizes = [await cache.size()]
    clock.advance(seconds=2 * HOUR)
    number = 0
    while await cache.size() > number:
        await cache.save(f"b{number}")
        number += 1
        sizes.append(await cache.size())
    assert max(before - after for before, after in pairwise(sizes)) <= 256
    # Sooner than others come.
    assert number <= 200


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, HOUR),
        ({"keep_expired": 0}, 0.0),
        ({"keep_expired": 60}, 60.0),
        ({"stale_if_error": 500, "stale_while_revalidate": 900}, 900 + HOUR),
        ({"urls_stale_if_error": {"example.org": 700}, "keep_expired": 5}, 705.0),
        ({"urls_stale_if_error": {"example.com": 700}, "keep_expired": 5}, 5.0),
        ({"keep_expired": True}, None),
        ({"stale_while_revalidate": True}, None),
    ],
)
def test_until_when_something_is_kept(settings: dict[str, Any], seconds: float | None) -> None:
    retention = Retention(Settings(**settings), Clock())
    assert retention.leaves(entry()) is None
    leaves = retention.leaves(entry(created=NOW, expires=NOW + 10))
    assert leaves == (None if seconds is None else NOW + 10 + seconds)


def test_limits_tell_what_they_are() -> None:
    assert str(Limits(3, None)) == "max_entries=3"
    assert str(Limits(None, 5)) == "max_bytes=5"
    assert str(Limits()) == "no limit"
    assert not Limits().any
    assert Limits(0).any
