"""Share one Redis between three processes, of aiohttp and of requests: what one fetches, all find.

Usage: ``shared_redis.py``, with a Redis (or Valkey) on this machine, or with its address in the
environment variable REDIS_URL. Without one, it works all the same, and nothing is shared.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web

import requests_cache
from aiohttp_client_cache import CachedSession, RedisBackend

ADDRESS = os.environ.get("REDIS_URL", "redis://localhost:6379")
ASKED = web.AppKey("asked", list[str])


NAME = "shared-example"
"""The same cache in every process that names it so, whichever client it uses."""

EXPIRE_AFTER = 60
"""Seconds. What has expired leaves the server by itself."""

FETCH_LEASE = 10
"""Seconds. Where several processes want the same at once, one fetches it, and the others wait for
that, for so long at most."""


def cache() -> RedisBackend:
    """The cache, for aiohttp."""
    return RedisBackend(NAME, ADDRESS, expire_after=EXPIRE_AFTER, fetch_lease=FETCH_LEASE)


async def work(name: str, origin: str) -> None:
    """What a process with aiohttp does: ask for five pages."""
    async with CachedSession(cache=cache()) as session:
        for number in range(5):
            async with session.get(f"{origin}/page/{number}") as response:
                text = await response.text()
                tell(name, text, from_cache=response.from_cache)


def work_with_requests(name: str, origin: str) -> None:
    """What a process with requests does: the same."""
    backend = requests_cache.RedisCache(
        NAME, address=ADDRESS, expire_after=EXPIRE_AFTER, fetch_lease=FETCH_LEASE
    )
    with requests_cache.CachedSession(backend=backend) as session:
        for number in range(5):
            response = session.get(f"{origin}/page/{number}")
            tell(name, response.text, from_cache=response.from_cache)


def tell(name: str, text: str, *, from_cache: bool) -> None:
    """Print what came, and where from; in one go, as others print at the same time."""
    sys.stdout.write(f"{name}: {text}, {'from cache' if from_cache else 'new'}\n")


async def page(request: web.Request) -> web.Response:
    """Answer slowly, and count."""
    request.app[ASKED].append(request.path)
    await asyncio.sleep(0.05)
    return web.Response(text=f"page {request.match_info['number']}")


async def main() -> None:
    """Serve pages, and let three processes ask for them at the same time."""
    app = web.Application()
    app[ASKED] = []
    app.add_routes([web.get("/page/{number}", page)])
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{server.addresses[0][1]}"

    programs = [
        await asyncio.create_subprocess_exec(sys.executable, __file__, name, origin)
        for name in ("aiohttp-1", "aiohttp-2", "requests")
    ]
    for program in programs:
        await program.wait()
    print("the server was asked", len(app[ASKED]), "times")
    await server.cleanup()

    async with cache() as backend:
        print("stored:", await backend.size())
        await backend.clear()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        asyncio.run(main())
    elif sys.argv[1] == "requests":
        work_with_requests(*sys.argv[1:])
    else:
        asyncio.run(work(*sys.argv[1:]))
