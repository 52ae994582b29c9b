"""A cache before a scripted origin, and what its user sees: with aiohttp or requests as the client."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
import requests
from multidict import CIMultiDict, CIMultiDictProxy

from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin

MEMORY_ROUTES = ("session", "traced", "middleware", "requests")
"""The ways to a cached response. A session that is traced cannot take the shortest one."""

ROUTES = (*MEMORY_ROUTES, "sqlite", "sqlite middleware", "sqlite requests")

SESSION_ROUTES = ("session", "traced", "requests")
"""Those whose requests take the cache's own arguments."""

TABLE_ROUTES = ("session", "requests")
"""The shortest of each client, for long tables."""

only_aiohttp = pytest.mark.only_aiohttp
"""What a test is about is aiohttp's alone; its argument says what."""

# What either client raises.
LOST = (aiohttp.ClientError, requests.RequestException)
DISCONNECTED = (aiohttp.ServerDisconnectedError, requests.ConnectionError)
UNREACHABLE = (aiohttp.ClientConnectorError, requests.ConnectionError)
BROKEN_OFF = (aiohttp.ClientPayloadError, requests.exceptions.ChunkedEncodingError)
TOO_SLOW = (TimeoutError, requests.Timeout)
TOO_MANY_REDIRECTS = (aiohttp.TooManyRedirects, requests.TooManyRedirects)

Fields = Mapping[str, str] | list[tuple[str, str]] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A response with its body, as the caller sees it.

    Attributes:
        response: the client's own.
        raw_headers: the fields as they came.
        history: the statuses of the redirects that led here.
        cookies: that it set, by name.
    """

    response: Any
    method: str
    url: str
    status: int
    reason: str | None
    headers: CIMultiDictProxy[str]
    raw_headers: list[tuple[bytes, bytes]]
    body: bytes
    from_cache: bool
    history: list[int]
    cookies: dict[str, str]

    @property
    def age(self) -> str | None:
        return self.headers.get("Age")


class Opened(Protocol):
    """A response whose body has not been read."""

    status: int

    async def read(self) -> bytes:
        """The whole body."""

    async def release(self) -> None:
        """Nobody will read it."""


class Web(ABC):
    """A client with a cache, and the origin behind it.

    Attributes:
        session: of the client.
        backend: of the cache.
        origin: that is asked.
        clock: of the cache.
    """

    session: Any
    backend: Any
    origin: ScriptedOrigin
    clock: StandingClock

    async def get(self, target: str = "/", fields: Fields = None, **kwargs: Any) -> Seen:
        return await self.request("GET", target, fields, **kwargs)

    async def head(self, target: str = "/", fields: Fields = None, **kwargs: Any) -> Seen:
        return await self.request("HEAD", target, fields, **kwargs)

    async def request(
        self, method: str, target: str = "/", fields: Fields = None, **kwargs: Any
    ) -> Seen:
        """Send a request, and read its answer to the end.

        Args:
            method: of the request.
            target: a path, or a whole URL.
            fields: of its head.
            **kwargs: of the client, as far as both have them; ``auth`` is a pair.
        """
        url = target if "://" in target else self.origin.url(target)
        kwargs.setdefault("allow_redirects", method != "HEAD")
        return await self._request(method, url, fields, **kwargs)

    @abstractmethod
    async def _request(self, method: str, url: str, fields: Fields, **kwargs: Any) -> Seen: ...

    @abstractmethod
    async def open(self, target: str = "/", fields: Fields = None) -> Opened:
        """Send a GET, and return as soon as the client hands over its answer."""

    @abstractmethod
    def timeout(self, *, total: float | None = None, read: float | None = None) -> Any:
        """What the client takes for ``timeout``, as far as it knows such a limit."""

    @abstractmethod
    def raise_for_status(self) -> None:
        """Let the client raise what is an error from now on."""

    @abstractmethod
    def in_use(self) -> int:
        """Connections that have not been given back."""

    @abstractmethod
    async def size(self) -> int:
        """How many responses are stored."""

    @abstractmethod
    async def clear(self) -> None:
        """Delete all of them."""

    @abstractmethod
    async def close(self) -> None:
        """Close the client, and after it the cache."""

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
    from tests.faces.rfc9111.web_of_aiohttp import AiohttpWeb
    from tests.faces.rfc9111.web_of_requests import RequestsWeb

    kind = RequestsWeb if route.endswith("requests") else AiohttpWeb

    def open_web(*, cache_control: bool = True, **settings: Any) -> Web:
        settings = {"cache_control": cache_control, "clock": clock, **settings}
        web: Web = kind(route, origin, clock, folder, settings)
        opened.push_async_callback(web.close)
        return web

    return open_web


@contextlib.asynccontextmanager
async def opening(
    route: str, origin: ScriptedOrigin, clock: StandingClock, folder: Path
) -> AsyncIterator[OpenWeb]:
    """The same; whatever it made is closed in the end."""
    async with contextlib.AsyncExitStack() as opened:
        yield opener(route, origin, clock, folder, opened)


def multidict(fields: list[tuple[bytes, bytes]]) -> CIMultiDictProxy[str]:
    """Header fields as text."""
    return CIMultiDictProxy(
        CIMultiDict([(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields])
    )
