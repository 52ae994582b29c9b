"""Stored responses that nobody requested just now: for inspection and for filters."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttp_client_cache.response import CachedResponse, build
from http_client_cache.clock import Clock
from http_client_cache.entry import Entry, Stored
from http_client_cache.message import Headers


def detached_response(stored: Stored, clock: Clock) -> CachedResponse:
    """A stored response, bound to no session. Needs a running event loop."""
    response = from_entry(stored.entry, stored.body)
    response.from_cache = True
    response._entry, response._clock = stored.entry, clock
    return response


def from_entry(
    entry: Entry, body: bytes, *, kind: type[CachedResponse] = CachedResponse, session: Any = None
) -> CachedResponse:
    """A response with its body at hand, also as ``_body``, where filters look."""
    url = URL(entry.url, encoded=True)
    fields = CIMultiDictProxy(CIMultiDict(Headers(entry.request_headers).items()))
    return build(
        kind,
        entry,
        body,
        method=entry.method,
        url=url,
        request_info=RequestInfo(url, entry.method, fields, url),
        session=session,
        loop=asyncio.get_running_loop(),
    )


def with_body_read(response: CachedResponse, body: bytes) -> CachedResponse:
    """The same response, as if somebody had read it."""
    response._body = body
    return response
