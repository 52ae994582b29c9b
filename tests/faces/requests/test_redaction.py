"""Credentials in common places are not stored, and never shared, unless the user wants it so."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import requests

import aiohttp_client_cache
from http_client_cache.message import Headers
from requests_cache import CachedSession, FileCache, SQLiteCache
from requests_cache.backends.storage import links
from tests.faces.requests.conftest import OpenSession
from tests.support.files import everything_in
from tests.support.origin import Origin

SECRETS = ("2F63E5DF4F44", "D9FAEB3449D3")

# Where a credential may be.
PLACES: dict[str, Any] = {
    "access_token in the query": lambda secret: {"params": {"access_token": secret}},
    "api_key in the query": lambda secret: {"params": {"q": "1", "api_key": secret}},
    "a form": lambda secret: {"data": {"api_key": secret}},
    "JSON": lambda secret: {"json": {"access_token": secret}},
    "Authorization": lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    "auth": lambda secret: {"auth": ("me", secret)},
    "X-API-KEY": lambda secret: {"headers": {"x-api-key": secret}},
}


def ask(session: CachedSession, url: str, place: str, secret: str | None) -> Any:
    method = "POST" if place in {"a form", "JSON"} else "GET"
    options = {} if secret is None else PLACES[place](secret)
    return session.request(method, url, **options)


@pytest.mark.parametrize("place", PLACES)
def test_they_are_never_shared(origin: Origin, open_session: OpenSession, place: str) -> None:
    session = open_session(allowable_methods=["GET", "POST"])
    for first_time in (True, False):
        for secret in (*SECRETS, None):
            response = ask(session, origin.url("/echo"), place, secret)
            assert response.from_cache is not first_time
    assert origin.count() == 3


def test_nor_are_those_of_a_session(origin: Origin, open_session: OpenSession) -> None:
    """Also where requests are answered before they are prepared."""
    url, seen = origin.url("/serial"), []
    session = open_session()
    for _ in range(3):
        for secret in (None, *SECRETS):
            session.headers["x-Api-Key"] = secret or ""
            if secret is None:
                del session.headers["x-Api-Key"]
            seen.append(session.get(url).text)
    assert seen == ["1", "2", "3"] * 3


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [SQLiteCache, FileCache])
def test_they_are_not_stored(origin: Origin, tmp_path: Path, kind: Any, place: str) -> None:
    backend = kind(tmp_path / "cache", allowable_methods=["GET", "POST"], match_headers=True)
    with CachedSession(backend=backend) as session:
        response = ask(session, origin.url("/serial"), place, SECRETS[0])
        assert response.text
        assert session.cache.size() == 1
        assert SECRETS[0] not in str(session.cache.urls)
        stored = next(session.cache.filter())
        shown = f"{stored.url} {stored.request.url} {stored.request.headers}"
    kept = everything_in(tmp_path)
    coded = b64encode(f"me:{SECRETS[0]}".encode()).decode()
    assert all(one not in shown and one.encode() not in kept for one in (SECRETS[0], coded))
    assert any(one in str(origin.received[0]) for one in (SECRETS[0], coded))


@pytest.mark.parametrize("kind", [SQLiteCache, FileCache])
def test_nor_are_they_where_a_redirect_repeats_them(
    origin: Origin, tmp_path: Path, kind: Any
) -> None:
    url = origin.url(f"/echo-query/via?api_key={SECRETS[0]}&size=1")
    plain = requests.get(url, timeout=5)
    assert plain.history
    with CachedSession(backend=kind(tmp_path / "cache")) as session:
        for round_ in range(2):
            response = session.get(url)
            assert response.from_cache == (round_ == 1)
            assert response.text == plain.text
            assert [hop.status_code for hop in response.history] == [
                hop.status_code for hop in plain.history
            ]
        other = session.get(url.replace(*SECRETS))
        assert not other.from_cache
        fields = [
            Headers(alias.hops[0].headers).get("location")
            for _, alias in links(session.cache.engine)
        ]
        assert all(field is not None for field in fields)
        assert SECRETS[0] not in str(fields)


def test_by_the_law_such_a_redirect_is_not_stored(
    origin: Origin, open_session: OpenSession
) -> None:
    session = open_session(cache_control=True, expire_after=60, allowable_codes=[200, 302])
    url = origin.url(f"/echo-query/via?api_key={SECRETS[0]}&size=1")
    plain = requests.get(url, timeout=5)
    for _ in range(2):
        response = session.get(url)
        assert response.text == plain.text
    assert response.from_cache
    assert not response.history[0].from_cache


def test_whoever_ignores_them_shares_them(origin: Origin, open_session: OpenSession) -> None:
    session = open_session(ignored_parameters=["api_key", "Authorization"])
    url = origin.url("/serial")
    assert not session.get(url, params={"api_key": SECRETS[0]}).from_cache
    assert session.get(url, params={"api_key": SECRETS[1]}).from_cache
    assert session.get(url, auth=("me", SECRETS[0])).from_cache
    # Others are not stored all the same.
    session.get(url, params={"access_token": SECRETS[0]})
    assert SECRETS[0] not in str(session.cache.urls)


def test_nothing_is_redacted_if_the_user_says_so(origin: Origin, open_session: OpenSession) -> None:
    session = open_session(redacted_parameters=())
    url = origin.url(f"/get?api_key={SECRETS[0]}")
    session.get(url)
    assert session.cache.urls == [url]


def test_it_is_found_and_deleted_by_its_whole_url(
    origin: Origin, open_session: OpenSession
) -> None:
    session = open_session()
    urls = [origin.url(f"/get?api_key={secret}") for secret in SECRETS]
    for url in urls:
        session.get(url)
    cache = session.cache
    assert cache.urls == [origin.url("/get")]
    assert cache.contains(urls[0])
    assert not cache.contains(origin.url("/get"))
    assert cache.delete(urls=[urls[0]]) == 1
    assert not cache.has_url(urls[0])
    assert cache.has_url(urls[1])


def test_with_keys_of_ones_own_it_is_found_by_what_is_stored(
    origin: Origin, open_session: OpenSession
) -> None:
    session = open_session(key_fn=lambda request: f"mine {request.url}")
    url = origin.url(f"/get?api_key={SECRETS[0]}")
    session.get(url)
    assert session.cache.has_url(url)
    assert session.cache.delete_url(url) == 1


def test_keys_are_those_of_the_other_client(origin: Origin, tmp_path: Path) -> None:
    """Which redacts nothing: what only one of them has not stored, both find."""
    place = tmp_path / "cache"
    url = origin.url(f"/serial?api_key={SECRETS[0]}")

    async def ask_with_aiohttp() -> Any:
        backend = aiohttp_client_cache.SQLiteBackend(place)
        async with (
            aiohttp_client_cache.CachedSession(cache=backend) as session,
            session.get(url) as response,
        ):
            return response.from_cache, await response.text()

    with CachedSession(backend=SQLiteCache(place)) as session:
        text = session.get(url).text
    assert asyncio.run(ask_with_aiohttp()) == (True, text)
