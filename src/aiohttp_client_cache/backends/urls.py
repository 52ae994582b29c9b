"""The URLs in a cache, as a list and as something to await; and URLs as callers write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, cast

from yarl import URL

from http_client_cache.errors import ConfigurationError, describe

if TYPE_CHECKING:
    from aiohttp.typedefs import StrOrURL


class Urls(list[str]):
    """The URLs in a cache, as a list; called, it can be awaited or iterated with ``async for``."""

    def __init__(self, urls: Iterable[str], fresh: Callable[[], AsyncUrls]) -> None:
        super().__init__(urls)
        self._fresh = fresh

    def __call__(self) -> AsyncUrls:
        """The same, asked of the store without blocking."""
        return self._fresh()


class AsyncUrls:
    """The URLs in a cache: ``await`` it for a list, or iterate with ``async for``."""

    def __init__(self, load: Callable[[], Awaitable[list[str]]]) -> None:
        self._load = load

    def __await__(self) -> Generator[Any, None, list[str]]:
        return self._load().__await__()

    async def __aiter__(self) -> AsyncIterator[str]:
        for url in await self._load():
            yield url


def with_params(url: StrOrURL, params: Any) -> URL:
    """The URL that aiohttp makes of both.

    Raises:
        ConfigurationError: ``url`` is neither text nor a ``yarl.URL``.
    """
    if not isinstance(cast("object", url), str | URL):
        raise ConfigurationError(f"url must be str or yarl.URL, not {describe(url)}")
    return URL(url).extend_query(params) if params else URL(url)
