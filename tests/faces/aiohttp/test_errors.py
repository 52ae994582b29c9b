"""Mistakes are told in words, at the moment when they are made."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest

from aiohttp_client_cache import CacheBackend, CachedSession, ConfigurationError, SQLiteBackend
from tests.faces.aiohttp.conftest import OpenSession
from tests.support.files import everything_in
from tests.support.origin import Origin

# (option, value, what the message must name besides the option)
WRONG: list[tuple[str, Any, str]] = [
    ("expire_after", "tomorrow", "tomorrow"),
    ("expire_after", ..., "llipsis"),
    ("expire_after", [60], "[60]"),
    ("expire_after", float("nan"), "nan"),
    ("expire_after", True, "True"),
    ("urls_expire_after", {"example.com": "tomorrow"}, "example.com"),
    ("urls_expire_after", {5: 60}, "5"),
    ("urls_expire_after", {"": 60}, "''"),
    ("urls_expire_after", ["example.com"], "example.com"),
    ("allowed_codes", "200", "200"),
    ("allowed_codes", 200, "200"),
    ("allowed_codes", [2000], "2000"),
    ("allowed_codes", ["ok"], "ok"),
    ("allowed_methods", "GET", "GET"),
    ("allowed_methods", [1], "1"),
    ("ignored_parameters", "token", "token"),
    ("ignored_parameters", [None], "None"),
    ("include_headers", "Accept", "Accept"),
    ("filter_fn", "yes", "yes"),
    ("key_fn", "url", "url"),
]


@pytest.mark.parametrize(("option", "value", "named"), WRONG, ids=str)
async def test_values(tmp_path: Any, option: str, value: Any, named: str) -> None:
    """On the backend, on the session and on a live session alike."""
    message = f"(?s)(?=.*{re.escape(option)}).*{re.escape(named)}"
    with pytest.raises(ConfigurationError, match=message):
        CacheBackend(**{option: value})
    with pytest.raises(ConfigurationError, match=message):
        SQLiteBackend(tmp_path / "cache", **{option: value})
    with pytest.raises(ConfigurationError, match=message):
        CachedSession(**{option: value})
    async with CachedSession() as session:
        before = getattr(session, option)
        with pytest.raises(ConfigurationError, match=message):
            setattr(session, option, value)
        assert getattr(session, option) == before
    assert everything_in(tmp_path) == b""


@pytest.mark.parametrize("value", ["tomorrow", ..., [1]], ids=str)
async def test_values_of_a_request(origin: Origin, open_session: OpenSession, value: Any) -> None:
    async with open_session() as session:
        with pytest.raises(ConfigurationError, match="expire_after"):
            await session.get(origin.url("/serial"), expire_after=value)
    assert origin.count() == 0


@pytest.mark.parametrize("backend", ["cache.sqlite", 5, ..., SQLiteBackend], ids=str)
async def test_a_backend_that_is_none(backend: Any) -> None:
    with pytest.raises((ConfigurationError, TypeError), match="cache"):
        CachedSession(cache=backend)


async def test_unknown_arguments(tmp_path: Any, origin: Origin) -> None:
    with pytest.raises(TypeError, match="expire_afer"):
        CachedSession(expire_afer=60)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="expire_afer"):
        CacheBackend(expire_afer=60)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="time_out"):
        SQLiteBackend(tmp_path / "cache", time_out=5)  # type: ignore[call-arg]
    async with CachedSession() as session:
        with pytest.raises(TypeError, match="expire_afer"):
            await session.get(origin.url("/serial"), expire_afer=60)  # type: ignore[call-arg]
    assert origin.count() == 0


async def test_after_closing(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        await session.get(origin.url("/serial"))
    assert session.closed
    with pytest.raises(RuntimeError, match="Session is closed"):
        await session.get(origin.url("/serial"))
    await session.close()


def test_without_an_event_loop() -> None:
    """A session needs a loop, as aiohttp's does."""
    with pytest.raises(RuntimeError) as plain:
        aiohttp.ClientSession()
    with pytest.raises(RuntimeError) as cached:
        CachedSession()
    assert str(cached.value) == str(plain.value)


async def test_errors_of_the_network_are_those_of_aiohttp(
    origin: Origin, open_session: OpenSession, unused_port: int
) -> None:
    async with open_session() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.1:{unused_port}/")
        with pytest.raises(aiohttp.ClientResponseError):
            await session.get(origin.url("/raw/garbage"))
        assert await session.cache.responses.size() == 0
