"""A lease in the store: of many processes that miss the same, one fetches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from http_client_cache.flow import admit
from http_client_cache.lawful.serve import admit as lawful_admit
from http_client_cache.options import Chain, Options
from http_client_cache.plan import LATER, Lease, Locked
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded
from http_client_cache.settings import Settings
from http_client_cache.store import NOBODY
from tests.flow.lawful_scene import Lawful, kept, law
from tests.flow.lawful_scene import stale as lawfully_stale
from tests.flow.scene import (
    NOW,
    THEM,
    US,
    Scene,
    answer,
    expired,
    get,
    redirect,
    stored,
)


@dataclass
class House(Scene):
    settings: Settings = field(default_factory=lambda: Settings(fetch_lease=0.02))


@dataclass
class Law(Lawful):
    settings: Settings = field(default_factory=lambda: law(fetch_lease=0.02))


in_either = pytest.mark.parametrize("stage", [House, Law])
LASTING = {"cache_control": "max-age=60"}
NO_STORE = {"cache_control": "no-store"}


def fresh(stage: type[Scene]) -> Any:
    return kept() if stage is Law else stored()


@in_either
class TestOneFetches:
    def test_without_the_setting_there_is_no_lease(self, stage: type[Scene]) -> None:
        scene = stage(settings=Settings(cache_control=stage is Law), origin=[answer(**LASTING)])
        scene.serve()
        assert "claim /a" not in scene.told

    def test_who_gets_it_looks_again_and_gives_it_back(self, stage: type[Scene]) -> None:
        """Another process may have stored something between the first look and the claim."""
        scene = stage(origin=[answer(**LASTING)])
        assert isinstance(scene.serve(), Forwarded)
        assert scene.told == [
            *("load /a", "lock /a", "claim /a", "load /a", "GET /a", "read", "save /a"),
            *("release /a: new", "give back /a"),
        ]
        assert scene.trip("claim").arguments[1:] == (US, NOW, 0.02)

    def test_who_gets_it_and_finds_something(self, stage: type[Scene]) -> None:
        scene = stage(load={"/a": [None, fresh(stage)]})
        assert scene.serve().reason is Reason.HIT
        assert scene.told[2:] == ["claim /a", "load /a", "release /a: stored", "give back /a"]

    def test_others_wait_for_what_is_stored(self, stage: type[Scene]) -> None:
        scene = stage(holders=[THEM, THEM, THEM, None], load={"/a": [None, fresh(stage)]})
        assert scene.serve().reason is Reason.COLLAPSED
        assert scene.told == [
            *("load /a", "lock /a", "claim /a"),
            *("wait 0.005", "holder /a", "wait 0.0075", "holder /a", "wait 0.0075", "holder /a"),
            *("load /a", "release /a: stored"),
        ]

    def test_nobody_waits_longer_than_a_lease_lasts(self, stage: type[Scene]) -> None:
        scene = stage(holders=[THEM] * 5, origin=[answer(**LASTING)])
        assert isinstance(scene.serve(), Forwarded)
        waits = [float(told.split()[1]) for told in scene.told if told.startswith("wait")]
        assert sum(waits) == pytest.approx(0.02)
        assert scene.told[-4:] == ["GET /a", "read", "save /a", "release /a: new"]

    def test_pauses_grow_to_a_twentieth_of_a_second(self, stage: type[Scene]) -> None:
        settings = Settings(cache_control=stage is Law, fetch_lease=1)
        scene = stage(settings=settings, holders=[THEM] * 100, origin=[answer(**LASTING)])
        scene.serve()
        waits = [float(told.split()[1]) for told in scene.told if told.startswith("wait")]
        assert waits == sorted(waits[:-1]) + waits[-1:]
        assert (min(waits[:-1]), max(waits)) == (0.005, 0.05)
        assert sum(waits) == pytest.approx(1)

    def test_what_its_holder_left_behind_is_taken_over(self, stage: type[Scene]) -> None:
        """It was killed, or cancelled: there is no entry, and the lease is free."""
        scene = stage(holders=[THEM, None, US], origin=[answer(**LASTING)])
        scene.serve()
        assert scene.told == [
            *("load /a", "lock /a", "claim /a", "wait 0.005", "holder /a"),
            *("load /a", "claim /a", "load /a", "GET /a", "read", "save /a"),
            *("release /a: new", "give back /a"),
        ]

    def test_only_one_takes_it_over(self, stage: type[Scene]) -> None:
        holders = [THEM, None, "another", None]
        scene = stage(holders=holders, load={"/a": [None, None, fresh(stage)]})
        assert scene.serve().reason is Reason.COLLAPSED
        assert scene.told[5:] == [
            *("load /a", "claim /a", "wait 0.005", "holder /a", "load /a", "release /a: stored")
        ]

    @pytest.mark.parametrize("holders", [[NOBODY], [THEM, NOBODY]])
    def test_where_it_was_fruitless_all_fetch_at_once(
        self, stage: type[Scene], holders: list[str]
    ) -> None:
        scene = stage(holders=holders, origin=[answer(**LASTING)])
        scene.serve()
        told = [line for line in scene.told[3:] if not line.startswith(("wait", "holder"))]
        # Those who wait in this process go first.
        assert told == ["load /a", "release /a: nothing", "GET /a", "read", "save /a"]

    def test_what_came_and_does_not_do_is_fetched_at_once(self, stage: type[Scene]) -> None:
        """It has expired already; if all took turns, the last would wait for all the others."""
        old: Any = lawfully_stale if stage is Law else expired
        scene = stage(holders=[THEM, None], load={"/a": [None, old()]}, origin=[answer(**LASTING)])
        assert isinstance(scene.serve(), Forwarded)
        assert scene.told[4:] == [
            *("holder /a", "load /a", "GET /a", "read", "save /a", "release /a: new")
        ]

    def test_what_may_not_be_kept_is_said_with_its_head(self, stage: type[Scene]) -> None:
        scene = stage(origin=[answer(404, **NO_STORE)])
        scene.serve()
        assert scene.told[-2:] == ["release /a: nothing", "give back /a, fruitless"]
        scene.told.clear()
        scene._origin = iter([answer(404, **NO_STORE)])
        scene.serve()
        assert scene.told == ["load /a", "GET /a"]

    def test_what_has_expired_is_validated_once(self, stage: type[Scene]) -> None:
        old: Any = lawfully_stale if stage is Law else expired
        scene = stage(load={"/a": old(etag='"v1"')}, origin=[answer(304, **LASTING)])
        assert scene.serve().reason is Reason.VALIDATED
        assert scene.told == [
            *("load /a", "lock /a", "claim /a", "load /a", "GET /a If-None-Match", "discard"),
            *("freshen /a", "release /a: stored", "give back /a"),
        ]

    @pytest.mark.parametrize("name", ["claim", "holder"])
    def test_a_store_that_fails_stops_nobody(self, stage: type[Scene], name: str) -> None:
        scene = stage(failing=frozenset({name}), holders=[THEM], origin=[answer(**LASTING)])
        assert isinstance(scene.serve(), Forwarded)
        # A claim that seems to have failed may be on its way.
        assert ("give back /a" in scene.told) is (name == "claim")

    @pytest.mark.parametrize(
        "options",
        [Options(force_refresh=True), Options(refresh=True), Options(disabled=True)],
        ids=["force_refresh", "refresh", "disabled"],
    )
    def test_who_wants_the_origin_asked_takes_none(
        self, stage: type[Scene], options: Options
    ) -> None:
        scene = stage(load={"/a": fresh(stage)}, origin=[answer(**LASTING)])
        scene.serve(options=options)
        assert "claim /a" not in scene.told

    def test_offline_there_is_none(self, stage: type[Scene]) -> None:
        scene = stage()
        scene.serve(options=Options(only_if_cached=True))
        assert scene.told == ["load /a"]

    def test_a_body_that_comes_later_keeps_it(self, stage: type[Scene]) -> None:
        scene = stage(origin=[answer(**LASTING)], bodies=[LATER])
        scene.serve()
        assert not any(line.startswith(("release", "give back")) for line in scene.told)


@in_either
class TestInTheBackground:
    def scene(self, stage: type[Scene], **more: Any) -> Any:
        old: Any = lawfully_stale if stage is Law else expired
        settings = Settings(
            cache_control=stage is Law, stale_while_revalidate=1000, fetch_lease=0.02
        )
        return stage(settings=settings, load={"/a": old()}, **more)

    def refreshed(self, scene: Scene) -> list[str]:
        scene.serve()
        scene.told.clear()
        (plan,) = scene.spawned
        scene.play(plan())
        return scene.told

    def test_a_refresh_takes_the_lease(self, stage: type[Scene]) -> None:
        told = self.refreshed(self.scene(stage, origin=[answer(**LASTING)]))
        assert told[:4] == ["lock /a without waiting", "claim /a", "load /a", "GET /a"]
        assert told[-2:] == ["release /a: new", "give back /a"]

    def test_where_another_process_refreshes_none_is_needed(self, stage: type[Scene]) -> None:
        told = self.refreshed(self.scene(stage, holders=[THEM]))
        assert told == ["lock /a without waiting", "claim /a", "release /a: nothing"]

    def test_another_process_has_done_it(self, stage: type[Scene]) -> None:
        scene = self.scene(stage)
        scene.load["/a"] = [scene.load["/a"], fresh(stage)]
        assert self.refreshed(scene) == [
            *("lock /a without waiting", "claim /a", "load /a"),
            *("release /a: stored", "give back /a"),
        ]


class TestRedirects:
    def test_leases_last_as_long_as_the_chain(self) -> None:
        scene = House(origin=[redirect("/b"), answer(path="/b")])
        scene.follow(get("/a"), get("/b"))
        assert scene.told == [
            *("load /a", "lock /a", "claim /a", "load /a", "GET /a"),
            *("load /b", "lock /b without waiting", "claim /b", "load /b", "GET /b", "read"),
            *("save /b", "release /b: new", "give back /b"),
            *("link /a to /b", "release /a: new", "give back /a"),
        ]

    def test_who_holds_one_waits_for_no_other_process(self) -> None:
        """Two chains that cross would wait for each other until their time is up."""
        scene = House(holders=[US, THEM], origin=[redirect("/b"), answer(path="/b")])
        scene.follow(get("/a"), get("/b"))
        assert scene.told[5:9] == ["load /b", "lock /b without waiting", "claim /b", "GET /b"]
        assert not any(line.startswith("wait") for line in scene.told)


class TestAdmission:
    """For classes that are to see only what goes out."""

    @pytest.mark.parametrize(("stage", "admit"), [(House, admit), (Law, lawful_admit)])
    def test_it_is_taken_before(self, stage: type[Scene], admit: Any) -> None:
        scene = stage(origin=[answer(**LASTING)])
        options = Options(follow=True, chain=Chain())
        assert scene.play(admit(scene, get(), options)) is False
        assert scene.told == ["load /a", "lock /a", "claim /a", "load /a"]
        scene.told.clear()
        assert isinstance(scene.serve(options=options), Forwarded)
        assert scene.told == [
            *("load /a", "GET /a", "read", "save /a", "release /a: new", "give back /a")
        ]

    @pytest.mark.parametrize(("stage", "admit"), [(House, admit), (Law, lawful_admit)])
    def test_another_process_may_be_at_it(self, stage: type[Scene], admit: Any) -> None:
        scene = stage(holders=[THEM, None], load={"/a": [None, fresh(stage)]})
        options = Options(follow=True, chain=Chain())
        assert scene.play(admit(scene, get(), options)) is True
        assert scene.told[-2:] == ["load /a", "release /a: stored"]


@in_either
def test_who_is_cancelled_while_it_is_claimed_gives_it_back(stage: type[Scene]) -> None:
    """The claim may be on its way; what takes it back follows it."""
    scene = stage()
    plan = scene.plan()
    effect = plan.send(None)
    while not isinstance(effect, Locked):
        effect = plan.send(scene._answer(effect))
    lease = scene.lease("/a")
    inner = effect.plan(lease)
    assert inner.send(None).plan.name == "claim"
    inner.close()
    lease.abandon()
    assert scene.told[-2:] == ["abandon /a", "give back /a"]


def test_at_its_end_a_lease_tells_once() -> None:
    told: list[bool] = []
    lease = Lease(lambda _: None, lambda _: False, told.append)
    lease.release("stored")
    lease.release()
    lease.abandon()
    assert told == [False]
    Lease(lambda _: None, lambda _: False, told.append).release()
    Lease(lambda _: None, lambda _: False, told.append).abandon()
    assert told == [False, True, False]
    # Somebody takes over, who will tell.
    Lease(lambda _: None, lambda _: True, told.append).abandon()
    assert told == [False, True, False]
