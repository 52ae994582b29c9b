"""``stale_if_error`` and ``stale_while_revalidate``, in either mode and where nothing else speaks."""

from __future__ import annotations

import asyncio
import threading

import pytest
import requests

from http_client_cache.rfc9111.reasons import Reason
from tests.faces.rfc9111.web import DISCONNECTED, TOO_SLOW, OpenWeb, Web, eventually, only_aiohttp
from tests.support.scripted import reply

MODES = pytest.mark.parametrize("cache_control", [False, True])


def opened(open_web: OpenWeb, *, cache_control: bool, **settings: object) -> Web:
    """A cache that holds its responses fresh for 60 seconds, and one that was stored."""
    web = open_web(cache_control=cache_control, expire_after=60, **settings)
    web.origin.answers("/", reply(body="old"))
    return web


def refreshes() -> list[str]:
    """Those that are under way, in tasks or in threads."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    names += [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("http cache ")]


async def over() -> bool:
    return not refreshes()


async def expired(web: Web, by: float = 10) -> None:
    await web.get()
    web.clock.advance(seconds=60 + by)


@MODES
class TestIfError:
    async def test_a_lost_connection(self, open_web: OpenWeb, *, cache_control: bool) -> None:
        web = opened(open_web, cache_control=cache_control, stale_if_error=100)
        await expired(web)
        web.origin.away = True
        seen = await web.get()
        assert (seen.from_cache, seen.body) == (True, b"old")
        assert seen.response.is_expired
        web.clock.advance(seconds=200)
        with pytest.raises(DISCONNECTED):
            await web.get()

    async def test_a_server_in_trouble(self, open_web: OpenWeb, *, cache_control: bool) -> None:
        web = opened(open_web, cache_control=cache_control, stale_if_error=True)
        await expired(web)
        for status in (500, 502, 503, 504):
            web.origin.answers("/", reply(status=status))
            assert (await web.get()).body == b"old"
        web.origin.answers("/", reply(status=501, body="new"))
        assert (await web.get()).status == 501

    @only_aiohttp("requests does not try again")
    async def test_a_connection_that_was_closed_meanwhile(
        self, open_web: OpenWeb, *, cache_control: bool
    ) -> None:
        """The client tries again on a new one, which is no failure of the origin."""
        web = opened(open_web, cache_control=cache_control, stale_if_error=True)
        await expired(web)
        web.origin.answers("/", reply(raw=b""), reply(body="new"))
        assert (await web.get()).body == b"new"

    async def test_a_total_timeout(self, open_session_web: OpenWeb, *, cache_control: bool) -> None:
        never = asyncio.Event()
        web = opened(open_session_web, cache_control=cache_control, stale_if_error=True)
        await expired(web)
        web.origin.answers("/", reply(gate=never))
        seen = await web.get(timeout=web.timeout(total=0.1))
        assert (seen.from_cache, seen.body) == (True, b"old")
        with pytest.raises(TOO_SLOW):
            await web.get("/?another", timeout=web.timeout(total=0.1))
        web.raise_for_status()
        assert (await web.get(timeout=web.timeout(total=0.1))).body == b"old"

    async def test_without_the_setting_a_timeout_is_raised(
        self, open_session_web: OpenWeb, *, cache_control: bool
    ) -> None:
        never = asyncio.Event()
        web = opened(open_session_web, cache_control=cache_control)
        await expired(web)
        web.origin.answers("/", reply(gate=never))
        with pytest.raises(TOO_SLOW):
            await web.get(timeout=web.timeout(total=0.1))

    async def test_precedence(self, open_session_web: OpenWeb, *, cache_control: bool) -> None:
        web = opened(
            open_session_web,
            cache_control=cache_control,
            stale_if_error=True,
            urls_stale_if_error={"*/never": False},
        )
        web.origin.answers("/never", reply(body="old"))
        await expired(web)
        await web.get("/never")
        web.clock.advance(seconds=70)
        web.origin.away = True
        assert (await web.get()).from_cache
        with pytest.raises(DISCONNECTED):
            await web.get("/never")
        assert (await web.get("/never", stale_if_error=True)).from_cache
        with pytest.raises(DISCONNECTED):
            await web.get(stale_if_error=False)

    async def test_offline(self, open_session_web: OpenWeb, *, cache_control: bool) -> None:
        web = opened(open_session_web, cache_control=cache_control, stale_if_error=True)
        await expired(web)
        assert (await web.get(only_if_cached=True)).body == b"old"
        assert (await web.get(only_if_cached=True, stale_if_error=0)).status == 504
        assert web.origin.count() == 1


@MODES
class TestWhileRevalidate:
    async def test_served_at_once_and_refreshed(
        self, open_web: OpenWeb, *, cache_control: bool
    ) -> None:
        web = opened(open_web, cache_control=cache_control, stale_while_revalidate=100)
        await expired(web)
        gate = asyncio.Event()
        web.origin.answers("/", reply(body="new", gate=gate))
        for _ in range(3):
            assert (await web.get()).body == b"old"
        gate.set()

        async def new() -> bool:
            return (await web.get()).body == b"new"

        await eventually(new)
        assert web.origin.count() == 2

    async def test_a_refresh_that_fails(self, open_web: OpenWeb, *, cache_control: bool) -> None:
        """What is stored stays, and the refresh is tried again."""
        web = opened(open_web, cache_control=cache_control, stale_while_revalidate=100)
        await expired(web)
        web.origin.answers("/", reply(status=503), reply(body="new"))
        assert (await web.get()).body == b"old"
        await web.origin.has_received(2)

        await eventually(over)
        assert (await web.get()).body == b"old"

        async def new() -> bool:
            return (await web.get()).body == b"new"

        await eventually(new)
        assert web.origin.count() == 3

    async def test_not_beyond_the_window(self, open_web: OpenWeb, *, cache_control: bool) -> None:
        web = opened(open_web, cache_control=cache_control, stale_while_revalidate=5)
        await expired(web)
        web.origin.answers("/", reply(body="new"))
        assert (await web.get()).body == b"new"

    async def test_a_session_that_closes_meanwhile(
        self, open_session_web: OpenWeb, *, cache_control: bool
    ) -> None:
        web = opened(open_session_web, cache_control=cache_control, stale_while_revalidate=100)
        await expired(web)
        never = asyncio.Event()
        web.origin.answers("/", reply(gate=never))
        await web.get()
        await web.origin.has_received(2)
        async with asyncio.timeout(2):
            await web.close()
        # A thread that waits for an answer cannot be interrupted.
        assert not refreshes() or isinstance(web.session, requests.Session)
        never.set()
        await eventually(over)


async def test_a_redirect_that_leads_to_what_has_expired(open_session_web: OpenWeb) -> None:
    """Where settings decide, a chain is one thing: it is served as a whole."""
    web = open_session_web(cache_control=False, expire_after=60, stale_if_error=True)
    web.origin.answers("/from", reply("Location: /", status=302))
    web.origin.answers("/", reply(body="old"))
    await web.get("/from")
    web.clock.advance(seconds=70)
    web.origin.away = True
    seen = await web.get("/from")
    assert (seen.body, seen.history) == (b"old", [302])


async def test_a_zero_of_the_house_is_final(open_session_web: OpenWeb) -> None:
    """As with ``expire_after=0``: what the response allows is not made use of."""
    web = open_session_web(urls_stale_while_revalidate={"*/never": 0})
    said = reply("Cache-Control: max-age=10, stale-if-error=60, stale-while-revalidate=60")
    for path in ("/", "/never"):
        web.origin.answers(path, said)
        await web.get(path)
    web.clock.advance(seconds=20)
    web.origin.away = True
    for path, more in (
        ("/", {"stale_if_error": False, "stale_while_revalidate": False}),
        ("/never", {"stale_if_error": 0}),
    ):
        with pytest.raises(DISCONNECTED):
            await web.get(path, **more)
    assert (await web.get("/never")).response.cache.reason is Reason.STALE_IF_ERROR
    seen = await web.get("/", stale_if_error=False)
    assert seen.response.cache.reason is Reason.STALE_WHILE_REVALIDATE
