"""Say how long responses are fresh: for all, for some URLs, for one request."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiohttp_client_cache import DO_NOT_CACHE, NEVER_EXPIRE, CachedSession


async def main() -> None:
    """Fetch some pages, and show until when each is fresh."""
    async with CachedSession(
        expire_after=timedelta(hours=1),
        # The first pattern that matches counts; `/stream/` stands for all that is below it.
        urls_expire_after={
            "httpbin.org/delay": timedelta(days=1),
            "httpbin.org/stream/": NEVER_EXPIRE,
            "httpbin.org/status": DO_NOT_CACHE,
        },
    ) as session:
        for url in (
            "http://httpbin.org/get",
            "http://httpbin.org/delay/1",
            "http://httpbin.org/stream/3",
            "http://httpbin.org/status/200",
        ):
            await session.get(url)
            await show(session, url)

        # One request has the last word.
        await session.get("http://httpbin.org/headers", expire_after=60)
        await show(session, "http://httpbin.org/headers")

        # Ask the server again, whatever is stored.
        response = await session.get("http://httpbin.org/get", force_refresh=True)
        print("forced:", "from cache" if response.from_cache else "new")

        # A new rule for what is stored already; what is past its time by it is deleted.
        removed = await session.delete_expired_responses(expire_after=timedelta(days=30))
        print("deleted:", removed)
        await show(session, "http://httpbin.org/get")


async def show(session: CachedSession, url: str) -> None:
    """Print how long a page is fresh, if it is in the cache."""
    response = await session.get(url, only_if_cached=True)
    if not response.from_cache:
        print(url, "is not kept")
    elif response.expires is None or response.created_at is None:
        print(url, "never expires")
    else:
        print(url, "is fresh for", response.expires - response.created_at)


if __name__ == "__main__":
    asyncio.run(main())
