"""Laws of selection, validation, invalidation and ranges, whatever anybody sends."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.rfc9111.invalidation import (
    groups,
    invalidated,
    invalidated_groups,
    same_origin,
)
from http_client_cache.rfc9111.no_vary_search import Variance, significant_query, variance
from http_client_cache.rfc9111.ranges import (
    Part,
    Partial,
    answer_range,
    coalesced,
    combine,
    parse_content_range,
    parse_range,
    part_of,
)
from http_client_cache.rfc9111.selection import (
    PREFERENCES,
    matches,
    normalized,
    select,
    variant_id,
    vary_names,
    vary_values,
)
from http_client_cache.rfc9111.structured import parse_dictionary, parse_list
from http_client_cache.rfc9111.validation import (
    NOT_UPDATED,
    Outcome,
    conditions,
    freshened,
    head_updates,
    not_modified,
    precondition,
    selected_by_304,
)
from http_client_cache.rfc9111.validators import (
    EntityTag,
    Validators,
    parse_entity_tag,
    parse_entity_tags,
    strongly_equal,
    validators,
    weakly_equal,
)
from tests.rfc9111.messages import NOW, URL, at, fields, get

# What field values are made of, so that some are almost right.
PIECES = (
    *("bytes", "=", "-", "0", "1", "5", "99", ",", ", ", '"', '"a"', 'W/"a"', "W/", "*", "\\", "/"),
    *(";", "q=0.5", "gzip", "br", "accept", "key-order", "params", "(", ")", "?1", " ", "\t", "é"),
    *("a", at(0), "http:", "//", "origin.test", "[", "@", "%", "#", "..", "\x00", "\udc80"),
)
texts = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
lines = st.lists(texts, max_size=3)
NAMES = (
    *("Vary", "ETag", "Last-Modified", "Date", "Content-Length", "Content-Range", "Location"),
    *("Content-Encoding", "Content-Location", "Cache-Groups", "Cache-Group-Invalidation"),
    *("Cache-Control", "Connection", "No-Vary-Search", "Age"),
)
ASKED = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Range", "If-Range", "If-Match"),
    *("If-None-Match", "If-Modified-Since", "If-Unmodified-Since"),
)


def of(names: tuple[str, ...]) -> st.SearchStrategy[Headers]:
    return st.lists(st.tuples(st.sampled_from(names), texts), max_size=6).map(Headers.of)


methods = st.sampled_from(["GET", "HEAD", "POST", "X"])
requests = st.builds(Request, methods, st.just(URL), of(ASKED))
statuses = st.sampled_from([200, 204, 206, 301, 304, 404, 500])
heads = st.builds(
    ResponseHead, st.just(URL), statuses, st.just(""), st.just((1, 1)), of((*NAMES, *ASKED))
)


@given(lines, texts)
def test_parsers_never_raise(values: list[str], text: str) -> None:
    parse_entity_tags(values)
    parse_entity_tag(text)
    parse_list(values)
    parse_dictionary(values)
    parse_range(text, None)
    parse_range(text, 5)
    for name in (*PREFERENCES, "cookie", "cache-control", "x-any"):
        normalized(name, values)


@given(requests, heads, heads)
def test_whatever_is_sent_is_judged(request: Request, old: ResponseHead, new: ResponseHead) -> None:
    known = [validators(head.headers, NOW) for head in (old, new)]
    for count in range(3):
        conditions(known[:count], request)
        selected_by_304(known[:count], new.headers, NOW)
    values = vary_values(vary_names(old.headers), request)
    assert select([(values, NOW)], request) in (None, 0)
    precondition(request, old.status, old.headers, NOW, NOW)
    not_modified(old.headers)
    freshened(old.headers.raw, new.headers, NOW)
    head_updates(old.headers, 5, new)
    answer_range(request, old.status, old.headers, 5, NOW)
    parse_content_range(old.headers)
    part_of(old.status, old.headers, b"12345", NOW)
    groups(old.headers)
    invalidated_groups(request, new)
    variance(old.headers)


@given(requests, heads)
def test_nothing_of_another_origin_falls(request: Request, head: ResponseHead) -> None:
    found = invalidated(request, head)
    assert all(same_origin(url, URL) for url in found)
    assert bool(found) is (request.method not in {"GET", "HEAD"} and head.status < 400)


# --- Selection

preferences = st.tuples(
    st.sampled_from(["gzip", "br", "x-gzip", "identity", "*", "GZIP", "text/html;a=b"]),
    st.sampled_from(["", ";q=1", ";q=0.5", "; q=0.50", ";q=0", ";q=9", ";q"]),
).map("".join)


@given(st.sampled_from(sorted(PREFERENCES)), st.one_of(lines, st.lists(preferences)))
def test_a_normal_form_is_its_own(name: str, values: list[str]) -> None:
    once = normalized(name, values)
    assert normalized(name, [once]) == once


@given(st.lists(preferences), st.data())
def test_readable_preferences_in_any_order_are_the_same(
    members: list[str], data: st.DataObject
) -> None:
    members = [member for member in members if not member.endswith((";q=9", ";q"))]
    weights: dict[str, set[str]] = {}
    for member in members:
        name = member.partition(";q")[0].partition("; q")[0].lower().removeprefix("x-")
        weights.setdefault(name, set()).add(member.partition("q=")[2].rstrip("0") or member[-1])
    assume(all(len(weight) == 1 for weight in weights.values()))
    other = data.draw(st.permutations(members))
    assert normalized("accept", [", ".join(members)]) == normalized("accept", other)


few = st.dictionaries(st.sampled_from(["x-a", "x-b"]), st.sampled_from(["", "1", "2"]))
made = few.map(lambda named: Request("GET", URL, Headers.of(named)))
vary = st.sampled_from([(), ("x-a",), ("x-b",), ("x-a", "x-b"), ("*",)])
candidates = st.lists(
    st.tuples(st.builds(vary_values, vary, made), st.integers(0, 3).map(float)), max_size=6
)


@given(candidates, made, st.data())
def test_selection_knows_no_order(
    stored: list[tuple[tuple[tuple[str, str | None], ...], float]],
    request: Request,
    data: st.DataObject,
) -> None:
    index = select(stored, request)
    other = data.draw(st.permutations(stored))
    found = select(other, request)
    assert (None if index is None else stored[index]) == (None if found is None else other[found])
    if index is not None:
        assert matches(stored[index][0], request)
        assert all(
            date <= stored[index][1]
            for values, date in stored
            if values and matches(values, request)
        )


@given(vary, made, vary, made)
def test_variants_have_the_same_name_if_their_values_are_the_same(
    names: tuple[str, ...], one: Request, others: tuple[str, ...], other: Request
) -> None:
    first, second = vary_values(names, one), vary_values(others, other)
    assert (variant_id(first) == variant_id(second)) is (first == second)
    assert matches(first, one) is (names != ("*",))


# --- Validation

tags = st.builds(
    lambda text, weak: EntityTag(f'"{text}"', weak),
    st.text("ab, W/\\!", max_size=3),
    st.booleans(),
)


@given(tags, tags, tags)
def test_comparison(one: EntityTag, two: EntityTag, three: EntityTag) -> None:
    assert weakly_equal(one, one)
    assert strongly_equal(one, one) is not one.weak
    for equal in (strongly_equal, weakly_equal):
        assert equal(one, two) is equal(two, one)
        if equal(one, two) and equal(two, three):
            assert equal(one, three)
    if strongly_equal(one, two):
        assert weakly_equal(one, two)


@given(st.lists(tags))
def test_entity_tags_round_trip(told: list[EntityTag]) -> None:
    assert parse_entity_tags([", ".join(map(str, told))]) == told
    assert [parse_entity_tag(str(tag)) for tag in told] == told


known = st.builds(
    Validators,
    st.one_of(st.none(), tags),
    st.one_of(st.none(), st.just(NOW - 5)),
    st.sampled_from([NOW - 1, NOW]),
)


@given(st.lists(known, max_size=4), st.one_of(st.none(), tags))
def test_a_304_freshens_all_with_its_strong_tag_or_one(
    stored: list[Validators], tag: EntityTag | None
) -> None:
    found = selected_by_304(stored, fields() if tag is None else fields(etag=str(tag)), NOW)
    if tag is not None and not tag.weak:
        assert found == [n for n, each in enumerate(stored) if strongly_equal(each.etag, tag)]
    else:
        assert len(found) <= 1
        assert all(tag is None or weakly_equal(stored[n].etag, tag) for n in found)


@given(st.lists(known, min_size=1, max_size=4), st.one_of(st.none(), tags))
def test_what_was_sent_is_answered(stored: list[Validators], tag: EntityTag | None) -> None:
    request = get() if tag is None else get(if_none_match=str(tag))
    sent = dict(conditions(stored, request)).get("If-None-Match")
    if sent is not None:
        told = parse_entity_tags([sent])
        assert len(told) == len(set(told))
        assert not stored[0].whole or stored[0].etag in {None, *told}
        assert tag is None or tag in told
        assert set(told) <= {tag, *(each.etag for each in stored)}


@given(heads, heads)
def test_freshening_twice_changes_nothing_more(old: ResponseHead, new: ResponseHead) -> None:
    once = freshened(old.headers.raw, new.headers, NOW)
    assert freshened(once, new.headers, NOW) == once
    for name in NOT_UPDATED:
        assert Headers(once).get_all(name) == old.headers.get_all(name)


@given(tags)
def test_whoever_has_it_is_told_so(tag: EntityTag) -> None:
    asked = get(if_none_match=str(tag))
    assert precondition(asked, 200, fields(etag=str(tag)), NOW, NOW) is Outcome.NOT_MODIFIED


# --- Ranges

positions = st.integers(0, 12)


@given(st.binary(max_size=10), positions, st.one_of(st.none(), positions))
def test_ranges_are_slices(body: bytes, first: int, last: int | None) -> None:
    size = len(body)
    spans = parse_range(f"bytes={first}-{'' if last is None else last}", size)
    if last is not None and last < first:
        assert spans is None
        return
    cut = body[first : None if last is None else last + 1]
    assert [body[start:stop] for start, stop in spans or ()] == ([cut] if first < size else [])


@given(st.binary(max_size=10), positions)
def test_suffixes_are_slices(body: bytes, length: int) -> None:
    spans = parse_range(f"bytes=-{length}", len(body))
    cut = body[max(len(body) - length, 0) :]
    assert [body[start:stop] for start, stop in spans or ()] == ([cut] if length else [])


@given(st.binary(max_size=10), st.lists(st.tuples(positions, positions), min_size=1, max_size=4))
def test_parts_are_what_was_asked_for(body: bytes, asked: list[tuple[int, int]]) -> None:
    value = ",".join(f"{start}-{start + length}" for start, length in asked)
    wanted = {n for start, length in asked for n in range(start, start + length + 1)}
    answer = answer_range(get(range=f"bytes={value}"), 200, fields(), len(body), NOW)
    if isinstance(answer, Partial):
        assert set(range(answer.start, answer.stop)) == wanted & set(range(len(body)))
        headers = Headers(answer.headers)
        told = parse_content_range(headers)
        assert told == (answer.start, answer.stop, len(body))
        assert headers.get_all("content-length") == [str(answer.stop - answer.start)]


@given(st.lists(st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair) + 1))))
def test_coalescing_covers_the_same(spans: list[tuple[int, int]]) -> None:
    found = coalesced(spans)
    assert {n for span in found for n in range(*span)} == {
        n for span in spans for n in range(*span)
    }
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(st.binary(min_size=1, max_size=10), st.lists(positions, max_size=4), st.data())
def test_parts_in_any_order_make_the_whole(
    body: bytes, cuts: list[int], data: st.DataObject
) -> None:
    bounds = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    parts = data.draw(st.permutations([part(body, *pair) for pair in pairwise(bounds)]))
    stored: list[Part] = []
    for new in parts:
        found = combine(stored, new)
        assert found.body == body[found.start : found.stop]
        stored = [each for each in stored if each.stop < found.start or found.stop < each.start]
        stored.append(found)
    assert [(each.status, each.body) for each in stored] == [(200, body)]


def part(body: bytes, start: int, stop: int) -> Part:
    headers = fields(etag='"a"', content_range=f"bytes {start}-{stop - 1}/{len(body)}")
    found = part_of(206, headers, body[start:stop], NOW)
    assert found is not None
    return found


# --- No-Vary-Search

queries = st.lists(st.sampled_from(["a=1", "a=2", "b=1", "b", "c%20=+", "", "=", "%ff"])).map(
    "&".join
)
rules = st.builds(
    Variance,
    st.one_of(st.none(), st.frozensets(st.sampled_from(["a", "b"]))),
    st.just(frozenset({"c "})),
    st.booleans(),
)


@given(queries, rules)
def test_a_significant_query_is_its_own(query: str, rule: Variance) -> None:
    once = significant_query(query, rule)
    assert significant_query(once, rule) == once
