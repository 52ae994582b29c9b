"""Responses: requests' own, with a memory of where they came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import WeakKeyDictionary

from requests import PreparedRequest, Response
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from http_client_cache.clock import Clock
from http_client_cache.message import Headers
from http_client_cache.served import Hit, Refused, status_of
from requests_cache.raw import StoredRaw, stored_raw

if TYPE_CHECKING:
    from http_client_cache.body import AnyBody
    from http_client_cache.engine import SyncCache
    from http_client_cache.entry import Entry, Hop, Stored
    from http_client_cache.served import Made, Passed, Served
    from http_client_cache.status import CacheStatus

NAME_IN_STATUS = "requests-cache"
"""How the cache calls itself in ``Cache-Status``."""


class CachedResponse(Response):
    """A response that knows whether it came from the cache.

    New responses of a caching session are of this class, too; on them ``from_cache`` is false and
    the times are ``None``.

    Attributes:
        from_cache: whether the stored response was served; the origin may have been asked first.
        created_at: when the stored response was received or last validated (UTC).
        expires: when the stored response expires (UTC); ``None`` if it never does.
        cache_key: under which the response is kept, or would be; ``None`` where it could not be.
    """

    __attrs__: ClassVar[list[str]] = [
        *Response.__attrs__,
        *("from_cache", "created_at", "expires", "cache_key"),
    ]

    from_cache: bool = False
    created_at: datetime | None = None
    expires: datetime | None = None
    cache_key: str | None = None
    _served: Served | Passed | None = None
    _clock: Clock | None = None

    @property
    def is_expired(self) -> bool:
        """Whether the stored response has expired by now; false if it is new."""
        if self.expires is None:
            return False
        now = (self._clock or Clock()).time()
        return now >= self.expires.timestamp()

    @property
    def revalidated(self) -> bool:
        """Whether the origin said that the stored response is still good."""
        return self.from_cache and self.cache.forward_status == 304

    @property
    def cache(self) -> CacheStatus:
        """What the cache did with the request, and why."""
        return status_of(self._served, (self._clock or Clock()).time())


AnyResponse = Response | CachedResponse
"""What a session may return, for annotations."""


def cached(response: Response) -> CachedResponse:
    """A response of the adapter's that can tell what the cache did with it."""
    kind = type(response)
    if issubclass(kind, CachedResponse):
        return cast("CachedResponse", response)
    made = _made.get(kind)
    if made is None:
        made = CachedResponse
        if kind is not Response:
            made = type(kind.__name__, (CachedResponse, kind), {"__module__": kind.__module__})
        _made[kind] = made
    new = made.__new__(made)
    new.__dict__.update(response.__dict__)
    return new


_made: WeakKeyDictionary[type[Response], type[CachedResponse]] = WeakKeyDictionary()


def build(
    head: Entry | Hop | Made,
    body: AnyBody,
    request: PreparedRequest,
    *,
    stream: bool,
    hit: Hit | None = None,
    engine: SyncCache | None = None,
    connection: Any = None,
) -> CachedResponse:
    """A response of what is stored.

    Args:
        head: status and fields.
        body: in memory, or to be read from ``engine``.
        request: that is answered.
        stream: whether the caller reads the body.
        hit: whose ``Age`` is told, if it has one.
        engine: the cache that holds the body, if it is not in memory.
        connection: the adapter, as on a new response.
    """
    headers = head.headers
    if hit is not None and hit.now is not None:
        headers = (*headers, (b"Age", b"%d" % (hit.age or 0)))
    response = CachedResponse()
    read = isinstance(body, bytes) and not stream
    raw = stored_raw(
        head.status,
        head.reason,
        head.version,
        headers,
        b"" if read else body,
        engine,
        request.method or "GET",
        sets_cookies=head.sets_cookies,
    )
    response.status_code = head.status
    response.headers = CaseInsensitiveDict(cast("Any", raw.headers))
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = raw
    response.reason = head.reason
    response.url = request.url or ""
    response.request = request
    response.connection = connection  # type: ignore[attr-defined]
    if head.sets_cookies:
        extract_cookies_to_jar(response.cookies, request, cast("Any", raw))
    if read:
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        raw.close()
    return response


def mark(response: CachedResponse, served: Served, clock: Clock, *, told: bool) -> None:
    """Let a response tell where it came from; ``told`` adds a ``Cache-Status`` field."""
    response._clock = clock
    if isinstance(served, Refused):
        response._served = served
        response.cache_key = served.key
        return
    response._served = served.told()
    if isinstance(served, Hit):
        entry = served.stored.entry
        response.from_cache = True
        response.cache_key = served.stored.key
        response.created_at = _utc(entry.created)
        response.expires = None if entry.expires is None else _utc(entry.expires)
    else:
        response.cache_key = served.key
        if served.stored is not None:
            expires = served.stored.entry.expires
            response.expires = None if expires is None else _utc(expires)
    if told:
        field = status_of(served, clock.time()).field(NAME_IN_STATUS)
        response.headers["Cache-Status"] = field
        if isinstance(response.raw, StoredRaw):
            response.raw.headers.add("Cache-Status", field)


_LAST = datetime.max.replace(tzinfo=UTC)


def _utc(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _LAST


def detached_response(stored: Stored, engine: SyncCache) -> CachedResponse:
    """A stored response that nobody requested just now: for inspection and for filters."""
    entry = stored.entry
    request = PreparedRequest()
    request.method = entry.method
    request.url = entry.url
    request.headers = CaseInsensitiveDict(Headers(entry.request_headers).items())
    request.body = None
    response = build(entry, stored.body, request, stream=False, engine=engine)
    response.elapsed = timedelta(0)
    mark(response, Hit(stored), engine.clock, told=False)
    return response
