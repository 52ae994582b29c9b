"""Every way to read a body gives the same without a cache, on a miss and on a hit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import ROUTES, open_route, outcome, was_cached
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

Reader = Callable[[ClientResponse], Awaitable[Any]]

# One body in one piece, one in many, one decoded, one that fills more than a
# buffer, and one that is passed on while it is read.
PATHS = ["/lines", "/chunked", "/compressed/gzip", "/large?size=400000", "/large"]

# aiohttp reads every empty body with one object, which knows these methods once or not at all.
NOT_OF_NOTHING = ("iter_chunks", "readchunk", "readuntil", "marks")


async def joined(pieces: AsyncIterator[bytes], limit: int | None = None) -> tuple[bytes, bool]:
    """Join ``pieces``, whose borders depend on the network; tell if each was within ``limit``."""
    seen = [piece async for piece in pieces]
    return b"".join(seen), all(0 < len(piece) <= (limit or len(piece)) for piece in seen)


async def until_empty(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    while piece := await read():
        yield piece


async def chunks_of(response: ClientResponse) -> AsyncIterator[bytes]:
    async for data, end_of_chunk in response.content.iter_chunks():
        if data:
            yield data
        else:
            assert end_of_chunk


async def read_twice(response: ClientResponse) -> Any:
    return await response.read(), await response.read()


async def read_then_content(response: ClientResponse) -> Any:
    return await response.read(), await response.content.read(), await response.content.readany()


async def content_then_read(response: ClientResponse) -> Any:
    return await response.content.read(), await response.read(), await outcome(response.text())


async def line_then_read(response: ClientResponse) -> Any:
    return await response.content.readline(), await response.read(), await response.read()


async def line_by_line(response: ClientResponse) -> Any:
    return [line async for line in response.content]


async def readlines(response: ClientResponse) -> Any:
    return [line async for line in until_empty(response.content.readline)]


async def readuntil(response: ClientResponse) -> Any:
    content = response.content
    return [part async for part in until_empty(lambda: content.readuntil(b";"))]


async def readchunk(response: ClientResponse) -> Any:
    pieces = []
    while (chunk := await response.content.readchunk()) != (b"", False):
        pieces.append(chunk[0])
    return b"".join(pieces), await response.content.readchunk()


async def readexactly(response: ClientResponse) -> Any:
    content = response.content
    return await outcome(content.readexactly(7)), await outcome(content.readexactly(10**7))


async def read_by_five(response: ClientResponse) -> Any:
    return await joined(until_empty(lambda: response.content.read(5000)), 5000)


async def read_nothing(response: ClientResponse) -> Any:
    return await response.content.read(0), await response.read()


async def read_nowait(response: ClientResponse) -> Any:
    content = response.content
    if response.content_length is not None and response.content_length >= 400_000:
        return None  # Too large to be there at once: what is there depends on the network.
    await content.wait_eof()
    if content.at_eof():
        return True
    return content.read_nowait(3), content.read_nowait()


async def marks(response: ClientResponse) -> Any:
    content = response.content
    limits = content.get_read_buffer_limits()
    await content.read()
    return (
        limits,
        content.is_eof(),
        content.at_eof(),
        content.total_bytes,
        content.exception(),
        await content.wait_eof(),
    )


async def eof_callback(response: ClientResponse) -> Any:
    called: list[bool] = []
    response.content.on_eof(lambda: called.append(True))
    await response.read()
    return called


async def boolean(response: ClientResponse) -> Any:
    return bool(response.content), bool(response), await response.read()


READERS: dict[str, Reader] = {
    "read": lambda r: r.read(),
    "text": lambda r: r.text(),
    "text in a charset": lambda r: r.text("latin-1"),
    "text with errors": lambda r: r.text("ascii", errors="replace"),
    "json of another type": lambda r: outcome(r.json()),
    "json of any type": lambda r: outcome(r.json(content_type=None)),
    "json by loads": lambda r: outcome(r.json(content_type=None, loads=len)),
    "content.read": lambda r: r.content.read(),
    "iter_chunked": lambda r: joined(r.content.iter_chunked(1000), 1000),
    "iter_any": lambda r: joined(r.content.iter_any()),
    "iter_chunks": lambda r: joined(chunks_of(r)),
    "readany": lambda r: joined(until_empty(r.content.readany)),
    "line by line": line_by_line,
    "readline": readlines,
    "readuntil": readuntil,
    "readchunk": readchunk,
    "readexactly": readexactly,
    "read(5000)": read_by_five,
    "read(0)": read_nothing,
    "read_nowait": read_nowait,
    "read twice": read_twice,
    "read, then content": read_then_content,
    "content, then read": content_then_read,
    "a line, then read": line_then_read,
    "marks": marks,
    "on_eof": eof_callback,
    "bool": boolean,
}


async def read_with(session: ClientSession, url: str, reader: Reader) -> tuple[bool, Any]:
    async with session.get(url) as response:
        return was_cached(response), await outcome(reader(response))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("reader", READERS)
async def test_reading(origin: Origin, open_backend: OpenBackend, reader: str, route: str) -> None:
    paths = PATHS if reader in NOT_OF_NOTHING else [*PATHS, "/empty"]
    urls = [origin.url(path) for path in paths]
    async with ClientSession() as plain:
        expected = {url: await read_with(plain, url, READERS[reader]) for url in urls}

    async with open_route(route, open_backend()) as session:
        missed = {url: await read_with(session, url, READERS[reader]) for url in urls}
        # Whatever the reader left unread is no business of the next one.
        for url in urls:
            await (await session.get(url)).read()
        hit = {url: await read_with(session, url, READERS[reader]) for url in urls}

    for url in urls:
        (_, wanted), (miss_cached, seen), (hit_cached, seen_again) = (
            expected[url],
            missed[url],
            hit[url],
        )
        assert seen == wanted, f"miss: {url}"
        assert seen_again == wanted, f"hit: {url}"
        assert (miss_cached, hit_cached) == (False, True), url


@pytest.mark.parametrize("route", ROUTES)
async def test_json(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    url = origin.url("/json?a=1")
    async with ClientSession() as plain, plain.get(url) as response:
        expected = await response.json()

    async with open_route(route, open_backend()) as session:
        for _ in range(2):
            async with session.get(url) as response:
                assert await response.json() == expected
                assert await response.json(loads=json.JSONDecoder().decode) == expected
                assert await response.json(encoding="utf-8", content_type=None) == expected
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_a_line_that_is_longer_than_the_buffer(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async def readline(session: ClientSession) -> Any:
        async with session.get(origin.url("/large"), read_bufsize=1024) as response:
            error = await outcome(response.content.readline())
            return error[0], response.content.get_read_buffer_limits()[0]

    async with ClientSession() as plain:
        expected = await readline(plain)

    async with open_route(route, open_backend()) as session:
        missed = await readline(session)
        await (await session.get(origin.url("/large"))).read()
        hit = await readline(session)
    assert missed == expected
    if route != "middleware":
        # aiohttp does not tell a middleware of a request's own `read_bufsize`.
        assert hit == expected


@pytest.mark.parametrize("route", ROUTES)
async def test_the_same_bytes_for_everyone(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """Two readers of one entry share nothing that reading changes."""
    url = origin.url("/lines")
    async with open_route(route, open_backend()) as session:
        await (await session.get(url)).read()
        one, other = await session.get(url), await session.get(url)
        first_lines = [await one.content.readline(), await other.content.readline()]
        assert first_lines[0] == first_lines[1]
        assert await one.read() == await other.read()


@pytest.mark.parametrize("route", ROUTES)
async def test_fallback_charset(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    """The session's resolver of charsets is asked for cached bodies too."""
    asked: list[bytes] = []

    def resolve(response: ClientResponse, body: bytes) -> str:
        asked.append(body)
        return "latin-1"

    url = origin.url("/no-charset")
    async with open_route(route, open_backend(), fallback_charset_resolver=resolve) as session:
        texts = [await (await session.get(url)).text() for _ in range(2)]
    assert texts == ["café", "café"]
    assert len(asked) == 2
    assert origin.count() == 1
