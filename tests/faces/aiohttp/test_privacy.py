"""What one user may see is not shown to another, and secrets are not kept."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientRequest, ClientResponse, DigestAuthMiddleware

from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.faces.aiohttp.parity import ROUTES, open_route
from tests.support.files import everything_in
from tests.support.origin import Origin


def basic(user: str, password: str = "s3cret-password") -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


ALICE, BOB = basic("alice"), basic("bob")


@pytest.mark.parametrize("route", ROUTES)
async def test_users_do_not_share(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    url = origin.url("/whoami")
    async with open_route(route, open_backend()) as session:
        for _ in range(2):
            for authorization in (ALICE, BOB):
                headers = {"Authorization": authorization}
                assert await (await session.get(url, headers=headers)).text() == authorization
            assert await (await session.get(url)).text() == "nobody"
    # And each of the three was asked for once.
    assert origin.count() == 3


async def test_users_do_not_share_what_they_are_redirected_to(
    origin: Origin, open_session: OpenSession
) -> None:
    url = origin.url("/redirect-to?to=/whoami")
    async with open_session() as session:
        for _ in range(2):
            for authorization in (ALICE, BOB):
                headers = {"Authorization": authorization}
                assert await (await session.get(url, headers=headers)).text() == authorization
            assert await (await session.get(url)).text() == "nobody"
    assert origin.count("/whoami") == 3


@pytest.mark.parametrize("route", ROUTES)
async def test_sessions_of_users_do_not_share(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    backend = open_backend()
    for authorization in (ALICE, BOB, ALICE, BOB):
        headers = {"Authorization": authorization}
        async with open_route(route, backend, headers=headers) as session:
            assert await (await session.get(origin.url("/whoami"))).text() == authorization
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_credentials_in_the_url(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with open_route(route, open_backend()) as session:
        for _ in range(2):
            for user in ("alice", "bob"):
                url = origin.url("/whoami", host=f"{user}:s3cret-password@127.0.0.1")
                assert await (await session.get(url)).text() == basic(user)
            assert await (await session.get(origin.url("/whoami"))).text() == "nobody"


@pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
@pytest.mark.parametrize("route", ROUTES)
async def test_auth_argument(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    from aiohttp import BasicAuth

    async with open_route(route, open_backend()) as session:
        for _ in range(2):
            for user in ("alice", "bob"):
                auth = BasicAuth(user, "s3cret-password")
                response = await session.get(origin.url("/whoami"), auth=auth)
                assert await response.text() == basic(user)
    assert origin.count() == 2


async def test_netrc(
    origin: Origin, open_backend: OpenBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that aiohttp finds by itself count as well."""
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    backend = open_backend()
    for user in ("alice", "bob", "alice"):
        netrc.write_text(f"machine 127.0.0.1 login {user} password s3cret-password\n")
        async with open_route("session", backend, trust_env=True) as session:
            assert await (await session.get(origin.url("/whoami"))).text() == basic(user)
    assert origin.count() == 2


@pytest.mark.parametrize("place", ["session", "request"])
async def test_credentials_that_a_middleware_adds(
    origin: Origin, open_backend: OpenBackend, place: str
) -> None:
    """They appear after the request was looked up: the answer is nobody else's."""

    async def authorize(request: ClientRequest, handler: Any) -> ClientResponse:
        request.headers["Authorization"] = ALICE
        return await handler(request)

    of_session = {"middlewares": [authorize]} if place == "session" else {}
    of_request = {"middlewares": [authorize]} if place == "request" else {}
    backend = open_backend()
    async with open_route("session", backend, **of_session) as session:
        for _ in range(2):
            response = await session.get(origin.url("/whoami"), **of_request)
            assert await response.text() == ALICE
        assert await backend.responses.size() == 0
    async with open_route("session", backend) as session:
        assert await (await session.get(origin.url("/whoami"))).text() == "nobody"
    assert origin.count() == 3


async def test_digest_authentication(origin: Origin, open_backend: OpenBackend) -> None:
    """The middleware that answers the challenge asks twice; neither answer is for everyone."""
    backend = open_backend(allowed_codes=(200, 401))
    digest = DigestAuthMiddleware("alice", "s3cret-password")
    async with open_route("session", backend, middlewares=[digest]) as session:
        for _ in range(2):
            assert await (await session.get(origin.url("/digest"))).text() == "let in"
    async with open_route("session", backend) as session:
        assert (await session.get(origin.url("/digest"))).status == 401


async def test_secrets_are_not_in_the_file(
    origin: Origin, open_sqlite: OpenSession, tmp_path: Path
) -> None:
    async with open_sqlite(include_headers=True) as session:
        await session.get(
            origin.url("/serial"), headers={"Authorization": ALICE, "Cookie": "id=s3cret-cookie"}
        )
        await session.get(origin.url("/serial", host="carol:s3cret-password@127.0.0.1"))
        assert await session.cache.responses.size() == 2
        shown = f"{session.cache.urls}"
        async for stored in session.cache.responses.values():
            shown += f"{stored.url} {stored.real_url} {stored.request_info} {stored!r}"
        async for key in session.cache.responses.keys():
            shown += key
    content = everything_in(tmp_path) + shown.encode()
    for secret in (ALICE, ALICE.removeprefix("Basic "), "s3cret-cookie", "s3cret-password"):
        assert secret.encode() not in content


async def test_secrets_are_not_logged(
    origin: Origin, open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1, "http_client_cache")
    caplog.set_level(1, "aiohttp_client_cache")
    async with open_session(ignored_parameters=["token"]) as session:
        for path in ("/serial", "/status/404", "/redirect/1"):
            for _ in range(2):
                await session.get(
                    origin.url(path, host="carol:s3cret-password@127.0.0.1"),
                    params={"token": "s3cret-token"},
                )
    assert "s3cret" not in caplog.text


async def test_waiting_users_do_not_share(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:

        async def who(authorization: str) -> str:
            headers = {"Authorization": authorization}
            return await (await session.get(origin.url("/whoami"), headers=headers)).text()

        assert await asyncio.gather(who(ALICE), who(BOB), who(ALICE)) == [ALICE, BOB, ALICE]
