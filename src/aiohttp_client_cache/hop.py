"""One request of aiohttp's, answered from the cache or by the origin.

A redirect chain is several of them: aiohttp follows the redirects, and asks for each hop.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

from aiohttp import ClientRequest, ClientResponse
from multidict import CIMultiDict

from aiohttp_client_cache.detached import from_entry, with_body_read
from aiohttp_client_cache.request import engine_request
from aiohttp_client_cache.response import CachedResponse, build, cached_class
from http_client_cache.entry import Entry, Hop, Stored
from http_client_cache.flow import Forwarded, Hit
from http_client_cache.key import normalize_url
from http_client_cache.message import Headers, ResponseHead
from http_client_cache.options import Options
from http_client_cache.plan import Answer, Discard, Exchange, Lost, Present, ReadBody

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType

    from aiohttp_client_cache.backends.base import CacheBackend
    from http_client_cache.clock import Clock

NOT_CACHED = Entry(
    method="GET",
    url="",
    status=504,
    reason="Gateway Timeout",
    version=(1, 1),
    headers=((b"Content-Length", b"0"),),
    request_headers=(),
    requested=0.0,
    created=0.0,
    expires=None,
    body_size=0,
)


async def answer_hop(
    backend: CacheBackend, options: Options, request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Answer one request.

    Args:
        backend: the cache.
        options: what the caller said of this request.
        request: as aiohttp made it: cookies, auth and defaults included.
        handler: sends it to the origin, through whatever middlewares come after the cache.
    """
    request.response_class = cached_class(request.response_class or ClientResponse)
    ahead = _next_ahead(options, request)
    if isinstance(ahead, Hop):
        return _stored_response(request, ahead)
    if ahead is not None:
        return _hit(backend, request, ahead)

    origin = Origin(request, handler, backend.clock)
    served = await backend.engine.serve(engine_request(request), options, origin)
    if isinstance(served, Forwarded):
        return cast("ClientResponse", served.answer.raw)
    if isinstance(served, Hit):
        stored = served.stored
        if stored.hops and options.chain is not None:
            options.chain.ahead = (stored.hops[1:], stored)
            return _stored_response(request, stored.hops[0])
        return _hit(backend, request, stored)
    return _stored_response(request, NOT_CACHED)


def _next_ahead(options: Options, request: ClientRequest) -> Hop | Stored | None:
    """What comes next in a stored chain, as long as aiohttp follows where it went before."""
    chain = options.chain
    if chain is None or chain.ahead is None:
        return None
    hops, stored = chain.ahead
    expected = hops[0].url if hops else stored.entry.url
    if normalize_url(str(request.url)) != normalize_url(expected):
        chain.ahead = None
        return None
    if not hops:
        chain.ahead = None
        return stored
    chain.ahead = (hops[1:], stored)
    return hops[0]


def _hit(backend: CacheBackend, request: ClientRequest, stored: Stored) -> CachedResponse:
    response = _stored_response(request, stored.entry, stored.body)
    mark_hit(response, stored.entry, backend.clock)
    return response


def mark_hit(response: CachedResponse, entry: Entry, clock: Clock) -> None:
    """Let a response tell that it came from the cache."""
    response.from_cache = True
    response._entry = entry
    response._clock = clock


def _stored_response(
    request: ClientRequest, head: Entry | Hop, body: bytes = b""
) -> CachedResponse:
    return build(
        cast("type[CachedResponse]", request.response_class),
        head,
        body,
        method=request.method,
        url=request.original_url,
        request_info=request.request_info,
        session=request._session,
        loop=request.loop,
        traces=request._traces,
    )


class Origin:
    """The part of the driver that speaks aiohttp, for one request.

    Args:
        request: what is sent.
        handler: sends it.
        clock: tells when.
    """

    def __init__(self, request: ClientRequest, handler: ClientHandlerType, clock: Clock) -> None:
        self._request = request
        self._handler = handler
        self._clock = clock

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        """Send the request; the client's own exception is an answer, too."""
        request = self._request
        headers: CIMultiDict[str] = request.headers
        for name, value in effect.conditions:
            headers[name] = value
        requested = self._clock.time()
        try:
            response = await self._handler(request)
        except Exception as error:  # noqa: BLE001 - the plan decides, and raises it again
            return Lost(error)
        finally:
            for name, _ in effect.conditions:
                headers.popall(name, None)
        return Answer(
            head_of(response),
            response,
            requested,
            self._clock.time(),
            response.request_info.headers.get("Authorization"),
        )

    async def read_body(self, effect: ReadBody) -> bytes | Lost | None:
        """Read the whole body and put it back; ``None`` if it is larger than the limit."""
        response: CachedResponse = effect.answer.raw
        content = response.content
        blocks: list[bytes] = []
        size = 0
        try:
            while not content.at_eof():
                block = await content.readany()
                blocks.append(block)
                size += len(block)
                if effect.limit is not None and size > effect.limit:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", DeprecationWarning)
                        content.unread_data(b"".join(blocks))
                    return None
        except Exception as error:  # noqa: BLE001 - the caller meets it where the body breaks off
            response.replay(b"".join(blocks), error)
            return Lost(error)
        except BaseException:
            response.close()
            raise
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        if body:
            response.replay(body, wire_size=getattr(content, "total_compressed_bytes", None))
        return body

    async def discard(self, effect: Discard) -> None:
        """Give the connection back."""
        response: ClientResponse = effect.answer.raw
        response.release()
        await response.wait_for_close()

    def present(self, effect: Present) -> CachedResponse:
        """What the user's filter sees: a response of its own, already read."""
        if effect.stored is not None:
            response = from_entry(effect.stored.entry, effect.body)
            mark_hit(response, effect.stored.entry, self._clock)
        else:
            response = _stored_response(self._request, _as_hop(effect.answer), effect.body)
        return with_body_read(response, effect.body)


def _as_hop(answer: Answer | None) -> Hop:
    if answer is None:
        raise TypeError("either an answer or a stored response is presented")
    head = answer.head
    return Hop("", head.url, head.status, head.reason, head.version, head.headers.raw)


def head_of(response: ClientResponse) -> ResponseHead:
    """The head of a response of aiohttp's."""
    version = response.version
    return ResponseHead(
        str(response.url),
        response.status,
        response.reason or "",
        (1, 1) if version is None else (version.major, version.minor),
        Headers(response.raw_headers),
    )
