"""Responses: requests' own, with a memory of where they came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from requests import PreparedRequest, Response, cookies
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict

from http_client_cache.clock import Clock
from http_client_cache.message import Headers
from http_client_cache.served import Hit, Refused, status_of
from requests_cache.raw import StoredRaw, stored_raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from http_client_cache.body import AnyBody
    from http_client_cache.engine import SyncCache
    from http_client_cache.entry import Entry, Hop, Stored
    from http_client_cache.message import RawHeaders
    from http_client_cache.served import Made, Passed, Served
    from http_client_cache.status import CacheStatus

NAME_IN_STATUS = "requests-cache"
"""How the cache calls itself in ``Cache-Status``."""


class _Lazy:
    """An attribute that is made when somebody looks; whoever sets it, sets it."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, response: Any, owner: type) -> Any:
        if response is None:
            return self
        value = response.__dict__[self._name] = self._make(response)
        return value


class _Source(NamedTuple):
    """What a stored response is made of.

    Attributes:
        head: status and fields.
        headers: the fields, with an ``Age`` if it has one.
        body: for who reads it in pieces.
        request: that is answered, or what makes it.
        method: of the request.
        engine: the cache that holds the body, if it is not in memory.
    """

    head: Entry | Hop | Made
    headers: RawHeaders
    body: AnyBody
    request: PreparedRequest | Callable[[], PreparedRequest]
    method: str
    engine: SyncCache | None

    def made_request(self) -> PreparedRequest:
        """The request that is answered."""
        request = self.request
        return request if isinstance(request, PreparedRequest) else request()

    def made_raw(self) -> StoredRaw:
        """A response of urllib3's."""
        return stored_raw(self.head, self.headers, self.body, self.engine, self.method)


# Of functions there, types say nothing.
_extract: Callable[..., None] = getattr(cookies, "extract_cookies_to_jar")  # noqa: B009


def _cookies(response: CachedResponse) -> RequestsCookieJar:
    jar = RequestsCookieJar()
    if response._source.head.sets_cookies:
        _extract(jar, response.request, response.raw)
    return jar


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

    __attrs__: list[str] = [  # noqa: RUF012 - as in its base
        *Response.__attrs__,
        *("from_cache", "created_at", "expires", "cache_key"),
    ]

    from_cache: bool = False
    cache_key: str | None = None
    _entry: Entry | None = None
    _served: Served | Passed | None = None
    _clock: Clock | None = None
    _source: _Source

    if TYPE_CHECKING:
        created_at: datetime | None
        expires: datetime | None
    else:
        # requests has these in attributes; a hit makes them when somebody looks.
        created_at = _Lazy(lambda hit: _utc(hit._entry and hit._entry.created))
        expires = _Lazy(lambda hit: _utc(hit._entry and hit._entry.expires))
        headers = _Lazy(lambda hit: _joined(hit._source.headers))
        encoding = _Lazy(lambda hit: get_encoding_from_headers(hit.headers))
        reason = _Lazy(lambda hit: hit._source.head.reason)
        request = _Lazy(lambda hit: hit._source.made_request())
        raw = _Lazy(lambda hit: hit._source.made_raw())
        cookies = _Lazy(_cookies)

    @property
    def is_expired(self) -> bool:
        """Whether the stored response has expired by now; false if it is new."""
        if self.expires is None or not self.from_cache:
            return False
        return (self._clock or Clock()).time() >= self.expires.timestamp()

    @property
    def revalidated(self) -> bool:
        """Whether the origin said that the stored response is still good."""
        return self.from_cache and self.cache.forward_status == 304

    @property
    def cache(self) -> CacheStatus:
        """What the cache did with the request, and why."""
        return status_of(self._served, (self._clock or Clock()).time())


def _joined(fields: RawHeaders) -> CaseInsensitiveDict[str]:
    """Header fields as requests has them: repetitions in one."""
    joined: dict[str, str] = {}
    names: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        first = names.setdefault(name.lower(), name)
        joined[first] = f"{joined[first]}, {value}" if first in joined else value
    return CaseInsensitiveDict(joined)


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
    request: PreparedRequest | Callable[[], PreparedRequest],
    *,
    method: str,
    url: str,
    stream: bool,
    hit: Hit | None = None,
    engine: SyncCache | None = None,
    connection: Any = None,
) -> CachedResponse:
    """A response of what is stored.

    Args:
        head: status and fields.
        body: in memory, or to be read from ``engine``.
        request: that is answered, or what makes it when somebody looks.
        method: of the request.
        url: of the request.
        stream: whether the caller reads the body.
        hit: whose ``Age`` is told, if it has one.
        engine: the cache that holds the body, if it is not in memory.
        connection: the adapter, as on a new response.
    """
    headers = head.headers
    if hit is not None and hit.now is not None:
        headers = (*headers, (b"Age", b"%d" % (hit.age or 0)))
    response = CachedResponse.__new__(CachedResponse)
    read = isinstance(body, bytes) and not stream
    response.__dict__ = {
        # Where the caller does not stream, it has been read already.
        "_content": body if read else False,
        "_content_consumed": read,
        "_next": None,
        "status_code": head.status,
        "url": url,
        "history": [],
        "elapsed": _AT_ONCE,
        "connection": connection,
        "_source": _Source(head, headers, b"" if read else body, request, method, engine),
    }
    return response


_AT_ONCE = timedelta(0)


def mark(response: CachedResponse, served: Served, clock: Clock, *, told: bool) -> None:
    """Let a response tell where it came from; ``told`` adds a ``Cache-Status`` field."""
    response._clock = clock
    if isinstance(served, Refused):
        response._served = served
        response.cache_key = served.key
        return
    response._served = served.told()
    if isinstance(served, Hit):
        response.from_cache = True
        response.cache_key = served.stored.key
        response._entry = served.stored.entry
    else:
        response.cache_key = served.key
        if served.stored is not None:
            response.expires = _utc(served.stored.entry.expires)
    if told:
        field = status_of(served, clock.time()).field(NAME_IN_STATUS)
        # After those of caches before this one (RFC 9211 section 2).
        others = response.headers.get("Cache-Status")
        response.headers["Cache-Status"] = field if others is None else f"{others}, {field}"
        fields = getattr(response.raw, "headers", None)
        if isinstance(fields, HTTPHeaderDict):
            fields.add("Cache-Status", field)


def _utc(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def detached_response(stored: Stored, engine: SyncCache) -> CachedResponse:
    """A stored response that nobody requested just now: for inspection and for filters."""
    entry = stored.entry
    request = PreparedRequest()
    request.method = entry.method
    request.url = entry.url
    request.headers = CaseInsensitiveDict(Headers(entry.request_headers).items())
    request.body = None
    response = build(
        *(entry, stored.body, request),
        method=entry.method,
        url=entry.url,
        stream=False,
        engine=engine,
    )
    mark(response, Hit(stored), engine.clock, told=False)
    return response
