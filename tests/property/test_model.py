"""A model of a cache: histories of requests, answers and clocks, held against an oracle."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from http_client_cache.message import Headers
from http_client_cache.served import Forwarded, Hit
from tests.property.model_histories import Chance, Step
from tests.property.model_oracle import House, Oracle
from tests.property.model_origin import Ask, Say
from tests.property.model_world import Seen, World


def play(house: House, history: list[Step]) -> None:
    """Let it all happen, and judge every answer."""
    world = World(**house._asdict())
    oracle = Oracle(world.origin, house)
    for step in history:
        world.clock.now += step.moved
        if step.edited is not None:
            path, page = step.edited
            world.origin.edit(path, **page)
        if step.read:
            world.read_to_the_end()
        seen = world.serve(step.ask, step.says, step.meanwhile)
        for each in (*world.overtaking, seen):
            oracle.check(each)
        world.overtaking.clear()
        refreshed = world.refresh()
        if not step.meanwhile and not refreshed:
            serves_again(world, oracle, seen)


def serves_again(world: World, oracle: Oracle, seen: Seen) -> None:
    """What has just been stored, and is fresh, answers the same request."""
    sent = seen.sent[-1] if seen.sent else None
    plain = seen.ask.plain == seen.ask and seen.ask.method == "GET"
    if sent is None or not plain or sent.status not in (200, 203, 304, 404, 410):
        return
    say, shown, user = sent.say, sent.shown, seen.ask.user
    if oracle.forbidden(sent) or {"no-cache", "must-understand"} & set(say.flags):
        return
    if say.body != "whole" or shown.vary == "*" or oracle.left(sent, 200, seen.now) <= 0:
        return
    if say.said("max-age") is None and sent.expires is None:
        return
    shares = {"public", "must-revalidate"} & set(say.flags) or say.said("s-maxage") is not None
    if oracle.house.shared and user is not None and not shares:
        return
    if isinstance(seen.served, Hit) and _number(seen.served) != sent.number:
        # The 304 was not one that could be taken over.
        return
    again = world.serve(seen.ask)
    assert isinstance(again.served, Hit), f"fresh, but {again.served}"
    assert not again.sent
    assert _number(again.served) == sent.number
    oracle.check(again)


def _number(hit: Hit) -> int:
    return int(Headers(hit.stored.entry.headers).get("x-answer") or "")


@st.composite
def histories(draw: st.DrawFn) -> tuple[House, list[Step]]:
    chance = Chance(lambda number: draw(st.integers(0, number - 1)))
    return chance.house(), chance.history(8)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_histories(history: tuple[House, list[Step]]) -> None:
    play(*history)


@pytest.mark.parametrize("seed", range(8))
def test_long_histories(seed: int) -> None:
    many(seed, 400)


@pytest.mark.soak
def test_many_histories() -> None:
    until = time.monotonic() + 60 * float(os.environ.get("SOAK_SCALE", "1"))
    while time.monotonic() < until:
        many(random.randrange(2**32), 1000)


def many(seed: int, count: int) -> None:
    """So many histories; a failure tells the one that it is about."""
    chance = Chance(random.Random(seed).randrange)
    for _ in range(count):
        house, history = chance.house(), chance.history(16)
        try:
            play(house, history)
        except AssertionError as error:
            error.add_note("\n".join(map(repr, [house, *shortened(house, history)])))
            raise


def shortened(house: House, history: list[Step]) -> list[Step]:
    """The same less what it takes not to fail: Hypothesis does better, but not that fast."""
    for index in reversed(range(len(history))):
        less = history[:index] + history[index + 1 :]
        try:
            play(house, less)
        except AssertionError:
            history = less
    return history


def test_histories_are_served_from_the_cache_now_and_then() -> None:
    """Else the laws above would hold of a cache that stores nothing."""
    world = World()
    fresh = (Say(seconds=(("max-age", 10),)),)
    assert isinstance(world.serve(Ask(), fresh).served, Forwarded)
    assert isinstance(world.serve(Ask()).served, Hit)
