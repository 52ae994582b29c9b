"""Traces tell the same story of a hit as of any other request, less the network."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, TraceConfig

from aiohttp_client_cache import CacheBackend, CachedSession
from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import KEEP_ALL, describe_head, open_route, outcome
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

# The events of the response. Those of the connection and of sending have no place in a hit.
SIGNALS = (
    "on_request_start",
    "on_request_redirect",
    "on_response_chunk_received",
    "on_request_end",
    "on_request_exception",
)
NETWORK = (
    "on_connection_create_start",
    "on_connection_reuseconn",
    "on_dns_resolvehost_start",
    "on_request_headers_sent",
)


class Story:
    """What traces were told, as one list."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.config = TraceConfig()
        for name in SIGNALS + NETWORK:
            getattr(self.config, name).append(self._listener(name))

    def _listener(self, name: str) -> Any:
        async def listen(session: ClientSession, context: SimpleNamespace, params: Any) -> None:
            self.told.append((name, context.trace_request_ctx, self._details(params)))

        return listen

    def _details(self, params: Any) -> Any:
        details = {}
        for name in ("method", "url", "headers", "chunk", "response", "exception"):
            if hasattr(params, name):
                value = getattr(params, name)
                if name == "response":
                    value = describe_head(value)
                elif name == "headers":
                    value = list(value.items())
                elif name == "exception":
                    value = repr(value)
                details[name] = value
        return details

    def take(self) -> tuple[list[Any], list[str]]:
        """Return the events of the response, and the names of those of the network."""
        told, self.told = self.told, []
        response = [event for event in told if event[0] in SIGNALS]
        return response, [name for name, *_ in told if name in NETWORK]


def open_traced(route: str, backend: CacheBackend, story: Story) -> ClientSession:
    return open_route(route, backend, trace_configs=[story.config])


@pytest.mark.parametrize(
    "path", ["/lines", "/empty", "/large", "/status/404", "/redirect/2", "/cookies/set?a=1"]
)
@pytest.mark.parametrize("route", ["session", "middleware"])
async def test_traces(names: Origin, open_backend: OpenBackend, route: str, path: str) -> None:
    url = names.url(path, host="origin.test")

    async def ask(session: ClientSession) -> Any:
        names.served.clear()
        async with session.get(url, trace_request_ctx={"n": 1}, headers={"X-A": "b"}) as response:
            await response.read()
        return story.take()

    story = Story()
    async with ClientSession(trace_configs=[story.config]) as plain:
        expected, _ = await ask(plain)
        expected_again, _ = await ask(plain)

    backend = open_backend(**KEEP_ALL)
    async with open_traced(route, backend, story) as session:
        missed, _ = await ask(session)
        hit, network = await ask(session)

    assert missed == expected
    assert hit == expected_again
    if route == "session" or "redirect" not in path:
        assert network == []


@pytest.mark.parametrize("route", ["session", "middleware"])
async def test_traces_of_a_body_that_nobody_reads(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """Chunks are reported when the program reads them, not when the cache does."""
    story = Story()
    backend = open_backend()
    async with open_traced(route, backend, story) as session:
        for _ in range(2):
            async with session.get(origin.url("/lines")):
                pass
            assert [name for name, *_ in story.take()[0]] == ["on_request_start", "on_request_end"]


@pytest.mark.parametrize("route", ["session", "middleware"])
async def test_traces_of_an_error(names: Origin, open_backend: OpenBackend, route: str) -> None:
    url = names.url("/loop", host="origin.test")
    story = Story()
    async with ClientSession(trace_configs=[story.config]) as plain:
        error = await outcome(plain.get(url, max_redirects=2))
        expected = story.take()[0]

    async with open_traced(route, open_backend(), story) as session:
        for _ in range(2):
            assert await outcome(session.get(url, max_redirects=2)) == error
            assert story.take()[0] == expected


async def test_a_trace_added_to_a_live_session_is_heard(
    origin: Origin, open_backend: OpenBackend
) -> None:
    story = Story()
    async with CachedSession(cache=open_backend()) as session:
        await session.get(origin.url("/lines"))
        story.config.freeze()
        session.trace_configs.append(story.config)
        response = await session.get(origin.url("/lines"))
        assert response.from_cache
    assert [name for name, *_ in story.take()[0]] == ["on_request_start", "on_request_end"]
