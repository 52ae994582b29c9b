"""Messages to judge, in as few words as a table has room for."""

from __future__ import annotations

from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.rfc9111.cache_control import (
    RequestDirectives,
    request_directives,
    response_directives,
)
from http_client_cache.rfc9111.dates import format_http_date
from http_client_cache.rfc9111.freshness import Assessment, assess

NOW = 1_700_000_000.0
URL = "http://origin.test/a"


def fields(**named: str) -> Headers:
    """Header fields, `cache_control="no-cache"` for `Cache-Control: no-cache`."""
    return Headers.of({name.replace("_", "-"): value for name, value in named.items()})


def lines(name: str, *values: str) -> Headers:
    """One field on several lines."""
    return Headers.of([(name, value) for value in values])


def get(method: str = "GET", **named: str) -> Request:
    return Request(method, URL, fields(**named))


def head(status: int = 200, headers: Headers | None = None, **named: str) -> ResponseHead:
    return ResponseHead(URL, status, "", (1, 1), fields(**named) if headers is None else headers)


def at(offset: float) -> str:
    """A date, in seconds from NOW."""
    return format_http_date(NOW + offset)


def stored(
    response: ResponseHead, *, delay: float = 0.0, received: float = NOW, shared: bool = False
) -> Assessment:
    directives = response_directives(response.headers)
    return assess(response, directives, received - delay, received, shared=shared)


def asks(cache_control: str | None = None) -> RequestDirectives:
    """The directives of a request."""
    return request_directives(
        fields() if cache_control is None else fields(cache_control=cache_control)
    )
