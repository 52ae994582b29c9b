"""Wherever the store fails, the request goes on."""

from __future__ import annotations

import pytest

from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded
from tests.flow.scene import Scene, answer, expired, get, key, redirect, stored

EVERYTHING = frozenset({"load", "save", "delete", "freshen", "link"})


def test_nothing_works() -> None:
    fetched = answer()
    scene = Scene(origin=[fetched], load={"/a": stored()}, failing=EVERYTHING)
    served = scene.serve()
    refusal = Reason.STORE_FAILED
    assert served == Forwarded(fetched, Reason.STORE_FAILED, scene.released[0], refusal, key())
    # Those who wait are served all the same.
    assert scene.told == ["load /a", "lock /a", "GET /a", "read", "save /a", "release /a: new"]


def test_only_if_cached() -> None:
    scene = Scene(load={"/a": stored()}, failing=EVERYTHING)
    assert scene.serve(options=Options(only_if_cached=True)).reason is Reason.NOT_CACHED


@pytest.mark.parametrize("status", [200, 304, 404])
def test_writing_fails(status: int) -> None:
    old = expired(etag='"v1"')
    scene = Scene(load={"/a": old}, origin=[answer(status)], failing=EVERYTHING - {"load"})
    served = scene.serve()
    if status == 304:
        assert (served.reason, served.stored.body) == (Reason.VALIDATED, b"stored")
    else:
        assert served.answer.head.status == status


def test_redirects() -> None:
    scene = Scene(origin=[redirect("/b"), answer(path="/b")], failing=EVERYTHING)
    _, last = scene.follow(get("/a"), get("/b"))
    assert last.answer.head.status == 200
    assert scene.told[-2:] == ["link /a to /b", "release /a: new"]
