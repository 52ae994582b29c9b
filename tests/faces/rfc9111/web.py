"""A cache before a scripted origin, and what its user sees."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, TraceConfig
from multidict import CIMultiDictProxy

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware, SQLiteBackend
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin

MEMORY_ROUTES = ("session", "traced", "middleware")
"""The ways to a cached response. A session that is traced cannot take the shortest one."""

ROUTES = (*MEMORY_ROUTES, "sqlite", "sqlite middleware")

Fields = Mapping[str, str] | list[tuple[str, str]] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A response with its body, as the caller sees it."""

    response: ClientResponse
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    from_cache: bool

    @property
    def age(self) -> str | None:
        return self.headers.get("Age")


class Web:
    """A client with a cache, and the origin behind it."""

    def __init__(
        self,
        session: ClientSession,
        backend: CacheBackend,
        origin: ScriptedOrigin,
        clock: StandingClock,
    ) -> None:
        self.session = session
        self.backend = backend
        self.origin = origin
        self.clock = clock

    async def get(self, target: str = "/", fields: Fields = None, **kwargs: Any) -> Seen:
        return await self.request("GET", target, fields, **kwargs)

    async def head(self, target: str = "/", fields: Fields = None, **kwargs: Any) -> Seen:
        return await self.request("HEAD", target, fields, **kwargs)

    async def request(
        self, method: str, target: str = "/", fields: Fields = None, **kwargs: Any
    ) -> Seen:
        """Send a request, and read its answer to the end."""
        url = target if "://" in target else self.origin.url(target)
        kwargs.setdefault("allow_redirects", method != "HEAD")
        response = await self.session.request(method, url, headers=fields, **kwargs)
        body = await response.read()
        return Seen(
            response,
            response.status,
            response.headers,
            body,
            bool(getattr(response, "from_cache", False)),
        )

    async def is_reused(self, target: str = "/", fields: Fields = None) -> bool:
        """Whether a request is answered without the origin."""
        before = self.origin.count()
        seen = await self.get(target, fields, allow_redirects=False)
        asked = self.origin.count() > before
        assert seen.from_cache or asked
        return not asked


OpenWeb = Callable[..., Web]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as a condition holds, which takes background work some moments."""
    for _ in range(1000):
        if await condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


def opener(
    route: str,
    origin: ScriptedOrigin,
    clock: StandingClock,
    folder: Path,
    opened: contextlib.AsyncExitStack,
) -> OpenWeb:
    """A function that makes a cache of its settings.

    Args:
        route: one of `ROUTES`.
        origin: that is asked.
        clock: of the cache.
        folder: for files.
        opened: closes what was made.
    """

    def open_web(*, cache_control: bool = True, **settings: Any) -> Web:
        settings = {"cache_control": cache_control, "clock": clock, **settings}
        if route.startswith("sqlite"):
            backend: CacheBackend = SQLiteBackend(folder / "cache.sqlite", **settings)
        else:
            backend = CacheBackend(**settings)
        if route.endswith("middleware"):
            session = ClientSession(middlewares=[CacheMiddleware(cache=backend)])
        elif route == "traced":
            session = CachedSession(cache=backend, trace_configs=[TraceConfig()])
        else:
            session = CachedSession(cache=backend)
        opened.push_async_callback(backend.close)
        opened.push_async_callback(session.close)
        return Web(session, backend, origin, clock)

    return open_web
