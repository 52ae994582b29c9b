"""The caller's own conditions: RFC 9111 section 4.3.2, RFC 9110 sections 13 and 15.4.5."""

from __future__ import annotations

import pytest

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.validation import (
    Outcome,
    answers_caller,
    not_modified,
    precondition,
)
from tests.rfc9111.messages import NOW, URL, at, fields, get, lines

FULL, NOT_MODIFIED, FORWARD = Outcome.FULL, Outcome.NOT_MODIFIED, Outcome.FORWARD
TAGGED = fields(etag='"a"', last_modified=at(-100), date=at(-50))
WEAK = fields(etag='W/"a"')


def weigh(request: Request, stored: Headers, status: int = 200) -> Outcome:
    return precondition(request, status, stored, NOW - 10, NOW)


@pytest.mark.parametrize(
    ("tags", "stored", "outcome"),
    [
        ('"a"', TAGGED, NOT_MODIFIED),
        ('W/"a"', TAGGED, NOT_MODIFIED),
        ('"a"', WEAK, NOT_MODIFIED),
        ('"x", "a"', TAGGED, NOT_MODIFIED),
        ('nonsense of "all" kinds, "a"', TAGGED, NOT_MODIFIED),
        ("*", TAGGED, NOT_MODIFIED),
        ("*", fields(), NOT_MODIFIED),
        ('"b"', TAGGED, FULL),
        ('"A"', TAGGED, FULL),
        ("a", TAGGED, FULL),
        ("", TAGGED, FULL),
        ('"a"', fields(), FULL),
        ('"a"', fields(etag="a"), FULL),
        ("a", fields(etag="a"), NOT_MODIFIED),
    ],
)
def test_if_none_match(tags: str, stored: Headers, outcome: Outcome) -> None:
    assert weigh(get(if_none_match=tags), stored) is outcome
    assert weigh(get("HEAD", if_none_match=tags), stored) is outcome


def test_if_none_match_on_several_lines() -> None:
    request = Request("GET", URL, lines("If-None-Match", '"x"', '"a"'))
    assert weigh(request, TAGGED) is NOT_MODIFIED


@pytest.mark.parametrize(
    ("date", "stored", "outcome"),
    [
        (at(-100), TAGGED, NOT_MODIFIED),
        (at(-99), TAGGED, NOT_MODIFIED),
        (at(1000), TAGGED, NOT_MODIFIED),
        (at(-101), TAGGED, FULL),
        # Without Last-Modified: Date, else when it was received.
        (at(-50), fields(date=at(-50)), NOT_MODIFIED),
        (at(-51), fields(date=at(-50)), FULL),
        (at(-50), fields(date=at(-50), last_modified="never"), NOT_MODIFIED),
        (at(-10), fields(), NOT_MODIFIED),
        (at(-11), fields(), FULL),
        # What is no date is ignored.
        ("yesterday", TAGGED, FULL),
        ("", TAGGED, FULL),
        (f"{at(0)}, {at(0)}", TAGGED, FULL),
    ],
)
def test_if_modified_since(date: str, stored: Headers, outcome: Outcome) -> None:
    assert weigh(get(if_modified_since=date), stored) is outcome
    assert weigh(get("HEAD", if_modified_since=date), stored) is outcome


def test_if_modified_since_on_two_lines_is_ignored() -> None:
    request = Request("GET", URL, lines("If-Modified-Since", at(0), at(0)))
    assert weigh(request, TAGGED) is FULL


def test_if_none_match_comes_before_if_modified_since() -> None:
    both = {"if_modified_since": at(0)}
    assert weigh(get(if_none_match='"b"', **both), TAGGED) is FULL
    assert weigh(get(if_none_match="", **both), TAGGED) is FULL
    assert weigh(get(if_none_match='"a"', if_modified_since=at(-999)), TAGGED) is NOT_MODIFIED


@pytest.mark.parametrize("name", ["if_match", "if_unmodified_since"])
def test_what_only_the_origin_can_weigh_goes_there(name: str) -> None:
    assert weigh(get(**{name: '"a"'}), TAGGED) is FORWARD
    assert weigh(get(if_none_match='"a"', **{name: '"a"'}), TAGGED) is FORWARD


def test_other_methods_are_not_answered_with_304() -> None:
    assert weigh(get("POST", if_none_match='"a"'), TAGGED) is FORWARD
    assert weigh(get("POST", if_modified_since=at(0)), TAGGED) is FULL


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, NOT_MODIFIED), (206, NOT_MODIFIED), (204, FULL), (301, FULL), (404, FULL), (410, FULL)],
)
def test_only_what_was_200_or_206_is_weighed(status: int, outcome: Outcome) -> None:
    assert weigh(get(if_none_match='"a"'), TAGGED, status) is outcome


def test_without_conditions_there_is_nothing_to_weigh() -> None:
    assert weigh(get(), TAGGED) is FULL
    assert weigh(get(range="bytes=0-", if_range='"b"'), TAGGED) is FULL


def test_fields_of_a_304() -> None:
    stored = fields(
        cache_control="a",
        content_location="b",
        date="c",
        etag="d",
        expires="e",
        vary="f",
        last_modified="g",
        content_type="h",
        content_length="i",
        content_encoding="j",
        x_other="k",
    )
    assert dict(Headers(not_modified(stored)).items()) == {
        "cache-control": "a",
        "content-location": "b",
        "date": "c",
        "etag": "d",
        "expires": "e",
        "vary": "f",
    }


def test_a_304_without_an_entity_tag_has_the_date() -> None:
    stored = fields(last_modified="g", content_type="h")
    assert dict(Headers(not_modified(stored)).items()) == {"last-modified": "g"}


def test_whether_a_304_is_for_the_caller() -> None:
    request = get(if_none_match='"x", "y"')
    assert answers_caller(request, fields(etag='W/"y"'))
    assert not answers_caller(request, fields(etag='"a"'))
    assert not answers_caller(request, fields())
    assert not answers_caller(get(), fields(etag='"a"'))
