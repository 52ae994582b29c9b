"""How the parity tests look at a response: plain aiohttp is the reference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import ClientResponse, ClientSession, TraceConfig

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware

Session = ClientSession
OpenRoute = Callable[..., ClientSession]

# The three ways to a cached response. A session that is traced cannot take the shortest one.
ROUTES: dict[str, OpenRoute] = {
    "session": lambda cache, **kwargs: CachedSession(cache=cache, **kwargs),
    "middleware": lambda cache, **kwargs: ClientSession(
        middlewares=[CacheMiddleware(cache=cache)], **kwargs
    ),
    "traced": lambda cache, **kwargs: CachedSession(
        cache=cache, trace_configs=[TraceConfig()], **kwargs
    ),
}


@dataclass(frozen=True)
class Kind:
    """A kind of response: how to ask for it, and how often that arrives at the origin."""

    path: str
    method: str = "GET"
    hops: int = 0
    kwargs: dict[str, Any] = field(default_factory=dict)


KINDS = {
    "json": Kind("/json?a=1&b=%20"),
    "lines": Kind("/lines"),
    "binary": Kind("/binary"),
    "empty": Kind("/empty"),
    "no content": Kind("/no-content"),
    "head": Kind("/lines", method="HEAD"),
    "cookies": Kind("/cookies/set?first=1&second=2"),
    "chunked": Kind("/chunked"),
    "gzip": Kind("/compressed/gzip"),
    "deflate": Kind("/compressed/deflate"),
    "brotli": Kind("/compressed/br"),
    "charset": Kind("/latin"),
    "no charset": Kind("/no-charset"),
    "large": Kind("/large"),
    "not found": Kind("/status/404"),
    "server error": Kind("/status/500"),
    "odd headers": Kind("/raw/odd-headers"),
    "no reason": Kind("/raw/no-reason"),
    "http 1.0": Kind("/raw/http-1.0"),
    "until close": Kind("/raw/until-close"),
    "redirects": Kind("/redirect/3", hops=3),
    "other host": Kind("/redirect-to?to=http://other.test/lines", hops=1),
    "permanent": Kind("/redirect-to?to=/lines&status=301&cookie=moved", hops=1),
    "fragment": Kind("/lines#part"),
    "parameters": Kind("/lines", kwargs={"params": {"q": "a b", "r": "ü"}}),
}

# So that every kind is stored.
KEEP_ALL = {"allowed_codes": (200, 204, 404, 500)}


async def outcome(awaitable: Awaitable[Any]) -> Any:
    """Return what ``awaitable`` gives, or tell in words what it raises."""
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001
        return describe_error(error)


def describe_error(error: BaseException) -> tuple[Any, ...]:
    described: tuple[Any, ...] = (type(error).__name__, str(error))
    if isinstance(error, aiohttp.ClientResponseError):
        described += (
            error.status,
            error.message,
            headers_of(error.headers),
            describe_request(error.request_info),
            tuple(describe_head(hop) for hop in error.history),
        )
    return described


def headers_of(headers: Any) -> Any:
    return None if headers is None else list(headers.items())


def describe_request(info: aiohttp.RequestInfo) -> dict[str, Any]:
    return {
        "type": type(info),
        "url": info.url,
        "real_url": info.real_url,
        "method": info.method,
        "headers": list(info.headers.items()),
        "headers type": type(info.headers),
    }


def describe_head(response: ClientResponse) -> dict[str, Any]:
    """Everything that can be seen of a response without its body."""
    return {
        "status": response.status,
        "reason": response.reason,
        "version": response.version,
        "ok": response.ok,
        "method": response.method,
        "url": response.url,
        "real_url": response.real_url,
        "host": response.host,
        "headers": list(response.headers.items()),
        "headers type": type(response.headers),
        "raw_headers": response.raw_headers,
        "request_info": describe_request(response.request_info),
        "cookies": response.cookies.output(),
        "content_type": response.content_type,
        "charset": response.charset,
        "content_length": response.content_length,
        "content_disposition": response.content_disposition,
        "links": [(rel, dict(link)) for rel, link in response.links.items()],
        "history": tuple(describe_head(hop) for hop in response.history),
    }


async def describe(response: ClientResponse) -> dict[str, Any]:
    """Everything that can be seen of a response, which is read for that."""
    described = describe_head(response)
    described["read"] = await outcome(response.read())
    described["text"] = await outcome(response.text())
    described["json"] = await outcome(response.json())
    described["encoding"] = response.get_encoding()
    described["closed"] = response.closed
    described["connection"] = response.connection
    described["at_eof"] = response.content.at_eof()
    described["total_bytes"] = response.content.total_bytes
    described["hops read"] = [await outcome(hop.read()) for hop in response.history]
    return described


def open_route(name: str, cache: CacheBackend, **kwargs: Any) -> ClientSession:
    return ROUTES[name](cache, **kwargs)


def was_cached(response: ClientResponse) -> bool:
    return bool(getattr(response, "from_cache", False))
