"""Stored responses that nobody requested just now: for inspection and for filters."""

from __future__ import annotations

import asyncio

from aiohttp import RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttp_client_cache.response import CachedResponse, build, mark
from http_client_cache.engine import AsyncCache
from http_client_cache.entry import Stored
from http_client_cache.message import Headers
from http_client_cache.served import Hit


def detached_response(stored: Stored, engine: AsyncCache) -> CachedResponse:
    """A stored response, bound to no session. Needs a running event loop."""
    entry = stored.entry
    url = URL(entry.url, encoded=True)
    fields = CIMultiDictProxy(CIMultiDict(Headers(entry.request_headers).items()))
    response = build(
        CachedResponse,
        entry,
        stored.body,
        method=entry.method,
        url=url,
        request_info=RequestInfo(url, entry.method, fields, url),
        session=None,
        loop=asyncio.get_running_loop(),
        engine=engine,
    )
    mark(response, Hit(stored), engine.clock, told=False)
    return response
