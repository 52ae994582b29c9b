"""A server for tests of caches: it counts what it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web


class Answers:
    """What a running server says of itself.

    Attributes:
        url: of its root, without a slash at the end.
        asked: how often each path was asked for.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        """``/to/…`` redirects to ``/…``; all else is a page that may be kept for an hour."""
        self.asked[request.path] += 1
        if request.path.startswith("/to/"):
            raise web.HTTPFound(request.path.removeprefix("/to"))
        return web.Response(
            text=f"{request.path} {self.asked[request.path]}",
            headers={"Cache-Control": "max-age=3600"},
        )


@asynccontextmanager
async def answers() -> AsyncGenerator[Answers, None]:
    """Serve in the running event loop, on a port of 127.0.0.1 that is free."""
    told = Answers()
    app = web.Application()
    app.router.add_get("/{path:.*}", told.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        told.url = f"http://{host}:{port}"
        yield told
    finally:
        await runner.cleanup()
