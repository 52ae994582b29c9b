"""Keys: what tells requests apart, and what does not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from http_client_cache.key import create_key, locator, normalize_url, strip_headers
from http_client_cache.message import UNKEYABLE, Headers, Request

URL = "http://example.com/?a=1"


def key(
    method: str = "GET",
    url: str = URL,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    **arguments: Any,
) -> str:
    created = create_key(Request(method, url, Headers.of(headers), body), **arguments)
    assert created is not None
    return created


def test_its_form() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}\.[0-9a-f]{32}", key())


def test_it_is_the_same_in_every_release() -> None:
    """Whoever changes keys empties everybody's cache: raise the version in the digest then."""
    assert key() == "b5951c7b55111c66.9bd68586de1fc8349d2fbd8b1c4b9905"
    assert key("POST", headers=[("Content-Type", "application/json")], body=b'{"b":1,"a":2}') == (
        "b5951c7b55111c66.e54959216bae1de5abdbc83b531a8f34"
    )


def test_all_of_a_url_begins_with_its_locator() -> None:
    place = locator(normalize_url(URL))
    assert re.fullmatch(r"[0-9a-f]{16}", place)
    keys = {
        key(),
        key("HEAD"),
        key("POST", body=b"x"),
        key(headers=[("Authorization", "x")]),
        key(url=f"{URL}#x"),
        key(extra=("raw",)),
    }
    assert len(keys) == 5
    assert {found.partition(".")[0] for found in keys} == {place}


def test_a_long_url() -> None:
    url = f"{URL}&x={'y' * 10_000}"
    assert key(url=url) == key(url=f"{url}#z") != key(url=f"{url}z")


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "HEAD"},
        {"url": "https://example.com/?a=1"},
        {"url": "http://example.com/?a=2"},
        {"body": b"x"},
        {"headers": [("Authorization", "Basic eDp5")]},
        {"headers": [("authorization", "")]},
        {"extra": ("raw",)},
        {"extra": ("",)},
    ],
)
def test_what_tells_requests_apart(changed: dict[str, Any]) -> None:
    assert key(**changed) != key()


def test_what_does_not() -> None:
    assert key(url="HTTP://user:x@EXAMPLE.com:80/?a=1#x") == key()
    assert key(headers=[("Accept", "text/html"), ("Cookie", "a=b")]) == key()
    assert key(url="http://example.com/?a=1&b=2") == key(url="http://example.com/?b=2&a=1")


def test_order_of_the_query_may_count() -> None:
    one = key(url="http://example.com/?a=1&b=2", sort_query=False)
    assert one != key(url="http://example.com/?b=2&a=1", sort_query=False)


def test_a_body_that_cannot_be_known_has_no_key() -> None:
    assert create_key(Request("POST", URL, body=UNKEYABLE)) is None


def test_authorization_counts_unless_ignored() -> None:
    one, other = [("authorization", "Bearer 1")], [("Authorization", "Bearer 2")]
    assert key(headers=one) != key(headers=other)
    assert key(headers=one) == key(headers=[("AUTHORIZATION", " Bearer 1 ")])
    for match in (True, frozenset({"authorization"}), False):
        assert key(headers=one, match_headers=match) != key(headers=other, match_headers=match)
    ignored = frozenset({"AUTHORIZATION"})
    assert key(headers=one, ignored=ignored) == key(headers=other, ignored=ignored)


def test_named_fields_count() -> None:
    names = frozenset({"ACCEPT"})
    html, json = [("accept", "text/html")], [("Accept", "application/json")]
    assert key(headers=html, match_headers=names) != key(headers=json, match_headers=names)
    assert key(headers=html, match_headers=names) != key(match_headers=names)
    more = [*html, ("X-Other", "1")]
    assert key(headers=html, match_headers=names) == key(headers=more, match_headers=names)


def test_cookies_count_only_when_named() -> None:
    cookie = [("Cookie", "a=b")]
    assert key(headers=cookie, match_headers=True) == key(match_headers=True)
    names = frozenset({"cookie"})
    assert key(headers=cookie, match_headers=names) != key(match_headers=names)


def test_all_fields_count_but_those_of_the_connection_and_of_caching() -> None:
    silent = ["Host", "Connection", "Content-Length", "Cache-Control", "If-None-Match", "Date"]
    assert key(headers=[(name, "x") for name in silent], match_headers=True) == (
        key(match_headers=True)
    )
    assert key(headers=[("User-Agent", "x")], match_headers=True) != key(match_headers=True)


def test_ignored_fields_never_count() -> None:
    for match in (True, frozenset({"X-Token"})):
        arguments: dict[str, Any] = {"match_headers": match, "ignored": frozenset({"x-TOKEN"})}
        assert key(headers=[("X-Token", "1")], **arguments) == key(**arguments)


def test_names_in_order_values_as_they_come() -> None:
    one = [("B", "1"), ("a", "2"), ("a", "3")]
    assert key(headers=one, match_headers=True) == (
        key(headers=[("A", " 2"), ("A", "3\t"), ("b", "1")], match_headers=True)
    )
    assert key(headers=one, match_headers=True) != (
        key(headers=[("B", "1"), ("a", "3"), ("a", "2")], match_headers=True)
    )
    assert key(headers=[("a", "2"), ("a", "3")], match_headers=True) != (
        key(headers=[("a", "2, 3")], match_headers=True)
    )


def test_fields_do_not_run_into_each_other() -> None:
    assert key(headers=[("a", "bc")], match_headers=True) != (
        key(headers=[("ab", "c")], match_headers=True)
    )
    assert key(headers=[("a", "1"), ("b", "2")], match_headers=True) != (
        key(headers=[("a", "1"), ("b", "2"), ("Authorization", "")], match_headers=True)
    )
    assert key(extra=("a", "b")) != key(extra=("ab",))


def test_bytes_without_a_type_are_those_of_any_type() -> None:
    """requests sends no Content-Type for bytes, aiohttp sends application/octet-stream."""
    octets = [("Content-Type", "application/octet-stream")]
    assert key("POST", body=b"x") == key("POST", body=b"x", headers=octets)


def test_the_normal_form_of_a_body_depends_on_its_type() -> None:
    json = [("content-type", "application/json")]
    assert key("POST", body=b'{"a":1}', headers=json) == key("POST", body=b'{"a": 1}', headers=json)
    assert key("POST", body=b'{"a":1}', headers=json) != key("POST", body=b'{"a":1}')
    ignored = frozenset({"Content-Type", "a"})
    assert key("POST", body=b'{"a":1}', headers=json, ignored=ignored) == (
        key("POST", body=b"{}", headers=json, ignored=ignored)
    )


def test_a_boundary_does_not_count_among_the_fields() -> None:
    def send(boundary: str) -> str:
        return key(
            "POST",
            headers=[("Content-Type", f"multipart/form-data; boundary={boundary}")],
            body=f"--{boundary}\r\n\r\nx\r\n--{boundary}--\r\n".encode(),
            match_headers=True,
        )

    assert send("one") == send("other")
    assert send("one") != key(
        "POST",
        headers=[("Content-Type", "multipart/mixed; boundary=one")],
        body=b"--one\r\n\r\nx\r\n--one--\r\n",
        match_headers=True,
    )


def test_ignored_parameters_count_nowhere() -> None:
    ignored = frozenset({"token"})
    for form in ("application/json", "application/x-www-form-urlencoded"):
        one, other = (b'{"token":1}', b"{}") if form.endswith("json") else (b"token=1&b=2", b"b=2")
        kind = [("Content-Type", form)]
        assert key("POST", f"{URL}&token=1", [*kind, ("Token", "1")], one, ignored=ignored) == (
            key("POST", URL, kind, other, ignored=ignored)
        )


def test_odd_bytes_in_fields() -> None:
    headers = Headers(((b"x-\xff", b"\xfe"), (b"content-type", b"\xff/json")))
    assert create_key(Request("POST", URL, headers, b"{}"), match_headers=True) is not None


def test_stored_fields_hold_neither_secrets_nor_what_is_ignored() -> None:
    headers = Headers.of(
        [
            ("Accept", "*/*"),
            ("AUTHORIZATION", "x"),
            ("Cookie", "x"),
            ("Proxy-Authorization", "x"),
            ("X-Api-Key", "x"),
        ]
    )
    assert list(strip_headers(headers, frozenset({"x-api-KEY"}))) == ["accept"]
    assert list(strip_headers(headers, frozenset())) == ["accept", "x-api-key"]


def test_every_process_makes_the_same_key() -> None:
    code = (
        "from http_client_cache.key import create_key\n"
        "from http_client_cache.message import Headers, Request\n"
        "headers = Headers.of({'A': '1', 'B': '2', 'C': '3', 'Content-Type': 'application/json'})\n"
        "request = Request('POST', 'http://h/?c=1&b=2&a=3', headers, b'{\"x\":1,\"y\":{\"z\":2}}')\n"
        "print(create_key(request, ignored=frozenset({'b', 'y'}), match_headers=True))\n"
        "print(create_key(request, match_headers=frozenset({'a', 'B', 'c'})))\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1
