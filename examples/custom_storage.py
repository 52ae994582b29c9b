"""Keep responses wherever you like: here, each in a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from aiohttp_client_cache import BaseCache, CacheBackend, CachedSession


class FolderStorage(BaseCache):
    """One file for each item.

    ``serialize`` and ``deserialize`` come with ``BaseCache``: bytes in which no code lies. A key
    holds hexadecimal digits and a dot, so that it may be the name of a file.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    async def read(self, key: str) -> Any:
        """The item of a key, or ``None``."""
        try:
            return self.deserialize(await asyncio.to_thread((self._folder / key).read_bytes))
        except FileNotFoundError:
            return None

    async def write(self, key: str, item: Any) -> None:
        """Keep an item; nobody ever sees half of it."""
        data = self.serialize(item)
        draft = self._folder / f".{uuid4()}"  # Another task may write the same key.
        await asyncio.to_thread(draft.write_bytes, data)
        await asyncio.to_thread(draft.replace, self._folder / key)

    async def contains(self, key: str) -> bool:
        """Whether the key has an item."""
        return await asyncio.to_thread((self._folder / key).exists)

    async def delete(self, key: str) -> None:
        """Delete the item of a key, if there is one."""
        await asyncio.to_thread((self._folder / key).unlink, missing_ok=True)

    async def bulk_delete(self, keys: set[str]) -> None:
        """Delete the items of some keys."""
        for key in keys:
            await self.delete(key)

    async def clear(self) -> None:
        """Delete all items."""
        await self.bulk_delete({key async for key in self.keys()})

    async def size(self) -> int:
        """How many items there are."""
        return len([key async for key in self.keys()])

    async def keys(self) -> AsyncIterator[str]:
        """All keys."""
        for path in await asyncio.to_thread(lambda: sorted(self._folder.iterdir())):
            if not path.name.startswith("."):
                yield path.name

    async def values(self) -> AsyncIterator[Any]:
        """All items."""
        async for key in self.keys():
            if (item := await self.read(key)) is not None:
                yield item


async def main() -> None:
    """Fetch one page twice, with the cache in a folder."""
    with TemporaryDirectory() as folder:
        backend = CacheBackend(expire_after=3600)
        backend.responses = FolderStorage(Path(folder, "responses"))
        backend.redirects = FolderStorage(Path(folder, "redirects"))
        async with CachedSession(cache=backend) as session:
            for _ in range(2):
                response = await session.get("http://httpbin.org/get")
                print(response.status, "from cache" if response.from_cache else "new")
            print("files:", await backend.responses.size())
            async for stored in backend.responses.values():
                print(stored.method, stored.url, "expires", stored.expires is not None)


if __name__ == "__main__":
    asyncio.run(main())
