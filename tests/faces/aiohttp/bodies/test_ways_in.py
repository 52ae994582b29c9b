"""Large bodies by other ways: routes, serializers, storages of users, refreshes, changes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from acachecontrol import AsyncCache, AsyncCacheControl
from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, SOME, Scene, comes_true, scene_of
from tests.faces.aiohttp.parity import ROUTES, open_route, was_cached
from tests.faces.aiohttp.test_user_storage import Shelf
from tests.support.clock import StandingClock
from tests.support.wire import Asked, Last, Wire, chunked, head, noise, sized

BODY, OTHER = noise(3 * MIB, 1), noise(3 * MIB, 2)


async def body_of(response: Any) -> bytes:
    return b"".join([piece async for piece in response.content.iter_any()])


@SOME
@pytest.mark.parametrize("route", ROUTES)
async def test_every_route(scene: Scene, route: str) -> None:
    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {len(BODY)}") + BODY[: 2 * MIB])
        await gate.wait()
        await wire.send(BODY[2 * MIB :])

    scene.wire.answers["/"] = answer
    async with asyncio.timeout(10), open_route(route, scene.backend()) as session:
        for cached in (False, True):
            async with session.get(scene.wire.url("/")) as response:
                assert was_cached(response) == cached
                first = await response.content.readexactly(2 * MIB)
                gate.set()
                assert first + await body_of(response) == BODY
    assert scene.wire.count() == 1


@ON_DISK
@pytest.mark.parametrize(
    "settings",
    [{"serializer": "json"}, {"secret_key": "hush"}, {"fast_save": True}],
    ids=lambda settings: next(iter(settings)),
)
async def test_every_way_of_writing(scene: Scene, settings: dict[str, Any]) -> None:
    session = await scene.open(**settings)
    scene.wire.answers["/"] = chunked(BODY)
    for cached in (False, True):
        async with session.get(scene.wire.url("/")) as response:
            assert response.from_cache == cached
            assert await body_of(response) == BODY
    assert scene.wire.count() == 1


@ON_DISK
async def test_what_was_signed_by_another_is_not_served(scene: Scene) -> None:
    scene.wire.answers["/"] = sized(BODY)
    first = await scene.open(secret_key="one")
    await (await first.get(scene.wire.url("/"))).read()
    second = await scene.open(secret_key="two")
    scene.wire.answers["/"] = sized(OTHER)
    assert await (await second.get(scene.wire.url("/"))).read() == OTHER
    assert scene.wire.count() == 2


@ON_DISK
async def test_it_is_there_when_the_session_has_been_closed(scene: Scene) -> None:
    """At once: whoever opens the file next finds it."""
    scene.wire.answers["/"] = sized(BODY)
    for cached in (False, True, True):
        backend = scene.backend()
        async with (
            CachedSession(cache=backend) as session,
            session.get(scene.wire.url("/")) as response,
        ):
            assert response.from_cache == cached
            assert await body_of(response) == BODY
        await backend.close()
    assert scene.wire.count() == 1


async def test_a_storage_of_ones_own(tmp_path: Path) -> None:
    """It is given bytes, once they are all there."""
    async with scene_of("memory", tmp_path, lawful=False) as scene:
        shelf = Shelf()
        backend = CacheBackend()
        backend.responses = shelf
        scene.wire.answers["/"] = sized(BODY)
        async with CachedSession(cache=backend, max_entry_bytes=4 * MIB) as session:
            response = await session.get(scene.wire.url("/"))
            await response.content.readexactly(2 * MIB)
            assert not shelf.held
            await response.read()
            async with session.get(scene.wire.url("/")) as response:
                assert response.from_cache
                assert await body_of(response) == BODY
            (item,) = shelf.held.values()
            assert item.body == BODY
            scene.wire.answers["/more"] = chunked(BODY + OTHER)
            for _ in range(2):
                async with session.get(scene.wire.url("/more")) as response:
                    assert await body_of(response) == BODY + OTHER
            assert len(shelf.held) == 1
        assert (scene.wire.count("/"), scene.wire.count("/more")) == (1, 2)


async def test_a_mapping_of_ones_own(tmp_path: Path) -> None:
    async with scene_of("memory", tmp_path, lawful=True) as scene:
        scene.wire.answers["/"] = sized(BODY)
        mapping: Any = OrderedDict()
        async with AsyncCacheControl(AsyncCache(cache_backend=mapping)) as session:
            async with session.get(scene.wire.url("/")) as response:
                await response.content.readexactly(10)
            assert not mapping
            for _ in range(2):
                async with session.get(scene.wire.url("/")) as response:
                    assert await body_of(response) == BODY
        assert scene.wire.count() == 2


@SOME
async def test_a_refresh_in_the_background(scene: Scene, clock: StandingClock) -> None:
    """Nobody reads what it fetches; it is stored all the same, or none of it."""
    scene.clock = clock
    session = await scene.open(expire_after=60, stale_while_revalidate=600)
    url = scene.wire.url("/")

    def dated(body: bytes) -> bytes:
        date = clock.now.strftime("Date: %a, %d %b %Y %H:%M:%S GMT")
        return sized(body, date, "Cache-Control: max-age=60, stale-while-revalidate=600")

    scene.wire.answers["/"] = dated(BODY)
    assert await body_of(await session.get(url)) == BODY
    clock.advance(seconds=100)
    whole = dated(OTHER)
    scene.wire.answers["/"] = Last(whole[: 2 * MIB])
    assert await body_of(await session.get(url)) == BODY
    await comes_true(lambda: scene.wire.count() == 2 and not scene.wire.wires)
    scene.wire.answers["/"] = whole
    assert await body_of(await session.get(url)) == BODY
    async with asyncio.timeout(5):
        while await body_of(await session.get(url)) != OTHER:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await session.cache.delete_expired_responses()
    assert await session.cache.size() == 1
    assert await session.cache.bytes() < len(OTHER) + 10_000
    if scene.kind != "memory":
        assert scene.bodies() < len(OTHER) + 10_000


@pytest.mark.parametrize(("kind", "lawful"), [("memory", True), ("sqlite", True), ("files", True)])
async def test_a_change_in_the_middle_of_a_fetch(scene: Scene) -> None:
    """What was on its way when its URL was changed may be old (RFC 9111 section 4.4)."""
    session = await scene.open()
    url = scene.wire.url("/")

    async def answer(wire: Wire, asked: Asked) -> bytes | None:
        if asked.method == "POST":
            return head("Content-Length: 0", "Cache-Control: no-store")
        await wire.send(sized(BODY))
        return None

    scene.wire.answers["/"] = answer
    async with session.get(url) as response:
        first = await response.content.readexactly(2 * MIB)
        await (await session.post(url)).read()
        assert first + await body_of(response) == BODY
    async with session.get(url) as response:
        assert not response.from_cache
        assert await body_of(response) == BODY
    async with session.get(url) as response:
        assert response.from_cache
    assert scene.wire.count() == 3


@SOME
async def test_variants(scene: Scene) -> None:
    session = await scene.open(include_headers=["Accept-Language"])
    bodies = {"de": BODY, "en": OTHER}

    def answer(wire: Wire, asked: Asked) -> bytes:
        return sized(bodies[asked.headers["accept-language"]], "Vary: Accept-Language")

    scene.wire.answers["/"] = answer
    for cached in (False, True):
        for language, body in bodies.items():
            headers = {"Accept-Language": language}
            async with session.get(scene.wire.url("/"), headers=headers) as response:
                assert response.from_cache == cached
                assert await body_of(response) == body
    assert scene.wire.count() == 2


@SOME
async def test_an_error_of_its_status(scene: Scene) -> None:
    """The caller never sees the response, and its connection is not kept waiting."""
    session = await scene.open(allowed_codes=(200, 404))
    scene.wire.answers["/"] = sized(BODY, status="404 Not Found")
    for _ in range(2):
        with pytest.raises(aiohttp.ClientResponseError):
            await session.get(scene.wire.url("/"), raise_for_status=True)
    await comes_true(lambda: not scene.wire.wires)
    await scene.nothing_is_left(session.cache)
