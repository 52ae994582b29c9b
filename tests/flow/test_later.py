"""Large and slow bodies: handed over as they come, stored when they have ended."""

from __future__ import annotations

from typing import Any

from http_client_cache.entry import Alias
from http_client_cache.expiry import parse_expire_after
from http_client_cache.options import Chain
from http_client_cache.plan import LATER, ReadBody
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.settings import Settings
from tests.flow.scene import NOW, Scene, answer, expired, get, hop, key, redirect, stored


class Slow(Scene):
    """Keeps what is to be told when the body has ended."""

    later: Any = None

    def _answer(self, effect: Any) -> Any:
        if isinstance(effect, ReadBody):
            self.later = effect.later
        return super()._answer(effect)


def test_stored_and_shared_at_the_end() -> None:
    scene = Slow(origin=[answer()], bodies=[LATER], settings=Settings(expire_after=60))
    served = scene.serve()
    assert (served.stored, served.refusal) == (None, Reason.NOT_YET)
    assert scene.told == ["load /a", "lock /a", "GET /a", "read"]
    assert scene.uncacheable == set()
    scene.play(scene.later.finish([b"whole"]))
    assert scene.told[4:] == ["save /a", "release /a: whole"]
    entry = scene.trip("save").arguments[1]
    assert (entry.body_size, entry.created, entry.expires) == (5, NOW, NOW + 60)


def test_given_up() -> None:
    scene = Slow(origin=[answer()], bodies=[LATER])
    scene.serve()
    scene.later.give_up()
    scene.later.give_up()
    assert scene.told[4:] == ["release /a: nothing"]


def test_what_had_expired_stays_until_then() -> None:
    scene = Slow(load={"/a": expired()}, origin=[answer()], bodies=[LATER])
    scene.serve()
    assert "delete /a" not in scene.told


def test_a_filter_wants_the_whole_body_now() -> None:
    scene = Slow(origin=[answer()], settings=Settings(filter_fn=lambda _: True))
    assert scene.serve().stored is not None
    assert scene.later is None


class TestAtTheEndOfAChain:
    def scene(self) -> tuple[Slow, Chain]:
        scene, chain = Slow(origin=[redirect("/b"), answer(path="/b")], bodies=[LATER]), Chain()
        scene.follow(get("/a"), get("/b"), chain=chain)
        # The request is over; its chain is not.
        chain.end()
        assert not any("release" in told for told in scene.told)
        return scene, chain

    def test_published(self) -> None:
        scene, _ = self.scene()
        scene.play(scene.later.finish([b"whole"]))
        told = ["save /b", "link /a to /b", "release /b: whole", "release /a: whole"]
        assert scene.told[-4:] == told
        assert scene.trip("link").arguments[1] == Alias(key("/b"), (hop("/a", "/b"),), NOW)

    def test_published_although_nobody_waited_so_long(self) -> None:
        scene, _ = self.scene()
        scene.later.give_up()
        assert scene.told[-2:] == ["release /a: nothing", "release /b: nothing"]
        scene.play(scene.later.finish([b"whole"]))
        assert scene.told[-2:] == ["save /b", "link /a to /b"]


def test_the_expiration_of_the_request_counts() -> None:
    scene = Slow(origin=[answer()], bodies=[LATER])
    scene.follow(get(), expire_after=parse_expire_after(5))
    scene.play(scene.later.finish([b"whole"]))
    assert scene.trip("save").arguments[1].expires == NOW + 5


def test_who_waited_is_served() -> None:
    shared = stored(body=b"whole")
    assert Scene(lock=[shared]).serve().reason is Reason.COLLAPSED
