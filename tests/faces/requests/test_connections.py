"""How a connection is made may tell its responses from those of others."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from requests_cache import CachedSession, CacheMixin
from requests_cache.request import connection_marks

URL = "https://example.com/"


class Counting(HTTPAdapter):
    """Answers with how often it has been asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def send(self, request: PreparedRequest, **_: Any) -> Response:  # type: ignore[override]
        self.asked += 1
        body = b"%d" % self.asked
        fields = {"Content-Length": str(len(body))}
        return self.build_response(
            request, HTTPResponse(io.BytesIO(body), fields, 200, preload_content=False)
        )


class Behind(Session):
    """Something between the cache and requests."""

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        return super().send(request, **kwargs)


class Between(CacheMixin, Behind):
    pass


@pytest.mark.parametrize("kind", [CachedSession, Between])
def test_they_do_not_mix(kind: Callable[..., Any]) -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"verify": False},
        {"cert": "mine.pem"},
        {"cert": ("mine.pem", "key.pem")},
        {"cert": "yours.pem", "verify": False},
    ]
    with kind(backend="memory") as session:
        session.mount("https://", Counting())
        for from_cache in (False, True, True):
            seen = [session.get(URL, **way) for way in ways]
            assert [response.text for response in seen] == ["1", "2", "3", "4", "5"]
            assert {response.from_cache for response in seen} == {from_cache}
        # By a file with authorities it is verified as well.
        assert session.get(URL, verify="/authorities.pem").text == "1"


def test_nor_do_those_of_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    # With these, requests verifies in spite of what its session says.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with CachedSession(backend="memory") as session:
        session.mount("https://", Counting())
        assert [session.get(URL).text for _ in range(3)] == ["1", "1", "1"]
        session.verify = False
        assert [session.get(URL).text for _ in range(3)] == ["2", "2", "2"]
        session.verify, session.cert = True, "mine.pem"
        assert [session.get(URL).text for _ in range(3)] == ["3", "3", "3"]
        session.cert = None
        assert session.get(URL).text == "1"


def test_without_tls_there_is_nothing_to_verify() -> None:
    assert connection_marks("http://example.com/", False, "mine.pem") == ()
    assert connection_marks(None, False, None) == ()
    assert connection_marks(URL, True, None) == ()
    assert len({connection_marks(URL, True, cert) for cert in ("a", "b", ("a", "b"))}) == 3


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_sessions_are_not_duplicated(duplicate: Callable[[Any], Any]) -> None:
    with (
        CachedSession(backend="memory") as session,
        pytest.raises(TypeError, match="CachedSession cannot be pickled or copied"),
    ):
        duplicate(session)
