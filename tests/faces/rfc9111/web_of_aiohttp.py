"""aiohttp as the client of the tests of RFC 9111."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import BasicAuth, ClientResponse, ClientSession, ClientTimeout, TraceConfig

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware, SQLiteBackend
from tests.faces.rfc9111.web import Fields, Opened, Seen, Web
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin


class _Opened:
    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.status = response.status

    async def read(self) -> bytes:
        return await self.response.read()

    async def release(self) -> None:
        self.response.release()


class AiohttpWeb(Web):
    """A session of aiohttp's; see ``opener`` for the arguments."""

    session: ClientSession
    backend: CacheBackend

    def __init__(
        self,
        route: str,
        origin: ScriptedOrigin,
        clock: StandingClock,
        folder: Path,
        settings: dict[str, Any],
    ) -> None:
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
        self.use(session, backend, origin, clock)

    def use(
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

    @classmethod
    def of(
        cls,
        session: ClientSession,
        backend: CacheBackend,
        origin: ScriptedOrigin,
        clock: StandingClock,
    ) -> AiohttpWeb:
        """With a session that the test has made."""
        web = cls.__new__(cls)
        web.use(session, backend, origin, clock)
        return web

    async def _request(self, method: str, url: str, fields: Fields, **kwargs: Any) -> Seen:
        if "auth" in kwargs:
            kwargs["auth"] = BasicAuth(*kwargs["auth"])
        response = await self.session.request(method, url, headers=fields, **kwargs)
        body = await response.read()
        return Seen(
            response,
            response.method,
            str(response.url),
            response.status,
            response.reason,
            response.headers,
            list(response.raw_headers),
            body,
            bool(getattr(response, "from_cache", False)),
            [hop.status for hop in response.history],
            {name: cookie.value for name, cookie in response.cookies.items()},
        )

    async def open(self, target: str = "/", fields: Fields = None) -> Opened:
        return _Opened(await self.session.get(self.origin.url(target), headers=fields))

    def timeout(self, *, total: float | None = None, read: float | None = None) -> ClientTimeout:
        return ClientTimeout(total=total, sock_read=read)

    def raise_for_status(self) -> None:
        self.session._raise_for_status = True

    def in_use(self) -> int:
        connector = self.session.connector
        assert connector is not None
        return len(connector._acquired)

    async def size(self) -> int:
        return await self.backend.responses.size()

    async def clear(self) -> None:
        await self.backend.clear()

    async def close(self) -> None:
        await self.session.close()
        await self.backend.close()
