"""What is stored can be looked through, changed and deleted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests import PreparedRequest, Request

from requests_cache import BaseCache, CachedResponse, CachedSession, ConfigurationError, SQLiteCache
from tests.faces.requests.conftest import OpenCache, OpenSession
from tests.support.clock import START, StandingClock
from tests.support.origin import Origin


@pytest.fixture
def session(open_session: OpenSession) -> CachedSession:
    """A session that keeps responses for a minute."""
    return open_session(expire_after=60)


def fill(session: CachedSession, origin: Origin, *paths: str, **options: Any) -> list[str]:
    for path in paths:
        session.get(origin.url(path), **options)
    return [origin.url(path) for path in paths]


# Keys


def test_keys_of_requests(session: CachedSession, origin: Origin) -> None:
    cache, url = session.cache, origin.url("/get")
    key = session.get(url).cache_key
    assert cache.create_key(Request("GET", url)) == key
    assert cache.create_key(Request("get", url).prepare()) == key
    assert cache.create_key(Request("GET", url, params={"a": "1"})) != key
    assert cache.create_key(Request("GET", url, headers={"A": "1"})) == key
    assert cache.create_key(Request("GET", url, headers={"A": "1"}), match_headers=["A"]) != key


def test_keys_of_bodies(open_session: OpenSession, origin: Origin) -> None:
    session = open_session(allowable_methods=["POST"])
    for body in ({"json": {"a": 1}}, {"data": {"a": "1"}}, {"data": b"a"}, {"files": {"a": b"1"}}):
        url = origin.url("/post")
        key = session.post(url, **body).cache_key
        assert session.cache.create_key(Request("POST", url, **body)) == key
    assert session.cache.size() == 4


def test_a_key_function(open_session: OpenSession, origin: Origin) -> None:
    session = open_session(key_fn=lambda request, **_: f"{request.method} {request.url}")
    url = origin.url("/get")
    session.get(url)
    assert session.cache.create_key(Request("GET", url)) == f"GET {url}"
    assert session.cache.contains(f"GET {url}")
    assert session.cache.contains(url)
    assert session.cache.delete(urls=[url]) == 1
    session.settings.key_fn = lambda _: None
    with pytest.raises(ConfigurationError, match="key_fn must answer text"):
        session.cache.create_key(Request("GET", url))


def test_what_has_no_key(open_cache: OpenCache) -> None:
    with pytest.raises(ConfigurationError, match="stream or an iterator"):
        open_cache().create_key(Request("POST", "http://a/", data=iter([b"a"])))
    for wrong in ("http://a/", None, 5):
        with pytest.raises(ConfigurationError, match="must be a requests"):
            open_cache().create_key(wrong)  # type: ignore[arg-type]


# contains


def test_contains(session: CachedSession, origin: Origin) -> None:
    cache, url, other = session.cache, origin.url("/get"), origin.url("/other")
    key = session.get(url).cache_key
    for given in (key, url, Request("GET", url), Request("GET", url).prepare()):
        assert cache.contains(given)
    assert cache.contains(url=url)
    assert cache.contains(request=Request("GET", url))
    assert cache.has_key(str(key))
    for absent in ("0.0", other, Request("POST", url), Request("GET", other)):
        assert not cache.contains(absent)
    assert not cache.contains(url=other)
    assert not cache.contains(request=Request("HEAD", url))
    assert not cache.has_key(other)


@pytest.mark.parametrize("given", [{}, {"key": "a", "url": "http://a/"}])
def test_contains_takes_one_thing(given: Any, session: CachedSession) -> None:
    with pytest.raises(ConfigurationError, match="one of them"):
        session.cache.contains(**given)


def test_has_url(session: CachedSession, origin: Origin) -> None:
    url = origin.url("/get?a=1")
    session.get(url, headers={"Authorization": "mine"})
    assert session.cache.has_url(url)
    assert not session.cache.contains(url=url)
    assert not session.cache.has_url(url, "GET")
    assert session.cache.has_url(origin.url("/get"), params={"a": "1"}, auth=None) is False
    session.get(url)
    assert session.cache.has_url(origin.url("/get"), params={"a": "1"})
    assert session.cache.has_url(url, "GET")
    assert not session.cache.has_url(url, "POST")


# Single responses


def test_get_response(session: CachedSession, origin: Origin, clock: StandingClock) -> None:
    fetched = session.get(origin.url("/json"))
    found = session.cache.get_response(str(fetched.cache_key))
    assert isinstance(found, CachedResponse)
    assert found.json() == fetched.json()
    assert found.url == fetched.url
    assert found.from_cache
    assert found.created_at == START
    assert found.expires == START + timedelta(seconds=60)
    assert found.request.method == "GET"
    clock.advance(seconds=61)
    assert session.cache.get_response(str(fetched.cache_key)).is_expired
    assert session.cache.get_response("0.0") is None
    assert session.cache.get_response("0.0", "nothing") == "nothing"


def test_redirects_are_followed(session: CachedSession, origin: Origin) -> None:
    target, url = origin.url("/serial/end"), origin.url("/redirect/2")
    session.get(url)
    cache = session.cache
    found = cache.get_response(cache.create_key(Request("GET", url)))
    assert found.url == target
    assert cache.contains(url)
    assert cache.urls == [target]
    assert len(cache.redirects) == 2
    key = cache.create_key(Request("GET", target))
    assert dict(cache.redirects) == dict.fromkeys(cache.redirects, key)
    assert list(cache.redirects.values()) == [key, key]
    assert sorted(cache.redirects.items()) == sorted(dict(cache.redirects).items())


def test_save_response(session: CachedSession, origin: Origin) -> None:
    url = origin.url("/redirect/1")
    fetched = requests.get(url, timeout=5)
    session.cache.save_response(fetched)
    assert origin.count() == 2
    stored = session.get(url)
    assert stored.from_cache
    assert stored.content == fetched.content
    assert stored.expires == START + timedelta(seconds=60)
    assert [hop.status_code for hop in stored.history] == [302]
    assert session.get(fetched.url).from_cache
    assert origin.count() == 2


@pytest.mark.parametrize("settings", [{}, {"cache_control": True}])
def test_save_response_with_an_expiration(
    open_session: OpenSession, origin: Origin, settings: Any, clock: StandingClock
) -> None:
    session = open_session(**settings)
    fetched = requests.get(origin.url("/cache/60"), timeout=5)
    expires = START + timedelta(hours=1)
    for given in (expires, expires.replace(tzinfo=None)):
        session.cache.clear()
        session.cache.save_response(fetched, expires=given)
        stored = session.get(fetched.url)
        assert stored.from_cache
        assert stored.expires == expires
    assert origin.count() == 1
    with pytest.raises(ConfigurationError, match="expires must be a datetime"):
        session.cache.save_response(fetched, expires=60)  # type: ignore[arg-type]


def test_save_response_under_a_key(session: CachedSession, origin: Origin) -> None:
    session.cache.save_response(requests.get(origin.url("/get"), timeout=5), "mine")
    assert list(session.cache.responses) == ["mine"]
    # What is stored tells its key: its request may not be all that it was.
    other = BaseCache()
    other.save_response(session.cache.responses["mine"])
    assert other.contains("mine")


@pytest.mark.parametrize("wrong", ["text", None, requests.Response()])
def test_what_is_no_response_is_not_stored(open_cache: OpenCache, wrong: Any) -> None:
    cache = open_cache()
    with pytest.raises(ConfigurationError, match="must have a request"):
        cache.save_response(wrong, "key")
    with pytest.raises(ConfigurationError, match="must have a request"):
        cache.responses["key"] = wrong
    assert cache.size() == 0


def test_what_varies_is_stored_as_the_law_wants(open_session: OpenSession, origin: Origin) -> None:
    session = open_session(cache_control=True)
    url = origin.url("/response-headers?Vary=Accept&Cache-Control=max-age%3D60")
    session.cache.save_response(requests.get(url, headers={"Accept": "a/b"}, timeout=5))
    assert session.get(url, headers={"Accept": "a/b"}).from_cache
    assert not session.get(url, headers={"Accept": "c/d"}).from_cache


# As a mapping


def test_responses_as_a_mapping(session: CachedSession, origin: Origin) -> None:
    urls = fill(session, origin, "/get?a", "/get?b", "/get?c")
    responses = session.cache.responses
    assert len(responses) == len(list(responses)) == 3
    assert sorted(response.url for response in responses.values()) == urls
    assert {key: one.url for key, one in responses.items()} == {
        key: responses[key].url for key in responses
    }
    key = next(iter(responses))
    assert key in responses
    assert "0.0" not in responses
    assert 5 not in responses
    assert responses.get("0.0") is None
    del responses[key]
    for gone in (key, "0.0"):
        with pytest.raises(KeyError, match=gone):
            del responses[gone]
        with pytest.raises(KeyError, match=gone):
            responses[gone]
    assert len(responses) == 2
    responses["mine"] = next(iter(responses.values()))
    assert responses["mine"].from_cache
    responses.bulk_delete(["mine", "0.0"])
    assert "mine" not in responses
    responses.clear()
    assert not list(responses)


def test_redirects_as_a_mapping(session: CachedSession, origin: Origin) -> None:
    session.get(origin.url("/get"))
    target = next(iter(session.cache.responses))
    redirects = session.cache.redirects
    redirects["a.b"] = target
    redirects["a.bc"] = target
    assert redirects["a.b"] == target
    assert session.cache.contains("a.b")
    assert "a.c" not in redirects
    del redirects["a.b"]
    for gone in ("a.b", "a", target):
        with pytest.raises(KeyError, match=gone):
            del redirects[gone]
        with pytest.raises(KeyError):
            redirects[gone]
    assert list(redirects) == ["a.bc"]
    redirects.bulk_delete([target])
    assert session.cache.size() == 1
    redirects.clear()
    assert len(redirects) == 0
    assert session.cache.size() == 1


# Many of them


def test_filter_and_urls(session: CachedSession, origin: Origin, clock: StandingClock) -> None:
    old = fill(session, origin, "/get?old", expire_after=1)
    clock.advance(seconds=10)
    new = fill(session, origin, "/get?new")
    cache = session.cache

    def urls(**conditions: Any) -> list[str]:
        found = sorted(response.url for response in cache.filter(**conditions))
        assert cache.urls(**conditions) == found
        return found

    assert urls() == sorted(old + new)
    assert urls(expired=False) == new
    assert urls(valid=False) == old
    assert urls(valid=False, expired=False) == []
    assert urls(valid=False, expired=False, invalid=True) == []
    for older in (5, timedelta(seconds=5), START + timedelta(seconds=5)):
        assert urls(valid=False, expired=False, older_than=older) == old
    assert urls(valid=False, expired=False, older_than=20) == []
    assert urls(valid=False, expired=False, older_than=-1) == []
    assert cache.urls == cache.urls() == sorted(old + new)
    with pytest.raises(ConfigurationError, match="older_than"):
        list(cache.filter(older_than="soon"))

    assert cache.response_count() == 2
    assert cache.response_count(check_expiry=True) == 1
    assert len(list(cache.values())) == len(list(cache.keys())) == 2
    assert [one.url for one in cache.values(check_expiry=True)] == new
    assert list(cache.keys(check_expiry=True)) == [cache.create_key(Request("GET", new[0]))]


def test_keys_are_those_of_redirects_too(session: CachedSession, origin: Origin) -> None:
    session.get(origin.url("/redirect/1"))
    assert sorted(session.cache.keys()) == sorted(
        [*session.cache.redirects, *session.cache.responses]
    )


def test_it_goes_page_by_page(open_cache: OpenCache, origin: Origin) -> None:
    cache = open_cache()
    response = requests.get(origin.url("/get"), timeout=5)
    trips = cache.engine.shell
    for number in range(120):
        cache.save_response(response, f"{number:03}")
    found = cache.filter()
    first = next(found)
    cache.delete(*cache.responses)
    assert first.text == response.text
    # A page of fifty was loaded, and no more.
    assert 49 <= len(list(found)) < 60
    assert trips is cache.engine.shell


# Deletion


def test_delete(session: CachedSession, origin: Origin) -> None:
    a, b, c, d = fill(session, origin, "/get?a", "/get?b", "/get?c", "/get?d")
    cache = session.cache
    assert cache.delete(cache.create_key(Request("GET", a)), "0.0") == 1
    assert cache.delete(requests=[Request("GET", b), Request("POST", c)]) == 1
    assert cache.delete(urls=[c, origin.url("/none")]) == 1
    assert cache.urls == [d]
    assert cache.delete() == 0
    assert cache.remove(urls=[d]) == 1
    with pytest.raises(ConfigurationError, match="urls must be a list"):
        cache.delete(urls=d)


def test_delete_url(open_session: OpenSession, origin: Origin) -> None:
    session = open_session(allowable_methods=["GET", "POST"])
    url, cache = origin.url("/get"), session.cache
    session.get(url)
    session.get(url, headers={"Authorization": "mine"})
    session.post(url, json={"a": 1})
    assert cache.delete_url(url, "POST", json={"a": 1}) == 1
    assert cache.delete_url(url, "POST", json={"a": 1}) == 0
    assert cache.delete_url(url) == 2
    a, b = fill(session, origin, "/get?a", "/get?b")
    assert cache.delete_urls([a, b, url]) == 2
    assert cache.size() == 0


def test_delete_what_is_old(session: CachedSession, origin: Origin, clock: StandingClock) -> None:
    fill(session, origin, "/get?old", "/get?gone", expire_after=1)
    fill(session, origin, "/get?kept")
    clock.advance(seconds=10)
    new = fill(session, origin, "/get?new")
    cache = session.cache
    assert cache.delete(expired=True) == 2
    assert cache.delete(expired=True, invalid=True) == 0
    assert cache.delete(older_than=timedelta(seconds=5)) == 1
    assert cache.urls == new


@pytest.mark.parametrize("name", ["remove_expired_responses", "delete_expired_responses"])
def test_remove_expired_responses(
    name: str, session: CachedSession, origin: Origin, clock: StandingClock
) -> None:
    for holder in (session, session.cache):
        remove = getattr(holder, name)
        fill(session, origin, "/get?a", "/get?b", expire_after=1)
        fill(session, origin, "/get?c")
        clock.advance(seconds=10)
        assert remove() == 2
        # It begins where each was created.
        assert remove(expire_after=20) == 0
        assert remove(expire_after=timedelta(seconds=5)) == 1
        assert session.cache.size() == 0


def test_reset_expiration(session: CachedSession, origin: Origin, clock: StandingClock) -> None:
    (url,) = fill(session, origin, "/get")
    clock.advance(seconds=100)
    cache = session.cache
    assert cache.reset_expiration(30) == 1
    assert session.get(url).expires == START + timedelta(seconds=130)
    cache.reset_expiration(-1)
    assert session.get(url).expires is None
    cache.reset_expiration(0)
    assert next(cache.filter()).is_expired
    cache.reset_expiration()
    assert session.get(url).expires is None
    assert origin.count() == 1


def test_clear_and_sizes(session: CachedSession, origin: Origin) -> None:
    cache = session.cache
    assert cache.size() == cache.bytes() == 0
    fill(session, origin, "/get", "/redirect/1")
    assert (cache.size(), len(cache.redirects)) == (2, 1)
    assert cache.bytes() > 100
    cache.clear()
    assert (cache.size(), len(cache.redirects)) == (0, 0)


# Keys of other settings


def test_recreate_keys(open_session: OpenSession, origin: Origin) -> None:
    session = open_session()
    plain, form = origin.url("/get?b=2&token=1"), origin.url("/post")
    session.settings.allowable_methods = ["GET", "POST"]
    session.get(plain)
    session.get(plain, headers={"Authorization": "mine"})
    session.post(form, data={"a": "1"})
    hidden = origin.url("/get?api_key=secret")
    session.get(hidden)

    cache = session.cache
    before = set(cache.responses)
    assert cache.recreate_keys() == 0
    session.settings.key_fn = lambda request: f"{request.method} {request.url}"
    assert cache.recreate_keys() == 1
    # The others were told from each other by what is not stored: nobody else is to be served them.
    assert len(before & set(cache.responses)) == 3
    assert cache.contains(f"GET {plain}")
    assert session.get(plain).from_cache
    assert not session.get(origin.url("/get")).from_cache


def test_recreate_keys_in_the_other_mode(open_session: OpenSession, origin: Origin) -> None:
    session = open_session()
    session.get(origin.url("/cache/60"))
    session.settings.cache_control = True
    assert session.cache.recreate_keys() == 0
    assert not session.get(origin.url("/cache/60")).from_cache


def test_update(
    open_session: OpenSession, origin: Origin, tmp_path: Path, clock: StandingClock
) -> None:
    session = open_session(expire_after=60)
    fill(session, origin, "/redirect/2", "/get?a")
    large = session.get(origin.url("/large?size=3000000")).content
    assert len(large) == 3_000_000
    asked = origin.count()
    for other in (BaseCache(clock=clock), SQLiteCache(tmp_path / "other", clock=clock)):
        with other, CachedSession(backend=other) as copied:
            assert other.update(session.cache) == 3
            assert copied.get(origin.url("/redirect/2")).from_cache
            assert copied.get(origin.url("/large?size=3000000")).content == large
            assert copied.cache.urls == session.cache.urls
    assert origin.count() == asked
    with pytest.raises(ConfigurationError, match="other must be a backend"):
        session.cache.update({})  # type: ignore[arg-type]


# Life


def test_it_closes_with_its_last_session(tmp_path: Path, origin: Origin) -> None:
    cache = SQLiteCache(tmp_path / "demo")
    first, second = CachedSession(backend=cache), CachedSession(backend=cache)
    first.get(origin.url("/get"))
    first.close()
    assert second.get(origin.url("/get")).from_cache
    second.close()
    assert not (tmp_path / "demo.sqlite-wal").exists()
    # It opens again.
    assert cache.size() == 1
    with cache as same:
        assert same is cache
        assert repr(cache) == f"<SQLiteCache({str(tmp_path / 'demo')!r})>"


def test_it_stays_open_without_autoclose(tmp_path: Path, origin: Origin) -> None:
    with SQLiteCache(tmp_path / "demo", autoclose=False) as cache:
        with CachedSession(backend=cache) as session:
            session.get(origin.url("/get"))
        assert (tmp_path / "demo.sqlite-wal").exists()


def test_a_request_of_a_patched_program(origin: Origin, in_tmp_path: Path) -> None:
    import requests_cache

    with requests_cache.enabled(backend="memory"):
        cache = requests_cache.get_cache()
        assert cache is not None
        requests.get(origin.url("/get"), timeout=5)
        assert cache.contains(url=origin.url("/get"))
        assert isinstance(Request("GET", origin.url("/get")).prepare(), PreparedRequest)
