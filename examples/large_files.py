"""Download a large file with little memory, keep it, and let one of several tasks do it.

The server is part of this program; so it knows how often it was asked.
"""

from __future__ import annotations

import asyncio
import hashlib
from tempfile import TemporaryDirectory

from aiohttp import web

from aiohttp_client_cache import CachedSession, FileBackend

MEBIBYTE = bytes(range(256)) * 4096
SIZE = 100
ASKED = web.AppKey("asked", list[str])


async def large(request: web.Request) -> web.StreamResponse:
    """Send a file, a piece at a time."""
    request.app[ASKED].append(request.path)
    response = web.StreamResponse()
    response.content_length = SIZE * len(MEBIBYTE)
    await response.prepare(request)
    for _ in range(SIZE):
        await response.write(MEBIBYTE)
    return response


async def digest_of(session: CachedSession, url: str) -> str:
    """Read a body as it comes: from the server, or from the disk."""
    known = hashlib.sha256()
    async with session.get(url) as response:
        async for piece in response.content.iter_any():
            known.update(piece)
        origin = "from cache" if response.from_cache else "new"
    print(f"{response.content.total_bytes:,} bytes, {origin}: {known.hexdigest()[:16]}")
    return known.hexdigest()


async def main() -> None:
    """Download a file three times, and another one by five tasks at the same time."""
    app = web.Application()
    app[ASKED] = []
    app.add_routes([web.get("/{name}", large)])
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{server.addresses[0][1]}"

    with TemporaryDirectory() as folder:
        # A gigabyte at most: what was used least recently goes first. Of several processes that
        # share the folder, one fetches, and the others wait for it for up to 30 seconds.
        backend = FileBackend(folder, max_bytes=10**9, fetch_lease=30)
        async with CachedSession(cache=backend) as session:
            for _ in range(3):
                await digest_of(session, f"{address}/disk.img")

            digests = await asyncio.gather(
                *(digest_of(session, f"{address}/other.img") for _ in range(5))
            )
            print("all the same:", len(set(digests)) == 1)
    print("the server was asked for", ", ".join(app[ASKED]))
    await server.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
