"""Let servers say how long their responses are good for, and look at what is kept of them.

The mapping of the cache is an ordinary ``OrderedDict`` that tells what happens to it. Anything that
has its methods will do.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from acachecontrol import AsyncCache, AsyncCacheControl


class Telling(OrderedDict[str, Any]):
    """A mapping of URLs that prints what comes and goes."""

    def __setitem__(self, url: str, value: Any) -> None:
        print("  kept:", url)
        super().__setitem__(url, value)

    def popitem(self, last: bool = True) -> tuple[str, Any]:  # noqa: FBT001, FBT002
        """Print and delete the last item, or the first."""
        url, value = super().popitem(last)
        print("  gone:", url)
        return url, value


async def main() -> None:
    """Ask for three pages, with room for two."""
    cache = AsyncCache(config={"max_age": 60, "capacity": 2}, cache_backend=Telling())
    async with AsyncCacheControl(cache=cache) as session:
        for path in ("get", "headers", "get", "stream/3", "get", "headers"):
            async with session.get(f"http://httpbin.org/{path}") as response:
                print(path, "from cache" if response.from_cache else "new")


if __name__ == "__main__":
    asyncio.run(main())
