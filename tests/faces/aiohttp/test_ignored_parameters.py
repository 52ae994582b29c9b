"""Parameters that are ignored tell no requests apart, reach the origin, and are not stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.support.files import everything_in
from tests.support.origin import Origin

SECRETS = ("2F63E5DF4F44", "D9FAEB3449D3")


# Where the parameter named `token` may be.
PLACES: dict[str, Any] = {
    "params": lambda token, **more: {"params": {"token": token, "q": "1", **more}},
    "pairs": lambda token, **more: {"params": [("q", "1"), ("token", token), *more.items()]},
    "form": lambda token, **more: {"data": {"token": token, "q": "1", **more}},
    "form data": lambda token, **more: {
        "data": aiohttp.FormData({"token": token, "q": "1", **more})
    },
    "json": lambda token, **more: {"json": {"token": token, "q": "1", **more}},
    "headers": lambda token, **more: {"headers": {"TOKEN": token}, "params": more},
}


async def ask(session: CachedSession, url: str, place: str, token: str, **more: str) -> Any:
    method = "POST" if place in ("form", "form data", "json") else "GET"
    return await session.request(method, url, **PLACES[place](token, **more))


@pytest.mark.parametrize("option", ["ignored_parameters", "ignored_params"])
@pytest.mark.parametrize("place", PLACES)
async def test_ignored(origin: Origin, open_session: OpenSession, place: str, option: str) -> None:
    settings: dict[str, Any] = {
        option: ["token"],
        "allowed_methods": ("GET", "POST"),
        "include_headers": True,
    }
    url = origin.url("/serial")
    async with open_session(**settings) as session:
        assert not (await ask(session, url, place, SECRETS[0])).from_cache
        assert (await ask(session, url, place, SECRETS[1])).from_cache
        assert not (await ask(session, url, place, SECRETS[0], more="1")).from_cache
        assert (await ask(session, url, place, SECRETS[1], more="1")).from_cache

    received = origin.received[0]
    assert SECRETS[0] in f"{received.query} {received.headers} {received.body!r}"
    assert origin.count() == 2


@pytest.mark.parametrize("place", PLACES)
async def test_not_ignored(origin: Origin, open_session: OpenSession, place: str) -> None:
    settings = {"allowed_methods": ("GET", "POST"), "include_headers": True}
    async with open_session(**settings) as session:
        for secret in SECRETS:
            await ask(session, origin.url("/serial"), place, secret)
    assert origin.count() == 2


@pytest.mark.parametrize("place", PLACES)
async def test_what_is_ignored_is_not_stored(
    origin: Origin, open_sqlite: OpenSession, tmp_path: Path, place: str
) -> None:
    """Neither in what the cache tells nor in its file."""
    settings = {"ignored_parameters": ["token"], "allowed_methods": ("GET", "POST")}
    async with open_sqlite(**settings) as session:
        await ask(session, origin.url("/serial"), place, SECRETS[0])
        [stored] = [response async for response in session.cache.responses.values()]
        seen = f"{stored.url} {stored.real_url} {stored.request_info} {session.cache.urls}"
        assert SECRETS[0] not in seen

    content = everything_in(tmp_path)
    assert b"/serial" in content
    assert SECRETS[0].encode() not in content


async def test_the_response_tells_the_url_that_was_asked(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session(ignored_parameters=["token"]) as session:
        for secret in SECRETS:
            response = await ask(session, origin.url("/serial"), "params", secret)
            assert response.url.query["token"] == secret
    assert origin.count() == 1


@pytest.mark.parametrize("name", ["Token", "TOKEN"])
async def test_only_headers_are_named_without_regard_to_case(
    origin: Origin, open_session: OpenSession, name: str
) -> None:
    async with open_session(ignored_parameters=[name], include_headers=True) as session:
        for secret in SECRETS:
            await session.get(origin.url("/serial/a"), headers={"token": secret})
            await session.get(origin.url("/serial/b"), params={"token": secret})
    assert origin.count("/serial/a") == 1
    assert origin.count("/serial/b") == 2


async def test_redirects_hold_no_ignored_parameter(
    names: Origin, open_sqlite: OpenSession, tmp_path: Path
) -> None:
    async with open_sqlite(ignored_parameters=["token"]) as session:
        for secret in SECRETS:
            params = {"to": "/serial", "token": secret}
            await session.get("http://origin.test/redirect-to", params=params)
        assert await session.cache.redirects.size() > 0
    content = everything_in(tmp_path)
    assert not any(secret.encode() in content for secret in SECRETS)


async def test_ignored_parameters_of_a_live_session(
    origin: Origin, open_backend: OpenBackend
) -> None:
    async with CachedSession(cache=open_backend()) as session:
        session.cache.ignored_parameters = ["token"]
        for secret in SECRETS:
            await ask(session, origin.url("/serial"), "params", secret)
    assert origin.count() == 1
