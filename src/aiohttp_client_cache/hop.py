"""One request of aiohttp's, answered from the cache or by the origin.

A redirect chain is several of them: aiohttp follows the redirects, and asks for each hop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
)
from multidict import CIMultiDict

from aiohttp_client_cache.detached import detached_response
from aiohttp_client_cache.request import engine_request
from aiohttp_client_cache.response import RAW_COOKIES, CachedResponse, build, cached_class, mark
from aiohttp_client_cache.streams import read_eagerly
from aiohttp_client_cache.tee import Copy
from http_client_cache.body import AnyBody
from http_client_cache.entry import Entry, Hop
from http_client_cache.message import Headers, ResponseHead
from http_client_cache.options import Options
from http_client_cache.plan import (
    LATER,
    Answer,
    Body,
    Discard,
    Exchange,
    Lost,
    Present,
    ReadBody,
)
from http_client_cache.served import NOT_CACHED, Forwarded, Hit, Made, Refused, Served

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType

    from aiohttp_client_cache.backends.base import CacheBackend
    from http_client_cache.engine import AsyncCache


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
    chain = options.chain
    ahead = None if chain is None or chain.ahead is None else chain.next_ahead(str(request.url))
    if ahead is not None:
        return _replayed(backend, request, *ahead)

    origin = Origin(request, handler, backend.engine)
    try:
        keyed = engine_request(request)
    except AttributeError:
        return await handler(request)
    try:
        served = await backend.engine.serve(keyed, options, origin)
    except BaseException:
        # Cancelled, maybe, when the answer was there and not yet handed over.
        origin.abandon()
        raise
    if isinstance(served, Hit) and served.stored.hops and options.chain is not None:
        hops = served.stored.hops
        options.chain.ahead = (hops[1:], served)
        return _replayed(backend, request, hops[0], served)
    response = _response(request, served, backend.engine)
    mark(response, served, backend.clock, told=backend.settings.cache_status)
    return response


async def answer_without_origin(
    backend: CacheBackend, options: Options, request: ClientRequest
) -> CachedResponse | None:
    """Answer a request whose time is up with what may be served all the same; else ``None``."""
    offline = msgspec.structs.replace(options, only_if_cached=True, chain=None, known=None)
    if options.disabled:
        return None
    response = await answer_hop(backend, offline, request, not_sent)
    return response if isinstance(response, CachedResponse) and response.from_cache else None


async def not_sent(request: ClientRequest) -> ClientResponse:
    """Handles requests that are only looked at."""
    raise AssertionError(f"{request.method} {request.url} is looked at only")


def _response(request: ClientRequest, served: Served, engine: AsyncCache) -> CachedResponse:
    """What serving a request came to, as a response of aiohttp's."""
    if isinstance(served, Forwarded):
        return cast("CachedResponse", served.answer.raw)
    if isinstance(served, Refused):
        return _stored_response(request, NOT_CACHED)
    made = served.made
    if made is not None:
        return _stored_response(request, made, made.body, served, engine)
    return _stored_response(request, served.stored.entry, served.stored.body, served, engine)


def _replayed(
    backend: CacheBackend, request: ClientRequest, hop: Hop | None, hit: Hit
) -> CachedResponse:
    """One response of a stored chain."""
    if hop is not None:
        response = _stored_response(request, hop)
        response._served = hit.told()
        return response
    response = _response(request, hit, backend.engine)
    mark(response, hit, backend.clock, told=backend.settings.cache_status)
    return response


def _stored_response(
    request: ClientRequest,
    head: Entry | Hop | Made,
    body: AnyBody = b"",
    hit: Hit | None = None,
    engine: AsyncCache | None = None,
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
        aged=hit,
        engine=engine,
    )


class Origin:
    """The part of the driver that speaks aiohttp, for one request.

    Args:
        request: what is sent.
        handler: sends it.
        engine: tells the time, and stores what ends later.
    """

    def __init__(
        self, request: ClientRequest, handler: ClientHandlerType, engine: AsyncCache
    ) -> None:
        self._request = request
        self._handler = handler
        self._engine = engine
        self._clock = engine.clock
        self._response: ClientResponse | None = None

    def abandon(self) -> None:
        """Close the answer, if there is one: nobody will be handed it."""
        if self._response is not None:
            self._response.close()

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        """Send the request; the client's own exception is an answer, too."""
        requested = self._clock.time()
        try:
            response = await self._send(effect)
        except Exception as error:  # noqa: BLE001 - the plan decides, and raises it again
            return Lost(error)
        self._response = response
        return Answer(
            head_of(response),
            response,
            requested,
            self._clock.time(),
            response.request_info.headers.get("Authorization"),
        )

    async def _send(self, effect: Exchange) -> ClientResponse:
        request = self._request
        headers = request.headers
        if effect.conditions or effect.without:
            changed = CIMultiDict(headers)
            for name in effect.without:
                changed.popall(name, None)
            for name, value in effect.conditions:
                changed[name] = value
            request.headers = changed
        try:
            try:
                return await self._handler(request)
            except (ClientOSError, ServerDisconnectedError) as error:
                if isinstance(error, ClientConnectorError) or not effect.insist:
                    raise
                # aiohttp would try again, if it were told.
                return await self._handler(request)
        finally:
            request.headers = headers

    def detached(self) -> Origin:
        """For work that goes on when the request has been answered."""
        return _Unattended(self._request, self._handler, self._engine)

    @property
    def owner(self) -> object:
        """The session."""
        return self._request._session

    async def read_body(self, effect: ReadBody) -> Body:
        """Read the body and put it back; hand it over as it comes if it is large or slow."""
        response: CachedResponse = effect.answer.raw
        content = response.content
        blocks: list[bytes] = []
        at_most = effect.at_once if effect.later is not None else effect.limit
        try:
            ended = not (effect.later is not None and is_larger(response, effect.at_once)) and (
                await read_eagerly(content, blocks, at_most=at_most, waits=effect.later is None)
            )
        except Exception as error:  # noqa: BLE001 - the caller meets it where the body breaks off
            response.replay(b"".join(blocks), error)
            _close_connection(response)
            return Lost(error)
        except BaseException:
            response.close()
            raise
        limit = effect.limit
        if not ended:
            later = effect.later
            copy = None if later is None else Copy(self._engine, later, reset_of(response))
            response.tee(blocks, copy)
            return None if later is None else LATER
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        if body:
            response.replay(body, wire_size=getattr(content, "total_compressed_bytes", None))
        reset = reset_of(response)()
        if reset is not None:
            return Lost(reset)
        return None if limit is not None and len(body) > limit else body

    async def discard(self, effect: Discard) -> None:
        """Give the connection back."""
        response: ClientResponse = effect.answer.raw
        response.release()
        await response.wait_for_close()

    def present(self, effect: Present) -> CachedResponse:
        """What the user's filter sees: a response of its own, already read."""
        if effect.stored is not None:
            response = detached_response(effect.stored, self._engine)
        else:
            response = _stored_response(self._request, _as_hop(effect.answer), effect.body or b"")
        response._body = effect.body  # Where filters look.
        return response


class _Unattended(Origin):
    """The same where no session looks at the answer, which sets cookies all the same."""

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        answer = await super().exchange(effect)
        if isinstance(answer, Answer):
            jar, response = self._request._session.cookie_jar, answer.raw
            if RAW_COOKIES:
                jar.update_cookies_from_headers(response._raw_cookie_headers or (), response.url)
            else:
                jar.update_cookies(response.cookies, response.url)
        return answer


def is_larger(response: ClientResponse, size: int) -> bool:
    """Whether a body is known to be larger than so many bytes before any of it has come."""
    length = response.headers.get("Content-Length", "")
    # Answers to HEAD, and others without a body, may tell a length all the same.
    return length.isdecimal() and int(length) > size and not response.content.at_eof()


def reset_of(response: ClientResponse) -> Callable[[], BaseException | None]:
    """How it is told that the connection was reset at the end of a body that ends with it.

    aiohttp hands over such a body as if it were whole, which it is not (RFC 9112 section 8). What
    is returned does not hold the response.
    """
    headers = response.headers
    protocol = getattr(response, "_protocol", None)
    if "Content-Length" in headers or "Transfer-Encoding" in headers or protocol is None:
        return _never

    def reset() -> BaseException | None:
        error: BaseException | None = protocol.exception()
        # What is closed in an orderly way is no error of the system's.
        return error if isinstance(error, OSError) else None

    return reset


def _never() -> None:
    return None


def _close_connection(response: ClientResponse) -> None:
    """What aiohttp does when reading fails; what came so far can still be read."""
    connection = response._connection
    if connection is not None:
        connection.close()
        response._connection = None


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
