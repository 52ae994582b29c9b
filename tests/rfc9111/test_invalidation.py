"""What falls with an unsafe request: RFC 9111 section 4.4, RFC 9875."""

from __future__ import annotations

import pytest

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.invalidation import (
    MAX_GROUP_LENGTH,
    MAX_GROUPS,
    groups,
    invalidated,
    invalidated_groups,
    same_origin,
)
from tests.rfc9111.messages import URL, get, head, lines


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "MKCOL", "FROBNICATE", "get"])
@pytest.mark.parametrize("status", [200, 201, 204, 299, 301, 304, 399])
def test_unsafe_and_unknown_methods_take_their_target_with_them(method: str, status: int) -> None:
    assert invalidated(get(method), head(status)) == [URL]


@pytest.mark.parametrize("status", [100, 199, 400, 404, 412, 500, 503, 600])
def test_errors_change_nothing(status: int) -> None:
    assert invalidated(get("POST"), head(status, location="/b", content_location="/c")) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY"])
def test_safe_methods_change_nothing(method: str) -> None:
    answer = head(200, location="/b", cache_group_invalidation='"g"')
    assert invalidated(get(method), answer) == []
    assert invalidated_groups(get(method), answer) == frozenset()


@pytest.mark.parametrize("name", ["location", "content_location"])
@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("http://origin.test/b", "http://origin.test/b"),
        ("HTTP://ORIGIN.test:80/b?q=1", "http://ORIGIN.test:80/b?q=1"),
        ("/b", "http://origin.test/b"),
        ("b/c", "http://origin.test/b/c"),
        ("../x", "http://origin.test/x"),
        ("?q", "http://origin.test/a?q"),
        ("//origin.test/b", "http://origin.test/b"),
        (" /b#part ", "http://origin.test/b"),
    ],
)
def test_pointers_within_the_origin(name: str, value: str, url: str) -> None:
    assert invalidated(get("POST"), head(201, **{name: value})) == [URL, url]


@pytest.mark.parametrize("name", ["location", "content_location"])
@pytest.mark.parametrize(
    "value",
    [
        *("https://origin.test/b", "http://other.test/b", "http://origin.test:81/b"),
        *("//other.test/b", "http://origin.test.other/b", "http://sub.origin.test/b"),
        *("http://other.test@elsewhere.test/", "http://origin.test@elsewhere.test/"),
        *("http://[", "http://[::1", "mailto:a@origin.test", "javascript:1", "http:", "http://"),
    ],
)
def test_pointers_elsewhere_and_garbage_change_nothing(name: str, value: str) -> None:
    assert invalidated(get("POST"), head(201, **{name: value})) == [URL]


def test_each_url_falls_once() -> None:
    answer = head(201, location="/a#x", content_location="http://origin.test/b")
    request = Request("PUT", f"{URL}#fragment")
    assert invalidated(request, answer) == [URL, "http://origin.test/b"]
    assert invalidated(get("POST"), head(201, location="", content_location="/a")) == [URL]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a/x", "http://a:80/y?z", True),
        ("https://A:443", "https://a/", True),
        ("http://user@a/", "http://a/", True),
        ("http://a/", "https://a/", False),
        ("http://a:1/", "http://a:2/", False),
        ("/a", "/a", False),
    ],
)
def test_origins(one: str, other: str, *, same: bool) -> None:
    assert same_origin(one, other) is same


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((), set()),
        (("",), set()),
        (('"a"',), {"a"}),
        (('"a", "b;c,d";x="y";z',), {"a", "b;c,d"}),
        (('"a"', '"b"'), {"a", "b"}),
        (('"a", "A", "a"',), {"a", "A"}),
        ((r'"a\"\\"',), {'a"\\'}),
        (("a, b",), set()),
        (('"a", b',), set()),
        (('"a", ("b")',), set()),
        (('"a",',), set()),
        (('"a',), set()),
        (('"ä"',), set()),
        ((f'"{"x" * 32}"',), {"x" * 32}),
        ((f'"a", "{"x" * (MAX_GROUP_LENGTH + 1)}"',), {"a"}),
        ((", ".join(f'"{n}"' for n in range(32)),), {str(n) for n in range(32)}),
        (
            (", ".join(f'"{n}"' for n in range(MAX_GROUPS + 9)),),
            {str(n) for n in range(MAX_GROUPS)},
        ),
    ],
)
def test_groups(values: tuple[str, ...], found: set[str]) -> None:
    assert groups(lines("Cache-Groups", *values)) == found
    answer = head(500, Headers(lines("Cache-Group-Invalidation", *values).raw))
    assert invalidated_groups(get("POST"), answer) == found
