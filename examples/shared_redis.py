"""Share one Redis between two processes: what one of them fetches, the other finds.

Usage: ``shared_redis.py``, with a Redis (or Valkey) on this machine, or with its address in the
environment variable REDIS_URL. Without one, it works all the same, and nothing is shared.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web

from aiohttp_client_cache import CachedSession, RedisBackend

ADDRESS = os.environ.get("REDIS_URL", "redis://localhost:6379")
ASKED = web.AppKey("asked", list[str])


def cache() -> RedisBackend:
    """The same cache in every process that names it so.

    Where several processes want the same at once, one fetches it, and the others wait for that for
    up to ten seconds. What has expired leaves the server by itself.
    """
    return RedisBackend("shared-example", ADDRESS, expire_after=60, fetch_lease=10)


async def work(name: str, origin: str) -> None:
    """What each process does: ask for five pages."""
    async with CachedSession(cache=cache()) as session:
        for number in range(5):
            async with session.get(f"{origin}/page/{number}") as response:
                text = await response.text()
                print(f"{name}: {text}, {'from cache' if response.from_cache else 'new'}")


async def page(request: web.Request) -> web.Response:
    """Answer slowly, and count."""
    request.app[ASKED].append(request.path)
    await asyncio.sleep(0.05)
    return web.Response(text=f"page {request.match_info['number']}")


async def main() -> None:
    """Serve pages, and let two processes ask for them at the same time."""
    app = web.Application()
    app[ASKED] = []
    app.add_routes([web.get("/page/{number}", page)])
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{server.addresses[0][1]}"

    programs = [
        await asyncio.create_subprocess_exec(sys.executable, __file__, name, origin)
        for name in ("one", "two")
    ]
    for program in programs:
        await program.wait()
    print("the server was asked", len(app[ASKED]), "times")
    await server.cleanup()

    async with cache() as backend:
        print("stored:", await backend.size())
        await backend.clear()


if __name__ == "__main__":
    asyncio.run(main() if len(sys.argv) < 3 else work(*sys.argv[1:]))
