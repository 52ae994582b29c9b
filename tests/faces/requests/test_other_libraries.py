"""What stands in for an origin in tests, limits requests or tries again: each beside the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
import responses
import vcr
from requests import Session
from requests.adapters import HTTPAdapter
from requests_ratelimiter import LimiterAdapter, LimiterMixin
from urllib3.util import Retry

import requests_cache
from requests_cache import CacheAdapter, CachedSession, CacheMixin
from tests.faces.requests.conftest import OpenSession
from tests.support.clock import StandingClock
from tests.support.origin import Origin

URL = "http://made.up/data"
BUSY = {"json": {"a": 1}, "headers": {"ETag": '"v1"', "X-Made": "up"}}


@pytest.fixture
def installed() -> Iterator[None]:
    with requests_cache.enabled(backend="memory"):
        yield


def seen_twice(session: Session, url: str = URL, **kwargs: Any) -> tuple[Any, Any]:
    """What two requests see; the second is a hit, and just like the first."""
    miss: Any = session.get(url, **kwargs)
    hit: Any = session.get(url, **kwargs)
    assert (miss.from_cache, hit.from_cache) == (False, True)
    assert hit.content == miss.content
    assert hit.headers == miss.headers
    assert (hit.status_code, hit.url) == (miss.status_code, miss.url)
    return miss, hit


class TestRequestsMock:
    def test_its_fixture(self, requests_mock: requests_mock.Mocker) -> None:
        requests_mock.get(URL, **BUSY)
        with CachedSession(backend="memory") as session:
            miss, _ = seen_twice(session)
            assert miss.json() == {"a": 1}
            assert requests_mock.call_count == 1
            assert not session.get(URL, force_refresh=True).from_cache
            assert requests_mock.call_count == 2

    def test_its_fixture_with_an_installed_cache(
        self, requests_mock: requests_mock.Mocker, installed: None
    ) -> None:
        requests_mock.get(URL, **BUSY)
        assert [requests.get(URL).from_cache for _ in range(2)] == [False, True]  # type: ignore[attr-defined]
        assert requests_mock.call_count == 1

    def test_a_session_from_before_and_after(self, origin: Origin) -> None:
        """The same session goes to the real origin again, and caches all the way."""
        with CachedSession(backend="memory") as session:
            seen_twice(session, origin.url("/serial/a"))
            with requests_mock.Mocker() as mocker:
                mocker.get(URL, text="made up")
                seen_twice(session)
                # A hit goes out to nobody, not to a stand-in either.
                assert session.get(origin.url("/serial/a")).from_cache
                with pytest.raises(requests_mock.NoMockAddress):
                    session.get(origin.url("/serial/b"))
            assert mocker.call_count == 2
            seen_twice(session, origin.url("/serial/b"))
            assert session.get(URL).text == "made up"
        assert origin.count() == 2

    def test_real_ones_pass(self, origin: Origin) -> None:
        with (
            CachedSession(backend="memory") as session,
            requests_mock.Mocker(real_http=True) as mocker,
        ):
            mocker.get(URL, text="made up")
            for url in (URL, origin.url("/redirect/1"), origin.url("/serial/a")):
                seen_twice(session, url)
            # It is asked first, for each hop.
            assert mocker.call_count == 4
        assert origin.count() == 3

    def test_one_session_alone(self, origin: Origin) -> None:
        """It takes the place of the session's ``send``: nothing is cached, nothing breaks."""
        with CachedSession(backend="memory") as session:
            with requests_mock.Mocker(session=session) as mocker:
                mocker.get(URL, text="made up")
                assert [session.get(URL).text for _ in range(2)] == ["made up"] * 2
                assert mocker.call_count == 2
            seen_twice(session, origin.url("/serial/a"))

    def test_its_adapter_in_a_session(self) -> None:
        adapter = requests_mock.Adapter()
        adapter.register_uri("GET", "mock://made.up/data", text="made up")
        with CachedSession(backend="memory") as session:
            session.mount("mock://", adapter)
            seen_twice(session, "mock://made.up/data")
        assert adapter.call_count == 1

    def test_its_adapter_behind_an_adapter(self) -> None:
        adapter = requests_mock.Adapter()
        adapter.register_uri("GET", URL, [{"text": "1"}, {"text": "2"}])
        with Session() as session:
            session.mount("http://made.up", CacheAdapter(backend="memory", adapter=adapter))
            seen_twice(session)
        assert adapter.call_count == 1

    def test_exceptions_and_statuses(self, requests_mock: requests_mock.Mocker) -> None:
        requests_mock.get(URL, [{"exc": requests.ConnectTimeout}, {"status_code": 500}, BUSY])
        with CachedSession(backend="memory") as session:
            with pytest.raises(requests.ConnectTimeout):
                session.get(URL)
            assert session.get(URL).status_code == 500
            seen_twice(session)

    def test_redirects_cookies_and_streams(self, requests_mock: requests_mock.Mocker) -> None:
        requests_mock.get("http://made.up/", status_code=302, headers={"Location": URL})
        requests_mock.get(URL, content=b"x" * 200_000, headers={"Set-Cookie": "a=b; path=/"})
        with CachedSession(backend="memory") as session:
            for from_cache in (False, True):
                with session.get("http://made.up/", stream=True) as response:
                    assert b"".join(response.iter_content(1000)) == b"x" * 200_000
                    assert response.from_cache is from_cache
                    assert [hop.status_code for hop in response.history] == [302]
        assert requests_mock.call_count == 2

    def test_validation(self, requests_mock: requests_mock.Mocker, clock: StandingClock) -> None:
        def answer(request: Any, context: Any) -> str:
            context.headers["ETag"] = '"v1"'
            if request.headers.get("If-None-Match") == '"v1"':
                context.status_code = 304
                return ""
            return "made up"

        requests_mock.get(URL, text=answer)
        with CachedSession(backend="memory", expire_after=10, clock=clock) as session:
            assert session.get(URL).text == "made up"
            clock.advance(seconds=11)
            hit = session.get(URL)
            assert (hit.text, hit.from_cache, hit.revalidated) == ("made up", True, True)


class TestResponses:
    @responses.activate
    def test_a_session(self) -> None:
        stand_in = responses.get(URL, **BUSY)
        with CachedSession(backend="memory") as session:
            miss, _ = seen_twice(session)
            assert miss.json() == {"a": 1}
            seen_twice(session, URL, params={"page": "2"})
        assert stand_in.call_count == 2
        assert responses.assert_call_count(URL, 1)

    @responses.activate
    def test_an_installed_cache(self, installed: None) -> None:
        responses.get(URL, body="made up")
        assert [requests.get(URL).from_cache for _ in range(3)] == [False, True, True]  # type: ignore[attr-defined]
        responses.assert_call_count(URL, 1)

    def test_only_what_it_knows(self, origin: Origin) -> None:
        with (
            CachedSession(backend="memory") as session,
            responses.RequestsMock() as stand_in,
        ):
            stand_in.get(URL, body="made up")
            stand_in.add_passthru(origin.url())
            seen_twice(session)
            seen_twice(session, origin.url("/serial/a"))
            with pytest.raises(requests.ConnectionError):
                session.get("http://unheard.of/")
        assert origin.count() == 1

    @responses.activate
    def test_redirects_and_errors(self) -> None:
        responses.add(responses.GET, "http://made.up/", status=301, headers={"Location": URL})
        responses.add(responses.GET, URL, body=requests.ReadTimeout("too slow"))
        responses.add(responses.GET, URL, body="made up")
        with CachedSession(backend="memory") as session:
            with pytest.raises(requests.ReadTimeout):
                session.get("http://made.up/")
            miss, hit = seen_twice(session, "http://made.up/")
            assert [len(each.history) for each in (miss, hit)] == [1, 1]
        responses.assert_call_count("http://made.up/", 2)

    @responses.activate
    def test_retries(self) -> None:
        responses.get(URL, status=503)
        responses.get(URL, status=503)
        responses.get(URL, body="at last")
        with CachedSession(backend="memory") as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[503])))
            miss, _ = seen_twice(session)
            assert miss.text == "at last"
        responses.assert_call_count(URL, 3)


class TestVcr:
    def played(self, cassette: Path, session: Session, url: str, **options: Any) -> Any:
        with vcr.use_cassette(str(cassette), **options) as tape:
            seen_twice(session, url)
            return tape

    @pytest.mark.parametrize("path", ["/serial/a", "/redirect/2", "/compressed/gzip", "/chunked"])
    def test_record_and_replay(self, origin: Origin, tmp_path: Path, path: str) -> None:
        """A hit makes no call in the cassette, whether it is being recorded or replayed."""
        cassette = tmp_path / "tape.yaml"
        calls = 3 if path == "/redirect/2" else 1
        with CachedSession(backend="memory") as session:
            tape = self.played(cassette, session, origin.url(path))
            recorded = session.get(origin.url(path)).content
        assert (len(tape), tape.play_count, origin.count()) == (calls, 0, calls)
        with CachedSession(backend="memory") as session:
            tape = self.played(cassette, session, origin.url(path), record_mode="none")
            assert session.get(origin.url(path)).content == recorded
        assert (len(tape), tape.play_count, origin.count()) == (calls, calls, calls)

    def test_a_hit_needs_no_cassette(self, origin: Origin, tmp_path: Path) -> None:
        with CachedSession(backend="memory") as session:
            session.get(origin.url("/serial/a"))
            with vcr.use_cassette(str(tmp_path / "empty.yaml"), record_mode="none"):
                assert session.get(origin.url("/serial/a")).from_cache

    def test_streams(self, origin: Origin, tmp_path: Path) -> None:
        cassette = str(tmp_path / "tape.yaml")
        for _ in range(2):
            with CachedSession(backend="memory") as session, vcr.use_cassette(cassette):
                bodies = []
                for from_cache in (False, True):
                    with session.get(origin.url("/large"), stream=True) as response:
                        bodies.append(b"".join(response.iter_content(2**16)))
                        assert response.from_cache is from_cache
                assert bodies[0] == bodies[1]
        assert origin.count() == 1


class CachedLimited(CacheMixin, LimiterMixin, Session):  # type: ignore[misc]
    """As both projects have it: what is cached is not limited."""


class LimitedCached(LimiterMixin, CacheMixin, Session):  # type: ignore[misc]
    """The other way round all requests are limited, hits included."""


TWO_AT_MOST = {"per_day": 2, "max_delay": 0}


class TestRateLimiter:
    def spend(self, session: Session, origin: Origin) -> None:
        """Two requests are allowed; what is cached takes nothing of that."""
        for _ in range(3):
            for path in ("/serial/a", "/lines"):
                session.get(origin.url(path))
        with pytest.raises(requests.Timeout):
            session.get(origin.url("/serial/other"))
        assert session.get(origin.url("/serial/a")).from_cache  # type: ignore[attr-defined]
        assert origin.count() == 2

    def test_mixins(self, origin: Origin) -> None:
        with CachedLimited(backend="memory", **TWO_AT_MOST) as session:
            self.spend(session, origin)
            assert session.get(origin.url("/serial/b"), only_if_cached=True).status_code == 504

    def test_each_hop_counts_and_none_that_is_cached(self, origin: Origin) -> None:
        with CachedLimited(backend="memory", **TWO_AT_MOST) as session:
            for _ in range(3):
                assert len(session.get(origin.url("/redirect/1")).history) == 1
        assert origin.count() == 2

    def test_mixins_the_other_way_round(self, origin: Origin) -> None:
        with LimitedCached(backend="memory", **TWO_AT_MOST) as session:
            seen_twice(session, origin.url("/serial/a"))
            with pytest.raises(requests.Timeout):
                session.get(origin.url("/serial/a"))
        assert origin.count() == 1

    def test_its_adapter_in_a_session(self, origin: Origin) -> None:
        with CachedSession(backend="memory") as session:
            session.mount("http://", LimiterAdapter(**TWO_AT_MOST))
            self.spend(session, origin)

    def test_its_adapter_behind_an_adapter(self, origin: Origin) -> None:
        with Session() as session:
            limiter = LimiterAdapter(**TWO_AT_MOST)
            session.mount("http://", CacheAdapter(backend="memory", adapter=limiter))
            self.spend(session, origin)

    def test_an_installed_cache(self, origin: Origin, installed: None) -> None:
        with Session() as session:
            session.mount("http://", LimiterAdapter(**TWO_AT_MOST))
            self.spend(session, origin)

    def test_what_the_server_says(self, origin: Origin) -> None:
        """After a 429 the quota is spent; hits are served all the same."""
        with CachedLimited(backend="memory", per_day=5, max_delay=0) as session:
            session.get(origin.url("/serial/a"))
            assert session.get(origin.url("/status/429")).status_code == 429
            with pytest.raises(requests.Timeout):
                session.get(origin.url("/serial/b"))
            assert session.get(origin.url("/serial/a")).from_cache


class TestRetries:
    def test_a_lost_connection(self, origin: Origin, open_session: OpenSession) -> None:
        """The one that hangs up every other time is asked again below the cache."""
        with open_session() as session:
            session.mount("http://", HTTPAdapter(max_retries=1))
            miss, _ = seen_twice(session, origin.url("/hang-up"))
            assert miss.text == "answer 2"
        assert origin.count() == 2

    def test_none_are_left(
        self, origin: Origin, open_session: OpenSession, clock: StandingClock
    ) -> None:
        url = origin.url("/unreliable")
        with open_session(expire_after=10) as session:
            retries = Retry(2, status_forcelist=[503], backoff_factor=0)
            session.mount("http://", HTTPAdapter(max_retries=retries))
            session.get(url)
            clock.advance(seconds=11)
            with pytest.raises(requests.exceptions.RetryError):
                session.get(url)
            assert origin.count() == 4
            stale = session.get(url, stale_if_error=True)
            assert (stale.text, stale.from_cache) == ("answer 1", True)
            assert origin.count() == 7
