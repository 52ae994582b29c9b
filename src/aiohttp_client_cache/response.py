"""Responses: aiohttp's own, with a memory of where they came from.

A hit *is* an ``aiohttp.ClientResponse``. What costs time and is seldom asked for (header
multidicts, the stream reader, request information) is built when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from aiohttp import ClientResponse, ClientSession, HttpVersion, RequestInfo, StreamReader
from aiohttp.client_exceptions import ClientConnectionError
from aiohttp.helpers import TimerNoop
from aiohttp.streams import EMPTY_PAYLOAD
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttp_client_cache.streams import (
    KeptStream,
    ReplayStream,
    keep_wire_size,
)
from aiohttp_client_cache.tee import Copy, TeeStream
from http_client_cache.body import WHOLE_BYTES, AnyBody, KeptBody
from http_client_cache.clock import Clock
from http_client_cache.entry import Entry, Hop
from http_client_cache.message import RawHeaders, to_text
from http_client_cache.served import Hit, Made, Passed, Refused, Served, status_of
from http_client_cache.status import CacheStatus

if TYPE_CHECKING:
    import asyncio

    from aiohttp.tracing import Trace

    from http_client_cache.engine import AsyncCache

_NO_TIMER = TimerNoop()

NAME_IN_STATUS = "aiohttp-client-cache"
"""How the cache calls itself in ``Cache-Status``."""

RAW_COOKIES = hasattr(ClientResponse, "_raw_cookie_headers")
"""Whether the jar is updated from header fields; from ``cookies`` in the first releases of 3.12."""


class CachedResponse(ClientResponse):
    """A response that knows whether it came from the cache.

    New responses of a caching session are of this class, too; on them ``from_cache`` is false
    and the times are ``None``.

    Attributes:
        from_cache: whether the stored response was served; the origin may have been asked first.
    """

    from_cache: bool = False
    _entry: Entry | None = None
    _served: Served | Passed | None = None
    _clock: Clock | None = None
    _stream: StreamReader | None = None
    _replayed: AnyBody | None = None
    _engine: AsyncCache | None = None
    _replay_error: BaseException | None = None
    _wire_size: int | None = None
    _limit: int = 2**16
    _fields: CIMultiDictProxy[str] | None = None
    _info: RequestInfo | Callable[[], RequestInfo]
    _reads_itself = False

    @property
    def created_at(self) -> datetime | None:
        """When the stored response was received or last validated (UTC); ``None`` if it is new."""
        return None if self._entry is None else datetime.fromtimestamp(self._entry.created, UTC)

    @property
    def expires(self) -> datetime | None:
        """When the stored response expires (UTC); ``None`` if it is new, or never does."""
        if self._entry is None or self._entry.expires is None:
            return None
        return datetime.fromtimestamp(self._entry.expires, UTC)

    @property
    def is_expired(self) -> bool | None:
        """Whether the stored response has expired by now; ``None`` if it is new."""
        if self._entry is None or self._clock is None:
            return None
        return self._entry.is_expired(self._clock.time())

    @property
    def cache(self) -> CacheStatus:
        """What the cache did with the request, and why."""
        return status_of(self._served, (self._clock or Clock()).time())

    # aiohttp keeps these in attributes; as properties they wait until somebody looks.

    @property
    def content(self) -> StreamReader:
        """The body as a stream."""
        if self._stream is None and self._replayed is not None:
            self._stream = self._replay_stream(self._replayed)
            if isinstance(self._replayed, KeptBody):
                # The stream lets go of it when it has been read.
                self._replayed = None
        return cast("StreamReader", self._stream)

    @content.setter
    def content(self, stream: StreamReader) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._stream = stream

    @cached_property
    def _raw_headers(self) -> RawHeaders:  # type: ignore[override]
        hit = self._served
        if not isinstance(hit, Hit):
            return ()
        return (*(hit.made or hit.stored.entry).headers, (b"Age", b"%d" % (hit.age or 0)))

    @property  # type: ignore[override]
    def _headers(self) -> CIMultiDictProxy[str]:
        if self._fields is None:
            self._fields = CIMultiDictProxy(
                CIMultiDict([(to_text(name), to_text(value)) for name, value in self._raw_headers])
            )
        return self._fields

    @_headers.setter
    def _headers(self, fields: CIMultiDictProxy[str]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._fields = fields

    @property
    def _request_info(self) -> RequestInfo:
        if not isinstance(self._info, RequestInfo):
            self._info = self._info()
        return self._info

    @_request_info.setter
    def _request_info(self, info: RequestInfo | Callable[[], RequestInfo]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._info = info

    def replay(
        self,
        body: AnyBody,
        error: BaseException | None = None,
        wire_size: int | None = None,
        engine: AsyncCache | None = None,
    ) -> None:
        """Let the body be read from memory, or from the cache, from its beginning.

        Args:
            body: as the reader delivers it.
            error: raised where the body ends, if it broke off there.
            wire_size: bytes of the body before it was decompressed, if it was.
            engine: the cache that holds the body, if it is not in memory.
        """
        self._engine = engine
        if self._stream is not None:
            # The session is forgotten where the connection is given back.
            self._limit = self._stream.get_read_buffer_limits()[0]
        self._replayed, self._replay_error, self._wire_size = body, error, wire_size
        lazy = body and not self._reads_itself and error is None
        self._stream = None if lazy else self._replay_stream(body)

    def set_read_bufsize(self, size: int) -> None:
        """The size of the buffer, in bytes, for a body that is read from memory."""
        self._limit = size
        body = self._stream.kept if isinstance(self._stream, KeptStream) else self._replayed
        if body is not None and self._stream is not None and self._body is None:
            self._stream = self._replay_stream(body)

    def tee(self, begun: list[bytes], copy: Copy | None) -> None:
        """Let the body go to the caller as it comes.

        Args:
            begun: what was read of it already.
            copy: is given all of it.
        """
        self._stream = TeeStream(
            self.content,
            begun,
            chunked=self._is_chunked(),
            copy=copy,
            loop=self._loop,
        )

    def _replay_stream(self, body: AnyBody) -> StreamReader:
        if self._body is not None:
            body = b""
        elif self.method == "HEAD":
            return EMPTY_PAYLOAD
        chunked, limit, loop = self._is_chunked(), self._limit, self._loop
        stream: StreamReader
        if isinstance(body, bytes) and (self._replay_error or len(body) <= WHOLE_BYTES):
            error = self._replay_error
            stream = ReplayStream(body, chunked=chunked, error=error, limit=limit, loop=loop)
        else:
            stream = KeptStream(body, self._engine, chunked=chunked, limit=limit, loop=loop)
        if self._body is not None:
            stream.total_bytes = len(self._body)
        keep_wire_size(stream, self._wire_size)
        if self._released:
            stream.set_exception(ClientConnectionError("Connection closed"))
        return stream

    def _is_chunked(self) -> bool:
        return "chunked" in self._headers.get("Transfer-Encoding", "").lower()

    def _notify_content(self) -> None:
        if self._stream is None and self._replayed is not None:
            self._released = True  # A stream built from now on knows.
            if isinstance(self._replayed, KeptBody):
                # Nobody can read it any more; its file need not stay open.
                self._replayed = b""
        else:
            super()._notify_content()

    async def read(self) -> bytes:
        """Read the whole body.

        Raises:
            aiohttp.ClientError: the body broke off, or the response was released.
        """
        if (
            isinstance(self._replayed, bytes)
            and self._stream is None
            and self._body is None
            and not self._released
        ):
            self._body = self._replayed
            for trace in self._traces:
                await trace.send_response_chunk_received(self.method, self.url, self._body)
            return self._body
        return await super().read()


AnyResponse = ClientResponse | CachedResponse
"""What a session may return, for annotations."""


def cached_class(base: type[ClientResponse]) -> type[CachedResponse]:
    """The class of a session's responses: the user's ``response_class``, that knows the cache."""
    if base is ClientResponse:
        return CachedResponse
    if issubclass(base, CachedResponse):
        return base
    made = _made.get(base)
    if made is None:
        namespace: dict[str, Any] = {"__module__": base.__module__}
        if base.read is not ClientResponse.read:
            namespace |= {"_reads_itself": True, "read": base.read}
        made = _made[base] = type(base.__name__, (CachedResponse, base), namespace)
    return made


_made: WeakKeyDictionary[type[ClientResponse], type[CachedResponse]] = WeakKeyDictionary()


class _NoWriter:
    """The writer of a request that was never sent."""

    output_size = 0


def _constructor_takes_writer() -> bool:
    code = ClientResponse.__init__.__code__
    return "stream_writer" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


# aiohttp 3.14 asks for the stream that the request was written to; earlier ones refuse it.
_EXTRA: dict[str, Any] = {"stream_writer": _NoWriter()} if _constructor_takes_writer() else {}


def build(
    kind: type[CachedResponse],
    head: Entry | Hop | Made,
    body: AnyBody,
    *,
    method: str,
    url: URL,
    request_info: RequestInfo | Callable[[], RequestInfo],
    session: ClientSession | None,
    loop: asyncio.AbstractEventLoop,
    timer: Any = None,
    traces: list[Trace] | None = None,
    aged: Hit | None = None,
    engine: AsyncCache | None = None,
) -> CachedResponse:
    """Make a response of what is stored; the only place that knows aiohttp's constructor.

    With ``aged``, its fields are that hit's, with an ``Age`` where it has one. ``engine`` is the
    cache that holds the body, if that is not in memory.
    """
    response = kind(
        method,
        url,
        writer=None,
        continue100=None,
        timer=_NO_TIMER if timer is None else timer,
        request_info=request_info,  # type: ignore[arg-type]
        traces=traces or [],
        loop=loop,
        session=session,  # type: ignore[arg-type]
        **_EXTRA,
    )
    response.version = HttpVersion(*head.version)
    response.status = head.status
    response.reason = head.reason
    fields = head.headers
    if aged is None or aged.now is None:
        response._raw_headers = fields
    else:
        response._served = aged.told()
    if head.sets_cookies:
        _restore_cookies(response, fields)
    if session is not None:
        response._limit = session._read_bufsize
    response.replay(body, engine=engine)
    return response


def mark(response: CachedResponse, served: Served, clock: Clock, *, told: bool) -> None:
    """Let a response tell where it came from; ``told`` adds a ``Cache-Status`` field."""
    response._served = served if isinstance(served, Refused) else served.told()
    response._clock = clock
    if isinstance(served, Hit):
        response.from_cache = True
        response._entry = served.stored.entry
    if told and not isinstance(served, Refused):
        field = status_of(served, clock.time()).field(NAME_IN_STATUS)
        response._raw_headers = (*response._raw_headers, (b"Cache-Status", field.encode()))
        # aiohttp has looked at the fields, and remembers them.
        response._fields = None
        response._cache.pop("headers", None)


def _restore_cookies(response: CachedResponse, headers: RawHeaders) -> None:
    values = tuple(to_text(value) for name, value in headers if name.lower() == b"set-cookie")
    if not values:
        return
    if RAW_COOKIES:
        response._raw_cookie_headers = values
        return
    for value in values:
        response.cookies.load(value)
