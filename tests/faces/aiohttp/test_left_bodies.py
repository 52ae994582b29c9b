"""What large bodies leave behind when nobody reads them any more, and what only looks like one."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from aiohttp_client_cache import CacheBackend, CachedSession, FileBackend, SQLiteBackend
from tests.faces.aiohttp.conftest import OpenSession
from tests.support.origin import Origin

SIZE = 3 * 2**20
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + bytes(SIZE)


@asynccontextmanager
async def origin_of(answer: bytes) -> AsyncIterator[str]:
    """The URL of an origin in the running loop that answers each connection once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("way", ["close", "release"])
def test_a_response_is_left_where_no_loop_runs(way: str) -> None:
    loop = asyncio.new_event_loop()

    async def end(session: CachedSession, origin: Any) -> int:
        await asyncio.sleep(0)
        size = await session.cache.responses.size()
        await session.close()
        await origin.__aexit__(None, None, None)
        return size

    try:
        origin = origin_of(LARGE)
        url = loop.run_until_complete(origin.__aenter__())

        async def begin() -> tuple[CachedSession, Any]:
            session = CachedSession(cache=CacheBackend())
            return session, await session.get(url)

        session, response = loop.run_until_complete(begin())
        getattr(response, way)()
        assert loop.run_until_complete(end(session, origin)) == 0
    finally:
        loop.close()


def test_loops_in_which_bodies_were_kept_go(tmp_path: Path) -> None:
    backend = SQLiteBackend(tmp_path / "cache.sqlite")

    async def read_some() -> Any:
        async with origin_of(LARGE) as url, CachedSession(cache=backend) as session:

            async def read_one(number: int) -> None:
                async with session.get(f"{url}{number}") as response:
                    assert len(await response.read()) == SIZE

            # They take turns.
            await asyncio.gather(*map(read_one, range(6)))
            await backend.clear()
        return ref(asyncio.get_running_loop())

    loops = [asyncio.run(read_some()) for _ in range(2)]
    gc.collect()
    assert [loop() for loop in loops] == [None, None]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nothing tells what is open")
@pytest.mark.parametrize("kind", [SQLiteBackend, FileBackend])
async def test_a_released_hit_holds_no_file(kind: Any, tmp_path: Path) -> None:
    def opened() -> int:
        """How many files with bodies are open."""
        count = 0
        for link in Path("/proc/self/fd").iterdir():
            # The handle of that folder has gone by now.
            with suppress(FileNotFoundError):
                path = link.readlink()
                count += path.is_relative_to(tmp_path) and ".sqlite" not in path.name
        return count

    async with origin_of(LARGE) as url:
        async with CachedSession(cache=kind(tmp_path / "cache")) as session:
            await (await session.get(url)).read()
        async with CachedSession(cache=kind(tmp_path / "cache")) as session:
            responses = []
            for _ in range(5):
                async with session.get(url) as response:
                    assert response.from_cache
                    responses.append(response)
            assert opened() == 0
            with pytest.raises(Exception, match="Connection closed"):
                await responses[0].read()


@pytest.mark.skipif(sys.platform == "win32", reason="bodies lie in no files there")
@pytest.mark.parametrize("answer", [b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 204 No Content"])
async def test_a_length_without_a_body(answer: bytes) -> None:
    """What a 304 tells is the length that a 200 would have (RFC 9110 section 8.6)."""
    answer += b"\r\nContent-Length: 3000000\r\n\r\n"
    async with origin_of(answer) as url:
        backend = CacheBackend(allowed_codes=(204, 304))
        async with CachedSession(cache=backend) as session, session.get(url) as response:
            assert await response.read() == b""


async def test_a_slow_body_that_a_filter_wants_to_see(
    origin: Origin, open_session: OpenSession
) -> None:
    """Its pauses say nothing of its size."""
    settings: dict[str, Any] = {"filter_fn": lambda _: True, "max_entry_bytes": 1000}
    async with asyncio.timeout(5), open_session(**settings) as session:
        task = asyncio.ensure_future(session.get(origin.url("/trickle")))
        await asyncio.sleep(0.3)
        origin.open(outcome="end")
        assert await (await task).read() == b"piece 0\n"
        assert (await session.get(origin.url("/trickle"))).from_cache
