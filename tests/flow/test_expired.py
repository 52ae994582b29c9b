"""What is stored has expired, or the caller wants it validated or replaced."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.expiry import at
from http_client_cache.message import Headers
from http_client_cache.options import Options
from http_client_cache.plan import Lost
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit
from http_client_cache.settings import Settings
from tests.flow.scene import NOW, Scene, answer, expired, get, key, stored

REFRESH = Options(refresh=True)
FORCED = Options(force_refresh=True)


@pytest.mark.parametrize(
    ("validators", "sent"),
    [
        ({}, ""),
        ({"etag": '"v1"'}, " If-None-Match"),
        ({"last_modified": "yesterday"}, " If-Modified-Since"),
        ({"etag": '"v1"', "last_modified": "yesterday"}, " If-None-Match If-Modified-Since"),
    ],
)
@pytest.mark.parametrize(("options", "lifetime"), [(Options(), 10), (REFRESH, None), (REFRESH, 10)])
def test_validators_make_the_request_conditional(
    validators: dict[str, str], sent: str, options: Options, lifetime: float | None
) -> None:
    old = stored(age=100, lifetime=lifetime, **validators)
    scene = Scene(load={"/a": old}, origin=[answer()])
    assert scene.serve(options=options).stored.body == b"new"
    told = ["load /a", "lock /a", f"GET /a{sent}", "read", "save /a", "release /a: new"]
    assert scene.told == told


def test_304_freshens_the_metadata_and_serves_the_stored_body() -> None:
    old = expired(etag='"v1"', content_type="text/plain", x_old="kept")
    told_off = answer(304, etag='"v1"', date="today", set_cookie="a=1", content_type="none")
    scene = Scene(load={"/a": old}, origin=[told_off], settings=Settings(expire_after=60))
    served = scene.serve()
    assert scene.told == [
        *("load /a", "lock /a", "GET /a If-None-Match"),
        *("discard", "freshen /a", "release /a: stored"),
    ]
    assert served == Hit(
        scene.released[0], Reason.VALIDATED, asked=Reason.EXPIRED, forward_status=304
    )
    entry = served.stored.entry
    assert (entry.created, entry.expires, entry.status) == (NOW, NOW + 60, 200)
    fields = Headers(entry.headers)
    assert (fields.get("date"), fields.get("x-old")) == ("today", "kept")
    assert fields.get("content-type") == "text/plain"
    assert entry.sets_cookies
    assert scene.trip("freshen").arguments == ([(key(), "", entry)],)


def test_304_to_credentials_from_inside_changes_nothing_that_is_stored() -> None:
    scene = Scene(load={"/a": expired(etag='"v1"')}, origin=[answer(304, authorization="Added x")])
    assert scene.serve().reason is Reason.VALIDATED
    assert "freshen /a" not in scene.told


def test_304_with_an_expiration_in_the_past_is_served_all_the_same() -> None:
    scene = Scene(load={"/a": expired(etag='"v1"')}, origin=[answer(304)])
    served = scene.serve(options=Options(expire_after=at(NOW - 5)))
    assert served.stored.entry.expires == NOW - 5


@pytest.mark.parametrize(
    ("options", "old", "fetched", "body", "leaves"),
    [
        (Options(), expired(), answer(404), b"", True),
        (Options(), expired(), answer(500), b"", True),
        (Options(), expired(), answer(authorization="Added x"), b"", True),
        (Options(), expired(), answer(), None, True),
        (Options(), expired(), answer(), Lost(OSError("broke off")), False),
        (REFRESH, stored(), answer(410), b"", True),
        (REFRESH, stored(), answer(503), b"", False),
        (FORCED, stored(), answer(404), b"", False),
        (FORCED, stored(), answer(503), b"", False),
    ],
)
def test_whether_it_leaves_where_nothing_takes_its_place(
    options: Options, old: Any, fetched: Any, body: Any, leaves: bool
) -> None:
    scene = Scene(load={"/a": old}, origin=[fetched], bodies=[body])
    served = scene.serve(options=options)
    assert served.answer is fetched
    assert served.stored is None
    assert ("delete /a" in scene.told) is leaves


def test_no_answer_leaves_what_is_stored() -> None:
    scene = Scene(load={"/a": expired(etag='"v1"')}, origin=[OSError("down")])
    with pytest.raises(OSError, match="down"):
        scene.serve()
    assert scene.told == ["load /a", "lock /a", "GET /a If-None-Match"]


@pytest.mark.parametrize("field", ["If_None_Match", "If_Modified_Since", "If_Match"])
@pytest.mark.parametrize(("status", "codes"), [(304, [200]), (304, [200, 304]), (412, [412])])
def test_the_answer_to_the_callers_own_condition_is_the_callers(
    field: str, status: int, codes: list[int]
) -> None:
    fetched = answer(status)
    settings = Settings(allowed_codes=codes)
    scene = Scene(load={"/a": expired(etag='"v1"')}, origin=[fetched], settings=settings)
    served = scene.serve(get(**{field: '"mine"'}))
    assert served == Forwarded(fetched, Reason.EXPIRED, None, Reason.CONDITION, key())
    assert scene.told == ["load /a", "lock /a", "GET /a", "release /a: nothing"]
    assert scene.uncacheable == set()


def test_force_refresh_asks_alone_and_without_conditions() -> None:
    scene = Scene(load={"/a": stored(etag='"v1"')}, origin=[answer()])
    served = scene.serve(options=FORCED)
    assert (served.reason, served.stored.body) == (Reason.FORCE_REFRESH, b"new")
    assert scene.told == ["load /a", "GET /a", "read", "save /a"]


def test_a_clock_that_went_back_makes_nothing_fresh() -> None:
    scene = Scene(load={"/a": stored(age=-3600, lifetime=7200)}, origin=[answer()])
    assert scene.serve().reason is Reason.EXPIRED
