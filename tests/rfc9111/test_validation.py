"""Validation: RFC 9111 sections 3.2 and 4.3, RFC 9110 sections 8.8 and 13."""

from __future__ import annotations

import pytest

from http_client_cache.message import Headers
from http_client_cache.rfc9111.validation import (
    HeadVerdict,
    conditions,
    confirmed_by_304,
    freshened,
    head_updates,
    selected_by_304,
)
from http_client_cache.rfc9111.validators import (
    ANY,
    EntityTag,
    Validators,
    parse_entity_tag,
    parse_entity_tags,
    strongly_equal,
    validators,
    weakly_equal,
)
from tests.rfc9111.messages import NOW, at, fields, get, head, lines

A, B, WEAK = EntityTag('"a"'), EntityTag('"b"'), EntityTag('"a"', weak=True)
OLD = NOW - 1000


def known(
    etag: str | None = None, modified: float | None = None, date: float = NOW, *, whole: bool = True
) -> Validators:
    tag = None if etag is None else parse_entity_tag(etag)
    return Validators(tag, modified, date, whole=whole)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('"a"', A),
        ('W/"a"', WEAK),
        (' "a" ', A),
        ('""', EntityTag('""')),
        ('"a,b c"', EntityTag('"a,b c"')),
        ('"a\\"', EntityTag('"a\\"')),
        ('"ü"', EntityTag('"ü"')),
        # Quotes forgotten: usable with the server that did, and never strong.
        ("abc", EntityTag("abc", weak=True)),
        ("W/abc", EntityTag("W/abc", weak=True)),
        ("", None),
        ('"', None),
        ('"a', None),
        ('a"', None),
        ('w/"a"', None),
        ('W/ "a"', None),
        ('"a" "b"', None),
        ('"a", "b"', None),
        ('"a\x00"', None),
        ("a b", None),
    ],
)
def test_entity_tags(text: str, tag: EntityTag | None) -> None:
    assert parse_entity_tag(text) == tag
    assert tag is None or str(tag) == text.strip()


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ([], []),
        ([""], []),
        (["*"], ANY),
        ([" * "], ANY),
        (['"a"'], [A]),
        (['"a", W/"a" ,"b"'], [A, WEAK, B]),
        (['"a"', '"b"'], [A, B]),
        ([',"a",,"b",'], [A, B]),
        (['"a,b"'], [EntityTag('"a,b"')]),
        (['"a", *'], [A]),
        (["*", "*"], []),
        (['"a" nonsense, "b"'], [B]),
        (['w/"a", "b"'], [B]),
        (['"a, "b"'], []),
        (['x"a,b"y, "b"'], [B]),
        (["abc, def"], [EntityTag("abc", weak=True), EntityTag("def", weak=True)]),
    ],
)
def test_lists_of_entity_tags(values: list[str], tags: list[EntityTag] | str) -> None:
    assert parse_entity_tags(values) == tags


@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        # The table of RFC 9110 section 8.8.3.2.
        (EntityTag('"1"', weak=True), EntityTag('"1"', weak=True), False, True),
        (EntityTag('"1"', weak=True), EntityTag('"2"', weak=True), False, False),
        (EntityTag('"1"', weak=True), EntityTag('"1"'), False, True),
        (EntityTag('"1"'), EntityTag('"1"'), True, True),
        (None, None, False, False),
        (A, None, False, False),
        (EntityTag("a", weak=True), A, False, False),
    ],
)
def test_comparison(
    one: EntityTag | None, other: EntityTag | None, *, strong: bool, weak: bool
) -> None:
    assert strongly_equal(one, other) is strongly_equal(other, one) is strong
    assert weakly_equal(one, other) is weakly_equal(other, one) is weak


def test_validators_of_a_response() -> None:
    found = validators(fields(etag='"a"', last_modified=at(-5), date=at(-2)), NOW)
    assert found == Validators(A, NOW - 5, NOW - 2)
    assert validators(fields(), NOW) == Validators(None, None, NOW, dated=False)
    assert validators(fields(last_modified="never", date="0"), NOW)[1:4] == (None, NOW, False)
    assert validators(lines("ETag", '"a"', '"b"'), NOW).etag is None
    assert validators(lines("ETag", '"a"', '"a"'), NOW).etag == A


@pytest.mark.parametrize(
    ("named", "strong"),
    [
        ({"last_modified": at(-1), "date": at(0)}, True),
        ({"last_modified": at(0), "date": at(0)}, False),
        ({"last_modified": at(5), "date": at(0)}, False),
        ({"last_modified": at(-9)}, False),
        ({"date": at(0)}, False),
    ],
)
def test_when_a_modification_date_is_strong(named: dict[str, str], *, strong: bool) -> None:
    assert validators(fields(**named), NOW).has_strong_date is strong


INM, IMS = "If-None-Match", "If-Modified-Since"


@pytest.mark.parametrize(
    ("candidates", "selected", "sent"),
    [
        ([], 0, {}),
        ([known()], 0, {}),
        ([known('"a"')], 0, {INM: '"a"'}),
        ([known('W/"a"')], 0, {INM: 'W/"a"'}),
        ([known("bare")], 0, {INM: "bare"}),
        ([known(None, OLD)], 0, {IMS: at(-1000)}),
        ([known('"a"', OLD)], 0, {INM: '"a"', IMS: at(-1000)}),
        # Several variants: the selected one first, its date alone.
        ([known('"a"'), known('"b"', OLD), known('"a"')], 1, {INM: '"b", "a"', IMS: at(-1000)}),
        ([known('"a"', OLD), known('"b"', OLD)], None, {INM: '"a", "b"'}),
        # A weak one of another variant says nothing about its coding.
        ([known('W/"a"', OLD), known('"b"', OLD)], None, {INM: '"b"'}),
        ([known('"a"'), known('W/"b"', OLD)], 0, {INM: '"a"'}),
        ([known('W/"a"', OLD)], None, {}),
        # An entity-tag of another variant would make the origin ignore the date.
        ([known(None, OLD), known('"b"')], 0, {IMS: at(-1000)}),
        ([known(), known('"b"', OLD)], 0, {INM: '"b"'}),
        # A part that would not satisfy the request.
        ([known('"a"', OLD, whole=False)], 0, {}),
        ([known('"a"', OLD, whole=False), known('"b"')], 0, {INM: '"b"'}),
    ],
)
def test_conditions_of_a_validation(
    candidates: list[Validators], selected: int | None, sent: dict[str, str]
) -> None:
    assert dict(conditions(candidates, get(), selected)) == sent
    assert dict(conditions(candidates, get("HEAD"), selected)) == sent
    assert conditions(candidates, get("POST"), selected) == ()


@pytest.mark.parametrize(
    ("stored", "named", "sent"),
    [
        (known('"a"'), {"if_none_match": '"x", W/"y"'}, {INM: '"a", "x", W/"y"'}),
        (known('"a"'), {"if_none_match": '"a"'}, {INM: '"a"'}),
        (known('"a"'), {"if_none_match": "*"}, {}),
        (known(None, OLD), {"if_none_match": '"x"'}, {}),
        (known('"a"', OLD), {"if_modified_since": at(0)}, {INM: '"a"', IMS: at(-1000)}),
        (known(), {"if_modified_since": at(0)}, {}),
        (known('"a"'), {"if_match": '"x"'}, {}),
        (known('"a"'), {"if_unmodified_since": at(0)}, {}),
        (known('"a"'), {"range": "bytes=0-", "if_range": '"x"'}, {INM: '"a"'}),
    ],
)
def test_conditions_beside_those_of_the_caller(
    stored: Validators, named: dict[str, str], sent: dict[str, str]
) -> None:
    assert dict(conditions([stored], get(**named))) == sent


DATED = {"date": at(0)}


@pytest.mark.parametrize(
    ("candidates", "answer", "indexes"),
    [
        # Strong validators: all that have one of the same.
        ([known('"a"'), known('"b"'), known('"a"')], {"etag": '"a"'}, [0, 2]),
        ([known('"b"')], {"etag": '"a"'}, []),
        ([known('W/"a"')], {"etag": '"a"'}, []),
        ([known('"b"', OLD)], {"etag": '"a"', "last_modified": at(-1000)}, []),
        ([known(None, OLD)], {"etag": '"a"', "last_modified": at(-1000)}, [0]),
        ([known('"a"', OLD), known('"b"', OLD)], {"last_modified": at(-1000)}, [0, 1]),
        # Coded on the way, which weakens the tag; the date identifies it.
        ([known('W/"a"', OLD)], {"etag": '"a"', "last_modified": at(-1000)}, [0]),
        # Weak ones: the most recent of those that have it.
        ([known('W/"a"', date=NOW - 1), known('W/"a"')], {"etag": 'W/"a"'}, [1]),
        ([known('"a"'), known('W/"b"')], {"etag": 'W/"a"'}, [0]),
        ([known('W/"b"')], {"etag": 'W/"a"'}, []),
        ([known(None, NOW), known(None, NOW, NOW - 1)], {"last_modified": at(0)}, [0]),
        ([known(None, NOW)], {"last_modified": at(-1)}, []),
        # None: the one that was asked about.
        ([known()], {}, [0]),
        ([known('"a"')], {}, [0]),
        ([known('"a"'), known('"b"')], {}, []),
        ([], {"etag": '"a"'}, []),
        ([], {}, []),
    ],
)
def test_which_stored_responses_a_304_names(
    candidates: list[Validators], answer: dict[str, str], indexes: list[int]
) -> None:
    assert selected_by_304(candidates, fields(**answer, **DATED), NOW) == indexes


def test_a_304_that_may_be_for_the_caller_has_to_name_what_it_means() -> None:
    assert selected_by_304([known('"a"')], fields(**DATED), NOW, alone=False) == []
    assert selected_by_304([known('"a"')], fields(etag='"a"'), NOW, alone=False) == [0]


@pytest.mark.parametrize(
    ("candidates", "etag", "index"),
    [
        ([known('W/"a"')], '"a"', 0),
        ([known('W/"b"')], '"a"', None),
        ([known('W/"a"'), known('W/"a"')], '"a"', None),
        ([known(None, OLD)], '"a"', None),
    ],
)
def test_a_304_may_vouch_for_what_it_does_not_name(
    candidates: list[Validators], etag: str, index: int | None
) -> None:
    assert confirmed_by_304(candidates, fields(etag=etag)) == index


def updated(stored: Headers, answer: Headers, **how: bool) -> Headers:
    return Headers(freshened(stored.raw, answer, NOW, **how))


@pytest.mark.parametrize(
    "name",
    [
        *("Cache-Control", "Content-Disposition", "Content-Language", "Content-Location"),
        *(
            "Content-Type",
            "Date",
            "ETag",
            "Expires",
            "Last-Modified",
            "Set-Cookie",
            "Vary",
            "X-Unknown",
        ),
    ],
)
def test_fields_of_the_answer_take_the_place_of_stored_ones(name: str) -> None:
    answer = Headers.of([(name, at(0)), ("X-New", "1"), (name, at(0))])
    after = updated(Headers.of([(name.upper(), at(-9)), ("X-Old", "1")]), answer)
    assert after.get_all(name) == [at(0), at(0)]
    assert (after.get("x-new"), after.get("x-old")) == ("1", "1")


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade"),
        *("Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization"),
        *("Content-Encoding", "Content-Length", "Content-Range"),
    ],
)
def test_fields_that_are_not_taken_over(name: str) -> None:
    answer = Headers.of({name: "new"})
    assert updated(Headers.of({name: "old"}), answer).get_all(name) == ["old"]
    assert name not in updated(Headers(), answer)


def test_fields_that_are_spared_stay() -> None:
    answer = Headers.of({"Content-Type": "new", "X-New": "1"})
    stored = Headers.of({"Content-Type": "old"})
    after = Headers(freshened(stored.raw, answer, NOW, spared=frozenset({"content-type"})))
    assert (after.get("content-type"), after.get("x-new")) == ("old", "1")


def test_fields_that_the_answer_excepts_itself() -> None:
    stored = fields(x_hop="old", x_secret="old", x_own="old")
    answer = fields(
        connection="close, X-Hop",
        cache_control='no-cache="x-secret", private="x-own"',
        x_hop="new",
        x_secret="new",
        x_own="new",
    )
    private, shared = updated(stored, answer), updated(stored, answer, shared=True)
    names = ("x-hop", "x-secret", "x-own")
    assert [private.get(name) for name in names] == ["old", "old", "new"]
    assert [shared.get(name) for name in names] == ["old", "old", "old"]


def test_age_and_date_are_those_of_the_answer() -> None:
    stored = fields(age="100", date=at(-100))
    assert "age" not in updated(stored, fields(date=at(-1)))
    assert updated(stored, fields(age="7")).get_all("age") == ["7"]
    assert updated(stored, fields()).get_all("date") == [at(0)]
    assert updated(stored, fields(date="garbage")).get_all("date") == [at(0)]


@pytest.mark.parametrize(
    ("stored", "answer", "verdict"),
    [
        ({}, {}, HeadVerdict.SAME),
        ({"etag": '"a"'}, {"etag": '"a"', "content_length": "3"}, HeadVerdict.SAME),
        ({"etag": '"a"'}, {}, HeadVerdict.SAME),
        ({"etag": '"a"'}, {"etag": '"b"'}, HeadVerdict.CHANGED),
        ({"etag": '"a"'}, {"etag": 'W/"a"'}, HeadVerdict.CHANGED),
        ({}, {"etag": '"a"'}, HeadVerdict.CHANGED),
        ({"last_modified": at(0)}, {"last_modified": at(0)}, HeadVerdict.SAME),
        ({"last_modified": at(0)}, {"last_modified": at(1)}, HeadVerdict.CHANGED),
        ({"etag": '"a"'}, {"etag": '"a"', "last_modified": at(1)}, HeadVerdict.CHANGED),
        ({"content_length": "3"}, {"content_length": "3"}, HeadVerdict.SAME),
        ({"content_length": "3"}, {"content_length": "4"}, HeadVerdict.CHANGED),
        ({"etag": '"a"'}, {"etag": '"a"', "content_length": "4"}, HeadVerdict.CHANGED),
        # Stored decoded: how long it was on the way is not known.
        ({"content_encoding": "gzip"}, {"content_length": "3"}, HeadVerdict.CHANGED),
        (
            {"content_encoding": "gzip", "content_length": "9"},
            {"content_length": "9"},
            HeadVerdict.SAME,
        ),
    ],
)
def test_what_an_answer_to_head_says_of_a_stored_get(
    stored: dict[str, str], answer: dict[str, str], verdict: HeadVerdict
) -> None:
    assert head_updates(fields(**stored), 3, head(200, **answer)) is verdict


@pytest.mark.parametrize("status", [204, 206, 304, 404, 500])
def test_only_a_200_to_head_speaks(status: int) -> None:
    assert head_updates(fields(etag='"a"'), 3, head(status, etag='"b"')) is HeadVerdict.SILENT
