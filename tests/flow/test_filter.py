"""The user's ``filter_fn``: asked on writing and on reading, with the whole body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from http_client_cache.flow import look
from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Hit
from http_client_cache.settings import Settings
from tests.flow.scene import Scene, answer, expired, key, stored


def broken(_: object) -> bool:
    raise LookupError("a function of the user's")


def only(wanted: bytes) -> Settings:
    """Keeps one body, and nothing else."""

    def filter_fn(response: tuple[Any, bytes]) -> bool:
        return response[1] == wanted

    return Settings(filter_fn=filter_fn)


def test_kept() -> None:
    scene = Scene(origin=[answer()], settings=only(b"new"))
    assert scene.serve().stored.body == b"new"
    assert scene.told == [
        *("load /a", "lock /a", "GET /a", "read"),
        *("present answer", "ask", "save /a", "release /a: new"),
    ]


@pytest.mark.parametrize("filter_fn", [broken, lambda _: False, lambda _: None])
def test_refused_on_writing(filter_fn: Callable[..., Any]) -> None:
    fetched = answer()
    scene = Scene(origin=[fetched], settings=Settings(filter_fn=filter_fn))
    served = scene.serve()
    assert (served.answer, served.stored, served.refusal) == (fetched, None, Reason.FILTERED)
    assert scene.told == [
        *("load /a", "lock /a", "GET /a", "read"),
        *("present answer", "ask", "release /a: nothing"),
    ]
    assert scene.uncacheable == {key()}


def test_kept_on_reading() -> None:
    fresh = stored()
    scene = Scene(load={"/a": fresh}, settings=only(b"stored"))
    assert scene.serve() == Hit(fresh)
    assert scene.told == ["load /a", "present stored", "ask"]


@pytest.mark.parametrize("body", [b"new", b"neither"])
def test_refused_on_reading_is_fetched_without_conditions(body: bytes) -> None:
    """What was stored before there was a filter is replaced, or leaves."""
    old = stored(etag='"v1"')
    scene = Scene(load={"/a": old}, origin=[answer()], bodies=[body], settings=only(b"new"))
    served = scene.serve()
    assert served.reason is Reason.FILTERED_ON_READ
    assert scene.told[:6] == ["load /a", "present stored", "ask", "lock /a", "GET /a", "read"]
    assert ("save /a" in scene.told) is (body == b"new")
    assert ("delete /a" in scene.told) is (body != b"new")


def test_what_has_expired_is_shown_before_it_is_validated() -> None:
    """A 304 would have it served, and so would an origin that fails."""
    old = expired(etag='"v1"')
    scene = Scene(load={"/a": old}, origin=[answer()], settings=only(b"new"))
    assert scene.serve().reason is Reason.FILTERED_ON_READ
    assert scene.told[:5] == ["load /a", "present stored", "ask", "lock /a", "GET /a"]
    scene = Scene(load={"/a": old}, origin=[answer(304)], settings=only(b"stored"))
    assert scene.serve().reason is Reason.VALIDATED
    assert scene.told[:5] == ["load /a", "present stored", "ask", "lock /a", "GET /a If-None-Match"]


@pytest.mark.parametrize("body", [b"liked", b"not liked"])
def test_what_another_fetched_is_asked_about_too(body: bytes) -> None:
    shared = stored(body=body)
    scene = Scene(lock=[shared], origin=[answer()], settings=only(b"liked"))
    served = scene.serve()
    if body == b"liked":
        assert served == Hit(shared, Reason.COLLAPSED)
    else:
        assert served.reason is Reason.MISS


def test_looking_asks_too() -> None:
    scene = Scene(load={"/a": stored()}, settings=only(b"other"))
    assert scene.play(look(scene, key(), Options()))[1] is Reason.FILTERED_ON_READ
    assert scene.told == ["load /a", "present stored", "ask"]
