"""Combine the cache with another class that extends ``ClientSession``.

The cache comes first: classes behind it see only the requests that really go out.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientResponse, ClientSession

from aiohttp_client_cache import CacheMixin, SQLiteBackend


class AnnouncingMixin:
    """Prints every request; it could as well limit their rate."""

    def __init__(self, *args: Any, prefix: str = "sent:", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prefix = prefix

    async def _request(self, method: str, url: Any, **kwargs: Any) -> ClientResponse:
        print(self._prefix, method, url)
        return await super()._request(method, url, **kwargs)  # type: ignore[misc]


class CustomSession(CacheMixin, AnnouncingMixin, ClientSession):
    """A session that remembers, and announces what it does not remember."""


async def main() -> None:
    """Fetch one page three times."""
    backend = SQLiteBackend("mixin_example", use_temp=True)
    await backend.clear()
    async with CustomSession(cache=backend, prefix="to the server:") as session:
        for _ in range(3):
            response = await session.get("http://httpbin.org/get")
            print(response.status, "from cache" if response.from_cache else "new")


if __name__ == "__main__":
    asyncio.run(main())
