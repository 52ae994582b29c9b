"""What ``expire_after`` means here, and how 0 differs from what is not cached."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from http_client_cache.expiry import AT_ONCE, NEVER, UNSET, after, at
from requests_cache import DO_NOT_CACHE, EXPIRE_IMMEDIATELY, NEVER_EXPIRE, ConfigurationError
from requests_cache.policy import requests_expiry
from tests.faces.requests.conftest import OpenSession
from tests.support.origin import Origin


@pytest.mark.parametrize(
    ("value", "expiry"),
    [
        (None, UNSET),
        (NEVER_EXPIRE, NEVER),
        (EXPIRE_IMMEDIATELY, AT_ONCE),
        (0.0, AT_ONCE),
        (timedelta(0), AT_ONCE),
        (DO_NOT_CACHE, DO_NOT_CACHE),
        (5, after(5)),
        (timedelta(minutes=1), after(60)),
        (datetime(2030, 1, 1, tzinfo=UTC), at(datetime(2030, 1, 1, tzinfo=UTC).timestamp())),
        ("Tue, 01 Jan 2030 00:00:00 GMT", at(datetime(2030, 1, 1, tzinfo=UTC).timestamp())),
    ],
)
def test_values(value: Any, expiry: Any) -> None:
    assert requests_expiry(value) == expiry


@pytest.mark.parametrize("value", [-2, True, "soon", [], timedelta(-1), float("inf")])
def test_what_is_none(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"stale must be .*validate.*DO_NOT_CACHE"):
        requests_expiry(value, "stale")


def test_what_is_not_cached_is_no_number() -> None:
    assert DO_NOT_CACHE not in {0, -1, None}
    assert not isinstance(DO_NOT_CACHE, int | float)
    assert pickle.loads(pickle.dumps(DO_NOT_CACHE)) is copy.deepcopy(DO_NOT_CACHE) is DO_NOT_CACHE


@pytest.mark.parametrize("settings", [{}, {"cache_control": True}])
def test_expire_immediately(
    origin: Origin, open_session: OpenSession, settings: dict[str, Any]
) -> None:
    with open_session(expire_after=EXPIRE_IMMEDIATELY, **settings) as session:
        for round_ in range(3):
            response = session.get(origin.url("/etag/a"))
            assert response.from_cache == (round_ > 0)
            assert response.text
            session.get(origin.url("/get"))
        assert session.cache.urls == [origin.url("/etag/a")]
        assert session.cache.responses.popitem()[1].is_expired
    assert origin.count("/etag/a") == 3
    assert origin.count("/get") == 3
    assert "If-None-Match" in origin.received[2].headers


@pytest.mark.parametrize("settings", [{}, {"cache_control": True}])
def test_do_not_cache(origin: Origin, open_session: OpenSession, settings: dict[str, Any]) -> None:
    with open_session(urls_expire_after={"*/etag/*": DO_NOT_CACHE}, **settings) as session:
        for _ in range(2):
            assert not session.get(origin.url("/etag/a")).from_cache
            assert not session.get(origin.url("/cache/60"), expire_after=DO_NOT_CACHE).from_cache
        assert session.cache.size() == 0
