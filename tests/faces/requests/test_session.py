"""``CachedSession``: what a session and single requests may be told."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
import requests
from requests import Request, Session
from requests.adapters import HTTPAdapter

from http_client_cache.errors import ConfigurationError
from requests_cache import CacheAdapter, CachedSession, CacheMixin
from tests.faces.requests.conftest import OpenSession
from tests.support.clock import StandingClock
from tests.support.origin import Origin

pytestmark = pytest.mark.parity


def test_it_remembers(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session:
        first, second = (session.get(origin.url("/serial/a")) for _ in range(2))
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.text == second.text == "1"
    assert first.cache_key == second.cache_key
    assert origin.count() == 1


def test_expiration(origin: Origin, open_session: OpenSession, clock: StandingClock) -> None:
    url = origin.url("/serial/a")
    with open_session(expire_after=30) as session:
        session.get(url)
        clock.advance(seconds=29)
        hit = session.get(url)
        assert (hit.text, hit.from_cache, hit.is_expired) == ("1", True, False)
        clock.advance(seconds=1)
        assert hit.is_expired
        assert session.get(url).text == "2"
        # Of a request, before that of the session.
        other = origin.url("/serial/b")
        session.get(other, expire_after=60)
        clock.advance(seconds=59)
        assert session.get(other).from_cache
        clock.advance(seconds=1)
        assert not session.get(other, expire_after=-1).from_cache
        clock.advance(seconds=10**9)
        assert session.get(other).expires is None
        assert session.get(other).from_cache


def test_only_if_cached(origin: Origin, open_session: OpenSession) -> None:
    url = origin.url("/serial/a")
    with open_session() as session:
        refused = session.get(url, only_if_cached=True)
        assert (refused.status_code, refused.from_cache, refused.content) == (504, False, b"")
        with pytest.raises(requests.HTTPError, match="504"):
            refused.raise_for_status()
        session.get(url)
        assert session.get(url, only_if_cached=True).text == "1"
    assert origin.count() == 1


def test_refresh(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session:
        url = origin.url("/etag/1")
        session.get(url)
        validated = session.get(url, refresh=True)
        assert validated.from_cache
        assert validated.revalidated
        assert "If-None-Match" in origin.last.headers
        assert "If-None-Match" not in validated.request.headers
        assert not session.get(url, force_refresh=True).from_cache
        assert "If-None-Match" not in origin.last.headers
    assert origin.count() == 3


def test_prepared_requests(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session:
        prepared = session.prepare_request(Request("GET", origin.url("/serial/a")))
        assert not session.send(prepared).from_cache
        assert session.send(prepared).from_cache
        assert session.send(prepared, only_if_cached=True).from_cache
        assert not session.send(prepared, force_refresh=True).from_cache
        assert session.send(prepared, expire_after=10).from_cache
        plain = Request("GET", origin.url("/serial/b")).prepare()
        assert session.send(plain, only_if_cached=True).status_code == 504
        with pytest.raises(ValueError, match="PreparedRequests"):
            session.send(Request("GET", origin.url("/")))  # type: ignore[arg-type]


def test_stale_if_error(origin: Origin, open_session: OpenSession, clock: StandingClock) -> None:
    url = origin.url("/serial/a")
    with open_session(expire_after=10, stale_if_error=True) as session:
        session.get(url)
        clock.advance(seconds=11)
        origin.out_of_order = True
        stale = session.get(url)
        assert (stale.text, stale.from_cache, stale.is_expired) == ("1", True, True)
        assert session.get(url, stale_if_error=False).status_code == 503


def test_stale_while_revalidate(
    origin: Origin, open_session: OpenSession, clock: StandingClock
) -> None:
    url = origin.url("/serial/a")
    with open_session(expire_after=10, stale_while_revalidate=60) as session:
        session.get(url)
        clock.advance(seconds=11)
        assert session.get(url).text == "1"
        session.cache.engine.stop_background()
        assert origin.count() == 2
        assert session.get(url).text == "2"
        assert origin.count() == 2


def test_conditions_of_the_caller(origin: Origin, open_session: OpenSession) -> None:
    with open_session(cache_control=True) as session:
        tag = session.get(origin.url("/etag/1")).headers["ETag"]
        response = session.get(origin.url("/etag/1"), headers={"If-None-Match": tag})
        assert response.status_code == 304


BODIES: dict[str, dict[str, Any]] = {
    "form": {"data": {"a": "1", "b": ["2", "3"]}},
    "bytes": {"data": b"bytes"},
    "text": {"data": "text ü"},
    "json": {"json": {"a": [1, None]}},
    "files": {"files": {"file": ("name.txt", b"content")}},
    "in memory": {"data": io.BytesIO(b"in memory")},
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_told_apart(origin: Origin, open_session: OpenSession, name: str) -> None:
    body = BODIES[name]
    with open_session(allowed_methods=("GET", "POST")) as session:
        for from_cache in (False, True):
            if isinstance(body.get("data"), io.BytesIO):
                body["data"].seek(0)
            assert session.post(origin.url("/echo"), **body).from_cache is from_cache
        assert not session.post(origin.url("/echo"), data=b"another").from_cache


def test_generators_are_sent_and_not_kept(origin: Origin, open_session: OpenSession) -> None:
    with open_session(allowed_methods=("POST",)) as session:
        for number in range(2):
            response = session.post(origin.url("/echo"), data=iter([b"a", b"b%d" % number]))
            assert not response.from_cache
            assert origin.last.body == b"ab%d" % number


def test_who_asks_matters(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session:
        for _ in range(2):
            for auth in (None, ("me", "1"), ("you", "2")):
                sent = session.get(origin.url("/whoami"), auth=auth).text
                assert sent == session.get(origin.url("/whoami"), auth=auth).text
    assert origin.count() == 3


def test_disabled(origin: Origin, open_session: OpenSession) -> None:
    url = origin.url("/serial/a")
    with open_session() as session:
        session.get(url)
        with pytest.raises(ZeroDivisionError), session.cache_disabled():
            with session.cache_disabled():
                assert session.get(url).text == "2"
            assert not session.get(url).from_cache
            raise ZeroDivisionError
        assert session.get(url).text == "1"


def test_of_many_threads_one_fetches(origin: Origin, open_session: OpenSession) -> None:
    seen: list[str] = []
    with open_session() as session:
        ready = threading.Barrier(32)

        def fetch() -> None:
            ready.wait(10)
            seen.append(session.get(origin.url("/delay/1")).text)

        threads = [threading.Thread(target=fetch) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(seen) == 32
    assert len(set(seen)) == 1
    assert origin.count() == 1


def test_arguments() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        CachedSession("x", backend="memory", nonsense=1)
    with CachedSession(backend="memory") as session:
        for name in ("refresh", "force_refresh", "only_if_cached"):
            with pytest.raises(ConfigurationError, match=name):
                session.get("http://127.0.0.1:1/", **{name: "yes"})
        with pytest.raises(TypeError, match="nonsense"):
            session.get("http://127.0.0.1:1/", nonsense=1)


def test_wrap(origin: Origin, open_session: OpenSession) -> None:
    host = Session()
    host.headers["X-App"] = "mine"
    host.cookies.set("a", "b")
    host.params = {"p": "1"}
    adapter = HTTPAdapter(max_retries=3)
    host.mount("http://", adapter)
    with CachedSession.wrap(host, backend="memory") as session:
        assert isinstance(session, CachedSession)
        assert session.get_adapter(origin.url()) is adapter
        for name in Session.__attrs__:
            assert getattr(session, name) is getattr(host, name)
        session.get(origin.url("/serial/a"))
        assert session.get(origin.url("/serial/a")).from_cache
        assert origin.last.headers["X-App"] == "mine"
        assert origin.last.query == "p=1"
    assert origin.count() == 1
    assert not hasattr(host.get(origin.url("/serial/a")), "from_cache")


class Limited(Session):
    """Counts what goes out, as a limiter does."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self.sent.append(request.url or "")
        return super().send(request, **kwargs)


class CachedLimited(CacheMixin, Limited):
    pass


def test_limiters_see_only_what_goes_out(origin: Origin) -> None:
    with CachedLimited(backend="memory") as session:
        for _ in range(3):
            assert len(session.get(origin.url("/redirect/2")).history) == 2
        assert len(session.sent) == origin.count() == 3
        session.get(origin.url("/serial/a"), only_if_cached=True)
        assert len(session.sent) == 3


def test_an_adapter_alone(origin: Origin) -> None:
    session = Session()
    cache = CacheAdapter(backend="memory", adapter=HTTPAdapter(max_retries=1))
    session.mount("http://", cache)
    with session:
        for from_cache in (False, True):
            response = session.get(origin.url("/redirect/1"))
            assert response.from_cache is from_cache
        # A redirect is not stored here; what it leads to is.
        assert origin.count() == 3
        assert cache.cache.size() == 1


def test_an_adapter_in_a_caching_session_is_not_asked_twice(origin: Origin) -> None:
    cache = CacheAdapter(backend="memory")
    with CachedSession(backend="memory") as session:
        session.mount("http://", cache)
        session.get(origin.url("/serial/a"))
        assert session.get(origin.url("/serial/a")).from_cache
        assert (session.cache.size(), cache.cache.size()) == (0, 1)


def test_requests_within_a_request(origin: Origin, open_session: OpenSession) -> None:
    """A hook may ask for something else; that is a request of its own."""
    with open_session() as session:

        def ask(response: requests.Response, **_: Any) -> None:
            assert not session.get(origin.url(f"/serial/{len(seen)}")).from_cache
            seen.append(response.status_code)

        seen: list[int] = []
        hooks = {"response": ask}
        session.get(origin.url("/redirect/1"), hooks=hooks, expire_after=10)
        assert seen == [302, 200]
        assert session.get(origin.url("/redirect/1")).from_cache
        assert session.get(origin.url("/serial/1")).expires is None


def test_another_cache(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session, CachedSession(backend="memory") as other:
        session.get(origin.url("/serial/a"))
        session.cache = other.cache
        assert session.settings is other.cache.settings
        assert not session.get(origin.url("/serial/a")).from_cache
        assert other.get(origin.url("/serial/a")).from_cache
