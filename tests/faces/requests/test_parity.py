"""A miss and a hit show what plain ``requests`` shows, attribute by attribute."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import requests
from requests import Response, Session

from requests_cache import CachedSession
from requests_cache.response import CachedResponse
from tests.faces.requests.conftest import OpenSession
from tests.support.origin import Origin

pytestmark = pytest.mark.parity


@dataclass(frozen=True)
class Kind:
    """A kind of response: how to ask for it, and how often that arrives at the origin."""

    path: str
    method: str = "GET"
    hops: int = 0
    kwargs: dict[str, Any] = field(default_factory=dict)


KINDS = {
    "json": Kind("/json?a=1&b=%20"),
    "lines": Kind("/lines"),
    "binary": Kind("/binary"),
    "empty": Kind("/empty"),
    "no content": Kind("/no-content"),
    "head": Kind("/lines", method="HEAD"),
    "cookies": Kind("/cookies/set?first=1&second=2"),
    "duplicate cookies": Kind("/cookies/duplicate"),
    "chunked": Kind("/chunked"),
    "gzip": Kind("/compressed/gzip"),
    "deflate": Kind("/compressed/deflate"),
    "charset": Kind("/latin"),
    "no charset": Kind("/no-charset"),
    "large": Kind("/large"),
    "very large": Kind("/large?size=2500000"),
    "not found": Kind("/status/404"),
    "server error": Kind("/status/500"),
    "odd headers": Kind("/raw/odd-headers"),
    "no reason": Kind("/raw/no-reason"),
    "http 1.0": Kind("/raw/http-1.0"),
    "until close": Kind("/raw/until-close"),
    "redirects": Kind("/redirect/3", hops=3),
    "permanent": Kind("/redirect-to?to=/lines&status=301&cookie=moved", hops=1),
    "fragment": Kind("/lines#part"),
    "parameters": Kind("/lines", kwargs={"params": {"q": "a b", "r": "ü"}}),
    "basic auth": Kind("/whoami", kwargs={"auth": ("me", "secret")}),
}

# So that every kind is stored.
KEEP_ALL = {"allowed_codes": (200, 204, 404, 500)}

WAYS: dict[str, Callable[[Response], Any]] = {
    "content": lambda response: response.content,
    "text": lambda response: response.text,
    "pieces": lambda response: b"".join(response.iter_content(701)),
    "decoded pieces": lambda response: "".join(
        map(str, response.iter_content(1005, decode_unicode=True))
    ),
    "lines": lambda response: list(response.iter_lines()),
    "iteration": b"".join,
    "raw": lambda response: response.raw.read(decode_content=True),
    "twice": lambda response: (response.content, response.content, list(response.iter_content(9))),
}


def outcome(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__, str(error)


def describe(response: Response, *, with_history: bool = True) -> dict[str, Any]:
    assert isinstance(response.elapsed, timedelta)
    assert response.elapsed >= timedelta(0)
    raw, request = response.raw, response.request
    return {
        "is response": isinstance(response, Response),
        "status": (response.status_code, response.reason, response.ok, bool(response)),
        "url": response.url,
        "headers": list(response.headers.items()),
        "headers type": type(response.headers),
        "encoding": response.encoding,
        "cookies": [(one.name, one.value, one.domain, one.path) for one in response.cookies],
        "links": response.links,
        "redirect": (response.is_redirect, response.is_permanent_redirect),
        "request": (request.method, request.url, dict(request.headers), request.body),
        "request type": type(request),
        "raw": (raw.status, raw.reason, raw.version, list(raw.headers.items())),
        "raw fields": list(raw.headers.iteritems()),
        "connection": type(response.connection),
        # In requests 2.32 hops have histories that they are in themselves.
        "history": [describe(hop, with_history=False) for hop in response.history if with_history],
        "raises": outcome(response.raise_for_status),
    }


def describe_read(response: Response) -> dict[str, Any]:
    return {
        "content": response.content,
        "text": response.text,
        "apparent encoding": response.apparent_encoding,
        "json": outcome(response.json),
        "rest": response.raw.read(),
    }


def cookies_of(session: Session) -> set[tuple[Any, ...]]:
    return {(one.name, one.value, one.domain, one.path) for one in session.cookies}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_attributes(origin: Origin, open_session: OpenSession, name: str, stream: bool) -> None:
    kind = KINDS[name]
    seen = []
    sent = []
    with Session() as plain, open_session(**KEEP_ALL) as first:
        second = CachedSession(backend=first.cache)
        for session in (plain, first, second):
            before = origin.count()
            origin.served.clear()
            response = session.request(
                kind.method, origin.url(kind.path), stream=stream, **kind.kwargs
            )
            seen.append((describe(response), describe_read(response), cookies_of(session)))
            sent.append(origin.count() - before)
        assert isinstance(response, CachedResponse)
        assert response.from_cache
        assert sent == [1 + kind.hops, 1 + kind.hops, 0]
        plainly, miss, hit = seen
        assert miss == plainly
        assert hit == plainly


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["lines", "chunked", "gzip", "very large", "until close", "empty"])
def test_ways_to_read(origin: Origin, open_session: OpenSession, name: str, way: str) -> None:
    url, read = origin.url(KINDS[name].path), WAYS[way]
    if (name, way) == ("very large", "lines"):
        # It is one line, and takes requests the square of its length.
        url = origin.url("/large?size=1100000")
    with Session() as plain, open_session() as session:
        for stream in (False, True):
            with plain.get(url, stream=stream) as response:
                expected = outcome(lambda: read(response))
            for from_cache in (stream, True):
                with session.get(url, stream=stream) as response:
                    assert (response.from_cache, outcome(lambda: read(response))) == (
                        from_cache,
                        expected,
                    )


def test_hooks(origin: Origin, open_session: OpenSession) -> None:
    seen: list[str] = []

    def note(response: Response, **kwargs: Any) -> None:
        seen.append(f"{response.status_code} {sorted(kwargs)}")

    with Session() as plain, open_session() as session:
        for one in (plain, session, session):
            one.get(origin.url("/redirect/1"), hooks={"response": note})
    assert seen[:2] == seen[2:4] == seen[4:]


def test_a_hit_can_be_pickled(origin: Origin, open_session: OpenSession) -> None:
    with open_session(expire_after=60) as session:
        for from_cache in (False, True):
            response = session.get(origin.url("/redirect/1"))
            copy = pickle.loads(pickle.dumps(response))
            assert type(copy) is CachedResponse
            assert (copy.from_cache, copy.cache_key) == (from_cache, response.cache_key)
            assert (copy.content, copy.url) == (response.content, response.url)
            assert len(copy.history) == 1
            assert (copy.created_at, copy.expires) == (response.created_at, response.expires)


def test_redirects_that_are_not_followed(origin: Origin, open_session: OpenSession) -> None:
    with Session() as plain, open_session() as session:
        url = origin.url("/redirect-to?to=/lines")
        expected = plain.get(url, allow_redirects=False)
        for _ in range(2):
            response = session.get(url, allow_redirects=False)
            assert describe(response) == describe(expected)
            assert response.next is not None
            assert not response.from_cache
        # The chain is kept for who follows it, and nobody else.
        session.get(url)
        assert session.get(url).from_cache
        assert describe(session.get(url, allow_redirects=False)) == describe(expected)


def test_limits_of_redirects(origin: Origin, open_session: OpenSession) -> None:
    with open_session() as session:
        session.get(origin.url("/redirect/3"))
        session.max_redirects = 2
        with pytest.raises(requests.TooManyRedirects) as raised:
            session.get(origin.url("/redirect/3"))
        assert raised.value.response is not None
        assert len(raised.value.response.history) == 2


def test_errors(open_session: OpenSession, origin: Origin) -> None:
    with Session() as plain, open_session() as session:
        for url in ("nonsense", "http://", "ftp://127.0.0.1/", "http://127.0.0.1:1/"):
            expected, got = (
                outcome(lambda one=one: one.get(url, timeout=1))  # noqa: B023
                for one in (plain, session)
            )
            assert expected[0] == got[0]
