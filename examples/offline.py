"""Work from the cache alone, redirects included."""

from __future__ import annotations

import asyncio

from aiohttp_client_cache import CachedSession, SQLiteBackend


async def main() -> None:
    """Fetch once, then never ask the server again."""
    backend = SQLiteBackend("offline_example", use_temp=True)
    await backend.clear()
    async with CachedSession(cache=backend) as session:
        # Two redirects and a page. They are kept under the address they begin with.
        await session.get("http://httpbin.org/redirect/2")

        response = await session.get("http://httpbin.org/redirect/2", only_if_cached=True)
        print(response.status, "from cache:", response.from_cache, "ends at", response.url)
        for hop in response.history:
            print("  by way of", hop.status, hop.url)

        # What is not in the cache is answered with 504, and nothing is sent.
        missing = await session.get("http://httpbin.org/get", only_if_cached=True)
        print(missing.status, missing.reason)

        # The opposite: neither look into the cache nor store anything.
        with session.disabled():
            response = await session.get("http://httpbin.org/redirect/2")
            print("disabled, from cache:", response.from_cache)


if __name__ == "__main__":
    asyncio.run(main())
