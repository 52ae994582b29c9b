"""``always_revalidate`` and ``read_only``, through sessions."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.faces.requests.conftest import OpenSession
from tests.support.origin import Origin

MODES = pytest.mark.parametrize("settings", [{}, {"cache_control": True}], ids=["house", "law"])


@MODES
def test_every_use_is_validated(
    origin: Origin, open_session: OpenSession, settings: dict[str, Any]
) -> None:
    session = open_session(always_revalidate=True, expire_after=600, **settings)
    url = origin.url("/etag/a")
    assert not session.get(url).from_cache
    for count in (2, 3):
        response = session.get(url)
        assert response.from_cache
        assert response.revalidated
        assert origin.count() == count
    assert session.get(url, only_if_cached=True).status_code == 200
    session.always_revalidate = False
    assert not session.get(url).revalidated
    assert origin.count() == 3


@MODES
def test_what_is_only_read_does_not_change(
    origin: Origin, open_session: OpenSession, settings: dict[str, Any]
) -> None:
    session = open_session(expire_after=600, **settings)
    stored, other = origin.url("/cache/600?stored"), origin.url("/cache/600?other")
    session.get(stored)
    session.settings.read_only = True
    for _ in range(2):
        assert session.get(stored).from_cache
        assert not session.get(other).from_cache
        assert not session.get(origin.url("/redirect-to?to=/cache/600")).from_cache
        session.get(stored, force_refresh=True)
        session.get(stored, refresh=True)
        session.post(stored)
    large = session.get(origin.url("/large"), stream=True)
    assert sum(map(len, large.iter_content(65536))) == 3 * 2**20
    assert session.cache.urls == [stored]
    assert len(session.cache.redirects) == 0
    # What a user does himself is done.
    session.cache.save_response(requests.get(other, timeout=5))
    assert session.get(other).from_cache
    session.cache.clear()
    assert session.cache.size() == 0
