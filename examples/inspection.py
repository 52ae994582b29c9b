"""Look into a cache, and delete from it."""

from __future__ import annotations

import asyncio

from aiohttp_client_cache import CachedSession, SQLiteBackend


async def main() -> None:
    """Fill a cache, look at it from all sides, and empty it."""
    backend = SQLiteBackend(
        "inspection_example",
        use_temp=True,
        allowed_methods=("GET", "POST"),
        ignored_parameters=["token"],
    )
    await backend.clear()
    async with CachedSession(cache=backend) as session:
        await session.get("http://httpbin.org/get", params={"page": 1, "token": "secret"})
        await session.get("http://httpbin.org/redirect/1")
        await session.post("http://httpbin.org/post", json={"query": "everything"})

        cache = session.cache
        print("URLs:")
        async for url in cache.get_urls():
            print("  ", url)
        print("responses:", await cache.responses.size())
        print("redirects:", await cache.redirects.size())
        print("has /get?page=1:", await cache.has_url("http://httpbin.org/get?page=1"))

        async for response in cache.responses.values():
            print(response.method, response.status, response.url, len(await response.read()))

        # Under which key something is kept, and what is kept there.
        key = cache.create_key("GET", "http://httpbin.org/get", params={"page": 1})
        response = await cache.responses.read(key)
        print("by its key:", response.url)

        await cache.delete_url("http://httpbin.org/get?page=1")
        print("after delete_url:", await cache.responses.size())
        await cache.clear()
        print("after clear:", await cache.responses.size())


if __name__ == "__main__":
    asyncio.run(main())
