"""A cache of the RFC 9111 mode before nginx."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession

from aiohttp_client_cache import CacheBackend
from tests.servers.nginx import Nginx
from tests.support.clock import StandingClock

DAY = 86_400
TEXT = "Tüür, Ärger und Öl.\n" * 100
BYTES = bytes(range(256)) * 8
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}


class Site:
    """A cache before nginx, and the files that it serves."""

    def __init__(
        self,
        session: ClientSession,
        backend: CacheBackend,
        server: Nginx,
        root: Path,
        clock: StandingClock,
    ) -> None:
        self.session = session
        self.backend = backend
        self.server = server
        self.root = root
        self.clock = clock

    async def get(self, path: str, fields: Any = None, **kwargs: Any) -> ClientResponse:
        return await self.request("GET", path, fields, **kwargs)

    async def request(
        self, method: str, path: str, fields: Any = None, **kwargs: Any
    ) -> ClientResponse:
        url = f"{self.server.url}{path}"
        response = await self.session.request(method, url, headers=fields, **kwargs)
        await response.read()
        return response

    def write(self, path: str, content: str | bytes, *, age: float = DAY) -> None:
        """Put a file there, last modified so many seconds ago."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        modified = datetime.now(UTC).timestamp() - age
        os.utime(file, (modified, modified))

    def lines(self) -> list[str]:
        """Method, path and status of the requests that went out since this was asked."""
        return [one.line for one in self.server.asked()]


OpenSite = Callable[..., Site]


def came_from_cache(response: ClientResponse) -> bool:
    return bool(getattr(response, "from_cache", False))
