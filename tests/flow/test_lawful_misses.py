"""RFC 9111 decides: nothing is stored, and what becomes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.expiry import parse_expire_after
from http_client_cache.message import UNKEYABLE, Headers
from http_client_cache.options import Chain, Options
from http_client_cache.plan import LATER, Lost
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded
from tests.flow.lawful_scene import TODAY, Lawful, kept, key, law, stale
from tests.flow.scene import NOW, answer, get

FRESH = answer(cache_control="max-age=60")
MISS = ["load /a", "lock /a", "GET /a"]


def test_a_miss_is_stored_and_shared() -> None:
    fetched = answer(
        cache_control="max-age=60, stale-if-error=7, stale-while-revalidate=8, immutable",
        age="5",
        connection="X-Hop",
        x_hop="1",
        set_cookie="a=1",
    )
    scene = Lawful(origin=[fetched])
    served = scene.serve()
    assert scene.told == [*MISS, "read", "save /a", "release /a: new"]
    stored = scene.released[0]
    assert served == Forwarded(fetched, Reason.MISS, stored, key=key())
    entry = stored.entry
    assert scene.trip("save").arguments == (key(), entry, b"new")
    # It took a second to come, and was five seconds old before.
    assert (entry.initial_age, entry.created, entry.expires) == (6, NOW, NOW + 54)
    assert (entry.stale_if_error, entry.stale_while_revalidate) == (7, 8)
    assert (entry.immutable, entry.no_cache, entry.must_revalidate) == (True, False, False)
    assert entry.sets_cookies
    kept_fields = Headers(entry.headers)
    assert set(kept_fields) == {"cache-control", "set-cookie", "date"}
    assert kept_fields.get("date") == TODAY


@pytest.mark.parametrize(
    ("fetched", "refusal", "remembered"),
    [
        (answer(cache_control="no-store"), Reason.NO_STORE, True),
        (answer(), Reason.NEITHER_FRESH_NOR_VALIDATABLE, True),
        (answer(302), Reason.NOT_CACHEABLE, True),
        (answer(429, etag='"v1"'), Reason.NEVER_STORED, True),
        (answer(vary="*", cache_control="max-age=9"), Reason.VARY_ANY, True),
        (answer(500), Reason.NOT_CACHEABLE, False),
        (
            answer(cache_control="max-age=9", authorization="added inside"),
            *(Reason.AUTHORIZATION_ADDED, True),
        ),
        (answer(206, cache_control="max-age=9"), Reason.PARTIAL, False),
    ],
)
def test_what_the_head_forbids_lets_the_others_go_at_once(
    fetched: Any, refusal: Reason, remembered: bool
) -> None:
    scene = Lawful(origin=[fetched])
    assert scene.serve() == Forwarded(fetched, Reason.MISS, None, refusal, key())
    # Those who wait go before anybody has read a body.
    assert scene.told == [*MISS, "release /a: nothing"]
    assert (key() in scene.uncacheable) is remembered


@pytest.mark.parametrize(
    ("body", "refusal", "remembered"),
    [
        (None, Reason.TOO_LARGE, True),
        (Lost(OSError("broke off")), Reason.INCOMPLETE, False),
    ],
)
def test_what_the_body_forbids(body: Any, refusal: Reason, remembered: bool) -> None:
    scene = Lawful(origin=[FRESH], bodies=[body])
    served = scene.serve()
    assert (served.stored, served.refusal) == (None, refusal)
    assert scene.told == [*MISS, "read", "release /a: nothing"]
    assert (key() in scene.uncacheable) is remembered


def test_what_the_filter_forbids() -> None:
    scene = Lawful(origin=[FRESH], settings=law(filter_fn=lambda _: False))
    assert scene.serve().refusal is Reason.FILTERED
    assert scene.told == [*MISS, "read", "present answer", "ask", "release /a: nothing"]


def test_writing_fails() -> None:
    scene = Lawful(origin=[FRESH], failing=frozenset({"save"}))
    served = scene.serve()
    assert (served.stored.body, served.refusal) == (b"new", Reason.STORE_FAILED)
    assert scene.told[-1] == "release /a: new"


def test_no_answer_is_the_callers_exception() -> None:
    lost = OSError("nobody is there")
    scene = Lawful(origin=[lost])
    with pytest.raises(OSError, match="nobody is there") as caught:
        scene.serve()
    assert caught.value is lost
    assert scene.told == MISS


@pytest.mark.parametrize(
    ("request_", "options", "reason"),
    [
        (get(), Options(disabled=True), Reason.DISABLED),
        (get(), Options(expire_after=parse_expire_after(0)), Reason.DO_NOT_CACHE),
        (get(Upgrade="websocket"), Options(), Reason.UPGRADE),
        (get(body=UNKEYABLE), Options(), Reason.UNKEYABLE_BODY),
    ],
)
def test_what_has_nothing_to_do_with_the_cache(
    request_: Any, options: Options, reason: Reason
) -> None:
    scene = Lawful(origin=[FRESH])
    assert scene.serve(request_, options) == Forwarded(FRESH, reason, refusal=reason)
    assert scene.told == ["GET /a"]


def test_a_set_method_list_is_a_veto() -> None:
    scene = Lawful(origin=[FRESH], settings=law(allowed_methods=["HEAD"]))
    assert scene.serve().refusal is Reason.METHOD
    assert scene.told == ["GET /a"]


class TestTheHouse:
    """It fills in where the fields are silent, and refuses."""

    @pytest.mark.parametrize(
        ("settings", "fetched", "expires"),
        [
            (law(expire_after=7), answer(), NOW + 7),
            (law(expire_after=-1), answer(), None),
            (law(expire_after=7), FRESH, NOW + 59),
            (law(expire_after=7), answer(expires=TODAY), NOW - 1),
            (law(expire_after=7, allowed_codes=[302]), answer(302), NOW + 7),
        ],
    )
    def test_fills_in(self, settings: Any, fetched: Any, expires: float | None) -> None:
        scene = Lawful(origin=[fetched], settings=settings)
        # What has expired already is worth keeping where it may be served all the same.
        settings.stale_if_error = 60
        assert scene.serve().stored.entry.expires == expires

    @pytest.mark.parametrize(
        ("said", "kept"),
        [("max-age=0", True), ("max-age=0, must-revalidate", False), ("no-cache", False)],
    )
    def test_what_is_never_fresh_is_of_use_where_it_may_be_served_stale(
        self, said: str, kept: bool
    ) -> None:
        for settings in (law(stale_if_error=60), law(stale_while_revalidate=60)):
            scene = Lawful(origin=[answer(cache_control=said)], settings=settings)
            assert (scene.serve().stored is not None) is kept
        assert Lawful(origin=[answer(cache_control=said)]).serve().stored is None

    def test_refuses(self) -> None:
        settings = law(allowed_codes=[404])
        assert Lawful(origin=[FRESH], settings=settings).serve().refusal is Reason.STATUS


class TestAlone:
    """Who asks for something of their own neither waits nor lets others wait."""

    @pytest.mark.parametrize(
        "request_",
        [
            get(method="HEAD"),
            get(Range="bytes=0-1"),
            get(If_None_Match='"mine"'),
            get(Cache_Control="no-store"),
            get(Cache_Control="max-age=9"),
            get(Pragma="no-cache"),
        ],
    )
    def test_by_the_request(self, request_: Any) -> None:
        scene = Lawful(origin=[answer(500)])
        scene.serve(request_)
        assert scene.told == ["load /a", f"{request_.method} /a"]

    def test_by_the_options(self) -> None:
        scene = Lawful(load={"/a": kept(etag='"v1"')}, origin=[answer(500)])
        scene.serve(options=Options(force_refresh=True))
        assert scene.told == ["load /a", "GET /a"]

    def test_but_a_validation_is_for_all_who_want_one(self) -> None:
        scene = Lawful(load={"/a": kept(etag='"v1"')}, origin=[answer(500)])
        scene.serve(options=Options(refresh=True))
        assert scene.told[:3] == ["load /a", "lock /a", "GET /a If-None-Match"]

    def test_nobody_waits_for_what_was_not_to_be_stored(self) -> None:
        scene = Lawful(origin=[FRESH], uncacheable={key()})
        assert scene.serve().stored is not None
        assert scene.told == ["load /a", "GET /a", "read", "save /a"]
        assert scene.uncacheable == set()

    @pytest.mark.parametrize("stored", [True, False])
    def test_no_store_asks_for_it_and_leaves_nothing(self, stored: bool) -> None:
        load = {"/a": stale(etag='"v1"')} if stored else {}
        scene = Lawful(load=load, origin=[FRESH])
        served = scene.serve(get(Cache_Control="no-store"))
        assert served.refusal is Reason.REQUEST_NO_STORE
        # No validators: the 304 could change nothing that is stored.
        assert scene.told == ["load /a", "GET /a"]
        assert scene.uncacheable == set()


class TestTogether:
    def test_what_the_leader_stored_is_served(self) -> None:
        shared = kept()
        scene = Lawful(lock=[shared])
        served = scene.serve()
        assert (served.stored, served.reason) == (shared, Reason.COLLAPSED)
        assert scene.told == ["load /a", "lock /a"]

    @pytest.mark.parametrize(
        "shared",
        [
            None,
            stale(),
            kept(facts={"no_cache": True}),
            kept(vary="Accept", chosen_for=get(Accept="text/html")),
        ],
    )
    def test_what_does_not_fit_sends_everyone_for_themselves(self, shared: Any) -> None:
        scene = Lawful(lock=[shared], origin=[FRESH])
        assert scene.serve().reason is Reason.MISS
        assert scene.told == [*MISS, "read", "save /a"]

    def test_what_the_leader_was_served_stale_serves_the_others_as_well(self) -> None:
        old = stale()
        scene = Lawful(load={"/a": old}, lock=[old], settings=law(stale_if_error=90))
        assert scene.serve().reason is Reason.STALE_IF_ERROR
        assert scene.told == ["load /a", "lock /a"]

    def test_the_filter_is_asked_about_it(self) -> None:
        scene = Lawful(lock=[kept()], origin=[FRESH], settings=law(filter_fn=lambda _: False))
        assert scene.serve().refusal is Reason.FILTERED

    def test_who_led_after_another_looks_again(self) -> None:
        fresh = kept()
        scene = Lawful(ended=[0, 1], load={"/a": [None, fresh]})
        assert scene.serve().stored is fresh
        assert scene.told == ["load /a", "lock /a", "load /a", "release /a: stored"]

    def test_who_led_after_another_and_still_finds_nothing(self) -> None:
        scene = Lawful(ended=[0, 1], load={"/a": [stale(etag='"v1"'), None]}, origin=[FRESH])
        assert scene.serve().reason is Reason.MISS
        assert scene.told[2:4] == ["load /a", "GET /a"]


class TestReplacing:
    def test_the_same_selection_in_the_same_place(self) -> None:
        request = get(Accept="text/html")
        old = stale(vary="Accept", chosen_for=request)
        scene = Lawful(load={"/a": old}, origin=[answer(vary="Accept", etag='"v2"')])
        scene.serve(request)
        assert [told for told in scene.told if told.startswith(("save", "drop"))] == ["save /a"]

    def test_a_part_and_an_answer_to_head_give_way_to_the_whole(self) -> None:
        head = stale(method="HEAD", body=b"")
        part = stale(status=206, body=b"s", content_range="bytes 0-0/6")
        scene = Lawful(load={"/a": (head, part)}, origin=[FRESH])
        scene.serve()
        assert scene.trip("drop").arguments == ([(key(), "head"), (key(), "part")],)
        assert scene.told.index("save /a") < scene.told.index("drop /a /a")

    def test_the_oldest_variants_give_way(self) -> None:
        others = tuple(
            kept(vary="Accept", chosen_for=get(Accept=f"type/{n}"), age=n) for n in range(70)
        )
        scene = Lawful(load={"/a": others}, origin=[answer(vary="Accept", etag='"v2"')])
        scene.serve(get(Accept="none/of-these"))
        gone = [variant for _, variant in scene.trip("drop").arguments[0]]
        assert gone == [one.variant for one in others[63:]]

    def test_what_may_be_shared_takes_the_place_of_what_could_not(self) -> None:
        mine = stale(user="A")
        fetched = answer(cache_control="public, max-age=9")
        scene = Lawful(load={"/a of A": mine}, origin=[fetched])
        served = scene.serve(get(Authorization="A"))
        assert served.stored.key == key()
        assert scene.told[-3:] == ["save /a", "drop /a of A", "release /a of A: new"]

    @pytest.mark.parametrize(
        ("status", "leaves"),
        [(404, True), (410, True), (302, True), (403, False), (429, False), (500, False)],
    )
    def test_what_may_not_be_kept_takes_what_it_replaces_along(
        self, status: int, leaves: bool
    ) -> None:
        scene = Lawful(load={"/a": stale()}, origin=[answer(status, cache_control="no-store")])
        assert scene.serve().stored is None
        assert ("drop /a" in scene.told) is leaves


class TestLater:
    def test_stored_and_shared_at_the_end(self) -> None:
        scene = Lawful(origin=[FRESH], bodies=[LATER])
        served = scene.serve()
        assert (served.stored, served.refusal) == (None, Reason.NOT_YET)
        assert scene.told == [*MISS, "read"]
        scene.play(scene.later.finish([b"whole"]))
        assert scene.told[4:] == ["save /a", "release /a: whole"]

    def test_given_up(self) -> None:
        scene = Lawful(origin=[FRESH], bodies=[LATER])
        scene.serve(options=Options(chain=Chain()))
        scene.later.give_up()
        assert scene.told == [*MISS, "read", "release /a: nothing"]

    def test_what_an_unsafe_request_has_outdated_meanwhile_is_not_stored(self) -> None:
        scene = Lawful(origin=[FRESH], bodies=[LATER])
        scene.serve()
        scene.note_change(key().partition(".")[0])
        scene.play(scene.later.finish([b"whole"]))
        assert scene.told[4:] == ["release /a: nothing"]

    def test_those_that_it_replaces_are_not_held_in_memory(self) -> None:
        scene = Lawful(load={"/a": stale(body=b"x" * 99)}, origin=[FRESH], bodies=[LATER])
        scene.serve()
        (found,) = [
            argument for argument in scene.later._publish.args if hasattr(argument, "candidates")
        ]
        assert [one.body for one in found.candidates] == [b""]


def test_what_an_unsafe_request_has_outdated_meanwhile_is_not_stored() -> None:
    scene = Lawful(origin=[FRESH], changed_while=1)
    served = scene.serve()
    assert (served.stored, served.refusal) == (None, Reason.INVALIDATED)
    assert scene.told == [*MISS, "read", "release /a: nothing"]
    assert scene.uncacheable == set()
