"""The settings of this mode, and what else it can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware, SQLiteBackend
from http_client_cache.errors import ConfigurationError
from tests.faces.rfc9111.web import OpenWeb, Web
from tests.support.clock import StandingClock
from tests.support.scripted import ScriptedOrigin, reply


async def test_a_session_takes_it(scripted: ScriptedOrigin) -> None:
    """Without a clock of the test's: nothing here depends on the time."""
    scripted.answers("/", reply("Cache-Control: no-store"))
    async with CachedSession(cache_control=True) as session:
        assert session.cache_control is True
        for _ in range(2):
            await session.get(scripted.url("/"))
    assert scripted.count() == 2


async def test_a_middleware_takes_it(scripted: ScriptedOrigin, clock: StandingClock) -> None:
    scripted.answers("/", reply("Cache-Control: no-store"))
    middleware = CacheMiddleware(cache_control=True, clock=clock)
    async with ClientSession(middlewares=[middleware]) as session:
        for _ in range(2):
            await (await session.get(scripted.url("/"))).read()
    await middleware.cache.close()
    assert scripted.count() == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"cache_control": True},
        {"shared": True},
        {"stale_if_error": 5},
        {"stale_while_revalidate": 5},
        {"cache_status": True},
        {"cache_groups": True},
        {"no_vary_search": True},
    ],
    ids=str,
)
async def test_settings_are_attributes(settings: dict[str, Any]) -> None:
    name, value = next(iter(settings.items()))
    async with CachedSession(**settings) as session:
        assert getattr(session, name) == value
        assert getattr(session.cache, name) == value
    backend = CacheBackend(**settings)
    assert getattr(backend, name) == value
    async with CachedSession(cache=backend) as session:
        assert getattr(session, name) == value


@pytest.mark.parametrize(
    "settings",
    [
        {"cache_control": "yes"},
        {"shared": 1},
        {"stale_if_error": "soon"},
        {"stale_while_revalidate": -5},
        {"cache_status": None},
    ],
    ids=str,
)
async def test_wrong_values_are_told(settings: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, TypeError)):
        CacheBackend(**settings)


class TestCacheStatus:
    """RFC 9211."""

    async def test_off_unless_asked_for(self, web: Web) -> None:
        web.origin.answers("/", reply("Cache-Control: max-age=60"))
        for _ in range(2):
            assert "Cache-Status" not in (await web.get()).headers

    async def test_what_it_says(self, open_any_web: OpenWeb) -> None:
        web = open_any_web(cache_status=True)
        web.origin.answers(
            "/",
            reply("Cache-Control: max-age=60", 'ETag: "a"'),
            reply("Cache-Control: max-age=60", status=304),
        )
        first = (await web.get()).headers["Cache-Status"]
        assert "fwd=uri-miss" in first
        assert "stored" in first
        hit = (await web.get()).headers["Cache-Status"]
        assert "; hit" in hit
        assert "ttl=60" in hit
        web.clock.advance(seconds=70)
        validated = (await web.get()).headers["Cache-Status"]
        assert "fwd=stale" in validated
        assert "fwd-status=304" in validated

    async def test_it_follows_those_of_other_caches(self, open_web: OpenWeb) -> None:
        """Each cache adds its member at the end (RFC 9211 section 2)."""
        web = open_web(cache_status=True)
        web.origin.answers("/", reply("Cache-Control: max-age=60", "Cache-Status: ExampleCDN; hit"))
        for _ in range(2):
            values = (await web.get()).headers.getall("Cache-Status")
            joined = ", ".join(values)
            assert joined.startswith("ExampleCDN; hit, ")
            assert joined.count(",") == 1
            assert web.origin.count() == 1

    async def test_it_says_why_nothing_is_stored(self, open_web: OpenWeb) -> None:
        web = open_web(cache_status=True)
        web.origin.answers("/", reply("Cache-Control: no-store"))
        said = (await web.get()).headers["Cache-Status"]
        assert "fwd=uri-miss" in said
        assert "stored" not in said.replace("stored=?0", "")


class TestNoVarySearch:
    """Query parameters that do not count, off unless asked for."""

    async def test_off_unless_asked_for(self, web: Web) -> None:
        web.origin.answers("/", reply("Cache-Control: max-age=60", 'No-Vary-Search: params=("a")'))
        await web.get("/?a=1")
        assert not await web.is_reused("/?a=2")

    @pytest.mark.parametrize(
        ("value", "one", "other", "reused"),
        [
            ('params=("a")', "/?a=1&b=1", "/?a=2&b=1", True),
            ('params=("a")', "/?a=1&b=1", "/?b=1", True),
            ('params=("a")', "/?a=1&b=1", "/?a=1&b=2", False),
            ("params", "/?a=1", "/?b=2", True),
            ('params, except=("b")', "/?a=1&b=1", "/?a=2&b=1", True),
            ('params, except=("b")', "/?b=1", "/?b=2", False),
            ("key-order", "/?a=1&b=2", "/?b=2&a=1", True),
            ("key-order", "/?a=1&a=2", "/?a=2&a=1", False),
            ("garbage=", "/?a=1", "/?a=2", False),
        ],
    )
    async def test_what_counts(
        self, open_table_web: OpenWeb, value: str, one: str, other: str, reused: bool
    ) -> None:
        web = open_table_web(no_vary_search=True)
        web.origin.answers("/", reply("Cache-Control: max-age=60", f"No-Vary-Search: {value}"))
        await web.get(one)
        assert await web.is_reused(other) == reused


async def test_a_disabled_cache_is_not_asked(session_web: Web) -> None:
    web = session_web
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    await web.get()
    with web.session.disabled():
        assert not await web.is_reused()
    assert await web.is_reused()


async def test_a_file_outlives_its_session(
    scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> None:
    """What freshness needs is stored: age, lifetime, variants, validators."""
    scripted.answers("/", reply("Cache-Control: max-age=60", "Vary: X-A", 'ETag: "a"', "Age: 5"))

    async def ask(value: str) -> tuple[bool, str | None]:
        cache = SQLiteBackend(tmp_path / "cache.sqlite", clock=clock, cache_control=True)
        async with CachedSession(cache=cache) as session:
            response = await session.get(scripted.url("/"), headers={"X-A": value})
            return response.from_cache, response.headers.get("Age")

    assert await ask("1") == (False, "5")
    clock.advance(seconds=10)
    assert await ask("1") == (True, "15")
    assert await ask("2") == (False, "5")
    clock.advance(seconds=50)
    assert await ask("1") == (False, "5")
    assert scripted.last.headers["If-None-Match"] == '"a"'
