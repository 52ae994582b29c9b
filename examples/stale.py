"""Do what a server says, and go on when it fails; and see why each response was served.

The server is part of this program, so that it can fail when it is to.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiohttp import ClientError, web

from aiohttp_client_cache import CachedSession


async def page(_: web.Request) -> web.Response:
    """Say for how long it is good."""
    return web.Response(text="page", headers={"Cache-Control": "max-age=3600"})


async def prices(request: web.Request) -> web.Response:
    """Want to be asked each time."""
    headers = {"Cache-Control": "no-cache", "ETag": '"v1"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(text="prices", headers=headers)


async def silent(request: web.Request) -> web.Response:
    """Say nothing to caches."""
    return web.Response(text=request.path)


async def main() -> None:
    """Ask a server for pages, stop it, and ask again."""
    app = web.Application()
    app.add_routes([web.get("/page", page), web.get("/prices", prices)])
    app.add_routes([web.get("/news", silent), web.get("/weather", silent)])
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{server.addresses[0][1]}"

    async with CachedSession(
        cache_control=True,
        # For responses that do not say for how long they are good.
        expire_after=0.3,
        urls_stale_while_revalidate={"127.0.0.1/news": 60},
        stale_if_error=timedelta(days=1),
    ) as session:
        for path in ("/page", "/page", "/prices", "/prices", "/news", "/weather"):
            await show(session, address, path)
        await asyncio.sleep(0.4)
        await show(session, address, "/news")
        await asyncio.sleep(0.1)
        await show(session, address, "/news")

        await server.cleanup()
        print("the server is gone")
        for path in ("/page", "/weather", "/prices"):
            await show(session, address, path)


async def show(session: CachedSession, address: str, path: str) -> None:
    """Print what became of a request."""
    try:
        response = await session.get(address + path)
    except ClientError as error:
        print(f"{path}: {type(error).__name__}")
        return
    origin = "from cache" if response.from_cache else "new"
    print(f"{path}: {origin}: {response.cache.why}")


if __name__ == "__main__":
    asyncio.run(main())
