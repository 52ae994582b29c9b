"""RFC 9111 decides: what is stored answers, or does not, and who has to be asked first."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.lawful.find import directives_of, find
from http_client_cache.lawful.serve import admit
from http_client_cache.message import Headers
from http_client_cache.options import Options
from http_client_cache.plan import UseStore
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit, Refused
from tests.flow.lawful_scene import TODAY, Lawful, kept, key, law, stale
from tests.flow.scene import NOW, answer, get

OFFLINE = Options(only_if_cached=True)


def test_a_hit_is_one_trip_and_nothing_else() -> None:
    found = kept(age=7, facts={"initial_age": 5})
    scene = Lawful(load={"/a": found})
    served = scene.serve()
    assert (served.stored, served.reason, served.age, served.made) == (found, Reason.HIT, 12, None)
    assert scene.told == ["load /a"]


def test_head_is_answered_by_what_get_was_but_not_the_reverse() -> None:
    scene = Lawful(load={"/a": kept()})
    assert scene.serve(get(method="HEAD")).stored.body == b""
    assert scene.told == ["load /a"]
    scene = Lawful(load={"/a": kept(method="HEAD", body=b"")}, origin=[answer()])
    assert scene.serve().reason is Reason.MISS


@pytest.mark.parametrize(
    ("fields", "status", "body"),
    [
        ({"Range": "bytes=1-2"}, 206, b"to"),
        ({"Range": "bytes=99-"}, 416, b""),
        ({"If_None_Match": '"v1"'}, 304, b""),
        ({"If_None_Match": '"other"'}, None, b"stored"),
        ({"Range": "bytes=1-2", "If_Range": '"other"'}, None, b"stored"),
    ],
)
def test_what_is_made_of_it(fields: dict[str, str], status: int | None, body: bytes) -> None:
    found = kept(etag='"v1"', cache_control="max-age=60", x_other="1")
    scene = Lawful(load={"/a": found})
    served = scene.serve(get(**fields))
    assert served.stored is found
    made = served.made
    assert (None if made is None else made.status) == status
    assert (found.body if made is None else made.body) == body
    assert scene.told == ["load /a"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"If_Match": '"v1"'}, Reason.ORIGIN_CONDITION),
        ({"If_Unmodified_Since": TODAY}, Reason.ORIGIN_CONDITION),
        ({"Range": "bytes=0-0,4-4"}, Reason.SEVERAL_RANGES),
    ],
)
def test_what_only_the_origin_can_answer_is_asked_for_as_it_is(
    fields: dict[str, str], reason: Reason
) -> None:
    scene = Lawful(load={"/a": kept(etag='"v1"')}, origin=[answer(412)])
    served = scene.serve(get(**fields))
    assert (served.reason, served.answer.head.status) == (reason, 412)
    assert scene.told == ["load /a", "GET /a"]


@pytest.mark.parametrize(("asked", "made"), [("bytes=2-4", b"ore"), ("bytes=0-4", None)])
def test_a_part_answers_for_what_it_holds(asked: str, made: bytes | None) -> None:
    part = kept(body=b"tored", status=206, etag='"v1"', content_range="bytes 1-5/6")
    scene = Lawful(load={"/a": part}, origin=[answer(206)])
    served = scene.serve(get(Range=asked))
    if made is None:
        assert (served.reason, scene.told) == (Reason.PART, ["load /a", "GET /a"])
    else:
        assert (served.made.body, scene.told) == (made, ["load /a"])


class TestSeveral:
    """Section 4.1."""

    english, german = get(Accept_Language="en"), get(Accept_Language="de")

    def pair(self) -> tuple[Any, ...]:
        return tuple(
            kept(vary="Accept-Language", chosen_for=request, body=body)
            for request, body in ((self.english, b"hello"), (self.german, b"hallo"))
        )

    def test_the_one_that_fits(self) -> None:
        scene = Lawful(load={"/a": self.pair()})
        assert scene.serve(self.german).stored.body == b"hallo"
        assert scene.serve(self.english).stored.body == b"hello"
        assert scene.told == ["load /a", "load /a"]

    def test_none_fits(self) -> None:
        scene = Lawful(
            load={"/a": self.pair()}, origin=[answer(vary="Accept-Language", etag='"v2"')]
        )
        served = scene.serve(get(Accept_Language="fr"))
        assert served.reason is Reason.VARIANT
        assert scene.told == [
            *("load /a", "lock /a as a variant", "GET /a", "read", "save /a"),
            "release /a as a variant: new",
        ]

    def test_nothing_fits_vary_any(self) -> None:
        found = kept(vary="*", etag='"v1"')
        scene = Lawful(load={"/a": found}, origin=[answer(304, etag='"v1"')])
        assert scene.serve().asked is Reason.VARY_ANY

    def test_the_most_recent_of_those_that_fit(self) -> None:
        older, newer = kept(body=b"older", age=9), kept(body=b"newer", age=2, method="HEAD")
        scene = Lawful(load={"/a": (newer, older)})
        assert scene.serve().stored.body == b"older"
        assert scene.serve(get(method="HEAD")).stored is not older


class TestUsers:
    """Section 3.5."""

    mine = get(Authorization="A")

    def test_their_own_first(self) -> None:
        scene = Lawful(load={"/a of A": kept(user="A")})
        assert scene.serve(self.mine).reason is Reason.HIT
        assert scene.told == ["load /a of A"]

    @pytest.mark.parametrize(
        ("said", "shared"),
        [
            ("public", True),
            ("must-revalidate", True),
            ("s-maxage=9", True),
            ("max-age=9", False),
            ("public, private", False),
        ],
    )
    def test_what_may_be_shared(self, said: str, shared: bool) -> None:
        scene = Lawful(load={"/a": kept(cache_control=said)}, origin=[answer()])
        served = scene.serve(self.mine)
        assert isinstance(served, Hit) is shared
        assert scene.told[:2] == ["load /a of A", "load /a"]

    @pytest.mark.parametrize(
        ("said", "facts"),
        [('public, private="x-name"', {}), ("public", {"sets_cookies": True})],
        ids=["field", "cookie"],
    )
    def test_what_has_something_for_one_of_them(self, said: str, facts: dict[str, Any]) -> None:
        found = kept(cache_control=said, x_name="A", facts=facts)
        scene = Lawful(load={"/a": found}, origin=[answer()])
        assert scene.serve(self.mine).reason is Reason.MISS

    def test_keys_of_users_own_stay_apart(self) -> None:
        scene = Lawful(settings=law(key_fn=lambda _: "mine"), origin=[answer()])
        scene.serve(self.mine)
        assert scene.told[:3] == ["ask", "load mine", "lock mine"]


@pytest.mark.parametrize(
    ("found", "asked", "reason"),
    [
        (stale(), "", Reason.EXPIRED),
        (kept(facts={"no_cache": True}), "", Reason.NO_CACHE),
        (stale(facts={"must_revalidate": True}), "max-stale", Reason.MUST_REVALIDATE),
        (kept(), "no-cache", Reason.REQUEST_NO_CACHE),
        (kept(age=9), "max-age=8", Reason.REQUEST_MAX_AGE),
        (kept(), "min-fresh=61", Reason.REQUEST_MIN_FRESH),
        (stale(), "max-stale=89", Reason.EXPIRED),
        (kept(age=-61), "", Reason.CLOCK),
        (None, "max-age=9", Reason.MISS),
    ],
)
def test_why_the_origin_is_asked(found: Any, asked: str, reason: Reason) -> None:
    request = get(Cache_Control=asked) if asked else get()
    scene = Lawful(load={"/a": found}, origin=[answer(500)])
    served = scene.serve(request)
    assert (served.reason, served.stored) == (reason, None)
    # Who asks for something of their own asks alone.
    alone = bool(asked) or reason is Reason.NO_CACHE
    assert ("lock /a" in scene.told) is not alone


@pytest.mark.parametrize("asked", ["max-stale", "max-stale=90", "max-stale=90, max-age=200"])
def test_a_request_may_take_what_is_stale(asked: str) -> None:
    scene = Lawful(load={"/a": stale()})
    served = scene.serve(get(Cache_Control=asked))
    assert (served.reason, served.age) == (Reason.MAX_STALE, 100)
    assert scene.told == ["load /a"]


def test_the_end_of_freshness_is_that_which_the_request_asks_for() -> None:
    scene = Lawful(load={"/a": kept(age=3, facts={"initial_age": 2})})
    served = scene.serve(get(Cache_Control="max-age=20"))
    assert served.stored.entry.expires == NOW + 15
    assert "freshen /a" not in scene.told


class TestOffline:
    @pytest.mark.parametrize("found", [None, stale(), kept(facts={"no_cache": True})])
    @pytest.mark.parametrize("by_option", [True, False])
    def test_nothing_usable(self, found: Any, by_option: bool) -> None:
        request = get() if by_option else get(Cache_Control="only-if-cached")
        scene = Lawful(load={"/a": found})
        served = scene.serve(request, OFFLINE if by_option else Options())
        assert served == Refused(Reason.NOT_CACHED, key())
        assert scene.told == ["load /a"]

    @pytest.mark.parametrize(
        "request_", [get(method="POST"), get(Upgrade="websocket"), get(method="PUT")]
    )
    def test_what_is_not_looked_up(self, request_: Any) -> None:
        scene = Lawful()
        assert scene.serve(request_, OFFLINE) == Refused(Reason.NOT_CACHED)
        assert scene.told == []

    def test_stale_as_if_the_origin_could_not_be_reached(self) -> None:
        scene = Lawful(load={"/a": stale()}, settings=law(stale_if_error=90))
        served = scene.serve(options=OFFLINE)
        assert (served.reason, served.asked, served.forward_status) == (
            *(Reason.STALE_IF_ERROR, None, None),
        )
        assert scene.told == ["load /a"]

    def test_a_disabled_cache_asks_the_origin_all_the_same(self) -> None:
        """The directive is then for other caches on the way."""
        scene = Lawful(origin=[answer()])
        served = scene.serve(get(Cache_Control="only-if-cached"), Options(disabled=True))
        assert isinstance(served, Forwarded)


class TestFilter:
    settings = law(filter_fn=lambda response: response[1] != b"stored")

    def test_it_is_asked_before_a_hit(self) -> None:
        settings = law(filter_fn=lambda _: True)
        scene = Lawful(load={"/a": kept()}, settings=settings)
        assert scene.serve().reason is Reason.HIT
        assert scene.told == ["load /a", "present stored", "ask"]

    def test_what_it_refuses_is_fetched_without_conditions(self) -> None:
        fetched = answer(cache_control="max-age=9")
        scene = Lawful(load={"/a": kept(etag='"v1"')}, origin=[fetched], settings=self.settings)
        assert scene.serve().reason is Reason.FILTERED_ON_READ
        assert scene.told == [
            *("load /a", "present stored", "ask", "GET /a"),
            *("read", "present answer", "ask", "save /a"),
        ]

    def test_it_is_not_served_where_the_origin_fails_either(self) -> None:
        settings = law(filter_fn=lambda _: False, stale_if_error=True)
        scene = Lawful(load={"/a": kept()}, origin=[OSError("down")], settings=settings)
        with pytest.raises(OSError, match="down"):
            scene.serve()


def test_a_store_that_fails_is_as_if_it_were_empty() -> None:
    everything = frozenset({"load", "save", "drop", "freshen", "purge"})
    scene = Lawful(
        load={"/a": kept()}, origin=[answer(cache_control="max-age=9")], failing=everything
    )
    served = scene.serve()
    assert (served.reason, served.refusal) == (Reason.STORE_FAILED, Reason.STORE_FAILED)
    assert served.stored.body == b"new"
    assert scene.told == ["load /a", "lock /a", "GET /a", "read", "save /a", "release /a: new"]


class TestAdmitAndLook:
    @pytest.mark.parametrize(
        ("found", "request_", "admitted"),
        [
            (kept(), get(), True),
            (stale(), get(), False),
            (None, get(), False),
            (kept(), get(method="POST"), False),
            (kept(), get(Upgrade="websocket"), False),
            (kept(status=301, location="/b"), get(), False),
        ],
    )
    def test_whether_a_request_stays_inside(
        self, found: Any, request_: Any, admitted: bool
    ) -> None:
        scene = Lawful(load={"/a": found})
        assert scene.play(admit(scene, request_, Options())) is admitted
        assert "lock /a" not in scene.told

    def test_looking_asks_the_store_alone(self) -> None:
        scene = Lawful(load={"/a": kept()})
        plan = find(scene, key(), get(), directives_of(get()), Options())
        assert isinstance(plan.send(None), UseStore)
        plan.close()
        found = scene.play(find(scene, key(), get(), directives_of(get()), Options()))
        assert (found.reason, found.hit.reason) == (Reason.HIT, Reason.HIT)

    def test_without_a_key(self) -> None:
        scene = Lawful(settings=law(key_fn=lambda _: None), origin=[answer()])
        assert not scene.play(admit(scene, get(), Options()))
        served = scene.serve()
        assert (served.reason, served.refusal) == (Reason.KEY_FUNCTION, Reason.KEY_FUNCTION)
        assert scene.serve(options=OFFLINE) == Refused(Reason.NOT_CACHED)


def test_not_modified_has_the_fields_that_it_should() -> None:
    found = kept(etag='"v1"', cache_control="max-age=60", x_other="1", last_modified=TODAY)
    made = Lawful(load={"/a": found}).serve(get(If_None_Match="*")).made
    assert set(Headers(made.headers)) == {"etag", "cache-control"}
