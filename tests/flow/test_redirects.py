"""Redirect chains: recorded hop by hop, published when they ended in a stored response."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.entry import Alias
from http_client_cache.options import Chain, Options
from http_client_cache.plan import Lost
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit
from http_client_cache.settings import Settings
from tests.flow.scene import (
    NOW,
    Scene,
    answer,
    expired,
    get,
    hop,
    key,
    named,
    redirect,
    stored,
)

A_TO_B, B_TO_C = redirect("/b"), redirect("/c", "/b")
FETCH_A_AND_B = [
    *("load /a", "lock /a", "GET /a"),
    *("load /b", "lock /b without waiting", "GET /b"),
]
FETCH_ALL = [*FETCH_A_AND_B, "load /c", "lock /c without waiting", "GET /c"]


def aliases(scene: Scene) -> dict[str, Alias]:
    return {named(t.arguments[0]): t.arguments[1] for t in scene.trips if t.name == "link"}


def test_a_chain_is_published_at_its_end() -> None:
    chain = Chain()
    scene = Scene(origin=[A_TO_B, B_TO_C, answer(path="/c")])
    first, second, last = scene.follow(get("/a"), get("/b"), get("/c"), chain=chain)
    assert (first.refusal, second.refusal, last.refusal) == (Reason.REDIRECT, Reason.REDIRECT, None)
    assert scene.told == [
        *FETCH_ALL,
        *("read", "save /c", "release /c: new"),
        *("link /a to /c", "link /b to /c", "release /a: new", "release /b: new"),
    ]
    hops = (hop("/a", "/b"), hop("/b", "/c"))
    assert aliases(scene) == {
        "/a": Alias(key("/c"), hops, NOW),
        "/b": Alias(key("/c"), hops[1:], NOW),
    }
    assert (chain.hops, chain.leases) == ([], [])


def test_who_waits_in_the_middle_is_handed_the_rest_of_the_way() -> None:
    scene = Scene(origin=[A_TO_B, B_TO_C, answer(path="/c")])
    scene.follow(get("/a"), get("/b"), get("/c"))
    to_c, to_a, to_b = (released.hops for released in scene.released)
    assert to_c == ()
    assert to_a == (hop("/a", "/b"), hop("/b", "/c"))
    assert to_b == (hop("/b", "/c"),)


def test_a_chain_that_meets_what_is_stored() -> None:
    fresh = stored("/b")
    scene = Scene(origin=[A_TO_B], load={"/b": fresh})
    _, last = scene.follow(get("/a"), get("/b"))
    assert last == Hit(fresh)
    assert scene.told == [
        *("load /a", "lock /a", "GET /a", "load /b"),
        *("link /a to /b", "release /a: stored"),
    ]


def test_a_chain_that_meets_a_stored_chain() -> None:
    known = stored("/c", hops=(hop("/b", "/c"),))
    scene = Scene(origin=[A_TO_B], load={"/b": known})
    scene.follow(get("/a"), get("/b"))
    assert aliases(scene)["/a"].hops == (hop("/a", "/b"), hop("/b", "/c"))


def test_a_chain_that_ends_in_what_is_still_good() -> None:
    scene = Scene(origin=[A_TO_B, answer(304)], load={"/b": expired("/b", etag='"v1"')})
    _, last = scene.follow(get("/a"), get("/b"))
    assert last.reason is Reason.VALIDATED
    assert scene.told[-3:] == ["release /b: stored", "link /a to /b", "release /a: stored"]


@pytest.mark.parametrize(
    ("end", "body", "settings"),
    [
        (answer(404, "/b"), b"", Settings()),
        (answer(500, "/b"), b"", Settings()),
        (answer(path="/b", authorization="Added x"), b"", Settings()),
        (answer(path="/b"), Lost(OSError("broke off")), Settings()),
        (answer(path="/b"), None, Settings(max_entry_bytes=1)),
        (answer(path="/b"), b"", Settings(filter_fn=lambda _: False)),
        # A redirect without an aim ends a chain like any other answer.
        (answer(302, "/b"), b"", Settings()),
    ],
)
def test_a_chain_that_ends_in_what_is_not_stored(end: Any, body: Any, settings: Settings) -> None:
    chain = Chain()
    scene = Scene(origin=[A_TO_B, end], bodies=[body], settings=settings)
    _, last = scene.follow(get("/a"), get("/b"), chain=chain)
    assert last.answer is end
    assert not aliases(scene)
    # Those who wait for its beginning go now; for its end, when it is known.
    assert set(scene.told) >= {"release /a: nothing", "release /b: nothing"}
    assert (chain.hops, chain.leases) == ([], [])


def test_a_chain_that_nobody_answers_is_ended_by_its_owner() -> None:
    chain = Chain()
    scene = Scene(origin=[A_TO_B, OSError("down")])
    with pytest.raises(OSError, match="down"):
        scene.follow(get("/a"), get("/b"), chain=chain)
    assert not any("release /a" in told for told in scene.told)
    chain.end()
    assert scene.told[-1] == "release /a: nothing"


def test_an_owner_that_was_cancelled_hands_over() -> None:
    chain = Chain()
    scene = Scene(origin=[A_TO_B])
    scene.follow(get("/a"), chain=chain)
    chain.abandon()
    chain.end()
    assert scene.told[-1] == "abandon /a"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(urls_expire_after={"origin.test/b": 0}),
        Settings(key_fn=lambda request: key() if request.url.endswith("/a") else None),
    ],
)
def test_a_hop_that_is_not_kept_takes_its_chain_along(settings: Settings) -> None:
    """Else the stored chain would leap over a hop that is to be asked for each time."""
    scene = Scene(origin=[A_TO_B, B_TO_C, answer(path="/c")], settings=settings)
    scene.follow(get("/a"), get("/b"), get("/c"))
    assert not aliases(scene)
    assert "release /a: nothing" in scene.told


def test_a_hop_with_credentials_from_inside_is_not_kept() -> None:
    """Where it leads may be meant for one user alone."""
    signed = redirect("/b", authorization="Bearer added-inside")
    scene = Scene(origin=[signed, answer(path="/b")])
    first, last = scene.follow(get("/a"), get("/b"))
    assert first.refusal is Reason.AUTHORIZATION_ADDED
    assert last.stored is not None
    assert not aliases(scene)


@pytest.mark.parametrize("options", [{}, {"refresh": True}, {"force_refresh": True}])
def test_an_entry_gives_way_to_a_redirect(options: dict[str, Any]) -> None:
    """It would hide the chain for ever: an entry of a key comes before a redirect."""
    scene = Scene(origin=[A_TO_B], load={"/a": expired()})
    scene.follow(get("/a"), **options)
    assert scene.told[-1] == "delete /a"


def test_a_stored_chain_that_has_expired_is_followed_anew() -> None:
    old = expired("/b", hops=(hop("/a", "/b"),), etag='"v1"')
    at_b = old._replace(hops=())
    scene = Scene(origin=[A_TO_B, answer(304, "/b")], load={"/a": old, "/b": at_b})
    scene.follow(get("/a"), get("/b"))
    # The validators are those of the end, not of the hop.
    assert [told for told in scene.told if told.startswith("GET")] == [
        "GET /a",
        "GET /b If-None-Match",
    ]
    assert "delete /a" not in scene.told


def test_without_a_chain_a_redirect_is_an_answer_that_is_not_stored() -> None:
    scene = Scene(origin=[A_TO_B])
    served = scene.serve(options=Options())
    assert served.refusal is Reason.STATUS
    assert scene.uncacheable == {key()}


def test_a_redirect_is_worth_waiting_for_once_it_is_kept() -> None:
    scene = Scene(origin=[A_TO_B, answer(path="/b")], uncacheable={key()})
    scene.follow(get("/a"), get("/b"))
    assert scene.uncacheable == set()


def test_a_redirect_whose_status_is_allowed_is_a_response_like_any_other() -> None:
    scene = Scene(origin=[A_TO_B], settings=Settings(allowed_codes=[200, 302]))
    (served,) = scene.follow(get("/a"))
    assert served.stored.entry.status == 302
    assert not aliases(scene)


def test_a_redirect_to_itself() -> None:
    """As servers do that set a cookie first."""
    scene = Scene(origin=[redirect("/a"), answer()], lock=[])
    _, last = scene.follow(get("/a"), get("/a"))
    assert last.stored.key == key()
    assert not aliases(scene)


def test_what_is_ignored_is_not_kept_in_a_hop() -> None:
    settings = Settings(ignored_parameters=["token"])
    scene = Scene(origin=[redirect("/b", "/a?token=s3cret"), answer(path="/b")], settings=settings)
    scene.follow(get("/a?token=s3cret"), get("/b"))
    assert [kept.url for kept in aliases(scene)["/a"].hops] == ["http://origin.test/a"]


class TestEnd:
    """A chain's own book-keeping."""

    def test_a_lease_for_another_key_is_handed_nothing(self) -> None:
        scene = Scene()
        chain = Chain(hops=[(key("/a"), hop("/a", "/b"))])
        chain.leases = [(key("/a"), scene.lease("/a")), (key("/b"), scene.lease("/b"))]
        chain.granted = {key("/c"): scene.lease("/c")}
        chain.end(stored("/b", hops=(hop("/a", "/b"),)))
        assert scene.told == ["release /a: stored", "release /b: nothing", "release /c: nothing"]

    def test_twice_is_once(self) -> None:
        scene = Scene()
        chain = Chain(leases=[(key("/a"), scene.lease("/a"))])
        assert chain.holds_leases
        chain.end()
        chain.end()
        chain.abandon()
        assert scene.told == ["release /a: nothing"]
        assert not chain.holds_leases
