"""Everything at once: many tasks, three ways in, impatient and careless callers.

Whatever they do to their own responses, nobody is ever given a wrong body, and nobody waits for
what will not come.
"""

from __future__ import annotations

import asyncio
import contextlib
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse, ClientSession

from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import ROUTES, open_route
from tests.support import endpoints
from tests.support.clock import StandingClock
from tests.support.origin import Origin

BODIES = {
    "/lines": endpoints.LINES,
    "/chunked": endpoints.LINES,
    "/compressed/gzip": endpoints.POEM.encode(),
    "/large": b"x" * 3 * 2**20,
    "/redirect-to?to=/lines": endpoints.LINES,
    "/redirect-to?to=/large": b"x" * 3 * 2**20,
}
OTHERS = ["/delay/1", "/status/404", "/raw/short-of-content-length", "/hang-up"]
REQUESTS = 300


class Caller:
    """One task's request: what it asks for and how it treats the answer."""

    def __init__(self, random: Random) -> None:
        self.path = random.choice([*BODIES, *OTHERS])
        self.manner = random.choice(["read"] * 4 + ["iterate"] * 3 + ["peek", "close", "leave"])
        self.route = random.choice(list(ROUTES))
        self.kwargs: dict[str, Any] = {}
        if random.random() < 0.1:
            self.kwargs["timeout"] = aiohttp.ClientTimeout(total=random.choice([0.005, 0.02]))
        if random.random() < 0.1 and self.route != "middleware":
            self.kwargs[random.choice(["refresh", "force_refresh"])] = True

    async def ask(self, session: ClientSession, origin: Origin) -> None:
        # What aiohttp may raise for these paths and timeouts is nobody's fault.
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(origin.url(self.path), **self.kwargs) as response:
                await self.treat(response)

    async def treat(self, response: ClientResponse) -> None:
        if self.manner == "peek":
            await response.content.read(10)
        elif self.manner == "close":
            await response.content.readany()
            response.close()
        elif self.manner != "leave":
            body = (
                await response.read()
                if self.manner == "read"
                else b"".join([piece async for piece in response.content.iter_any()])
            )
            if self.path in BODIES:
                assert body == BODIES[self.path], self.path


@pytest.mark.parametrize("seed", range(3))
async def test_storm(
    origin: Origin, open_backend: OpenBackend, clock: StandingClock, seed: int
) -> None:
    random = Random(seed)
    backend = open_backend(expire_after=1)
    async with contextlib.AsyncExitStack() as stack:
        sessions = {
            name: await stack.enter_async_context(open_route(name, backend)) for name in ROUTES
        }
        tasks = []
        for _ in range(REQUESTS):
            caller = Caller(random)
            tasks.append(asyncio.create_task(caller.ask(sessions[caller.route], origin)))
            if random.random() < 0.15:
                loop = asyncio.get_running_loop()
                loop.call_later(random.random() * 0.03, tasks[-1].cancel)
            if random.random() < 0.3:
                await asyncio.sleep(random.random() * 0.002)
            if random.random() < 0.05:
                clock.advance(seconds=1)

        async with asyncio.timeout(20):
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [answer for answer in answers if isinstance(answer, Exception)] == []

        # And after it there is peace.
        async with asyncio.timeout(10):
            for session in sessions.values():
                for path, body in BODIES.items():
                    assert await (await session.get(origin.url(path))).read() == body
