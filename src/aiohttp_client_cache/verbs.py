"""The verbs of a session, with the cache's own arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, overload

if TYPE_CHECKING:
    from typing import Unpack

    from aiohttp import ClientSession
    from aiohttp.client import _BaseRequestContextManager, _RequestOptions
    from aiohttp.typedefs import LooseHeaders, StrOrURL

    from aiohttp_client_cache.arguments import RequestOptions
    from aiohttp_client_cache.response import CachedResponse

    Requesting = _BaseRequestContextManager[CachedResponse]
    Base = ClientSession
else:
    Base = object


class Verbs(Base):
    """Types the verbs; ``get``, ``head`` and ``options`` take headers by position, too."""

    @overload
    def get(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
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
    def head(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
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
    def options(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
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
        # At run time these are the client's own. The first signature of each is what it overrides,
        # so that classes made of the mixin and a session agree for type checkers.

        @overload
        def request(
            self, method: str, url: StrOrURL, **kwargs: Unpack[_RequestOptions]
        ) -> Requesting: ...
        @overload
        def request(
            self, method: str, url: StrOrURL, **kwargs: Unpack[RequestOptions]
        ) -> Requesting: ...
        def request(self, method: str, url: StrOrURL, **kwargs: Any) -> Requesting:
            """Send a request, or answer it from the cache."""
            ...

        @overload
        def post(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
        @overload
        def post(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
        def post(self, url: StrOrURL, **kwargs: Any) -> Requesting:
            """Send a POST request, or answer it from the cache."""
            ...

        @overload
        def put(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
        @overload
        def put(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
        def put(self, url: StrOrURL, **kwargs: Any) -> Requesting:
            """Send a PUT request, or answer it from the cache."""
            ...

        @overload
        def patch(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
        @overload
        def patch(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
        def patch(self, url: StrOrURL, **kwargs: Any) -> Requesting:
            """Send a PATCH request, or answer it from the cache."""
            ...

        @overload
        def delete(self, url: StrOrURL, **kwargs: Unpack[_RequestOptions]) -> Requesting: ...
        @overload
        def delete(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> Requesting: ...
        def delete(self, url: StrOrURL, **kwargs: Any) -> Requesting:
            """Send a DELETE request, or answer it from the cache."""
            ...


def _by_position(headers: tuple[LooseHeaders, ...], kwargs: dict[str, Any]) -> None:
    first, *more = headers
    if more:
        raise TypeError(f"at most url and headers are taken by position, not {len(more)} more")
    if "headers" in kwargs:
        raise TypeError("headers were given twice: by position and by name")
    kwargs["headers"] = first
