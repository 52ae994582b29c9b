"""The cache as a transport adapter: one request, answered from the cache or by the origin.

A redirect chain is several of them: the session follows the redirects, and asks for each hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from requests.adapters import BaseAdapter, HTTPAdapter

from http_client_cache.entry import Entry, Hop
from http_client_cache.errors import StoreError
from http_client_cache.options import Options
from http_client_cache.served import NOT_CACHED, Forwarded, Hit, Made, Refused, Served
from requests_cache.backends.choose import choose_backend
from requests_cache.origin import Origin
from requests_cache.request import connection_marks, engine_request
from requests_cache.response import CachedResponse, build, mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest, Response

    from http_client_cache.body import AnyBody
    from requests_cache.backends.base import BaseCache
    from requests_cache.backends.choose import BackendSpecifier
    from requests_cache.origin import Send


class CacheAdapter(BaseAdapter):
    """Caches the requests of a plain ``requests.Session``.

    ::

        session = requests.Session()
        session.mount("https://", CacheAdapter("demo_cache", backend="sqlite"))

    Each hop of a redirect chain is a request of its own here, and redirects are not stored, unless
    ``cache_control`` says so; a :class:`~requests_cache.CachedSession` stores whole chains.

    Args:
        cache_name: of the backend.
        backend: its name, its URL, its class, or the backend itself; SQLite if left out.
        adapter: sends what goes out, such as an ``HTTPAdapter`` with retries; a new one if left
            out.
        **options: settings, and what the backend takes.

    Raises:
        ConfigurationError: a value is not what its argument accepts.
        MissingDependency: what an argument asks for is not installed.
        TypeError: an unknown argument.
    """

    def __init__(
        self,
        cache_name: str | None = None,
        backend: BackendSpecifier = None,
        *,
        adapter: BaseAdapter | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.cache = choose_backend(cache_name, backend, options)
        self.settings = self.cache.settings
        self.adapter = HTTPAdapter() if adapter is None else adapter
        self.cache.attach(self)

    def send(self, request: PreparedRequest, stream: bool = False, **kwargs: Any) -> Response:  # type: ignore[override]  # noqa: FBT001, FBT002 - requests'
        """Answer one request (called by the session)."""
        return Caching(self.adapter, self.cache, PLAIN).send(request, stream=stream, **kwargs)

    def close(self) -> None:
        """Close the adapter behind, and the backend if nobody else uses it."""
        self.adapter.close()
        self.cache.detach(self)


PLAIN = Options()


def marked(options: Options, request: PreparedRequest, kwargs: Mapping[str, Any]) -> Options:
    """What the caller said, with what tells apart how the connection is made."""
    marks = connection_marks(request.url, kwargs.get("verify"), kwargs.get("cert"))
    return msgspec.structs.replace(options, variant=marks) if marks else options


class Caching(BaseAdapter):
    """Another adapter with a cache before it, for what one caller asks.

    Args:
        adapter: sends what goes out.
        backend: the cache.
        options: what the caller said.
    """

    def __init__(self, adapter: BaseAdapter, backend: BaseCache, options: Options) -> None:
        self.adapter = adapter
        self._backend = backend
        self._options = options

    def send(self, request: PreparedRequest, stream: bool = False, **kwargs: Any) -> Response:  # type: ignore[override]  # noqa: FBT001, FBT002 - requests'
        """Answer one request."""
        self._options = marked(self._options, request, kwargs)
        chain = self._options.chain
        ahead = None if chain is None else chain.next_ahead(request.url or "")
        if ahead is not None:
            return self._replayed(request, *ahead, stream=stream)

        def send(changed: PreparedRequest, patience: float | None = None) -> Response:
            timed: dict[str, Any] = kwargs
            if patience is not None and kwargs.get("timeout") is None:
                timed = kwargs | {"timeout": patience}
            return self.adapter.send(changed, stream=stream, **timed)

        return self._answer(request, send, stream=stream)

    def _answer(
        self, request: PreparedRequest, send: Send, *, stream: bool, again: bool = True
    ) -> CachedResponse:
        backend, options = self._backend, self._options
        origin = Origin(request, send, backend.engine, stream=stream)
        try:
            served = backend.engine.serve(engine_request(request), options, origin)
        except BaseException:
            # Interrupted, maybe, when the answer was there and not yet handed over.
            origin.abandon()
            raise
        if origin.copy is not None:
            origin.copy.let_go()
        try:
            if isinstance(served, Hit) and served.stored.hops and options.chain is not None:
                hops = served.stored.hops
                options.chain.ahead = (hops[1:], served)
                return self._replayed(request, hops[0], served, stream=stream)
            return self._response(request, served, stream=stream)
        except StoreError:
            if not again:
                raise
            # What is damaged is gone by now.
            return self._answer(request, send, stream=stream, again=False)

    def _replayed(
        self, request: PreparedRequest, hop: Hop | None, hit: Hit, *, stream: bool
    ) -> CachedResponse:
        """One response of a stored chain."""
        if hop is None:
            return self._response(request, hit, stream=stream)
        response = self._built(hop, b"", request, stream=stream)
        response._served = hit.told()
        return response

    def _response(
        self, request: PreparedRequest, served: Served, *, stream: bool
    ) -> CachedResponse:
        """What serving a request came to, as a response of requests'."""
        backend = self._backend
        if isinstance(served, Forwarded):
            response = cast("CachedResponse", served.answer.raw)
        elif isinstance(served, Refused):
            response = self._built(NOT_CACHED, b"", request, stream=stream)
        else:
            stored = served.stored
            body = stored.body if served.made is None else served.made.body
            head = served.made or stored.entry
            if not stream:
                body = backend.engine.read_all(body)
            response = self._built(head, body, request, stream=stream, hit=served)
        mark(response, served, backend.clock, told=backend.settings.cache_status)
        return response

    def _built(
        self,
        head: Entry | Hop | Made,
        body: AnyBody,
        request: PreparedRequest,
        *,
        stream: bool,
        hit: Hit | None = None,
    ) -> CachedResponse:
        return build(
            *(head, body, request),
            method=request.method or "GET",
            url=request.url or "",
            stream=stream,
            hit=hit,
            engine=self._backend.engine,
            connection=self.adapter,
        )

    def close(self) -> None:
        """Let go of nothing: whoever made this one closes what it is made of."""
