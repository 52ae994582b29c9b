"""The normal form of URLs, and what is stored of them."""

from __future__ import annotations

import pytest
from requests.models import PreparedRequest
from yarl import URL

from http_client_cache.urls import normalize_url, redact_url


def by_requests(url: str) -> str:
    prepared = PreparedRequest()
    prepared.prepare_url(url, None)
    assert prepared.url is not None
    return prepared.url


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        # RFC 3986 section 6.2.2 and 6.2.3.
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:080/", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://example.com:08080/", "http://example.com:8080/"),
        ("http://example.com:0/", "http://example.com:0/"),
        ("http://example.com/%7euser/%C3%a9", "http://example.com/~user/%C3%A9"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/a/%2e%2E/c", "http://example.com/c"),
        ("http://example.com/../..", "http://example.com/"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http://example.com/a/b/.", "http://example.com/a/b/"),
        ("http://example.com/a//../b", "http://example.com/a/b"),
        ("http://example.com/a//b", "http://example.com/a//b"),
        ("http://example.com/.a/..b/c..", "http://example.com/.a/..b/c.."),
        # Never sent, or sent in a field of its own.
        ("http://example.com/#fragment?x", "http://example.com/"),
        ("http://user:pass@example.com/", "http://example.com/"),
        ("http://user@host@example.com:80/", "http://example.com/"),
        # What must be encoded.
        ("http://example.com/a b", "http://example.com/a%20b"),
        ("http://example.com/é?é=ü", "http://example.com/%C3%A9?%C3%A9=%C3%BC"),
        ('http://example.com/[]{|}\\^`"<>', "http://example.com/%5B%5D%7B%7C%7D%5C%5E%60%22%3C%3E"),
        ("http://example.com/100%/%zz?%", "http://example.com/100%25/%25zz?%25"),
        ("http://example.com/\x00\x7f\n", "http://example.com/%00%7F%0A"),
        ("http://example.com/\ud800", "http://example.com/%ED%A0%80"),
        # The query.
        ("http://example.com/?", "http://example.com/"),
        ("http://example.com/?&&a&", "http://example.com/?a"),
        ("http://example.com/?b=1&a=2", "http://example.com/?a=2&b=1"),
        ("http://example.com/?b=2&a=1&b=1", "http://example.com/?a=1&b=2&b=1"),
        ("http://example.com/?a=1:2/3?4@5", "http://example.com/?a=1:2/3?4@5"),
        ("http://example.com/?a=1%3A2%2f3%3F4%40", "http://example.com/?a=1:2/3?4@"),
        (
            "http://example.com/?a%5b%5D=%21%24%27%28%29%2A%2C",
            "http://example.com/?a%5B%5D=!$'()*,",
        ),
        # Hosts.
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://[0:0:0:0:0:0:0:1]:81/", "http://[::1]:81/"),
        ("http://[FE80::1%25eth0]/", "http://[fe80::1%25eth0]/"),
        ("http://[v1.x]/", "http://[v1.x]/"),
        ("http://EXÄMPLE.com/", "http://xn--exmple-cua.com/"),
        # Both sigmas of a word are the same small letter, wherever they stand.
        ("http://ΣΊΣΥΦΟΣ.gr/", "http://xn--kxa6akbbkh.gr/"),
        ("http://faß.de/", "http://xn--fa-hia.de/"),
        ("http://日本語。jp/", "http://xn--wgv71a119e.jp/"),
        ("http://a:b:c/", "http://a:b:c/"),
        # Other schemes, and what is no absolute URL at all.
        ("ws://example.com:80/", "ws://example.com/"),
        ("x-y.z+1://A/B", "x-y.z+1://a/B"),
        ("file:///a/../b", "file:///b"),
        ("", ""),
        ("/a/../b", "/a/../b"),
        ("mailto:A@b", "mailto:A@b"),
        ("//host/", "//host/"),
    ],
)
def test_normal_form(url: str, normal: str) -> None:
    assert normalize_url(url) == normal
    assert normalize_url(normal) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb", "/a?b"),
        ("/a%23b", "/a#b"),
        ("/a%3Bb", "/a;b"),
        ("/a%2Cb", "/a,b"),
        ("/a%3Db", "/a=b"),
        ("/a%2Bb", "/a+b"),
        ("/a%25b", "/a%b7"),
        ("/a", "/a/"),
        ("/a", "/A"),
        ("/?a+b", "/?a%20b"),
        ("/?a%2Bb", "/?a+b"),
        ("/?a%26b", "/?a&b"),
        ("/?a%3Db", "/?a=b"),
        ("/?a%23b", "/?a#b"),
        ("/?a%3Bb", "/?a;b"),
        ("/?a%2541", "/?aA"),
        ("/?a", "/?a="),
        ("/?a=1&a=2", "/?a=2&a=1"),
        ("/?a=1", "/?A=1"),
        ("/?a", "/"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert normalize_url(f"http://h{one}") != normalize_url(f"http://h{other}")


@pytest.mark.parametrize(
    "host",
    ["a℀b", "a／b", "a：8080", "a＠b", "a？b", "a＃b", "é℀", "a％2f", "\ud800"],  # noqa: RUF001
)
def test_a_host_never_turns_into_something_else(host: str) -> None:
    """`urlsplit` refuses such hosts, for their normal form holds a delimiter."""
    normal = normalize_url(f"http://{host}/x")
    assert normal.isascii()
    assert normal.endswith("/x")
    assert normal.count("/") == 3
    assert not set(normal.split("/")[2]) & set(":?#@")
    assert normalize_url(normal) == normal


def test_order_may_count() -> None:
    url = "http://example.com/?b=1&a=2"
    assert normalize_url(url, sort_query=False) == url


@pytest.mark.parametrize(
    ("query", "ignored", "left"),
    [
        ("?a=1&b=2", {"a"}, "?b=2"),
        ("?a=1", {"a"}, ""),
        ("?a&a=1&a=", {"a"}, ""),
        ("?A=1", {"a"}, "?A=1"),
        ("?%61=1", {"a"}, ""),
        ("?a+b=1&a%20b=2", {"a b"}, ""),
        ("?a%2Bb=1", {"a+b"}, ""),
        ("?caf%C3%A9=1", {"café"}, ""),
        ("?=1", {""}, ""),
        ("?ab=1", {"a"}, "?ab=1"),
        ("?b=a", {"a"}, "?b=a"),
    ],
)
def test_ignored_names(query: str, ignored: set[str], left: str) -> None:
    url = f"http://example.com/{query}"
    assert normalize_url(url, ignored=frozenset(ignored)) == f"http://example.com/{left}"
    assert redact_url(url, frozenset(ignored)) == f"http://example.com/{left}"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("HTTP://Example.com:80", "HTTP://Example.com:80"),
        ("http://h/%7e?b=%3a&key=1&a&&", "http://h/%7e?b=%3a&a&&"),
        ("http://user:pass@h/?key=1", "http://h/"),
        ("http://h/?key=1#key=1", "http://h/"),
        ("/relative?key=1", "/relative?key=1"),
    ],
)
def test_what_is_stored_of_a_url(url: str, stored: str) -> None:
    assert redact_url(url, frozenset({"key"})) == stored


def test_nothing_ignored_leaves_a_query_alone() -> None:
    assert redact_url("http://h/?b=%3a&&a", frozenset()) == "http://h/?b=%3a&&a"


@pytest.mark.parametrize(
    "url",
    [
        "http://EXÄMPLE.com/",
        "http://faß.de/",
        "http://日本語.jp/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://h/?a=:/@!$'()*,?",
        "http://h/?a=%3A%2F%40%21%24%27%28%29%2A%2C%3F",
        "http://h/!$'()*:@",
        "http://h/%21%24%27%28%29%2A%3A%40",
        "http://h/%zz?%zz",
        "http://h/a/../b?x[]=1",
        "http://h:80/?",
    ],
)
def test_clients_agree(url: str) -> None:
    assert normalize_url(str(URL(url))) == normalize_url(by_requests(url)) == normalize_url(url)
