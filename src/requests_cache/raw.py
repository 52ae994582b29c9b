"""What lies below a stored response: a response of urllib3's whose body comes from the cache."""

from __future__ import annotations

import io
from email.message import Message
from http.client import HTTPMessage
from typing import TYPE_CHECKING, Any, cast

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError, ProtocolError

from http_client_cache.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from http_client_cache.body import AnyBody, KeptBody
    from http_client_cache.engine import SyncCache
    from http_client_cache.entry import Entry, Hop
    from http_client_cache.message import RawHeaders
    from http_client_cache.served import Made


class StoredRaw(HTTPResponse):
    """A stored body, which is decoded already whatever ``Content-Encoding`` says of it."""

    # What requests asks every response for; where there are no cookies, it asks for nothing else.
    _original_response: Any = None

    @classmethod
    def later(cls, make: Callable[[StoredRaw], None], *, is_over: bool) -> StoredRaw:
        """One that is made when somebody looks at it.

        Args:
            make: calls the constructor.
            is_over: whether its body has been read already.
        """
        raw = cls.__new__(cls)
        vars(raw).update(_make=make, _is_over=is_over)
        return raw

    def __getattr__(self, name: str) -> Any:
        make = vars(self).pop("_make", None)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        make(self)
        return getattr(self, name)

    @property
    def closed(self) -> bool:
        """Whether its body has been read, or nobody wants it."""
        # The garbage collector asks, too.
        if "_make" in vars(self) and vars(self)["_is_over"]:
            return True
        return super().closed

    def _init_decoder(self) -> None:
        """There is nothing to decode."""


class _Head:
    """What urllib3 has of http.client's: where a cookie jar looks for cookies."""

    __slots__ = ("_method", "msg")

    def __init__(self, msg: Message, method: str) -> None:
        self.msg = msg
        self._method = method

    def isclosed(self) -> bool:
        """Whether its body has been read; it never had one."""
        return True

    def close(self) -> None:
        """Let go of nothing."""


class KeptFile(io.RawIOBase):
    """A large body, read from the cache piece by piece.

    Args:
        body: where it is.
        engine: the cache that holds it.
    """

    def __init__(self, body: KeptBody, engine: SyncCache) -> None:
        super().__init__()
        self._body: KeptBody | None = body
        self._size = len(body)
        self._engine = engine
        self._at = 0
        self._piece: bytes = b""
        self._within = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def isclosed(self) -> bool:
        """Whether it has been read; see :class:`HeldFile`."""
        return self._body is None or (self._at >= self._size and self._within == len(self._piece))

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or all that are left; fewer only at the end.

        Raises:
            ProtocolError: the body cannot be read any more.
        """
        wanted = self._size if size is None or size < 0 else size
        pieces: list[bytes] = []
        while wanted > 0:
            piece = self._next(wanted)
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int | None = -1) -> bytes:
        """Some bytes: as many as come at once."""
        return self._next(self._size if size is None or size < 0 else size)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as possible."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, wanted: int) -> bytes:
        if self._within == len(self._piece):
            if self._body is None or self._at >= self._size:
                return b""
            try:
                self._piece, self._within = self._engine.read(self._body, self._at), 0
            except StoreError as error:
                raise ProtocolError(f"the cache has lost the rest of the body: {error}") from error
            self._at += len(self._piece)
        some = self._piece[self._within : self._within + wanted]
        self._within += len(some)
        return some

    def close(self) -> None:
        """Let go of the body: nobody can read it any more."""
        self._body, self._piece, self._within = None, b"", 0
        super().close()


def stored_raw(
    head: Entry | Hop | Made,
    headers: RawHeaders,
    body: AnyBody,
    engine: SyncCache | None,
    method: str,
) -> StoredRaw:
    """A response of urllib3's, of what is stored."""

    def make(raw: StoredRaw) -> None:
        fields = HTTPHeaderDict()
        for name, value in headers:
            fields.add(name.decode("latin-1"), value.decode("latin-1"))
        source: Any
        source = HeldFile(body) if isinstance(body, bytes) else KeptFile(body, _known(engine))
        HTTPResponse.__init__(
            raw,
            body=source,
            headers=fields,
            status=head.status,
            version=head.version[0] * 10 + head.version[1],
            reason=head.reason,
            preload_content=False,
            decode_content=False,
            original_response=cast("Any", _head(headers, method)) if head.sets_cookies else None,
            enforce_content_length=False,
        )
        if not body:
            source.close()

    raw = StoredRaw.later(make, is_over=not body)
    if head.sets_cookies:
        make(raw)
        del vars(raw)["_make"]
    return raw


class HeldFile(io.BytesIO):
    """A body that is in memory."""

    def isclosed(self) -> bool:
        """Whether it has been read: who asks for all that comes ends with that, as http.client's.

        Without it urllib3 asks on for ever.
        """
        return self.closed or self.tell() >= self.getbuffer().nbytes


class _Broken(HeldFile):
    """A body that broke off: whoever reads beyond what came meets the same exception, once."""

    def __init__(self, body: bytes, error: Exception) -> None:
        super().__init__(body)
        # urllib3's own, of which requests will make its own again.
        below = error.args[0] if error.args else None
        self._error: Exception | None = below if isinstance(below, HTTPError) else error

    def read(self, size: int | None = -1) -> bytes:
        """What came, and then the exception."""
        data = super().read(size)
        if self._error is not None and size != 0 and (not data or size is None or size < 0):
            error, self._error = self._error, None
            raise error
        return data

    def isclosed(self) -> bool:
        """Whether the exception was met."""
        return self._error is None

    read1 = read


def replay(response: Response, body: bytes, error: Exception | None = None) -> None:
    """Let the body of a response, which has been read, be read as if nobody had.

    Args:
        response: that of the adapter.
        body: what was read, decoded.
        error: what became of the rest.
    """
    raw = cast("Any", response.raw)
    source: Any = HeldFile(body) if error is None else _Broken(body, error)
    response.raw = StoredRaw(
        body=source,
        headers=getattr(raw, "headers", None) or response.headers,
        status=response.status_code,
        version=getattr(raw, "version", 11),
        reason=response.reason,
        preload_content=False,
        decode_content=False,
        original_response=getattr(raw, "_original_response", None),
        enforce_content_length=False,
    )
    if not hasattr(raw, "release_conn"):
        # A file, maybe, which nobody will close.
        raw.close()
    response.__dict__.update(_content=False, _content_consumed=False)


def _head(headers: RawHeaders, method: str) -> _Head:
    message = HTTPMessage()
    for name, value in headers:
        message[name.decode("latin-1")] = value.decode("latin-1")
    return _Head(message, method)


def _known(engine: SyncCache | None) -> SyncCache:
    if engine is None:
        raise TypeError("a large body is read from the cache that holds it")
    return engine
