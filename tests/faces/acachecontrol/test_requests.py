"""Requests and what they return."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Self

import aiohttp
import pytest
from multidict import CIMultiDict
from yarl import URL

from acachecontrol import AsyncCache, AsyncCacheControl, RequestContextManager
from tests.support.clock import StandingClock
from tests.support.origin import Origin
from tests.support.scripted import End, Received, Reply, ScriptedOrigin, reply

pytestmark = pytest.mark.parity

METHODS = ["get", "head", "post", "put", "patch", "delete", "options"]


@pytest.mark.parametrize("method", METHODS)
async def test_methods(session: AsyncCacheControl, scripted: ScriptedOrigin, method: str) -> None:
    scripted.answers("/", reply(body="yes"))
    async with getattr(session, method)(scripted.url()) as resp:
        assert resp.status == 200
        assert await resp.text() == ("" if method == "head" else "yes")
    async with session.request(method.upper(), scripted.url("/?2")) as resp:
        assert resp.status == 200
    assert [one.method for one in scripted.received] == [method.upper()] * 2


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_bodies(session: AsyncCacheControl, scripted: ScriptedOrigin, method: str) -> None:
    scripted.answers("/", lambda request: reply(body=request.body))
    async with getattr(session, method)(scripted.url(), data=b"sent") as resp:
        assert await resp.read() == b"sent"
    async with getattr(session, method)(scripted.url(), json={"a": 1}) as resp:
        assert await resp.json(content_type=None) == {"a": 1}


async def test_a_response(session: AsyncCacheControl, scripted: ScriptedOrigin) -> None:
    scripted.answers("/", reply("Content-Type: application/json", "X: y", body='{"a": "Öl"}'))
    for cached in (False, True):
        async with session.get(scripted.url()) as resp:
            assert isinstance(resp, RequestContextManager)
            assert (resp.status, resp.headers["x"], resp.reason) == (200, "y", "OK")
            assert await resp.json() == {"a": "Öl"}
            assert await resp.text() == '{"a": "Öl"}'
            assert await resp.text(encoding="latin-1") == '{"a": "Ã\x96l"}'
            assert await resp.read() == '{"a": "Öl"}'.encode()
            assert (resp.ok, resp.content_type) == (True, "application/json")
            assert resp.from_cache is cached
            assert resp.response.url == URL(scripted.url())
            resp.raise_for_status()
        assert resp.status == 200
    assert scripted.count() == 1


async def test_params_are_part_of_the_url(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", lambda request: reply(body=request.target))
    for params in ({"a": "1"}, {"a": "2"}, {"a": "1"}, None):
        async with session.get(scripted.url(), params=params) as resp:
            assert await resp.text() == (f"/?a={params['a']}" if params else "/")
    async with session.get(scripted.url("/?a=1")) as resp:
        assert await resp.text() == "/?a=1"
    assert scripted.count() == 3
    assert len(session.cache.cache_backend) == 3


@pytest.mark.parametrize("method", ["get", "head"])
async def test_redirects_are_followed(
    session: AsyncCacheControl, scripted: ScriptedOrigin, method: str
) -> None:
    scripted.answers("/old", reply("Location: /new", status=301))
    scripted.answers("/new", reply("X: new"))
    async with getattr(session, method)(scripted.url("/old")) as resp:
        assert (resp.status, resp.headers["X"]) == (200, "new")
        assert [hop.status for hop in resp.history] == [301]
    async with getattr(session, method)(scripted.url("/old"), allow_redirects=False) as resp:
        assert resp.status == 301


async def test_a_request_may_be_awaited(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.answers("/", reply(body="yes"))
    resp = await session.get(scripted.url())
    assert isinstance(resp, RequestContextManager)
    assert await resp.text() == "yes"
    await session.get(scripted.url())
    assert scripted.count() == 1


async def test_nothing_is_sent_before_it_is_entered(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    resp = session.get(scripted.url())
    assert not hasattr(resp, "status")
    with pytest.raises(AttributeError, match=r"no response yet.*session\.get"):
        await resp.text()
    assert repr(resp) == f"<RequestContextManager GET {scripted.url()} None>"
    del resp
    gc.collect()
    assert scripted.count() == 0


async def test_the_connection_is_given_back(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    never = asyncio.Event()
    scripted.answers("/", Reply(body=b"x" * 100, body_gate=never))
    async with session.get(scripted.url()) as resp:
        assert resp.status == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await resp.text()


async def test_a_failing_request_raises_the_clients_error(
    session: AsyncCacheControl, scripted: ScriptedOrigin
) -> None:
    scripted.away = True
    with pytest.raises(aiohttp.ClientConnectionError):
        async with session.get(scripted.url()):
            pass
    scripted.away = False
    scripted.answers("/", reply(body="cut", end=End.CUT_OFF))
    async with session.get(scripted.url()) as resp:
        with pytest.raises(aiohttp.ClientPayloadError):
            await resp.text()
    assert len(session.cache.cache_backend) == 0


async def test_arguments_of_the_client_session(scripted: ScriptedOrigin) -> None:
    def answer(request: Received) -> Reply:
        return reply(body=request.headers["X-Default"])

    scripted.answers("/a", answer)
    arguments: dict[str, Any] = {"base_url": scripted.url(), "headers": {"X-Default": "yes"}}
    async with AsyncCacheControl(**arguments) as session:
        async with session.get("/a") as resp:
            assert await resp.text() == "yes"
        assert list(session.cache.cache_backend) == [scripted.url("/a")]  # type: ignore[call-overload]


async def test_a_closed_session_sends_nothing(cache: AsyncCache, scripted: ScriptedOrigin) -> None:
    scripted.answers("/", reply())
    session = AsyncCacheControl(cache=cache)
    await session.get(scripted.url())
    assert not session.closed
    await session.close()
    await session.close()
    assert session.closed
    with pytest.raises(RuntimeError, match="closed"):
        await session.get(scripted.url())
    async with AsyncCacheControl(cache=cache) as other:
        await other.get(scripted.url())
    assert scripted.count() == 1


def test_one_cache_for_several_loops(threaded_origin: Origin, clock: StandingClock) -> None:
    cache = AsyncCache(clock=clock)

    async def get() -> str:
        async with AsyncCacheControl(cache=cache) as session, session.get(url) as resp:
            return await resp.text()

    url = threaded_origin.url("/serial")
    assert [asyncio.run(get()) for _ in range(2)] == ["1", "1"]
    assert threaded_origin.count() == 1


class TestClassesOfUsers:
    """A subclass changes what the user of the session sees."""

    async def test_how_it_is_made(self, cache: AsyncCache, scripted: ScriptedOrigin) -> None:
        made: list[Any] = []

        class Noting(RequestContextManager):
            def __init__(
                self, client_session: Any, cache: Any, method: str, url: Any, **params: Any
            ) -> None:
                super().__init__(client_session, cache, method, url, **params)
                made.append((client_session, cache, method, url, params))

        scripted.answers("/", reply())
        async with AsyncCacheControl(cache, Noting) as session:
            await session.get(scripted.url("/?b#f"), params={"a": "1"}, timeout=None)
            await session.post(URL(scripted.url()), data=b"x")
            client = session.client_session
        assert isinstance(client, aiohttp.ClientSession)
        assert made == [
            (
                client,
                cache,
                "GET",
                scripted.url("/?b#f"),
                {"params": {"a": "1"}, "timeout": None},
            ),
            (client, cache, "POST", URL(scripted.url()), {"data": b"x"}),
        ]

    async def test_before_and_after_the_request(
        self, cache: AsyncCache, scripted: ScriptedOrigin
    ) -> None:
        class Polite(RequestContextManager):
            async def __aenter__(self) -> Self:
                self.params["headers"] = {"X-Asked": "politely"}
                await super().__aenter__()
                self.headers = CIMultiDict(self.headers, seen="yes")  # type: ignore[assignment]
                self.status += 1000
                return self

            async def text(self, *args: Any, **kwargs: Any) -> str:
                return f"[{await super().text()}]"

        scripted.answers("/", reply(body="it"))
        async with AsyncCacheControl(cache, Polite) as session:
            async with session.get(scripted.url()) as resp:
                assert (resp.status, resp.headers["seen"], resp.reason) == (1200, "yes", "OK")
                assert await resp.text() == "[it]"
            assert await (await session.get(scripted.url())).text() == "[it]"
        assert scripted.last.headers["X-Asked"] == "politely"

    async def test_a_response_of_its_own(self, cache: AsyncCache, scripted: ScriptedOrigin) -> None:
        class Twice(RequestContextManager):
            async def __aenter__(self) -> Self:
                await self.client_session.get(self.url)
                self.response = await self.client_session.request(self.method, self.url)
                return self

        scripted.answers("/", reply())
        async with (
            AsyncCacheControl(cache, Twice) as session,
            session.get(scripted.url()) as resp,
        ):
            assert (resp.status, await resp.text()) == (200, "1")
        assert scripted.count() == 1


async def test_made_by_hand(cache: AsyncCache, scripted: ScriptedOrigin) -> None:
    """The class is public: with a session that knows no cache, it goes through its own."""
    scripted.answers("/", reply("Cache-Control: max-age=60", body="once"))
    seen: list[bool] = []
    async with aiohttp.ClientSession() as client:
        for _ in range(2):
            manager = RequestContextManager(client, cache, "GET", scripted.url())
            async with manager as resp:
                assert await resp.text() == "once"
                seen.append(resp.from_cache)
    assert (seen, scripted.count()) == ([False, True], 1)
