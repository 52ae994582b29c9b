"""``AsyncCacheControl``: a session whose responses are kept as ``Cache-Control`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acachecontrol.cache import AsyncCache
from acachecontrol.request_context_manager import RequestContextManager
from aiohttp_client_cache.session import CachedSession
from http_client_cache.backends.options import CONSTRUCTION_NAMES, SETTING_NAMES
from http_client_cache.errors import ConfigurationError, describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from aiohttp.typedefs import StrOrURL

__all__ = ["AsyncCacheControl"]


class AsyncCacheControl:
    """Sends requests, and keeps their responses as RFC 9111 tells a private cache to.

    ::

        async with AsyncCacheControl() as session:
            async with session.get("http://example.com") as response:
                print(await response.text())

    Of many requests for one thing at the same time one is sent; the others wait, and get what is
    stored then. Where nothing is stored in the end, they are sent at once.

    Args:
        cache: where responses are kept; a new :class:`AsyncCache` if left out.
        request_context_manager_cls: makes what the request methods return, of
            ``(client_session, cache, method, url, **params)``.
        **client_session_arguments: those of ``aiohttp.ClientSession``.

    Attributes:
        cache: the cache, which outlives the session.
        client_session: an ``aiohttp.ClientSession`` that goes through the cache.

    Raises:
        ConfigurationError: an argument is not what it should be.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        cache: AsyncCache | None = None,
        request_context_manager_cls: Callable[..., RequestContextManager] = RequestContextManager,
        **client_session_arguments: Any,
    ) -> None:
        self.cache = AsyncCache() if cache is None else _checked(cache)
        _check_callable(request_context_manager_cls)
        _refuse_settings(client_session_arguments)
        self._request_context_manager_cls = request_context_manager_cls
        self.client_session = CachedSession(cache=self.cache, **client_session_arguments)

    def request(self, method: str, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a request, or answer it from the cache.

        Args:
            method: such as ``"GET"``.
            url: absolute, unless the session has a ``base_url``.
            **params: those of ``aiohttp.ClientSession.request``: ``params``, ``headers``,
                ``json``, ``timeout`` …

        Returns:
            What ``async with`` or ``await`` sends.
        """
        return self._request_context_manager_cls(
            self.client_session, self.cache, method, url, **params
        )

    def get(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a GET request, or answer it from the cache."""
        return self.request("GET", url, **params)

    def head(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a HEAD request, or answer it from the cache; redirects are followed."""
        return self.request("HEAD", url, **params)

    def options(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **params)

    def post(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a POST request."""
        return self.request("POST", url, **params)

    def put(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a PUT request."""
        return self.request("PUT", url, **params)

    def patch(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a PATCH request."""
        return self.request("PATCH", url, **params)

    def delete(self, url: StrOrURL, **params: Any) -> RequestContextManager:
        """Send a DELETE request."""
        return self.request("DELETE", url, **params)

    def clear_cache(self) -> None:
        """Delete everything that the cache keeps."""
        self.cache.clear_cache()

    @property
    def closed(self) -> bool:
        """Whether the session is closed."""
        return self.client_session.closed

    async def close(self) -> None:
        """Close the connections; the cache stays as it is."""
        await self.client_session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _checked(cache: object) -> AsyncCache:
    if not isinstance(cache, AsyncCache):
        raise ConfigurationError(f"cache must be an AsyncCache, not {describe(cache)}")
    return cache


def _refuse_settings(arguments: dict[str, Any]) -> None:
    """They would hold for every session of the cache, and could switch off what it goes by."""
    for name in sorted((SETTING_NAMES | CONSTRUCTION_NAMES) & arguments.keys()):
        raise TypeError(
            f"AsyncCacheControl takes the arguments of aiohttp.ClientSession, and not {name!r}; "
            "AsyncCache has a config"
        )


def _check_callable(kind: object) -> None:
    if not callable(kind):
        raise ConfigurationError(
            "request_context_manager_cls must be a class such as RequestContextManager, "
            f"not {describe(kind)}"
        )
