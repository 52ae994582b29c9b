"""Normal forms of bodies."""

from __future__ import annotations

import json

import pytest

from http_client_cache.content import EMPTY, media_type, normal_body, parameters

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def same(
    one: bytes, other: bytes, content_type: str, *ignored: str, other_type: str | None = None
) -> bool:
    names = frozenset(ignored)
    return normal_body(one, content_type, names) == normal_body(
        other, content_type if other_type is None else other_type, names
    )


def multipart(*parts: bytes, boundary: bytes = b"xyz", end: bytes = b"\r\n") -> bytes:
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return lines + b"--%b--%b" % (boundary, end)


def field(name: str, value: str = "1") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


@pytest.mark.parametrize("content_type", ["", JSON, FORM, "multipart/form-data; boundary=x"])
def test_an_empty_body_has_no_kind(content_type: str) -> None:
    assert normal_body(b"", content_type, frozenset()) == EMPTY


@pytest.mark.parametrize(
    "content_type",
    [JSON, "Application/JSON; charset=utf-8", "application/vnd.api+json", " application/json "],
)
def test_the_order_of_members_does_not_count(content_type: str) -> None:
    assert same(b'{"a": [{"b": 1, "c": 2}], "d": 3}', b'{"d":3,"a":[{"c":2,"b":1}]}', content_type)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'"\\u00e9\\/"', '"é/"'.encode()),
        (b" [ 1 , null ] ", b"[1,null]"),
        (b"\n{}\t", b"{}"),
    ],
)
def test_the_same_json(one: bytes, other: bytes) -> None:
    assert same(one, other, JSON)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1", b"1.0"),
        (b"1", b"true"),
        (b"0", b"false"),
        (b"0", b"-0"),
        (b"1e2", b"100"),
        (b"1", b'"1"'),
        (b"null", b'"null"'),
        (b"[1,2]", b"[2,1]"),
        (b"[]", b"{}"),
        (b'{"a":null}', b"{}"),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'{"a":1,"a":2}', b'{"a":2,"a":1}'),
        (b'{"a":{"b":1}}', b'{"a":"{\\"b\\":1}"}'),
        (b"9007199254740993", b"9007199254740992"),
        (b"9" * 10_000, b"9" * 9_999),
        (b"NaN", b"null"),
        (b"{", b"{ "),
    ],
)
def test_different_json(one: bytes, other: bytes) -> None:
    assert not same(one, other, JSON)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b'{"a":1,"a":1}',
        b'[{"a":1,"a":1}]',
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"[" * 102 + b"]" * 102,
        b"[" * 200_000,
        b"1 2",
        b"   ",
    ],
)
def test_json_without_a_normal_form_counts_byte_by_byte(body: bytes) -> None:
    assert normal_body(body, JSON, frozenset()) == (b"bytes", body)


def test_numbers_of_any_length() -> None:
    body = b"[" + b"7" * 100_000 + b"]"
    assert normal_body(body, JSON, frozenset()) == (b"json", body)


def test_ignored_members() -> None:
    assert same(
        b'{"token": 1, "a": {"token": [2], "b": [{"token": 3}]}}',
        b'{"a":{"b":[{}]}}',
        JSON,
        "token",
    )
    assert same(b'{"token": 1, "token": 2}', b"{}", JSON, "token")
    assert not same(b'{"Token": 1}', b"{}", JSON, "token")
    assert not same(b'["token"]', b"[]", JSON, "token")


def test_forms() -> None:
    assert same(b"b=2&a=1", b"a=1&b=2", FORM)
    assert same(b"a=1%3a2", b"a=1:2", FORM + "; charset=utf-8")
    assert same(b"a=%c3%a9", "a=é".encode(), FORM)
    assert same(b"token=1&a=1&%74oken=2", b"a=1", FORM, "token")
    assert not same(b"a=1&a=2", b"a=2&a=1", FORM)
    assert not same(b"a", b"a=", FORM)
    assert not same(b"a+b=1", b"a%2Bb=1", FORM)
    assert normal_body(b"a=\xff", FORM, frozenset()) == (b"bytes", b"a=\xff")


def test_the_boundary_does_not_count() -> None:
    body = field("a"), field("b", "--xyz\r\n-- \r\n\r\nx")
    assert same(
        multipart(*body, boundary=b"one"),
        multipart(*body, boundary=b"tw'o"),
        "multipart/form-data; boundary=one",
        other_type='multipart/form-data; charset=x; Boundary="tw\'o"',
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (multipart(field("a"), field("b")), multipart(field("b"), field("a"))),
        (multipart(field("a")), multipart(field("a"), field("a"))),
        (multipart(field("a", "1")), multipart(field("a", "1\r\n"))),
        (multipart(field("a", "x"), field("b")), multipart(field("a", "x" + field("b").decode()))),
        (b"preamble\r\n" + multipart(field("a")), multipart(field("a"))),
        (multipart(field("a"), end=b"\r\nepilogue"), multipart(field("a"))),
    ],
)
def test_different_multiparts(one: bytes, other: bytes) -> None:
    assert not same(one, other, "multipart/form-data; boundary=xyz")


def test_the_kind_of_multipart_counts() -> None:
    body = multipart(field("a"))
    assert not same(
        body,
        body,
        "multipart/form-data; boundary=xyz",
        other_type="multipart/mixed; boundary=xyz",
    )


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="token"',
        "form-data; name=token",
        'form-data; NAME="token"; filename="x"',
        'form-data; filename="; name=\\"a\\""; name="token"',
        "form-data; name*=utf-8''%74oken",
        'form-data; name="%74oken"',
    ],
)
@pytest.mark.parametrize("before", ["", "Content-Type: text/plain\r\n"])
def test_ignored_parts(disposition: str, before: str) -> None:
    part = f"{before}content-disposition:  {disposition}\r\n\r\n1".encode()
    kind = "multipart/form-data; boundary=xyz"
    assert same(multipart(part, field("a")), multipart(field("a")), kind, "token")
    assert not same(multipart(part, field("a")), multipart(field("a")), kind, "a-token")


@pytest.mark.parametrize(
    "part",
    [
        b"\r\n1",
        b"Content-Type: text/plain\r\n\r\n1",
        b"Content-Disposition: form-data\r\n\r\n1",
        b'Content-Disposition: form-data; filename="; name=token"\r\n\r\n1',
        b'X: 1\r\n\r\nContent-Disposition: form-data; name="token"',
        b'Content-Disposition: form-data; name="\xff"\r\n\r\n1',
    ],
)
def test_parts_of_another_name_or_none_count(part: bytes) -> None:
    kind = "multipart/form-data; boundary=xyz"
    assert not same(multipart(part, field("a")), multipart(field("a")), kind, "token")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(field("a")), "multipart/form-data"),
        (multipart(field("a")), 'multipart/form-data; boundary=""'),
        (multipart(field("a")), "multipart/form-data; boundary=other"),
        (multipart(field("a"))[:-4], "multipart/form-data; boundary=xyz"),
        (multipart(field("a"), b"\r\n\r\n--xyzz"), "multipart/form-data; boundary=xyz"),
        (b"nothing of the kind", "multipart/form-data; boundary=xyz"),
    ],
)
def test_what_is_no_multipart_counts_byte_by_byte(body: bytes, content_type: str) -> None:
    assert normal_body(body, content_type, frozenset({"a"})) == (b"bytes", body)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream", "junk"])
def test_other_types_count_byte_by_byte(content_type: str) -> None:
    body = json.dumps({"token": 1}).encode()
    assert normal_body(body, content_type, frozenset({"token"})) == (b"bytes", body)


def test_content_type_fields() -> None:
    assert media_type("") == ""
    assert media_type(" Text/Plain ;charset=x") == "text/plain"
    assert parameters(r'a/b; X=1 ;y="2\";3"; z=') == (("x", "1"), ("y", '2";3'), ("z", ""))
