"""The samples of the document, run as they are written there; names lead to a server that counts."""

from __future__ import annotations

import sys
import types
from typing import Any, Self

import pytest

from acachecontrol import RequestContextManager
from tests.support.names import lead_to
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

USAGE = """
import asyncio
from acachecontrol import AsyncCache, AsyncCacheControl


async def main():
    cache = AsyncCache(config={"sleep_time": 0.2})
    # `AsyncCache()` with default configuration is used
    # if `cache` not provided
    async with AsyncCacheControl(cache=cache) as cached_sess:
        async with cached_sess.get('http://example.com') as resp:
            resp_text = await resp.text()
            print(resp_text)


asyncio.run(main())
"""

BACKEND_CLASS = """
class CustomCacheBackend():
    def __init__(self):
        self.item_order = []
        self.storage = {}

    def __contains__(self, key):
        return key in self.storage

    def __len__(self):
        return len(self.storage)

    def __getitem__(self, key):
        return self.storage[key]

    def __setitem__(self, key, value):
        self.storage[key] = value
        self.item_order.append(key)

    def pop(self, key):
        self.item_order.remove(key)
        return self.storage.pop(key)

    def move_to_end(self, key):
        last_index = len(self.item_order) - 1
        key_index = self.item_order.index(key)
        while key_index < last_index:
            self.item_order[key_index] = self.item_order[key_index+1]
            key_index += 1
        self.item_order[last_index] = key

    def popitem(self, last=True):
        key = self.item_order.pop() if last else self.item_order.pop(0)
        value = self.storage.pop(key)
        return value
"""

BACKEND = """
import asyncio
from acachecontrol import AsyncCache, AsyncCacheControl


async def main():
    cache = AsyncCache(cache_backend=CustomCacheBackend())
    async with AsyncCacheControl(cache=cache) as cached_sess:
        async with cached_sess.get('http://example.com') as resp:
            resp_text = await resp.text()
            print(resp_text)


asyncio.run(main())
"""

CONTEXT_MANAGER = """
import asyncio
from acachecontrol import AsyncCache, AsyncCacheControl

from custom_implementations import CustomRequestContextManager


async def main():
    async with AsyncCacheControl(request_context_manager_cls=CustomRequestContextManager) as cached_sess:
        async with cached_sess.get('http://example.com') as resp:
            resp_text = await resp.text()
            print(resp_text)


asyncio.run(main())
"""


class Loud(RequestContextManager):
    """What the document's `CustomRequestContextManager` may be."""

    async def text(self, *args: Any, **kwargs: Any) -> str:
        return (await super().text(*args, **kwargs)).upper() + "!"


class OfItsOwn:
    """One that owes nothing to ours."""

    def __init__(
        self, client_session: Any, cache: Any, method: str, url: str, **params: Any
    ) -> None:
        self.request = client_session.request(method, url, **params)

    async def __aenter__(self) -> Self:
        self.response = await self.request
        return self

    async def __aexit__(self, *error: object) -> None:
        self.response.release()

    async def text(self) -> str:
        return f"<{await self.response.text()}>"


@pytest.fixture
def example_com(threaded_origin: Origin, monkeypatch: pytest.MonkeyPatch) -> Origin:
    lead_to(monkeypatch, threaded_origin.port)
    return threaded_origin


def run(sample: str, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "sample", **names}
    exec(compile(sample, "<sample>", "exec", dont_inherit=True), namespace)
    return namespace


def test_usage(example_com: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    run(USAGE)
    assert capsys.readouterr().out == "1\n"
    assert [(one.method, one.host) for one in example_com.received] == [("GET", "example.com")]


def test_a_backend(example_com: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(BACKEND_CLASS)
    backend = made["CustomCacheBackend"]()
    for _ in range(2):
        run(BACKEND, CustomCacheBackend=lambda: backend)
    assert capsys.readouterr().out == "1\n1\n"
    assert example_com.count() == 1
    assert backend.item_order == list(backend.storage) == ["http://example.com/"]


@pytest.mark.parametrize(("kind", "printed"), [(Loud, "1!\n"), (OfItsOwn, "<1>\n")])
def test_a_context_manager(
    example_com: Origin,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: type,
    printed: str,
) -> None:
    module: Any = types.ModuleType("custom_implementations")
    module.CustomRequestContextManager = kind
    monkeypatch.setitem(sys.modules, "custom_implementations", module)
    run(CONTEXT_MANAGER)
    assert capsys.readouterr().out == printed
    assert example_com.count() == 1
