"""The cache as a middleware, for sessions that are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientRequest, ClientResponse

from aiohttp_client_cache.backends.choose import choose_backend
from aiohttp_client_cache.hop import answer_hop
from http_client_cache.backends.options import Live
from http_client_cache.options import Options

if TYPE_CHECKING:
    from typing import Unpack

    from aiohttp import ClientHandlerType

    from aiohttp_client_cache.backends.choose import Backend
    from http_client_cache.backends.options import SessionOptions


class CacheMiddleware(Live):
    """Caches the requests of an unmodified ``aiohttp.ClientSession``.

    ::

        async with ClientSession(middlewares=[CacheMiddleware(SQLiteBackend("demo"))]) as session:
            ...

    Put it first, so that the middlewares behind it see only requests that go out. Each hop of a
    redirect chain is a request of its own here, and redirects are not stored. aiohttp does not
    tell a middleware of a request's own ``auto_decompress=False``; set that on the session.

    Args:
        cache: the backend, or its name or URL; in memory if left out. It stays open: close it
            yourself.
        **options: settings, as on the backend.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        TypeError: an unknown argument.
    """

    def __init__(self, cache: Backend = None, **options: Unpack[SessionOptions]) -> None:
        self.cache = choose_backend(cache, dict(options))
        self.settings = self.cache.settings

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Answer one request (called by aiohttp)."""
        raw = not request._session.auto_decompress
        options = _RAW if raw else _PLAIN
        return await answer_hop(self.cache, options, request, handler)


_PLAIN = Options()
_RAW = Options(variant=("raw",))
