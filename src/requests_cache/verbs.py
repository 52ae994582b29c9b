"""The methods that end in ``request``, with all that it takes: for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests import Session

if TYPE_CHECKING:
    from typing import Unpack

    from requests_cache.arguments import RequestArguments, WithoutBody, WithoutData, WithoutParams
    from requests_cache.response import CachedResponse


class Verbs(Session):
    """A session that takes the cache's arguments with each request."""

    if TYPE_CHECKING:

        def request(
            self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any
        ) -> CachedResponse:
            """Any method."""
            ...

        def get(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, url: str | bytes, params: Any = None, **kwargs: Unpack[WithoutParams]
        ) -> CachedResponse:
            """GET."""
            ...

        def options(self, url: str | bytes, **kwargs: Unpack[RequestArguments]) -> CachedResponse:
            """OPTIONS."""
            ...

        def head(self, url: str | bytes, **kwargs: Unpack[RequestArguments]) -> CachedResponse:
            """HEAD."""
            ...

        def delete(self, url: str | bytes, **kwargs: Unpack[RequestArguments]) -> CachedResponse:
            """DELETE."""
            ...

        def post(
            self,
            url: str | bytes,
            data: Any = None,
            json: Any = None,
            **kwargs: Unpack[WithoutBody],
        ) -> CachedResponse:
            """POST."""
            ...

        def put(
            self, url: str | bytes, data: Any = None, **kwargs: Unpack[WithoutData]
        ) -> CachedResponse:
            """PUT."""
            ...

        def patch(
            self, url: str | bytes, data: Any = None, **kwargs: Unpack[WithoutData]
        ) -> CachedResponse:
            """PATCH."""
            ...
