"""Any history of requests and answers keeps the promises of RFC 9111.

The origin numbers each of its messages, so that whatever is served tells which of them it was made
of, or last validated by. What must hold is then told in a few lines, without a word about how.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faces.rfc9111.web import LOST, ROUTES, Seen, Web, opener
from tests.support.clock import StandingClock
from tests.support.scripted import Received, Reply, ScriptedOrigin, reply

POLICIES: Final = (
    "max-age=30",
    "max-age=30, must-revalidate",
    "max-age=30, stale-if-error=20",
    "max-age=30, stale-while-revalidate=20",
    "max-age=0",
    "no-cache",
    "no-cache, max-age=30",
    "no-store",
    "max-age=30, private",
    "",
)
ASKED: Final = (
    "",
    *("max-age=10", "max-age=0", "min-fresh=10", "max-stale", "max-stale=10"),
    *("no-cache", "no-store", "only-if-cached", "only-if-cached, max-stale"),
)
PATHS: Final = ("/plain", "/vary", "/untagged")


@dataclass(frozen=True)
class Sent:
    """A message of the origin's."""

    serial: int
    path: str
    variant: str
    version: int
    policy: str
    time: float
    method: str
    status: int


@dataclass
class World:
    """The resources, and all that was ever said of them."""

    clock: StandingClock
    version: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PATHS, 1))
    policy: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PATHS, "max-age=30"))
    sent: list[Sent] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    broken: bool = False

    def body(self, path: str, variant: str, version: int) -> str:
        return f"{path} {variant} {version:05}"

    def answer(self, request: Received) -> Reply:
        path = request.path
        variant = request.headers.get("X-A", "-") if path == "/vary" else "-"
        if request.method == "PUT" and not self.broken:
            self.version[path] += 1
        version, policy = self.version[path], self.policy[path]
        tag = f'"{variant}{version}"'
        tags = [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
        matched = path != "/untagged" and tag in tags and request.method in ("GET", "HEAD")
        status = 503 if self.broken else 304 if matched else 200
        made = Sent(
            len(self.sent),
            path,
            variant,
            version,
            policy,
            self.clock.time(),
            request.method,
            status,
        )
        self.sent.append(made)
        if request.method == "PUT" and status == 200:
            self.changed[path] = made.serial
        lines = [f"X-Serial: {made.serial}"]
        if status == 503:
            return reply(*lines, status=status)
        lines.append(f"Cache-Control: {policy}")
        if path == "/vary":
            lines.append("Vary: X-A")
        if path != "/untagged":
            lines.append(f"ETag: {tag}")
        return self.framed(request, made, lines)

    def framed(self, request: Received, made: Sent, lines: list[str]) -> Reply:
        body = self.body(made.path, made.variant, made.version)
        asked = request.headers.get("Range")
        condition = request.headers.get("If-Range")
        if asked is None or made.status != 200 or request.method != "GET":
            return reply(*lines, status=made.status, body=body)
        if condition is not None and f"ETag: {condition}" not in lines:
            return reply(*lines, body=body)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        stop = min(int(last) + 1, len(body)) if last else len(body)
        told = f"Content-Range: bytes {first}-{stop - 1}/{len(body)}"
        return reply(*lines, told, status=206, body=body[int(first) : stop])


@dataclass(frozen=True)
class Get:
    path: str
    asked: str
    variant: str
    method: str = "GET"
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Put:
    path: str


@dataclass(frozen=True)
class Say:
    path: str
    policy: str


@dataclass(frozen=True)
class Wait:
    seconds: int


@dataclass(frozen=True)
class Fail:
    how: str


@dataclass(frozen=True)
class AtOnce:
    gets: list[Get]


gets = st.builds(
    Get,
    st.sampled_from(PATHS),
    st.sampled_from(ASKED),
    st.sampled_from("12"),
    st.sampled_from(["GET"] * 5 + ["HEAD"]),
    st.sampled_from([None, None, None, (0, 4), (3, 8), (5, 30)]),
)
steps = st.one_of(
    gets,
    gets,
    gets,
    st.builds(Put, st.sampled_from(PATHS)),
    st.builds(Say, st.sampled_from(PATHS), st.sampled_from(POLICIES)),
    st.builds(Wait, st.sampled_from([1, 8, 15, 29, 31, 45])),
    st.builds(Fail, st.sampled_from(["away", "broken", "", ""])),
    st.builds(AtOnce, st.lists(gets, min_size=2, max_size=4)),
)


@given(history=st.lists(steps, max_size=30), route=st.sampled_from(ROUTES))
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_promises_hold(history: list[object], route: str) -> None:
    asyncio.run(live(history, route))


async def live(history: list[object], route: str) -> None:
    clock = StandingClock()
    world = World(clock)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            ScriptedOrigin(clock).serving() as origin,
            contextlib.AsyncExitStack() as opened,
        ):
            for path in PATHS:
                origin.answers(path, world.answer)
            web = opener(route, origin, clock, Path(folder), opened)()
            for step in history:
                await take(step, web, world)


async def take(step: object, web: Web, world: World) -> None:
    match step:
        case Get():
            await ask(step, web, world)
        case AtOnce(gets):
            await asyncio.gather(*[ask(each, web, world) for each in gets])
        case Put(path):
            with contextlib.suppress(LOST):
                await web.request("PUT", path)
        case Say(path, policy):
            world.policy[path] = policy
        case Wait(seconds):
            web.clock.advance(seconds=seconds)
        case Fail(how):
            web.origin.away, world.broken = how == "away", how == "broken"
        case _:
            raise AssertionError(step)


async def ask(get: Get, web: Web, world: World) -> None:
    before = len(world.sent)
    fields = {"X-A": get.variant}
    if get.asked:
        fields["Cache-Control"] = get.asked
    if get.span is not None:
        fields["Range"] = f"bytes={get.span[0]}-{get.span[1]}"
    try:
        seen = await web.request(get.method, get.path, fields)
    except LOST:
        assert web.origin.away, "only what is lost raises"
        assert "only-if-cached" not in get.asked, "nobody had to be asked"
        return
    judge(get, seen, web, world, before)
    await check_use(get, seen, web, world)


async def check_use(get: Get, seen: Seen, web: Web, world: World) -> None:
    """What is fresh answers the next request, so that the cache is of some use."""
    if seen.status != 200 or get.method != "GET" or get.asked:
        return
    told = world.sent[int(seen.headers["X-Serial"])]
    if "max-age=30" in told.policy and "no-cache" not in told.policy and not world.changed:
        fresh = web.clock.time() - told.time < 30
        again = await web.request("GET", get.path, {"X-A": get.variant})
        assert again.from_cache or not fresh


def judge(get: Get, seen: Seen, web: Web, world: World, before: int) -> None:
    if seen.status == 504:
        assert "only-if-cached" in get.asked
        return
    told = world.sent[int(seen.headers["X-Serial"])] if "X-Serial" in seen.headers else None
    if seen.status == 416:
        return
    assert told is not None
    assert told.path == get.path
    if get.path == "/vary":
        assert told.variant == get.variant, "an answer to other selecting fields"
    if seen.status == 503:
        assert (world.broken, seen.from_cache) == (True, False)
        return
    check_body(get, seen, told, world)
    if not seen.from_cache:
        assert told.serial >= before or told.method == get.method
        return
    if told.serial >= before:
        return  # It was validated, completed or collapsed just now.
    assert told.policy != "no-store"
    assert world.changed.get(get.path, -1) < told.serial or world.changed[get.path] >= before, (
        "what an unsafe request changed is served without validation"
    )
    age = web.clock.time() - told.time
    assert seen.headers.getall("Age") == [str(int(age))]
    check_freshness(get, told, age, web, world)


def check_body(get: Get, seen: Seen, told: Sent, world: World) -> None:
    body = world.body(told.path, told.variant, told.version).encode()
    assert "Content-Range" not in seen.headers or seen.status == 206
    if get.method == "HEAD":
        assert (seen.body, seen.status) == (b"", 200)
    elif seen.status == 206:
        assert get.span is not None
        assert seen.body == body[get.span[0] : get.span[1] + 1]
    else:
        assert (seen.status, seen.body) == (200, body)


def check_freshness(get: Get, told: Sent, age: float, web: Web, world: World) -> None:
    """It was served although the origin did not say a word."""
    # Where the origin is not to be asked, it is as if it could not be reached.
    failing = web.origin.away or world.broken or "only-if-cached" in get.asked
    assert "no-cache" not in told.policy
    lifetime = 30 if "max-age=30" in told.policy else 0
    staleness = age - lifetime
    if "no-cache" in get.asked or "max-age=0" in get.asked:
        raise AssertionError("the request asked for validation")
    if "max-age=10" in get.asked:
        assert age <= 10
    if "min-fresh=10" in get.asked:
        assert staleness <= -10
    if staleness < 0:
        return
    assert "must-revalidate" not in told.policy
    windows = [
        10 if "max-stale=10" in get.asked else 10**9 if "max-stale" in get.asked else -1,
        20 if "stale-while-revalidate" in told.policy else -1,
        20 if "stale-if-error" in told.policy and failing else -1,
    ]
    assert staleness <= max(windows), "stale, and nobody allowed it"
