"""Laws of keys and of the normal form of URLs."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from aiohttp import FormData
from hypothesis import assume, example, given
from hypothesis import strategies as st
from requests.models import PreparedRequest
from yarl import URL

from http_client_cache.content import normal_body
from http_client_cache.expiry import parse_expire_after
from http_client_cache.key import _canonical, _serialize, create_key
from http_client_cache.message import Headers, Request
from http_client_cache.patterns import UrlPatterns
from http_client_cache.urls import normalize_url, redact_url

BASE = "http://example.com/x"
FORM = "application/x-www-form-urlencoded"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Much of what may go wrong is in few characters.
tricky = st.text("aA0%2fFeE.~/\\:@?#[]&=+;, $!'()*é℀ß\t\n\ud800", max_size=20)
hosts = st.one_of(
    st.sampled_from(["h", "H:80", "h:0443", "u:p@h", "[::1]:8", "[::0001]", "", "a:b:c", ":", "@"]),
    tricky,
)
urls = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["http", "HTTPS", "ws", "x+y"]),
        hosts,
        tricky.map(lambda text: f"/{text}") | st.just("") | texts.map(lambda text: f"/?{text}"),
    ),
)
params = st.dictionaries(texts, texts, max_size=4)
names = st.frozensets(st.sampled_from(["a", "A", "", "0", "e", "/", "+", " "]), max_size=3)


@given(urls, names, st.booleans())
@example("http://％2f/", frozenset(), True)  # noqa: RUF001
def test_a_normal_form_is_its_own_normal_form(
    url: str, ignored: frozenset[str], sort: bool
) -> None:
    normal = normalize_url(url, ignored=ignored, sort_query=sort)
    assert normalize_url(normal, ignored=ignored, sort_query=sort) == normal


@given(urls, names)
def test_what_is_stored_of_a_url_has_the_same_normal_form(
    url: str, ignored: frozenset[str]
) -> None:
    stored = redact_url(url, ignored)
    assert normalize_url(stored) == normalize_url(url, ignored=ignored)
    assert redact_url(stored, ignored) == stored


@given(urls)
def test_what_yarl_takes_has_a_key_and_patterns_look_at_it(url: str) -> None:
    try:
        sent = str(URL(url))
    except (ValueError, IndexError):
        # The latter is what yarl makes of `x://[]@`.
        assume(False)
        return
    assert create_key(Request("GET", sent)) is not None
    UrlPatterns({"**x*?y/[z]": 1}, parse_expire_after, "urls_expire_after").match(sent)


def sent_by_yarl(url: str, fields: dict[str, str]) -> str:
    return str(URL(url).extend_query(fields))


def sent_by_requests(url: str, fields: dict[str, str]) -> str:
    prepared = PreparedRequest()
    prepared.prepare_url(url, fields)
    assert prepared.url is not None
    return prepared.url


@given(params, st.sampled_from([BASE, f"{BASE}?a=b", f"{BASE}?a=%3A:&b#f"]))
def test_clients_agree_on_parameters(fields: dict[str, str], url: str) -> None:
    one, other = sent_by_yarl(url, fields), sent_by_requests(url, fields)
    assert create_key(Request("GET", one)) == create_key(Request("GET", other))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="?#%"), max_size=20)
)
def test_clients_agree_on_paths(path: str) -> None:
    url = f"{BASE}/{path}/y"
    assert normalize_url(str(URL(url))) == normalize_url(sent_by_requests(url, {}))


@given(params, params)
def test_different_parameters_have_different_keys(
    one: dict[str, str], other: dict[str, str]
) -> None:
    def key(fields: dict[str, str]) -> str | None:
        return create_key(Request("GET", sent_by_yarl(BASE, fields)))

    assert (key(one) == key(other)) == (one == other)


@given(params)
def test_clients_agree_on_forms(fields: dict[str, str]) -> None:
    # aiohttp takes no control characters in names.
    assume(fields and not any(unicodedata.category(c) == "Cc" for name in fields for c in name))
    prepared = PreparedRequest()
    prepared.headers = {}  # type: ignore[assignment]
    prepared.prepare_body(fields, None)
    body = prepared.body
    assert isinstance(body, str)
    payload: Any = FormData(fields)()
    ours = Request("POST", BASE, Headers.of({"Content-Type": FORM}), body.encode())
    theirs = Request("POST", BASE, Headers.of({"content-type": FORM}), payload._value)
    assert create_key(ours) == create_key(theirs)


requests = st.builds(
    lambda method, url, headers, body: Request(method, url, Headers.of(headers), body),
    st.sampled_from(["GET", "GE", "POST"]),
    st.sampled_from([BASE, f"{BASE}/", f"{BASE}?a"]),
    st.lists(
        st.tuples(st.sampled_from(["A", "ab", "Authorization", "Accept"]), st.sampled_from("ab ")),
        max_size=3,
    ),
    st.binary(max_size=2),
)


def told_apart(request: Request) -> tuple[object, ...]:
    """What a reader would say tells requests apart, in a form of its own."""
    fields = [(name.lower(), value.strip()) for name, value in request.headers.items()]
    return (
        request.method,
        normalize_url(request.url),
        sorted((f for f in fields if f[0] != "authorization"), key=lambda field: field[0]),
        [value for name, value in fields if name == "authorization"],
        request.body,
    )


@given(requests, requests, st.lists(st.sampled_from("ab"), max_size=2))
def test_requests_that_differ_have_different_keys(
    one: Request, other: Request, extra: list[str]
) -> None:
    keys = [
        create_key(one, match_headers=True, extra=tuple(extra)),
        create_key(other, match_headers=True, extra=tuple(extra)),
    ]
    assert (keys[0] == keys[1]) == (told_apart(one) == told_apart(other))


@given(requests, requests)
def test_canonical_tuples_are_equal_only_where_the_requests_are(
    one: Request, other: Request
) -> None:
    def canonical(request: Request) -> tuple[bytes, ...] | None:
        return _canonical(
            request,
            normalize_url(request.url),
            ignored=frozenset(),
            match_headers=True,
            extra=(),
        )

    assert (canonical(one) == canonical(other)) == (told_apart(one) == told_apart(other))


parts = st.lists(st.one_of(st.binary(max_size=3), st.sampled_from([b"1:", b"0:", b"1:a"]))).map(
    tuple
)


@given(parts, parts)
@example((b"a", b"b"), (b"ab",))
@example((b"1:a",), (b"", b"a"))
def test_serialising_is_injective(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    assert (_serialize(one) == _serialize(other)) == (one == other)


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def normal(document: Any, *, ignored: frozenset[str] = frozenset(), **arguments: Any) -> Any:
    body = json.dumps(document, **arguments).encode("utf-8", "surrogatepass")
    return normal_body(body, "application/json", ignored)


def shuffled(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: shuffled(document[name]) for name in reversed(document)}
    if isinstance(document, list):
        return [shuffled(item) for item in document]
    return document


@given(documents)
def test_json_counts_by_what_it_says(document: Any) -> None:
    one = normal(document)
    assert one[0] == b"json"
    assert one == normal(shuffled(document), indent=2)
    # The normal form is itself JSON, and says the same.
    assert json.loads(one[1]) == document


@given(documents, st.text(max_size=3))
def test_ignored_members_leave_no_trace(document: Any, name: str) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(member) for key, member in value.items() if key != name}
        return [without(item) for item in value] if isinstance(value, list) else value

    assert normal(document, ignored=frozenset({name})) == normal(without(document))


@given(
    st.binary(max_size=40), st.sampled_from(["application/json", FORM, "multipart/x; boundary=a"])
)
@example(b"--a\r\n--a--", "multipart/x; boundary=a")
@example(b"--a--", "multipart/x; boundary=a")
def test_any_body_has_a_normal_form(body: bytes, content_type: str) -> None:
    assert normal_body(body, content_type, frozenset({"a"}))[0]


contents = st.lists(st.binary(max_size=10), max_size=4)


@given(contents, contents)
def test_multiparts_are_told_apart_by_their_parts(one: list[bytes], other: list[bytes]) -> None:
    def form(values: list[bytes], boundary: bytes) -> Any:
        body = b"".join(b"--%b\r\n\r\n%b\r\n" % (boundary, value) for value in values)
        content_type = f"multipart/form-data; boundary={boundary.decode()}"
        return normal_body(body + b"--%b--\r\n" % boundary, content_type, frozenset())

    assert (form(one, b"boundary-1") == form(other, b"boundary-22")) == (one == other)


@pytest.mark.parametrize("count", [1, 100])
def test_remembered_urls_answer_like_new_ones(count: int) -> None:
    keys = [create_key(Request("GET", f"{BASE}?{n % count}")) for n in range(2 * count)]
    assert keys[:count] == keys[count:]
