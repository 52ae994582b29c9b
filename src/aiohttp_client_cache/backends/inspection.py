"""What is stored, and under which keys: every backend answers these."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiohttp.typedefs import StrOrURL

from aiohttp_client_cache.backends.storage import BaseCache, ResponseStorage
from aiohttp_client_cache.backends.urls import AsyncUrls, Urls, with_params
from aiohttp_client_cache.response import CachedResponse
from http_client_cache import housekeeping
from http_client_cache.backends.options import Live
from http_client_cache.errors import CacheError, ConfigurationError, describe
from http_client_cache.key import request_key
from http_client_cache.message import Headers, Request
from http_client_cache.plan import Plan

if TYPE_CHECKING:
    from http_client_cache.engine import AsyncCache
    from http_client_cache.shell.drivers import SyncDriver

T = TypeVar("T")

Body = bytes


class Inspection(Live):
    """Looks around in a cache, and deletes single responses."""

    engine: AsyncCache
    _sync: SyncDriver
    _assigned: dict[str, BaseCache]

    async def _run(self, plan: Plan[T]) -> T:
        return await self.engine.run(plan)

    @property
    def urls(self) -> Urls:
        """The URLs of all stored responses: sorted, each once, expired ones included.

        Blocks for the time of the look-up; ``get_urls()`` does not.

        Raises:
            CacheError: the storage is of a user's own and has only coroutine methods.
        """
        if self._assigned:
            raise CacheError(
                "cache.urls reads without awaiting, which a storage of your own cannot do: "
                "use `await cache.get_urls()` or `async for url in cache.get_urls()`"
            )
        found = self._sync.run(housekeeping.urls(self.engine.store))
        return Urls(found, self.get_urls)

    def get_urls(self) -> AsyncUrls:
        """The URLs of all stored responses: await it, or iterate with ``async for``."""
        return AsyncUrls(lambda: self._run(housekeeping.urls(self.engine.store)))

    async def has_url(
        self, url: StrOrURL, method: str | None = None, *, params: Any = None
    ) -> bool:
        """Whether anything is stored for a URL, or a redirect from it.

        Args:
            url: absolute.
            method: asks for the plain request of this method alone; any request if left out.
            params: added to the URL, as aiohttp takes them.
        """
        if method is not None:
            return await self.contains(self.create_key(method, url, params=params))
        target = str(with_params(url, params))
        return await self._run(housekeeping.has_url(self.engine.store, self.settings, target))

    async def delete_url(
        self, url: StrOrURL, method: str | None = None, *, params: Any = None
    ) -> int:
        """Delete what is stored for a URL: each method, body and set of header fields.

        Args:
            url: absolute.
            method: deletes what the plain request of this method got, and nothing else.
            params: added to the URL, as aiohttp takes them.
        """
        if method is not None:
            return await self.delete(self.create_key(method, url, params=params))
        target = str(with_params(url, params))
        return await self._run(housekeeping.delete_url(self.engine.store, self.settings, target))

    async def contains(self, key: str) -> bool:
        """Whether a key has a response, or leads to one."""
        plan = self.engine.store.contains(key, follow=True)
        return await self._run(housekeeping.ask(plan, False))

    async def delete(self, *keys: str) -> int:
        """Delete what is stored under some keys; answers how many there were."""
        return await self.bulk_delete(keys)

    async def bulk_delete(self, keys: Iterable[str]) -> int:
        """Delete what is stored under some keys; answers how many there were."""
        return await self._run(housekeeping.delete(self.engine.store, keys))

    async def clear(self) -> None:
        """Delete all responses and redirects of this cache, and nothing else."""
        await self._run(housekeeping.ask(self.engine.store.clear(), None))

    async def size(self) -> int:
        """How many responses are stored, expired ones included."""
        return await self._run(housekeeping.ask(self.engine.store.size(), 0))

    async def bytes(self) -> int:
        """How many bytes all of it takes, about, as counted for ``max_bytes``.

        Those are bodies, header fields and keys, and what the storage needs for each response
        and redirect.
        """
        return await self._run(housekeeping.ask(self.engine.store.bytes_size(), 0))

    async def get_response(self, key: str) -> CachedResponse | None:
        """The response of a key, whether it has expired or not."""
        return await ResponseStorage(self.engine).read(key)

    def create_key(
        self,
        method: str,
        url: StrOrURL,
        *,
        params: Any = None,
        headers: Mapping[str, str] | None = None,
        data: Body = b"",
    ) -> str:
        """The key of a request.

        Args:
            method: such as ``"GET"``.
            url: absolute.
            params: as aiohttp takes them.
            headers: all that will be sent and could matter.
            data: the body, in bytes.
        """
        target = str(with_params(url, params))
        request = Request(method.upper(), target, Headers.of(headers or {}), data)
        settings = self.settings
        if settings.key_fn is not None:
            key = settings.key_fn(request)
            if not isinstance(key, str):
                if inspect.iscoroutine(key):
                    key.close()
                raise ConfigurationError(
                    f"key_fn answers {describe(key)}; create_key takes the key itself only, "
                    "not one that has to be awaited"
                )
            return key
        return cast("str", request_key(settings, request))
