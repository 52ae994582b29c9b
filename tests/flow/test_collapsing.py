"""Several requests for one key: one goes out, the others share what it stored."""

from __future__ import annotations

import pytest

from http_client_cache.flow import fetch_once
from http_client_cache.options import Chain, Options
from http_client_cache.plan import Followed, Locked
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit
from tests.flow.scene import LEAD, Scene, answer, expired, get, hop, key, stored

WITH_HOPS = stored("/b", hops=(hop("/a", "/b"),))


def test_what_the_leader_stored_is_served() -> None:
    shared = stored()
    scene = Scene(lock=[shared])
    assert scene.serve() == Hit(shared, Reason.COLLAPSED)
    assert scene.told == ["load /a", "lock /a"]


def test_a_leader_with_nothing_to_share_sends_everyone_for_themselves() -> None:
    fetched = answer()
    scene = Scene(lock=[None], origin=[fetched])
    served = scene.serve()
    assert (served.answer, served.reason) == (fetched, Reason.MISS)
    assert scene.told == ["load /a", "lock /a", "GET /a", "read", "save /a"]


def test_validation_by_everyone_for_themselves() -> None:
    scene = Scene(lock=[None], load={"/a": expired(etag='"v1"')}, origin=[answer(304)])
    assert scene.serve().reason is Reason.VALIDATED
    assert scene.told == ["load /a", "lock /a", "GET /a If-None-Match", "discard", "freshen /a"]


def test_a_redirect_is_not_shared_with_who_follows_none() -> None:
    scene = Scene(lock=[WITH_HOPS], origin=[answer(302)])
    served = scene.serve(options=Options(follow=False))
    assert served.answer.head.status == 302


def test_a_redirect_is_shared_with_who_follows() -> None:
    (served,) = Scene(lock=[WITH_HOPS]).follow(get("/a"))
    assert served == Hit(WITH_HOPS, Reason.COLLAPSED)


def test_who_led_after_another_looks_again() -> None:
    """Between its first look and the lease, somebody else has stored an answer."""
    fresh = stored()
    scene = Scene(ended=[0, 1], load={"/a": [None, fresh]})
    assert scene.serve() == Hit(fresh)
    assert scene.told == ["load /a", "lock /a", "load /a", "release /a: stored"]


def test_who_led_after_another_and_still_finds_nothing() -> None:
    scene = Scene(ended=[0, 1], load={"/a": [expired(etag='"v1"'), None]}, origin=[answer()])
    assert scene.serve().reason is Reason.MISS
    assert scene.told == [
        *("load /a", "lock /a", "load /a", "GET /a"),
        *("read", "save /a", "release /a: new"),
    ]


@pytest.mark.parametrize("granted", [False, True])
def test_who_holds_a_lease_waits_for_nobody(granted: bool) -> None:
    """Two chains that cross would wait for each other for ever."""
    scene = Scene(lock=[LEAD, None], origin=[answer()])
    chain = Chain()
    if granted:
        chain.granted["another key"] = scene.lease("/c")
    else:
        chain.leases.append((key("/c"), scene.lease("/c")))
    options = Options(follow=True, chain=chain)
    plan = fetch_once(scene, key(), get(), options, None, Reason.MISS, 0)
    effect = plan.send(None)
    assert isinstance(effect, Locked)
    assert not effect.wait
    # ... and fetches for itself where it would have had to.
    asked = plan.send(Followed(None))
    assert type(asked).__name__ == "Exchange"
    plan.close()


def test_a_lease_that_was_granted_before_is_used() -> None:
    scene = Scene(origin=[answer()])
    chain = Chain(granted={key(): scene.lease("/a")})
    (served,) = scene.follow(get("/a"), chain=chain)
    assert isinstance(served, Forwarded)
    assert scene.told == ["load /a", "GET /a", "read", "save /a", "release /a: new"]
    assert chain.granted == {}
