"""Serving what has expired: `stale_if_error` and `stale_while_revalidate` without RFC 9111."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.options import Chain, Options
from http_client_cache.rfc9111.freshness import Windows
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit, Refused
from http_client_cache.settings import Settings
from tests.flow.scene import Scene, answer, expired, get, hop, key, redirect, stored

DOWN = OSError("down")
OLD = expired(etag='"v1"')
"""Expired 90 seconds ago."""

OF_A_CHAIN = expired("/b", hops=(hop("/a", "/b"),))


class TestIfError:
    @pytest.mark.parametrize("window", [90, True, -1])
    @pytest.mark.parametrize(("failure", "status"), [(DOWN, None), (answer(503), 503)])
    def test_within_the_window(self, window: Any, failure: Any, status: int | None) -> None:
        scene = Scene(load={"/a": OLD}, origin=[failure], settings=Settings(stale_if_error=window))
        assert scene.serve() == Hit(
            OLD, Reason.STALE_IF_ERROR, asked=Reason.EXPIRED, forward_status=status
        )
        discarded = [] if status is None else ["discard"]
        asked = ["load /a", "lock /a", "GET /a If-None-Match", "release /a: stored"]
        assert scene.told == [*asked, *discarded]
        assert scene.exchanges[0].insist

    @pytest.mark.parametrize("window", [None, 0, False, 89])
    def test_beyond_it(self, window: Any) -> None:
        settings = Settings(stale_if_error=window)
        scene = Scene(load={"/a": OLD}, origin=[DOWN], settings=settings)
        with pytest.raises(OSError, match="down"):
            scene.serve()
        assert not scene.exchanges[0].insist
        scene = Scene(load={"/a": OLD}, origin=[answer(503)], settings=settings)
        assert scene.serve().answer.head.status == 503

    @pytest.mark.parametrize("status", [404, 429, 501])
    def test_only_where_the_origin_fails(self, status: int) -> None:
        settings = Settings(stale_if_error=True)
        scene = Scene(load={"/a": OLD}, origin=[answer(status)], settings=settings)
        assert scene.serve().answer.head.status == status

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_stored_chain(self, status: int) -> None:
        """It is served with its redirects."""
        settings = Settings(stale_if_error=True)
        scene = Scene(load={"/a": OF_A_CHAIN}, origin=[answer(status)], settings=settings)
        (served,) = scene.follow(get())
        assert (served.stored, served.reason) == (OF_A_CHAIN, Reason.STALE_IF_ERROR)
        assert "delete /a" not in scene.told

    def test_at_the_end_of_a_chain(self) -> None:
        """Those who wait for its beginning are served the same."""
        settings, chain = Settings(stale_if_error=True), Chain()
        old = expired("/b", etag='"v1"')
        scene = Scene(load={"/b": old}, origin=[redirect("/b"), DOWN], settings=settings)
        _, last = scene.follow(get("/a"), get("/b"), chain=chain)
        assert (last.stored, last.reason) == (old, Reason.STALE_IF_ERROR)
        assert scene.told[-3:] == ["release /b: stored", "link /a to /b", "release /a: stored"]
        assert (chain.hops, chain.leases) == ([], [])
        assert scene.released[-1].reason is Reason.STALE_IF_ERROR
        assert [each.url for each in scene.released[-1].stored.hops] == [get("/a").url]

    @pytest.mark.parametrize("follow", [False, True])
    def test_those_who_wait_are_served_the_same(self, follow: bool) -> None:
        shared = Hit(OLD, Reason.STALE_IF_ERROR)
        scene = Scene(load={"/a": OLD}, lock=[shared], settings=Settings(stale_if_error=90))
        served = scene.serve(options=Options(follow=follow))
        assert served == Hit(OLD, Reason.STALE_IF_ERROR, asked=Reason.EXPIRED)
        assert scene.told == ["load /a", "lock /a"]

    def test_but_only_if_they_may_be(self) -> None:
        shared, failure = Hit(OLD, Reason.STALE_IF_ERROR), answer(503)
        settings = Settings(stale_if_error=True)
        scene = Scene(load={"/a": OLD}, lock=[shared], origin=[failure], settings=settings)
        served = scene.serve(options=Options(windows=Windows(if_error=0)))
        assert served.answer is failure

    def test_a_clock_that_went_back_tells_nothing(self) -> None:
        found = stored(age=-61, lifetime=10)
        settings = Settings(stale_if_error=1000)
        scene = Scene(load={"/a": found}, origin=[DOWN], settings=settings)
        with pytest.raises(OSError, match="down"):
            scene.serve()

    @pytest.mark.parametrize("options", [Options(refresh=True), Options(force_refresh=True)])
    def test_what_never_expires(self, options: Options) -> None:
        scene = Scene(load={"/a": stored()}, origin=[DOWN], settings=Settings(stale_if_error=True))
        assert scene.serve(options=options).reason is Reason.STALE_IF_ERROR

    def test_what_the_filter_refused_is_not_served_instead(self) -> None:
        settings = Settings(stale_if_error=True, filter_fn=lambda _: False)
        scene = Scene(load={"/a": stored()}, origin=[DOWN], settings=settings)
        with pytest.raises(OSError, match="down"):
            scene.serve()

    @pytest.mark.parametrize(("window", "served"), [(90, True), (89, False)])
    def test_offline(self, window: int, served: bool) -> None:
        scene = Scene(load={"/a": OLD}, settings=Settings(stale_if_error=window))
        given = scene.serve(options=Options(only_if_cached=True))
        told = Hit(OLD, Reason.STALE_IF_ERROR) if served else Refused(Reason.NOT_CACHED, key())
        assert given == told
        assert scene.told == ["load /a"]


class TestWhileRevalidate:
    settings = Settings(stale_while_revalidate=90)

    def refreshed(self, scene: Scene) -> list[str]:
        (plan,) = scene.spawned
        scene.told.clear()
        assert scene.play(plan()) is None
        return scene.told

    def scene(self, **more: Any) -> Scene:
        return Scene(**{"settings": self.settings, "load": {"/a": OLD}, **more})

    def test_it_is_served_at_once_and_one_refresh_begun(self) -> None:
        scene = self.scene()
        assert scene.serve() == Hit(OLD, Reason.STALE_WHILE_REVALIDATE)
        assert scene.told == ["load /a", "spawn /a"]

    @pytest.mark.parametrize("window", [None, 0, 89])
    def test_beyond_the_window(self, window: float | None) -> None:
        settings = Settings(stale_while_revalidate=window)
        scene = self.scene(settings=settings, origin=[answer(304)])
        assert scene.serve().reason is Reason.VALIDATED
        assert scene.spawned == []

    @pytest.mark.parametrize("options", [Options(refresh=True), Options(force_refresh=True)])
    def test_not_where_the_caller_wants_it_validated(self, options: Options) -> None:
        assert self.scene(origin=[answer()]).serve(options=options).reason is not (
            Reason.STALE_WHILE_REVALIDATE
        )

    def test_not_a_chain(self) -> None:
        """A refresh would have to follow it."""
        scene = self.scene(load={"/a": OF_A_CHAIN}, origin=[redirect("/b")])
        (served,) = scene.follow(get())
        assert (served.refusal, scene.spawned) == (Reason.REDIRECT, [])

    def test_offline_is_served_and_nobody_asked(self) -> None:
        scene = self.scene()
        served = scene.serve(options=Options(only_if_cached=True))
        assert (served.reason, scene.spawned) == (Reason.STALE_WHILE_REVALIDATE, [])

    def test_a_304(self) -> None:
        scene = self.scene(origin=[answer(304)])
        scene.serve()
        assert self.refreshed(scene) == [
            *("lock /a without waiting", "load /a", "GET /a If-None-Match"),
            *("discard", "freshen /a", "release /a: stored"),
        ]

    def test_a_new_answer(self) -> None:
        scene = self.scene(origin=[answer()])
        scene.serve()
        assert self.refreshed(scene)[3:] == ["read", "save /a", "release /a: new"]

    @pytest.mark.parametrize(("status", "leaves"), [(404, True), (503, False)])
    def test_an_answer_that_is_not_stored_is_given_back(self, status: int, leaves: bool) -> None:
        scene = self.scene(origin=[answer(status)])
        scene.serve()
        gone = ["delete /a"] if leaves else []
        assert self.refreshed(scene)[3:] == ["release /a: nothing", *gone, "discard"]

    def test_another_has_fetched_it_before(self) -> None:
        scene = self.scene(load={"/a": [OLD, stored()]})
        scene.serve()
        assert self.refreshed(scene)[1:] == ["load /a", "release /a: stored"]

    def test_another_is_at_it(self) -> None:
        scene = self.scene(lock=[None])
        scene.serve()
        assert self.refreshed(scene) == ["lock /a without waiting"]

    def test_the_filter_is_asked(self) -> None:
        settings = Settings(stale_while_revalidate=True, filter_fn=lambda _: False)
        scene = self.scene(settings=settings, origin=[answer()])
        assert scene.serve().reason is Reason.FILTERED_ON_READ


@pytest.mark.parametrize(
    ("per_request", "by_url", "per_session", "served"),
    [
        (None, None, 90, True),
        (None, 89, 90, False),
        (None, 90, 89, True),
        (None, None, None, False),
        (89.0, 90, 90, False),
        (90.0, 89, 89, True),
        (0.0, True, True, False),
        (None, 0, True, False),
    ],
)
class TestPrecedence:
    """Per request, then per URL, then per session."""

    def settings(self, name: str, by_url: Any, per_session: Any) -> Settings:
        said: dict[str, Any] = {f"urls_{name}": {"origin.test/a": by_url}, name: per_session}
        return Settings(**said)

    def test_if_error(
        self, per_request: float | None, by_url: Any, per_session: Any, served: bool
    ) -> None:
        settings = self.settings("stale_if_error", by_url, per_session)
        scene = Scene(load={"/a": OLD}, origin=[answer(503)], settings=settings)
        given = scene.serve(options=Options(windows=Windows(if_error=per_request)))
        assert (given.reason is Reason.STALE_IF_ERROR) is served

    def test_while_revalidate(
        self, per_request: float | None, by_url: Any, per_session: Any, served: bool
    ) -> None:
        settings = self.settings("stale_while_revalidate", by_url, per_session)
        scene = Scene(load={"/a": OLD}, origin=[answer(503)], settings=settings)
        given = scene.serve(options=Options(windows=Windows(while_revalidate=per_request)))
        assert (given.reason is Reason.STALE_WHILE_REVALIDATE) is served
