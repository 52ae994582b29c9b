"""Give the cache to an unmodified ``aiohttp.ClientSession``.

For code that is handed a session, or that must not subclass one. The middlewares behind the cache
see only the requests that really go out.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

from aiohttp_client_cache import CachedResponse, CacheMiddleware, SQLiteBackend


async def announce(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Print every request."""
    print("to the server:", request.method, request.url)
    return await handler(request)


async def main() -> None:
    """Fetch one page three times."""
    async with SQLiteBackend("middleware_example", use_temp=True) as backend:
        await backend.clear()
        cache = CacheMiddleware(backend, expire_after=3600)
        async with ClientSession(middlewares=[cache, announce]) as session:
            for _ in range(3):
                async with session.get("http://httpbin.org/get") as response:
                    known = isinstance(response, CachedResponse) and response.from_cache
                    print(response.status, "from cache" if known else "new")


if __name__ == "__main__":
    asyncio.run(main())
