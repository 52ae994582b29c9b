"""What may be stored, and which of its fields: RFC 9111 section 3."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.cache_control import request_directives, response_directives
from http_client_cache.rfc9111.freshness import HEURISTICALLY_CACHEABLE
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.storing import (
    NEVER_STORED,
    UNDERSTOOD_STATUSES,
    may_store,
    storable_headers,
    worth_storing,
)
from tests.rfc9111.messages import NOW, URL, at, fields, get, head, stored

UNKNOWN = (299, 418, 425, 451, 499, 599, 999)
OTHERS = (201, 202, 302, 303, 307, 400, 401, 403, 406, 409, 500, 502, 503, 504, *UNKNOWN)


def judge(
    status: int = 200,
    said: str | None = None,
    asked: str | None = None,
    *,
    method: str = "GET",
    request: Request | None = None,
    shared: bool = False,
    granted: bool = False,
    partial: bool = False,
    **named: str,
) -> Reason | None:
    if said is not None:
        named["cache_control"] = said
    if request is None:
        request = get(method, **({} if asked is None else {"cache_control": asked}))
    response = head(status, **named)
    return may_store(
        request,
        response,
        request_directives(request.headers),
        response_directives(response.headers),
        shared=shared,
        granted=granted,
        partial=partial,
    )


# --- Methods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_methods_that_say_they_are_cacheable(method: str) -> None:
    assert judge(said="max-age=5", method=method) is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "QUERY", "get", ""])
def test_methods_that_do_not(method: str) -> None:
    reason = Reason.METHOD_NOT_UNDERSTOOD
    assert judge(said="public, max-age=5", method=method, granted=True) is reason


@pytest.mark.parametrize(
    ("named", "shared", "reason"),
    [
        ({}, False, Reason.POST),
        ({"said": "max-age=5"}, False, Reason.POST),
        ({"content_location": URL}, False, Reason.POST),
        ({"said": "public", "content_location": URL}, False, Reason.POST),
        ({"said": "s-maxage=5", "content_location": URL}, False, Reason.POST),
        ({"said": "s-maxage=5", "content_location": URL}, True, None),
        ({"said": "max-age=5", "content_location": URL}, False, None),
        ({"expires": at(5), "content_location": URL}, False, None),
        ({"said": "max-age=5", "content_location": "/a"}, False, None),
        ({"said": "max-age=5", "content_location": "a"}, False, None),
        ({"said": "max-age=5", "content_location": "/b"}, False, Reason.POST),
        ({"said": "max-age=5", "content_location": "//other.test/a"}, False, Reason.POST),
        ({"said": "max-age=5", "content_location": "http://[x/"}, False, Reason.POST),
        ({"said": "max-age=5, no-store", "content_location": URL}, False, Reason.NO_STORE),
    ],
)
def test_a_post_is_stored_where_it_answers_a_get(
    named: dict[str, Any], shared: bool, reason: Reason | None
) -> None:
    """RFC 9110 section 9.3.3; a lifetime given by somebody else is no reason."""
    for granted in (False, True):
        assert judge(method="POST", shared=shared, granted=granted, **named) is reason


# --- Statuses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [100, 101, 102, 103, 199])
def test_what_is_not_final_is_not_stored(status: int) -> None:
    assert judge(status, "public, max-age=5", granted=True) is Reason.NOT_FINAL


@pytest.mark.parametrize("status", sorted(HEURISTICALLY_CACHEABLE - {206}))
def test_statuses_that_are_cacheable_without_a_word(status: int) -> None:
    assert judge(status) is None


@pytest.mark.parametrize("status", sorted(set(OTHERS) - HEURISTICALLY_CACHEABLE))
@pytest.mark.parametrize(
    ("named", "private", "shared"),
    [
        ({}, False, False),
        ({"said": "no-cache"}, False, False),
        ({"said": "must-revalidate, immutable, stale-if-error=5"}, False, False),
        ({"said": "s-maxage=5"}, False, True),
        ({"said": "private"}, True, None),
        ({"said": 'private="a"'}, True, False),
        ({"said": "public"}, True, True),
        ({"said": "max-age=0"}, True, True),
        ({"said": "max-age=x"}, True, True),
        ({"expires": at(5)}, True, True),
        ({"expires": "0"}, True, True),
        ({"last_modified": at(-5)}, False, False),
        ({"granted": True}, True, True),
    ],
)
def test_others_must_say_that_they_are(
    status: int, named: dict[str, Any], private: bool, shared: bool | None
) -> None:
    no = Reason.NOT_CACHEABLE
    assert judge(status, **named) is (None if private else no)
    if shared is not None:
        assert judge(status, **named, shared=True) is (None if shared else no)


def test_the_statuses_of_the_tables() -> None:
    """What the cases above and below are drawn from, as the documents list it."""
    by_default = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501}
    assert by_default == HEURISTICALLY_CACHEABLE
    assert {428, 429, 431, 511} == NEVER_STORED
    of_rfc_9110 = {*range(200, 206), *range(300, 306), 307, 308, *range(400, 418), 421, 422, 426}
    assert of_rfc_9110 - {304} | set(range(500, 506)) == UNDERSTOOD_STATUSES


@pytest.mark.parametrize("status", sorted(NEVER_STORED))
def test_statuses_that_are_never_stored(status: int) -> None:
    assert judge(status, "public, max-age=5", granted=True) is Reason.NEVER_STORED


@pytest.mark.parametrize("granted", [False, True])
def test_what_only_updates_is_not_stored_itself(granted: bool) -> None:
    assert judge(304, "public, max-age=5", granted=granted) is Reason.CONDITION


@pytest.mark.parametrize(
    ("status", "named", "reason"),
    [
        (412, {"if_match": '"a"'}, Reason.CONDITION),
        (412, {"if_unmodified_since": at(0)}, Reason.CONDITION),
        (412, {}, None),
        (416, {"range": "bytes=5-"}, Reason.RANGE),
        (416, {}, None),
        (200, {"range": "bytes=5-", "if_none_match": '"a"'}, None),
    ],
)
def test_what_speaks_of_the_request_alone_is_not_stored(
    status: int, named: dict[str, str], reason: Reason | None
) -> None:
    assert judge(status, "max-age=5", request=get(**named)) is reason


@pytest.mark.parametrize(
    ("method", "partial", "reason"),
    [
        ("GET", False, Reason.PARTIAL),
        ("GET", True, None),
        ("HEAD", True, Reason.PARTIAL),
        ("POST", True, Reason.PARTIAL),
    ],
)
def test_a_part_is_stored_only_where_it_can_be_combined(
    method: str, partial: bool, reason: Reason | None
) -> None:
    assert judge(206, "max-age=5", method=method, partial=partial) is reason


# --- Directives ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(UNDERSTOOD_STATUSES))
def test_must_understand_overrules_no_store_where_the_status_is_understood(status: int) -> None:
    assert judge(status, "must-understand, no-store, max-age=5") is None
    assert judge(status, "no-store, max-age=5") is Reason.NO_STORE


@pytest.mark.parametrize("status", sorted(set(UNKNOWN) - UNDERSTOOD_STATUSES))
def test_must_understand_refuses_what_is_not_understood(status: int) -> None:
    assert judge(status, "must-understand, max-age=5") is Reason.NOT_UNDERSTOOD
    assert judge(status, "must-understand, no-store, max-age=5") is Reason.NOT_UNDERSTOOD
    assert judge(status, "max-age=5") is None


def test_must_understand_and_parts() -> None:
    assert judge(206, "must-understand, no-store", partial=True) is None
    assert judge(206, "must-understand, no-store") is Reason.PARTIAL


def test_must_understand_is_not_enough_to_be_stored() -> None:
    assert judge(403, "must-understand") is Reason.NOT_CACHEABLE
    assert judge(200, "must-understand", asked="no-store") is Reason.REQUEST_NO_STORE


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    "said", ["no-store", "public, max-age=5, no-store", "NO-STORE=1", "no-store;"]
)
def test_no_store_in_a_response(said: str, shared: bool) -> None:
    assert judge(said=said, shared=shared, granted=True) is Reason.NO_STORE


@pytest.mark.parametrize("shared", [False, True])
def test_no_store_in_a_request(shared: bool) -> None:
    reason = Reason.REQUEST_NO_STORE
    assert judge(said="public, max-age=5", asked="no-store", shared=shared, granted=True) is reason


@pytest.mark.parametrize(
    ("said", "shared"),
    [
        ("private", Reason.PRIVATE),
        ("private, public, max-age=5", Reason.PRIVATE),
        ('private="vary"', Reason.PRIVATE),
        ('private="set-cookie"', None),
    ],
)
def test_private(said: str, shared: Reason | None) -> None:
    assert judge(said=said) is None
    assert judge(said=said, shared=True) is shared


@pytest.mark.parametrize(
    ("said", "shared"),
    [
        (None, Reason.AUTHORIZATION),
        ("max-age=5", Reason.AUTHORIZATION),
        ("proxy-revalidate, max-age=5", Reason.AUTHORIZATION),
        ("public", None),
        ("must-revalidate", None),
        ("s-maxage=5", None),
        ("private, must-revalidate", Reason.PRIVATE),
        ("no-store, public", Reason.NO_STORE),
    ],
)
def test_credentials(said: str | None, shared: Reason | None) -> None:
    request = get(authorization="Basic x")
    assert judge(said=said, request=request, shared=True) is shared
    assert judge(said="max-age=5", request=request) is None


def test_a_cookie_hinders_nothing() -> None:
    assert judge(set_cookie="a=b", request=get(cookie="c=d"), shared=True) is None


# --- Use ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "worth"),
    [
        ({}, False),
        ({"etag": '"a"'}, True),
        ({"last_modified": at(0)}, True),
        ({"cache_control": "no-cache", "etag": '"a"'}, True),
        ({"cache_control": "max-age=5"}, True),
        ({"cache_control": "max-age=5", "age": "5"}, False),
        ({"cache_control": "max-age=0"}, False),
        ({"cache_control": "max-age=5, no-cache"}, False),
        ({"cache_control": "max-age=0, stale-while-revalidate=5"}, True),
        ({"cache_control": "max-age=0, stale-if-error=5"}, True),
        ({"cache_control": "max-age=0, stale-if-error=5", "age": "5"}, False),
        ({"cache_control": "max-age=0, must-revalidate, stale-if-error=5"}, False),
        ({"expires": "0"}, False),
        ({"expires": at(5)}, True),
    ],
)
def test_what_is_of_use_later(named: dict[str, str], worth: bool) -> None:
    response = head(**named)
    reason = None if worth else Reason.NEITHER_FRESH_NOR_VALIDATABLE
    assert worth_storing(response, stored(response)) is reason


# --- Fields -------------------------------------------------------------------------------------

HOPS = (
    ("Connection", "close, X-Hop, keep-alive"),
    ("X-Hop", "1"),
    ("Keep-Alive", "timeout=5"),
    ("TE", "trailers"),
    ("Transfer-Encoding", "chunked"),
    ("Upgrade", "h2c"),
    ("Proxy-Connection", "close"),
    ("Proxy-Authenticate", "Basic"),
    ("Proxy-Authentication-Info", "x"),
    ("Proxy-Authorization", "Basic x"),
)
ENDS = (
    ("Date", at(0)),
    ("Content-Type", "text/plain"),
    ("Set-Cookie", "a=b"),
    ("set-cookie", "c=d"),
    ("X-Unheard-Of", "\udcff"),
    ("Trailer", "X-Later"),
    ("Age", "5"),
)


def storable(headers: Headers, **how: Any) -> list[tuple[str, str]]:
    said = response_directives(headers)
    return list(Headers(storable_headers(headers.raw, said, **how)).items())


def test_all_fields_are_stored_unknown_ones_too() -> None:
    assert storable(Headers.of(ENDS)) == list(ENDS)


def test_fields_of_one_connection_or_proxy_are_not() -> None:
    mixed = [pair for pairs in zip(HOPS, (*ENDS, *ENDS), strict=False) for pair in pairs]
    assert storable(Headers.of(mixed)) == [pair for pair in mixed if pair not in HOPS]


@pytest.mark.parametrize("listed", ["x-a,X-B", " ,X-A,\tx-b,", "close, x-A, X-b"])
def test_nor_what_connection_lists(listed: str) -> None:
    headers = Headers.of([("X-A", "1"), ("connection", listed), ("x-b", "2"), ("X-C", "3")])
    assert storable(headers) == [("X-C", "3")]
    twice = Headers.of([("Connection", "x-a"), ("X-A", "1"), ("Connection", "x-b"), ("X-B", "1")])
    assert storable(twice) == []


@pytest.mark.parametrize(
    ("said", "private", "shared"),
    [
        ('no-cache="Set-Cookie, x-a"', ["x-b"], ["x-b"]),
        ('private="Set-Cookie, x-a"', ["set-cookie", "x-a", "x-b"], ["x-b"]),
        ('no-cache="x-a", private="x-b"', ["set-cookie", "x-b"], ["set-cookie"]),
        ("no-cache", ["set-cookie", "x-a", "x-b"], ["set-cookie", "x-a", "x-b"]),
    ],
)
def test_nor_what_a_qualified_directive_names(
    said: str, private: list[str], shared: list[str]
) -> None:
    headers = fields(set_cookie="a=b", x_a="1", x_b="2", cache_control=said)

    def names(*, shared: bool) -> list[str]:
        return [name for name, _ in storable(headers, shared=shared) if name != "cache-control"]

    assert names(shared=False) == private
    assert names(shared=True) == shared


def test_nobody_can_have_a_field_left_out_that_the_rest_depends_on() -> None:
    named = {"cache_control": "max-age=5", "vary": "x", "content_encoding": "gzip", "etag": '"a"'}
    kept = dict(storable(fields(connection=", ".join(named).replace("_", "-"), **named)))
    assert kept == {"cache-control": "max-age=5", "vary": "x", "content-encoding": "gzip"}


@pytest.mark.parametrize(
    ("named", "date"),
    [
        ({}, at(0)),
        ({"date": "yesterday"}, at(0)),
        ({"date": at(-5)}, at(-5)),
        ({"date": "Tuesday, 14-Nov-23 22:13:00 GMT"}, "Tuesday, 14-Nov-23 22:13:00 GMT"),
    ],
)
def test_a_date_is_added_where_there_is_none(named: dict[str, str], date: str) -> None:
    """RFC 9110 section 6.6.1."""
    kept = storable(fields(**named, x="1"), received=NOW + 0.5)
    assert [value for name, value in kept if name.lower() == "date"] == [date]
    assert ("x", "1") in kept
