"""A body that lasts until the connection closes is whole if that is closed in an orderly way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession, FileBackend, SQLiteBackend

SIZES = [1, 2000, 3_000_000]


class Closer:
    """An origin whose bodies end with the connection, in one way or the other."""

    def __init__(self) -> None:
        self.size = 0
        self.resets = False
        self.framing = ""
        self.asked = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        head = f"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n{self.framing}\r\n"
        writer.write(head.encode() + bytes(self.size))
        await writer.drain()
        # Until the other side has all of it: a reset takes along what is on its way.
        await asyncio.sleep(0.1)
        if self.resets:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        else:
            writer.close()


@pytest.fixture
async def closer() -> AsyncIterator[tuple[Closer, str]]:
    closer = Closer()
    server = await asyncio.start_server(closer.answer, "127.0.0.1", 0, limit=2**20)
    yield closer, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["memory", "sqlite", "files"])
@pytest.mark.parametrize("law", [False, True])
async def test_a_reset_leaves_no_whole_body(
    closer: tuple[Closer, str], tmp_path: Path, size: int, kind: str, law: bool
) -> None:
    origin, url = closer
    origin.size = size
    makers = {
        "memory": CacheBackend,
        "sqlite": lambda: SQLiteBackend(str(tmp_path / "cache")),
        "files": lambda: FileBackend(str(tmp_path / "cache")),
    }
    async with CachedSession(cache=makers[kind](), cache_control=law) as session:
        for resets, cached in ((True, False), (True, False), (False, False), (False, True)):
            origin.resets = resets
            async with session.get(url) as response:
                assert await response.read() == bytes(size)
                assert response.from_cache == cached
    assert origin.asked == 3


async def test_a_reset_after_the_end_of_a_framed_body_is_no_loss(
    closer: tuple[Closer, str],
) -> None:
    origin, url = closer
    origin.size, origin.resets, origin.framing = 2000, True, "Content-Length: 2000\r\n"
    async with CachedSession() as session:
        for cached in (False, True):
            async with session.get(url) as response:
                assert await response.read() == bytes(2000)
                assert response.from_cache == cached
            await asyncio.sleep(0.2)
    assert origin.asked == 1
