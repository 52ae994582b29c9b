"""What asks the store alone: may this be answered without going out?"""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.flow import admit, look
from http_client_cache.options import Chain, Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings
from tests.flow.scene import LEAD, Scene, expired, get, key, stored


def ask(scene: Scene, chain: Chain | None, **options: Any) -> bool:
    told = Options(follow=chain is not None, chain=chain, **options)
    return bool(scene.play(admit(scene, get(), told)))


class TestAdmit:
    @pytest.mark.parametrize("chain", [None, Chain()])
    def test_what_is_stored_goes_out_to_nobody(self, chain: Chain | None) -> None:
        scene = Scene(load={"/a": stored()})
        assert ask(scene, chain)
        assert scene.told == ["load /a"]

    @pytest.mark.parametrize("found", [None, expired()])
    def test_what_is_not_takes_the_lease(self, found: Any) -> None:
        chain = Chain()
        scene = Scene(load={"/a": found})
        assert not ask(scene, chain)
        assert scene.told == ["load /a", "lock /a"]
        assert list(chain.granted) == [key()]
        chain.end()
        assert scene.told[-1] == "release /a: nothing"

    @pytest.mark.parametrize("shared", [stored(), None])
    def test_another_was_at_it(self, shared: Any) -> None:
        scene, chain = Scene(lock=[shared]), Chain()
        assert ask(scene, chain) is (shared is not None)
        assert chain.granted == {}

    def test_another_was_done_before_the_lease(self) -> None:
        scene, chain = Scene(ended=[0, 1], load={"/a": [None, stored()]}, lock=[LEAD]), Chain()
        assert ask(scene, chain)
        assert scene.told == ["load /a", "lock /a", "load /a", "release /a: stored"]
        assert chain.granted == {}

    def test_nobody_waits_for_what_was_not_to_be_stored(self) -> None:
        scene, chain = Scene(uncacheable={key()}), Chain()
        assert not ask(scene, chain)
        assert scene.told == ["load /a"]

    @pytest.mark.parametrize("options", [{"refresh": True}, {"force_refresh": True}])
    def test_what_must_be_asked_for_goes_out(self, options: dict[str, Any]) -> None:
        scene = Scene(load={"/a": stored()})
        assert not ask(scene, Chain(), **options)
        assert scene.told == []

    def test_without_a_key(self) -> None:
        scene = Scene(settings=Settings(key_fn=lambda _: None))
        assert not ask(scene, Chain())
        assert scene.told == ["ask"]


class TestLook:
    @pytest.mark.parametrize(
        ("found", "failing", "reason"),
        [
            (stored(), (), Reason.HIT),
            (None, (), Reason.MISS),
            (expired(), (), Reason.EXPIRED),
            (stored(), ("load",), Reason.STORE_FAILED),
        ],
    )
    def test_what_is_there_and_why_it_may_not_be_served(
        self, found: Any, failing: Any, reason: Reason
    ) -> None:
        scene = Scene(load={"/a": found}, failing=frozenset(failing))
        expected = None if failing else found
        assert scene.play(look(scene, key(), Options())) == (expected, reason)
        assert scene.told == ["load /a"]
