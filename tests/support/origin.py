"""A real HTTP server on 127.0.0.1 that remembers every request it received.

Tests count at the origin: whatever a cache claims, only a request that did not
arrive here was saved.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.support import endpoints

DATE = "Fri, 01 Jan 2021 18:00:00 GMT"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    query: str
    host: str
    headers: CIMultiDictProxy[str]
    body: bytes


class Origin:
    """The server's address, what it received, and the gates that tests hold closed."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Received] = []
        # How long `/delay/1` takes, in seconds.
        self.second = 0.005
        # Whether every endpoint answers 503, and whether `/now-and-then` redirects.
        self.out_of_order = False
        self.moved = False
        self.served: dict[str, int] = {}
        self._permits: asyncio.Queue[str] = asyncio.Queue()
        self._waiting = 0
        self._changed = asyncio.Condition()

    # What tests ask

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def count(self, path: str | None = None, *, method: str | None = None) -> int:
        return sum(
            path in (None, request.path) and method in (None, request.method)
            for request in self.received
        )

    @property
    def last(self) -> Received:
        return self.received[-1]

    def serial(self, path: str) -> int:
        """Count the answers under ``path``, so that each can be told from the one before."""
        self.served[path] = self.served.get(path, 0) + 1
        return self.served[path]

    # Gates: `/gated`, `/trickle` and `/events` wait here until a test lets them go on

    def open(self, permits: int = 1, outcome: str = "ok") -> None:
        """Let the gated requests that waited longest go on, each with ``outcome``."""
        for _ in range(permits):
            self._permits.put_nowait(outcome)

    async def permit(self) -> str:
        async with self._changed:
            self._waiting += 1
            self._changed.notify_all()
        try:
            return await self._permits.get()
        finally:
            self._waiting -= 1

    async def waiting(self, requests: int) -> None:
        """Return when ``requests`` of them are held at the gate; more are an error."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self._waiting >= requests)
        # Whoever else is on the way has time to arrive.
        await asyncio.sleep(0.03)
        assert self._waiting == requests

    async def has_received(self, requests: int) -> None:
        """Return when this many requests arrived, of whatever kind."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self.count() >= requests)

    # The server

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Origin]:
        app = web.Application(middlewares=[self._record], client_max_size=2**26)
        app.on_response_prepare.append(self._date)
        endpoints.add_routes(app, self)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
            await site.start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.received.append(
            Received(
                method=request.method,
                path=request.path,
                query=request.query_string,
                host=request.host.partition(":")[0],
                headers=request.headers,
                body=await request.read(),
            )
        )
        async with self._changed:
            self._changed.notify_all()
        if self.out_of_order:
            return web.Response(status=503, text="out of order")
        return await handler(request)

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        # Two answers of one endpoint differ in nothing but what the endpoint changed. A lifetime is
        # counted from the date, so what has one is of today.
        if "max-age" not in response.headers.get("Cache-Control", ""):
            response.headers["Date"] = DATE


@contextlib.contextmanager
def origin_in_a_thread() -> Iterator[Origin]:
    """Serve from a thread: for tests with several event loops or processes."""
    started: list[tuple[Origin, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        async with Origin().serving() as origin:
            done = asyncio.Event()
            started.append((origin, asyncio.get_running_loop(), done))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="origin")
    thread.start()
    try:
        assert ready.wait(10)
        origin, loop, done = started[0]
        yield origin
        loop.call_soon_threadsafe(done.set)
    finally:
        thread.join(10)
