"""What the cache did with a request: as a value, as a sentence, as a field (RFC 9211)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.structured import Other, _Reader, parse_list
from http_client_cache.status import (
    FORWARDED,
    REFUSED,
    SERVED,
    UNANSWERED,
    CacheStatus,
    Forward,
)

NAME = "aiohttp-client-cache"


def in_order(reasons: Iterable[Reason]) -> list[Reason]:
    """The order of a set differs from process to process; that of the tests must not."""
    return sorted(reasons, key=lambda reason: reason.name)


# What has no answer of the origin's in it, if there is no more to tell.
UNFORWARDED = SERVED - {Reason.VALIDATED, Reason.COMPLETED, Reason.COLLAPSED} | UNANSWERED


class Reader(_Reader):
    """Reads one member of a list with its parameters, in their order."""

    __slots__ = ("found",)

    def item(self) -> tuple[Any, dict[str, Any]]:
        self.found: dict[str, Any] = {}
        member = self.member()
        assert self.position == len(self.text)
        return member, self.found

    def parameters(self) -> None:
        start = self.position
        super().parameters()
        self.position, end = start, self.position
        while self.position < end:
            # Parameters are written like the members of a dictionary.
            self.position += len("; ")
            key, equals, _ = self.text[self.position : end].partition(";")[0].partition("=")
            self.position += len(key) + len(equals)
            assert key not in self.found
            self.found[key] = self.bare() if equals else True


def read(field: str) -> tuple[Any, dict[str, Any]]:
    name, parameters = Reader([field]).item()
    plain = {
        key: value.text if isinstance(value, Other) else value for key, value in parameters.items()
    }
    return name.text if isinstance(name, Other) else name, plain


class TestClasses:
    @pytest.mark.parametrize("reason", Reason)
    def test_each_reason_is_in_one(self, reason: Reason) -> None:
        assert [reason in some for some in (SERVED, FORWARDED, REFUSED, UNANSWERED)].count(
            True
        ) == 1

    def test_every_token_is_used(self) -> None:
        assert set(FORWARDED.values()) == set(get_args(Forward))

    @pytest.mark.parametrize("reason", Reason)
    @pytest.mark.parametrize("asked", [None, Reason.EXPIRED])
    @pytest.mark.parametrize("forward_status", [None, 503])
    def test_either_a_hit_or_forwarded(
        self, reason: Reason, asked: Reason | None, forward_status: int | None
    ) -> None:
        status = CacheStatus(reason, asked=asked, forward_status=forward_status)
        told = [status.hit, status.forward is not None, reason in UNANSWERED]
        assert told.count(True) == 1


class TestHit:
    @pytest.mark.parametrize("reason", in_order(UNFORWARDED - UNANSWERED))
    def test_what_was_served_without_the_origin(self, reason: Reason) -> None:
        status = CacheStatus(reason)
        assert (status.hit, status.forward, status.collapsed) == (True, None, False)

    @pytest.mark.parametrize("reason", in_order(set(Reason) - UNFORWARDED))
    def test_not_what_the_origin_had_a_part_in(self, reason: Reason) -> None:
        assert not CacheStatus(reason).hit

    def test_a_failure_is_a_hit_only_where_the_origin_did_not_answer(self) -> None:
        lost = CacheStatus(Reason.STALE_IF_ERROR, asked=Reason.EXPIRED)
        failed = CacheStatus(Reason.STALE_IF_ERROR, asked=Reason.EXPIRED, forward_status=503)
        assert (lost.hit, lost.forward) == (True, None)
        assert (failed.hit, failed.forward) == (False, "stale")


class TestForward:
    @pytest.mark.parametrize(("reason", "token"), FORWARDED.items())
    def test_is_told_by_the_reason(self, reason: Reason, token: str) -> None:
        assert CacheStatus(reason).forward == token

    @pytest.mark.parametrize(
        ("reason", "asked", "token"),
        [
            (Reason.VALIDATED, None, "stale"),
            (Reason.VALIDATED, Reason.REFRESH, "request"),
            (Reason.VALIDATED, Reason.VARIANT, "vary-miss"),
            (Reason.COMPLETED, None, "partial"),
            (Reason.COLLAPSED, None, "miss"),
            (Reason.COLLAPSED, Reason.MISS, "uri-miss"),
            (Reason.COLLAPSED, Reason.EXPIRED, "stale"),
        ],
    )
    def test_or_by_why_the_origin_was_asked_first(
        self, reason: Reason, asked: Reason | None, token: str
    ) -> None:
        assert CacheStatus(reason, asked=asked).forward == token

    @pytest.mark.parametrize("reason", in_order(REFUSED))
    def test_what_cannot_be_stored_is_a_miss(self, reason: Reason) -> None:
        assert CacheStatus(reason).forward == "miss"

    def test_nobody_was_asked_where_the_cache_alone_was_to_answer(self) -> None:
        status = CacheStatus(Reason.NOT_CACHED)
        assert (status.hit, status.forward) == (False, None)


class TestWhy:
    @pytest.mark.parametrize("reason", Reason)
    def test_is_what_the_reason_says(self, reason: Reason) -> None:
        assert CacheStatus(reason).why == reason.value

    def test_a_refusal(self) -> None:
        status = CacheStatus(Reason.MISS, refusal=Reason.NO_STORE)
        assert status.why == (
            "nothing is stored for this request (RFC 9111 section 4); not stored: the response is "
            "not to be stored: no-store (RFC 9111 section 5.2.2.5)"
        )

    def test_a_refusal_that_says_the_same(self) -> None:
        status = CacheStatus(Reason.UPGRADE, refusal=Reason.UPGRADE)
        assert status.why == f"{Reason.UPGRADE.value}; not stored"

    def test_why_the_origin_was_asked_first(self) -> None:
        status = CacheStatus(Reason.VALIDATED, asked=Reason.EXPIRED)
        assert status.why == (
            f"{Reason.VALIDATED.value}; the origin was asked: {Reason.EXPIRED.value}"
        )


class TestText:
    @pytest.mark.parametrize(
        ("status", "start", "end"),
        [
            (CacheStatus(Reason.HIT, ttl=376.4), "hit: served from", "; fresh for 376 s"),
            (CacheStatus(Reason.MAX_STALE, ttl=-412.0), "hit: served stale", "; stale for 412 s"),
            (CacheStatus(Reason.EXPIRED, ttl=0), "stale: the stored", "; stale for 0 s"),
            (CacheStatus(Reason.HIT), "hit: served from", "section 4)"),
            (CacheStatus(Reason.HIT, ttl=math.inf), "hit: served from", "section 4)"),
            (CacheStatus(Reason.MISS, ttl=9, stored=True), "uri-miss: nothing", "9 s; stored"),
            (CacheStatus(Reason.NOT_CACHED), "nothing: nothing usable", "5.2.1.7)"),
        ],
    )
    def test_for_people(self, status: CacheStatus, start: str, end: str) -> None:
        assert str(status).startswith(start)
        assert str(status).endswith(end)

    def test_for_programmers(self) -> None:
        status = CacheStatus(Reason.MISS, key="a.b", stored=True)
        assert repr(status) == '<CacheStatus fwd=uri-miss; stored; key="a.b"; detail=miss>'

    def test_a_status_is_a_value(self) -> None:
        one, same = CacheStatus(Reason.MISS, key="a.b"), CacheStatus(Reason.MISS, key="a.b")
        assert len({one, same, CacheStatus(Reason.MISS)}) == 2
        with pytest.raises(AttributeError):
            one.stored = True  # type: ignore[misc]


class TestField:
    @pytest.mark.parametrize(
        ("status", "field"),
        [
            (CacheStatus(Reason.HIT, ttl=376.9), "hit; ttl=376; detail=hit"),
            (
                CacheStatus(Reason.MAX_STALE, ttl=-412, key="a.b"),
                'hit; ttl=-412; key="a.b"; detail=max-stale',
            ),
            (
                CacheStatus(Reason.MISS, key="a.b", ttl=60, stored=True),
                'fwd=uri-miss; ttl=60; stored; key="a.b"; detail=miss',
            ),
            (
                CacheStatus(Reason.MISS, key="a.b", refusal=Reason.NO_STORE),
                'fwd=uri-miss; key="a.b"; detail=miss/no-store',
            ),
            (
                CacheStatus(Reason.VALIDATED, ttl=60, asked=Reason.EXPIRED, forward_status=304),
                "fwd=stale; fwd-status=304; ttl=60; detail=validated",
            ),
            (
                CacheStatus(Reason.COLLAPSED, asked=Reason.MISS),
                "fwd=uri-miss; collapsed; detail=collapsed",
            ),
            (
                CacheStatus(Reason.STALE_IF_ERROR, ttl=-0.1, forward_status=503),
                "fwd=stale; fwd-status=503; ttl=-1; detail=stale-if-error",
            ),
            (CacheStatus(Reason.DISABLED, refusal=Reason.DISABLED), "fwd=bypass; detail=disabled"),
            (CacheStatus(Reason.NOT_CACHED), "detail=not-cached"),
        ],
    )
    def test_examples(self, status: CacheStatus, field: str) -> None:
        assert status.field(NAME) == f"{NAME}; {field}"

    @pytest.mark.parametrize("reason", in_order(UNFORWARDED))
    def test_stored_means_something_only_where_the_origin_answered(self, reason: Reason) -> None:
        assert "stored" not in read(CacheStatus(reason, stored=True).field(NAME))[1]

    @pytest.mark.parametrize("ttl", [None, math.inf, -math.inf, math.nan])
    def test_no_ttl_where_there_is_no_number(self, ttl: float | None) -> None:
        assert "ttl" not in read(CacheStatus(Reason.HIT, ttl=ttl).field(NAME))[1]

    @pytest.mark.parametrize(
        ("ttl", "told"),
        [(1e300, "999999999999999"), (-1e300, "-999999999999999"), (0.9, "0"), (-0.9, "-1")],
    )
    def test_ttl_is_an_integer(self, ttl: float, told: str) -> None:
        assert read(CacheStatus(Reason.HIT, ttl=ttl).field(NAME))[1]["ttl"] == told

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("cache.example:80/a", "cache.example:80/a"),
            ("my cache", '"my cache"'),
            ("9lives", '"9lives"'),
            ("", '""'),
            ('a"b\\c', r'"a\"b\\c"'),
            ("a\r\nb", '"a%0D%0Ab"'),
            ("é\udc80", '"%C3%A9%ED%B2%80"'),
        ],
    )
    def test_the_name_of_the_cache(self, name: str, told: str) -> None:
        assert CacheStatus(Reason.HIT).field(name) == f"{told}; hit; detail=hit"

    @given(
        st.builds(
            CacheStatus,
            st.sampled_from(Reason),
            key=st.none() | st.text(),
            ttl=st.none() | st.floats() | st.integers(),
            stored=st.booleans(),
            refusal=st.none() | st.sampled_from(Reason),
            asked=st.none() | st.sampled_from(Reason),
            forward_status=st.none() | st.integers(),
        ),
        st.text(),
    )
    def test_is_always_a_member_of_a_list(self, status: CacheStatus, name: str) -> None:
        field = status.field(name)
        members = parse_list([field, field])
        assert members is not None
        assert len(members) == 2
        told = read(field)[1]
        assert ("hit" in told) == status.hit
        assert told.get("fwd") == status.forward
        assert ("key" in told) == (status.key is not None)
        assert not ("hit" in told and told.keys() & {"fwd", "fwd-status", "stored", "collapsed"})

    @given(
        st.builds(
            CacheStatus,
            st.sampled_from(list(FORWARDED)),
            key=st.none() | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
            ttl=st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
            stored=st.booleans(),
            refusal=st.none() | st.sampled_from(in_order(REFUSED)),
            forward_status=st.none() | st.integers(100, 999),
        ),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
    )
    def test_tells_everything(self, status: CacheStatus, name: str) -> None:
        told_name, told = read(status.field(name))
        reason, _, refusal = told["detail"].partition("/")
        again = CacheStatus(
            Reason[reason.upper().replace("-", "_")],
            told.get("key"),
            float(told["ttl"]) if "ttl" in told else None,
            told.get("stored", False),
            Reason[refusal.upper().replace("-", "_")] if refusal else None,
            None,
            int(told["fwd-status"]) if "fwd-status" in told else None,
        )
        assert (told_name, again) == (name, status)
