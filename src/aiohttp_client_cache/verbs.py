"""The verbs of a session, with the cache's own arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, overload

if TYPE_CHECKING:
    from typing import Unpack

    from aiohttp import ClientSession
    from aiohttp.client import _BaseRequestContextManager
    from aiohttp.typedefs import LooseHeaders, StrOrURL

    from aiohttp_client_cache.arguments import RequestOptions
    from aiohttp_client_cache.response import CachedResponse

    Requesting = _BaseRequestContextManager[CachedResponse]
    Base = ClientSession
else:
    Base = object

# pyright: reportIncompatibleMethodOverride=false
# Each verb takes more than the one it overrides, and promises a response that knows the cache.


class Verbs(Base):
    """Types the verbs; ``get``, ``head`` and ``options`` take headers by position, too."""

    @overload
    def get(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
    @overload
    def get(
        self, url: StrOrURL, headers: LooseHeaders, /, **kwargs: Unpack[RequestOptions]
    ) -> Requesting: ...
    def get(self, url: StrOrURL, *headers: LooseHeaders, **kwargs: Any) -> Requesting:
        """Send a GET request, or answer it from the cache."""
        if headers:
            _by_position(headers, kwargs)
        return cast("Requesting", super().get(url, **kwargs))

    @overload
    def head(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
    @overload
    def head(
        self, url: StrOrURL, headers: LooseHeaders, /, **kwargs: Unpack[RequestOptions]
    ) -> Requesting: ...
    def head(self, url: StrOrURL, *headers: LooseHeaders, **kwargs: Any) -> Requesting:
        """Send a HEAD request, or answer it from the cache."""
        if headers:
            _by_position(headers, kwargs)
        return cast("Requesting", super().head(url, **kwargs))

    @overload
    def options(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
    @overload
    def options(
        self, url: StrOrURL, headers: LooseHeaders, /, **kwargs: Unpack[RequestOptions]
    ) -> Requesting: ...
    def options(self, url: StrOrURL, *headers: LooseHeaders, **kwargs: Any) -> Requesting:
        """Send an OPTIONS request."""
        if headers:
            _by_position(headers, kwargs)
        return cast("Requesting", super().options(url, **kwargs))

    if TYPE_CHECKING:
        # At run time these are the client's own.
        def request(
            self, method: str, url: StrOrURL, **kwargs: Unpack[RequestOptions]
        ) -> Requesting:
            """Send a request, or answer it from the cache."""
            ...

        def post(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting:
            """Send a POST request, or answer it from the cache."""
            ...

        def put(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting:
            """Send a PUT request, or answer it from the cache."""
            ...

        def patch(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting:
            """Send a PATCH request, or answer it from the cache."""
            ...

        def delete(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting:
            """Send a DELETE request, or answer it from the cache."""
            ...


def _by_position(headers: tuple[LooseHeaders, ...], kwargs: dict[str, Any]) -> None:
    first, *more = headers
    if more:
        raise TypeError(f"at most url and headers are taken by position, not {len(more)} more")
    if "headers" in kwargs:
        raise TypeError("headers were given twice: by position and by name")
    kwargs["headers"] = first
