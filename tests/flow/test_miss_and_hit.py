"""A request meets a fresh entry, or none."""

from __future__ import annotations

import pytest

from http_client_cache.expiry import at, parse_expire_after
from http_client_cache.message import Request
from http_client_cache.options import Known, Options
from http_client_cache.plan import Lost
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit, Refused
from http_client_cache.settings import Settings
from tests.flow.scene import NOW, Scene, answer, get, key, stored


def test_a_hit_costs_one_trip() -> None:
    fresh = stored()
    scene = Scene(load={"/a": fresh})
    assert scene.serve() == Hit(fresh)
    assert scene.told == ["load /a"]


def test_a_miss_is_stored_and_shared() -> None:
    fetched = answer(content_type="text/plain", set_cookie="a=1")
    scene = Scene(origin=[fetched], settings=Settings(expire_after=60))
    served = scene.serve()
    assert scene.told == ["load /a", "lock /a", "GET /a", "read", "save /a", "release /a: new"]
    assert served == Forwarded(fetched, Reason.MISS, scene.released[0], key=key())
    entry = served.stored.entry
    assert (entry.created, entry.expires, entry.requested) == (NOW, NOW + 60, NOW - 1)
    assert (entry.body_size, entry.sets_cookies) == (3, True)
    assert entry.headers == fetched.head.headers.raw
    assert scene.trip("save").arguments == (key(), entry, b"new")


@pytest.mark.parametrize(
    ("fetched", "refusal"),
    [
        (answer(404), Reason.STATUS),
        (answer(content_type="text/event-stream; charset=utf-8"), Reason.STREAMING),
        (answer(content_length="11"), Reason.TOO_LARGE),
        (answer(authorization="Basic added-inside"), Reason.AUTHORIZATION_ADDED),
    ],
)
def test_what_the_head_forbids_lets_the_others_go_at_once(fetched: object, refusal: Reason) -> None:
    scene = Scene(origin=[fetched], settings=Settings(max_entry_bytes=10))  # type: ignore[list-item]
    served = scene.serve()
    assert scene.told == ["load /a", "lock /a", "GET /a", "release /a: nothing"]
    assert served == Forwarded(fetched, Reason.MISS, None, refusal, key())  # type: ignore[arg-type]
    assert scene.uncacheable == {key()}


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_in_trouble_is_not_remembered_as_uncacheable(status: int) -> None:
    scene = Scene(origin=[answer(status)])
    scene.serve()
    assert scene.uncacheable == set()


def test_nobody_waits_for_what_was_not_to_be_stored() -> None:
    scene = Scene(origin=[answer()], uncacheable={key()})
    assert scene.serve().stored is not None
    assert scene.told == ["load /a", "GET /a", "read", "save /a"]
    assert scene.uncacheable == set()


@pytest.mark.parametrize(
    ("body", "refusal", "remembered"),
    [
        (None, Reason.TOO_LARGE, True),
        (Lost(OSError("broke off")), Reason.INCOMPLETE, False),
    ],
)
def test_what_the_body_forbids(body: object, refusal: Reason, remembered: bool) -> None:
    scene = Scene(origin=[answer()], bodies=[body])
    served = scene.serve()
    assert (served.stored, served.refusal) == (None, refusal)
    assert scene.told == ["load /a", "lock /a", "GET /a", "read", "release /a: nothing"]
    assert scene.uncacheable == ({key()} if remembered else set())


def test_no_answer_is_the_callers_exception() -> None:
    lost = OSError("nobody is there")
    scene = Scene(origin=[lost])
    with pytest.raises(OSError, match="nobody is there") as caught:
        scene.serve()
    assert caught.value is lost


@pytest.mark.parametrize("expiry", [at(NOW), at(NOW - 1)])
def test_what_would_have_expired_already(expiry: object) -> None:
    scene = Scene(origin=[answer()])
    served = scene.serve(options=Options(expire_after=expiry))  # type: ignore[arg-type]
    assert (served.stored, served.refusal) == (None, Reason.ALREADY_EXPIRED)
    assert "save /a" not in scene.told


def test_the_expiration_of_the_request_counts_first() -> None:
    scene = Scene(origin=[answer()], settings=Settings(expire_after=60))
    served = scene.serve(options=Options(expire_after=parse_expire_after(-1)))
    assert served.stored.entry.expires is None


class TestOnlyIfCached:
    options = Options(only_if_cached=True)

    def test_there(self) -> None:
        fresh = stored()
        assert Scene(load={"/a": fresh}).serve(options=self.options) == Hit(fresh)

    @pytest.mark.parametrize("found", [None, stored(age=100, lifetime=10)])
    def test_not_there(self, found: object) -> None:
        scene = Scene(load={"/a": found})
        assert scene.serve(options=self.options) == Refused(Reason.NOT_CACHED, key())
        assert scene.told == ["load /a"]

    def test_not_to_be_looked_up(self) -> None:
        scene = Scene()
        served = scene.serve(get(method="POST"), self.options)
        assert (served, scene.told) == (Refused(Reason.NOT_CACHED), [])


def test_secrets_and_ignored_names_are_not_stored() -> None:
    settings = Settings(include_headers=True, ignored_parameters=["token", "X-Ignored"])
    fetched = answer(path="/a?token=1&page=2", authorization="Bearer s3cret")
    scene = Scene(origin=[fetched], settings=settings)
    request = get(
        "/a?token=1&page=2",
        Authorization="Bearer s3cret",
        Cookie="s=3",
        Accept="*/*",
        x_ignored="1",
    )
    entry = scene.serve(request).stored.entry
    assert entry.url == "http://origin.test/a?page=2"
    assert entry.request_headers == ((b"Accept", b"*/*"),)
    assert "s3cret" not in repr(entry)


def test_only_the_fields_that_count_are_stored() -> None:
    scene = Scene(origin=[answer()], settings=Settings(include_headers=["accept"]))
    entry = scene.serve(get(Accept="*/*", X_Other="1")).stored.entry
    assert entry.request_headers == ((b"Accept", b"*/*"),)


class TestAKeyThatWasMadeBefore:
    """The face may know the key of the first request; it counts for that request alone."""

    options = Options(known=Known("GET", get().url, key("/b")))

    def test_it_counts(self) -> None:
        scene = Scene(load={"/b": stored()})
        assert scene.serve(options=self.options).reason is Reason.HIT
        assert scene.told == ["load /b"]

    def test_what_was_found_counts_as_long_as_no_fetch_has_ended(self) -> None:
        looked = Options(known=Known("GET", get().url, key("/b"), 0, None, Reason.MISS))
        scene = Scene(origin=[answer()])
        assert scene.serve(options=looked).reason is Reason.MISS
        assert "load /b" not in scene.told

        outdated = Options(known=Known("GET", get().url, key("/b"), 7, None, Reason.MISS))
        scene = Scene(load={"/b": stored()})
        assert scene.serve(options=outdated).reason is Reason.HIT

    @pytest.mark.parametrize(
        "other",
        [
            get("/c"),
            get(method="HEAD"),
            get(body=b"added on the way"),
            get(Authorization="Bearer added-on-the-way"),
        ],
    )
    def test_it_does_not(self, other: Request) -> None:
        """What is stored with credentials is not for those who have none."""
        scene = Scene(origin=[answer()], load={"/b": stored()})
        assert scene.serve(other, self.options).reason is Reason.MISS
        assert "load /b" not in scene.told
