"""What else is done with large bodies that are stored: parts, checks, filters, a look around."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.bodies.scene import MIB, ON_DISK, Scene
from tests.support.clock import StandingClock
from tests.support.wire import Asked, Last, Wire, chunk, chunked, head, noise, sized

BODY = noise(3 * MIB)
SIZE = len(BODY)
TAG = 'ETag: "one"'


@pytest.fixture
def lawful() -> bool:
    """Parts are a matter of RFC 9111; where both modes are meant, a test says so itself."""
    return True


BOTH = pytest.mark.parametrize("lawful", [False, True], ids=["house", "law"])

RANGES = {
    "bytes=0-0": slice(0, 1),
    "bytes=0-99": slice(0, 100),
    f"bytes=65530-{MIB}": slice(65530, MIB + 1),
    "bytes=1048575-1048577": slice(MIB - 1, MIB + 2),
    "bytes=3000000-": slice(3_000_000, SIZE),
    "bytes=-1": slice(SIZE - 1, SIZE),
    "bytes=-2000000": slice(SIZE - 2_000_000, SIZE),
    "bytes=1-99999999": slice(1, SIZE),
    "bytes=100000-2100000": slice(100_000, 2_100_001),
}


async def test_parts_of_a_stored_body(scene: Scene) -> None:
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY, TAG)
    await (await session.get(url)).read()
    for asked, part in RANGES.items():
        async with session.get(url, headers={"Range": asked}) as response:
            assert (response.status, response.from_cache) == (206, True), asked
            first, last, _ = part.indices(SIZE)
            assert response.headers["Content-Range"] == f"bytes {first}-{last - 1}/{SIZE}"
            assert response.headers["Content-Length"] == str(last - first)
            seen = b"".join([piece async for piece in response.content.iter_any()])
            assert seen == BODY[part], asked
    async with session.get(url, headers={"Range": "bytes=1-2", "If-Range": '"one"'}) as response:
        assert (response.status, await response.read()) == (206, BODY[1:3])
    async with session.get(url, headers={"Range": "bytes=1-2", "If-Range": '"two"'}) as response:
        assert (response.status, await response.read()) == (200, BODY)
    assert scene.wire.count() == 1


async def test_a_condition_that_a_stored_body_answers(scene: Scene) -> None:
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY, TAG)
    await (await session.get(url)).read()
    async with session.get(url, headers={"If-None-Match": '"one"'}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with session.head(url) as response:
        assert (response.status, response.from_cache) == (200, True)
        assert response.headers["Content-Length"] == str(SIZE)
        assert await response.read() == b""
    assert await (await session.get(url)).read() == BODY
    assert scene.wire.count() == 1


async def test_parts_that_are_combined_to_a_large_whole(scene: Scene) -> None:
    """A download that was cut off and resumed: the origin sends each byte once."""
    session = await scene.open()
    url = scene.wire.url("/")

    def part(wire: Wire, asked: Asked) -> bytes:
        first, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
        start, stop = int(first), int(last) + 1 if last else SIZE
        fields = (TAG, f"Content-Range: bytes {start}-{stop - 1}/{SIZE}")
        return sized(BODY[start:stop], *fields, status="206 Partial Content")

    scene.wire.answers["/"] = part
    async with session.get(url, headers={"Range": "bytes=0-1999999"}) as response:
        assert (response.status, await response.read()) == (206, BODY[:2_000_000])
    async with session.get(url, headers={"Range": "bytes=2000000-"}) as response:
        assert (response.status, await response.read()) == (206, BODY[2_000_000:])
    async with session.get(url) as response:
        assert (response.status, response.from_cache) == (200, True)
        assert await response.read() == BODY
    assert scene.wire.count() == 2


async def test_a_part_that_breaks_off(scene: Scene) -> None:
    session = await scene.open()
    url = scene.wire.url("/")
    answer = sized(
        BODY, TAG, f"Content-Range: bytes 0-{SIZE - 1}/{SIZE}", status="206 Partial Content"
    )
    scene.wire.answers["/"] = Last(answer[:-1])
    for _ in range(2):
        async with session.get(url, headers={"Range": f"bytes=0-{SIZE - 1}"}) as response:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
    assert scene.wire.count() == 2
    scene.wire.answers["/"] = sized(BODY, TAG)
    assert await (await session.get(url)).read() == BODY
    assert await (await session.get(url)).read() == BODY
    assert scene.wire.count() == 3


@BOTH
async def test_validation_moves_no_body(scene: Scene, clock: StandingClock) -> None:
    """Neither over the network nor on the disk."""
    scene.clock = clock
    session = await scene.open(expire_after=60)
    url = scene.wire.url("/")

    def answer(wire: Wire, asked: Asked) -> bytes:
        date = clock.now.strftime("Date: %a, %d %b %Y %H:%M:%S GMT")
        fields = (TAG, date, "Cache-Control: max-age=60")
        if asked.headers.get("if-none-match") == '"one"':
            return head(*fields, status="304 Not Modified")
        return sized(BODY, *fields)

    scene.wire.answers["/"] = answer
    await (await session.get(url)).read()
    await session.cache.size()  # What is under way is written then.
    sent, disk = scene.wire.sent, scene.bodies()
    for number in range(1, 6):
        clock.advance(seconds=100)
        readers = [await session.get(url) for _ in range(2)]
        for reader in readers:
            assert await reader.content.readexactly(10) == BODY[:10]
            assert await reader.content.read() == BODY[10:]
        assert scene.wire.count() == 1 + number
    assert scene.wire.sent - sent < 5000
    await session.cache.delete_expired_responses()
    assert scene.bodies() < disk + 5000
    await session.cache.clear()
    await scene.nothing_is_left(session.cache)


@BOTH
async def test_a_filter_that_wants_the_body(scene: Scene) -> None:
    """Nothing is handed over before it has been asked, and it is asked with the whole."""
    asked_with = []

    async def filter_fn(response: Any) -> bool:
        body = await response.read()
        asked_with.append(len(body))
        return bytes(body[-1:]) == BODY[-1:]

    session = await scene.open(filter_fn=filter_fn)
    scene.wire.answers["/"] = chunked(BODY, size=100_000)
    scene.wire.answers["/no"] = chunked(BODY[:-1] + bytes([BODY[-1] ^ 1]), size=100_000)
    for path, times in (("/", 1), ("/no", 2)):
        for _ in range(2):
            async with session.get(scene.wire.url(path)) as response:
                assert len(await response.read()) == SIZE
        assert scene.wire.count(path) == times
    assert set(asked_with) == {SIZE}


@BOTH
@pytest.mark.parametrize("known", [False, True])
async def test_a_filter_is_given_no_more_than_may_be_stored(scene: Scene, known: bool) -> None:
    """What is larger is on its way to its reader before the origin has sent all of it."""
    asked_with: list[int] = []

    async def filter_fn(response: Any) -> bool:
        asked_with.append(len(await response.read()))
        return True

    gate = asyncio.Event()

    async def answer(wire: Wire, asked: Asked) -> None:
        await wire.send(head(f"Content-Length: {SIZE}" if known else "Transfer-Encoding: chunked"))
        await wire.send(BODY[: 2 * MIB] if known else chunk(BODY[: 2 * MIB]))
        await gate.wait()
        rest = BODY[2 * MIB :]
        await wire.send(rest if known else chunk(rest) + b"0\r\n\r\n")

    scene.wire.answers["/"] = answer
    session = await scene.open(filter_fn=filter_fn, max_entry_bytes=MIB + MIB // 2)
    async with asyncio.timeout(5), session.get(scene.wire.url("/")) as response:
        first = await response.content.readexactly(1000)
        gate.set()
        assert first + await response.content.read() == BODY
    assert all(size <= MIB + MIB // 2 for size in asked_with)
    await scene.nothing_is_left(session.cache)


@BOTH
async def test_a_filter_of_heads(scene: Scene) -> None:
    """It does not keep the body from its reader."""
    from aiohttp_client_cache import head_only

    @head_only
    def filter_fn(response: Any) -> bool:
        return response.headers.get("X-Keep") == "yes" and response.status == 200

    gates: dict[str, asyncio.Event] = {}

    async def answer(wire: Wire, asked: Asked) -> None:
        kept = "no" if asked.target == "/no" else "yes"
        await wire.send(head(f"Content-Length: {SIZE}", f"X-Keep: {kept}"))
        await wire.send(BODY[: 2 * MIB])
        await gates[asked.target].wait()
        await wire.send(BODY[2 * MIB :])

    session = await scene.open(filter_fn=filter_fn)
    for path in ("/", "/no"):
        gates[path] = asyncio.Event()
        scene.wire.answers[path] = answer
        async with asyncio.timeout(5), session.get(scene.wire.url(path)) as response:
            first = await response.content.readexactly(1000)
            gates[path].set()
            assert first + await response.content.read() == BODY
        async with session.get(scene.wire.url(path)) as response:
            assert response.from_cache == (path == "/")
            assert await response.read() == BODY
    assert (scene.wire.count("/"), scene.wire.count("/no")) == (1, 2)


@BOTH
async def test_a_look_around(scene: Scene) -> None:
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(url)).read()
    cache = session.cache
    assert await cache.size() == 1
    assert SIZE <= await cache.bytes() < SIZE + 20_000
    assert list(await cache.get_urls()) == [url]
    keys = [key async for key in cache.responses.keys()]  # noqa: SIM118
    assert len(keys) == 1
    for stored in (
        await cache.responses.read(keys[0]),
        await cache.get_response(keys[0]),
        *[stored async for stored in cache.responses.values()],
    ):
        assert stored is not None
        assert (stored.status, str(stored.url), stored.from_cache) == (200, url, True)
        assert await stored.read() == BODY
        assert await stored.text("latin-1") == BODY.decode("latin-1")
    stored = await cache.get_response(keys[0])
    assert stored is not None
    first = await stored.content.readexactly(MIB)
    await cache.delete(keys[0])
    assert first + await stored.content.read() == BODY
    del stored
    await scene.nothing_is_left(cache)


@ON_DISK
async def test_another_backend_on_the_same_file(scene: Scene) -> None:
    """What one has written, another reads, and still does after it is closed."""
    session = await scene.open()
    url = scene.wire.url("/")
    scene.wire.answers["/"] = sized(BODY)
    await (await session.get(url)).read()
    other = await scene.open()
    response = await other.get(url)
    await session.cache.clear()
    await session.cache.close()
    assert response.from_cache
    try:
        assert await response.read() == BODY
    except aiohttp.ClientPayloadError:
        pytest.fail("a reader of this process was robbed")
    assert scene.wire.count() == 1


@BOTH
async def test_redirects_to_a_large_body(scene: Scene) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = sized(BODY)
    scene.wire.answers["/here"] = head(
        "Location: /", "Content-Length: 0", status="301 Moved Permanently"
    )
    for cached in (False, True):
        async with session.get(scene.wire.url("/here")) as response:
            assert response.from_cache == cached
            assert [hop.status for hop in response.history] == [301]
            assert b"".join([p async for p in response.content.iter_any()]) == BODY
    assert (scene.wire.count("/"), scene.wire.count("/here")) == (1, 1)


@BOTH
async def test_a_redirect_whose_end_is_left(scene: Scene) -> None:
    session = await scene.open()
    scene.wire.answers["/"] = sized(BODY)
    scene.wire.answers["/here"] = head("Location: /", "Content-Length: 0", status="302 Found")
    async with session.get(scene.wire.url("/here")) as response:
        await response.content.readexactly(10)
    async with session.get(scene.wire.url("/here")) as response:
        assert await response.read() == BODY
    async with session.get(scene.wire.url("/")) as response:
        assert response.from_cache
        assert await response.read() == BODY
    assert scene.wire.count("/") == 2
