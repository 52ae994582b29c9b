"""Checked by mypy and pyright, never run: what type checkers know of the acachecontrol face.

A wrong use carries a `type: ignore`, which both complain about when it is not wrong any more.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Self, assert_type

import aiohttp
from multidict import CIMultiDictProxy

from acachecontrol import AsyncCache, AsyncCacheControl, RequestContextManager


class Backend:
    """The interface of the document, and nothing more."""

    def __init__(self) -> None:
        self.storage = OrderedDict[str, object]()

    def __contains__(self, key: str) -> bool:
        return key in self.storage

    def __len__(self) -> int:
        return len(self.storage)

    def __getitem__(self, key: str) -> object:
        return self.storage[key]

    def __setitem__(self, key: str, value: object) -> None:
        self.storage[key] = value

    def pop(self, key: str) -> object:
        return self.storage.pop(key)

    def popitem(self, last: bool = True) -> object:
        return self.storage.popitem(last)

    def move_to_end(self, key: str) -> None:
        self.storage.move_to_end(key)


class Custom(RequestContextManager):
    """As users write them."""

    def __init__(
        self,
        client_session: aiohttp.ClientSession,
        cache: AsyncCache,
        method: str,
        url: str,
        **params: Any,
    ) -> None:
        super().__init__(client_session, cache, method, url, **params)

    async def __aenter__(self) -> Self:
        return await super().__aenter__()

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        return (await super().text(encoding, errors)).upper()


async def what_a_request_yields(session: AsyncCacheControl) -> None:
    async with session.get("https://example.com", params={"a": "1"}) as resp:
        assert_type(resp, RequestContextManager)
        assert_type(resp.status, int)
        assert_type(resp.headers, CIMultiDictProxy[str])
        assert_type(await resp.text(), str)
        assert_type(await resp.read(), bytes)
        assert_type(await resp.json(), Any)
        assert_type(resp.response, aiohttp.ClientResponse | None)
        assert_type(resp.from_cache, Any)
    assert_type(await session.post("https://example.com", json={}), RequestContextManager)


async def sessions(config: Mapping[str, Any]) -> None:
    cache = AsyncCache(config={"sleep_time": 0.2}, cache_backend=Backend())
    AsyncCache(config)
    AsyncCache(cache_backend=OrderedDict[str, Any]())
    async with AsyncCacheControl(cache=cache, request_context_manager_cls=Custom) as session:
        assert_type(session, AsyncCacheControl)
        assert_type(session.cache, AsyncCache)
        client: aiohttp.ClientSession = session.client_session
        assert_type(client.closed, bool)
    AsyncCacheControl(timeout=aiohttp.ClientTimeout(total=1))


def wrong_uses() -> None:
    AsyncCache(60)  # type: ignore[arg-type]
    AsyncCache(cache_backend={})  # type: ignore[arg-type]
    AsyncCacheControl(cache={})  # type: ignore[arg-type]
