"""RFC 9111 decides: serving what is stale (section 4.2.4, RFC 5861)."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.options import Options
from http_client_cache.rfc9111.freshness import Windows
from http_client_cache.rfc9111.reasons import Reason
from tests.flow.lawful_scene import Lawful, kept, law, stale
from tests.flow.scene import answer, get

DOWN = OSError("down")
OLD = stale(etag='"v1"')


class TestOnError:
    @pytest.mark.parametrize(("failure", "status"), [(DOWN, None), (answer(503), 503)])
    def test_within_the_window(self, failure: Any, status: int | None) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[failure], settings=law(stale_if_error=90))
        served = scene.serve()
        assert (served.stored, served.reason, served.age) == (OLD, Reason.STALE_IF_ERROR, 100)
        assert (served.asked, served.forward_status) == (Reason.EXPIRED, status)
        discarded = [] if status is None else ["discard"]
        asked = ["load /a", "lock /a", "GET /a If-None-Match"]
        # Those who wait are served the same, and do not ask in their turn.
        assert scene.told == [*asked, *discarded, "release /a: stored"]
        # There is something to lose: a closed connection is worth a second try.
        assert scene.exchanges[0].insist

    @pytest.mark.parametrize("window", [0, 89, None])
    @pytest.mark.parametrize("failure", [DOWN, answer(503)])
    def test_beyond_it(self, window: float | None, failure: Any) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[failure], settings=law(stale_if_error=window))
        if failure is DOWN:
            with pytest.raises(OSError, match="down"):
                scene.serve()
        else:
            assert scene.serve().answer is failure
        assert not scene.exchanges[0].insist

    @pytest.mark.parametrize("status", [404, 429, 501])
    def test_only_where_the_origin_fails(self, status: int) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[answer(status)], settings=law(stale_if_error=True))
        assert scene.serve().answer.head.status == status

    @pytest.mark.parametrize(
        ("facts", "allowed"),
        [
            ({"stale_if_error": 90}, True),
            ({"stale_if_error": 89}, False),
            ({"must_revalidate": True}, False),
            ({"no_cache": True}, False),
        ],
    )
    def test_the_response_speaks_before_the_house(
        self, facts: dict[str, Any], allowed: bool
    ) -> None:
        house = None if facts.get("stale_if_error") == 90 else True
        settings = law(stale_if_error=house)
        scene = Lawful(load={"/a": stale(facts=facts)}, origin=[answer(503)], settings=settings)
        assert (scene.serve().reason is Reason.STALE_IF_ERROR) is allowed

    @pytest.mark.parametrize(
        ("asked", "allowed"),
        [
            ("stale-if-error=90", True),
            ("stale-if-error=89", False),
            ("no-cache", False),
            ("max-age=99", False),
            ("no-cache, stale-if-error=90", True),
        ],
    )
    def test_the_request_speaks_first(self, asked: str, allowed: bool) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[answer(503)], settings=law(stale_if_error=True))
        served = scene.serve(get(Cache_Control=asked))
        assert (served.reason is Reason.STALE_IF_ERROR) is allowed

    def test_not_what_an_unsafe_request_has_outdated_meanwhile(self) -> None:
        """Section 4.4."""
        scene = Lawful(
            load={"/a": OLD},
            origin=[answer(503)],
            settings=law(stale_if_error=True),
            changed_while=1,
        )
        assert scene.serve().answer.head.status == 503

    def test_a_range_of_it(self) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[DOWN], settings=law(stale_if_error=True))
        assert scene.serve(get(Range="bytes=0-1")).made.body == b"st"

    def test_not_where_only_the_origin_can_tell(self) -> None:
        scene = Lawful(load={"/a": OLD}, origin=[DOWN], settings=law(stale_if_error=True))
        with pytest.raises(OSError, match="down"):
            scene.serve(get(If_Match='"v1"'))

    def test_refresh_on_a_fresh_one(self) -> None:
        scene = Lawful(load={"/a": kept()}, origin=[DOWN], settings=law(stale_if_error=1))
        served = scene.serve(options=Options(refresh=True))
        assert (served.reason, served.asked) == (Reason.STALE_IF_ERROR, Reason.REFRESH)


class TestWhileRevalidate:
    settings = law(stale_while_revalidate=90)

    def scene(self, **more: Any) -> Lawful:
        return Lawful(**{"settings": self.settings, "load": {"/a": OLD}, **more})

    def refreshed(self, scene: Lawful) -> list[str]:
        (plan,) = scene.spawned
        scene.told.clear()
        assert scene.play(plan()) is None
        return scene.told

    def test_it_is_served_at_once_and_one_refresh_begun(self) -> None:
        scene = self.scene()
        served = scene.serve()
        assert (served.stored, served.reason) == (OLD, Reason.STALE_WHILE_REVALIDATE)
        assert (served.age, served.asked) == (100, None)
        assert scene.told == ["load /a", "spawn /a"]

    @pytest.mark.parametrize(
        ("settings", "facts", "spawns"),
        [
            (law(stale_while_revalidate=89), {}, False),
            (law(), {"stale_while_revalidate": 90}, True),
            (law(stale_while_revalidate=True), {"stale_while_revalidate": 89}, False),
            (law(stale_while_revalidate=True), {"must_revalidate": True}, False),
            (law(stale_while_revalidate=True), {"no_cache": True}, False),
        ],
    )
    def test_how_long(self, settings: Any, facts: dict[str, Any], spawns: bool) -> None:
        old = stale(facts=facts)
        scene = self.scene(load={"/a": old}, settings=settings, origin=[answer(500)])
        scene.serve()
        assert ("spawn /a" in scene.told) is spawns

    @pytest.mark.parametrize(
        ("request_", "options"),
        [
            (get(), Options(only_if_cached=True)),
            (get(Cache_Control="only-if-cached"), Options()),
        ],
    )
    def test_offline_is_served_and_nobody_asked(self, request_: Any, options: Options) -> None:
        scene = self.scene()
        assert scene.serve(request_, options).reason is Reason.STALE_WHILE_REVALIDATE
        assert scene.spawned == []

    def test_a_304(self) -> None:
        scene = self.scene(origin=[answer(304, etag='"v1"', cache_control="max-age=9")])
        scene.serve()
        assert self.refreshed(scene) == [
            *("lock /a without waiting", "load /a", "GET /a If-None-Match"),
            *("discard", "freshen /a", "release /a: stored"),
        ]

    def test_a_new_answer_is_read_now_as_nobody_else_will(self) -> None:
        scene = self.scene(origin=[answer(etag='"v2"')])
        scene.serve()
        assert self.refreshed(scene)[-3:] == ["read", "save /a", "release /a: new"]
        assert scene.later is None

    def test_an_answer_that_is_not_stored_is_given_back(self) -> None:
        scene = self.scene(origin=[answer(404, cache_control="no-store")])
        scene.serve()
        assert self.refreshed(scene)[3:] == ["release /a: nothing", "drop /a", "discard"]

    def test_the_origin_fails(self) -> None:
        """It was served stale; that is all that can be done."""
        scene = self.scene(origin=[DOWN])
        scene.serve()
        with pytest.raises(OSError, match="down"):
            self.refreshed(scene)

    def test_another_has_fetched_it_before(self) -> None:
        scene = self.scene(load={"/a": [OLD, kept()]})
        scene.serve()
        assert self.refreshed(scene) == [
            *("lock /a without waiting", "load /a", "release /a: stored"),
        ]

    def test_another_is_at_it(self) -> None:
        scene = self.scene(lock=[None])
        scene.serve()
        assert self.refreshed(scene) == ["lock /a without waiting"]

    def test_what_its_caller_asked_for_concerns_nobody_else(self) -> None:
        scene = self.scene(origin=[answer(304, etag='"v1"')])
        served = scene.serve(get(Range="bytes=0-1", X_Other="1"))
        assert served.made.status == 206
        self.refreshed(scene)
        (exchange,) = scene.exchanges
        assert list(exchange.request.headers) == ["x-other"]
        # The client may have fields of its own, which it would add otherwise.
        assert {"range", "cache-control", "if-none-match"} <= exchange.without

    def test_windows_of_the_request(self) -> None:
        scene = self.scene(settings=law())
        served = scene.serve(options=Options(windows=Windows(while_revalidate=90)))
        assert served.reason is Reason.STALE_WHILE_REVALIDATE

    def test_for_each_variant_one(self) -> None:
        one = get(Accept="one")
        old = stale(vary="Accept", chosen_for=one)
        scene = self.scene(load={"/a": old})
        scene.serve(one)
        assert scene.told == ["load /a", "spawn /a as a variant"]
