"""RFC 9111 decides: the origin is asked about what is stored (sections 3.4, 4.3 and 4.3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from http_client_cache.message import Headers
from http_client_cache.options import Options
from http_client_cache.plan import Lost
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit
from tests.flow.lawful_scene import TODAY, Lawful, kept, key, law, stale
from tests.flow.scene import NOW, answer, get

LONG_AGO = "Mon, 01 Jan 1968 00:00:00 GMT"
ASKED = ["load /a", "lock /a", "GET /a If-None-Match"]


def sent(scene: Lawful, exchange: int = 0) -> dict[str, str]:
    return dict(scene.exchanges[exchange].conditions)


class TestNotModified:
    def test_it_freshens_and_serves_what_is_stored(self) -> None:
        old = stale(etag='"v1"', x_old="1", facts={"initial_age": 9})
        told = answer(304, etag='"v1"', cache_control="max-age=30", x_new="2")
        scene = Lawful(load={"/a": old}, origin=[told])
        served = scene.serve()
        assert scene.told == [*ASKED, "discard", "freshen /a", "release /a: stored"]
        assert sent(scene) == {"If-None-Match": '"v1"'}
        fresh = scene.released[0]
        assert served == Hit(fresh, Reason.VALIDATED, asked=Reason.EXPIRED, forward_status=304)
        # The origin itself has just said that it is good: it has no age.
        assert served.age is None
        entry = fresh.entry
        assert (entry.created, entry.expires, entry.initial_age) == (NOW, NOW + 29, 1)
        assert {"x-old", "x-new"} <= set(Headers(entry.headers))
        assert scene.trip("freshen").arguments == ([(key(), "", entry)],)

    def test_one_that_comes_from_another_cache_has_an_age(self) -> None:
        told = answer(304, etag='"v1"', age="7")
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[told])
        assert scene.serve().age == 8

    def test_no_store_serves_it_once_more(self) -> None:
        told = answer(304, etag='"v1"', cache_control="no-store")
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[told])
        assert scene.serve().reason is Reason.VALIDATED
        assert scene.told == [*ASKED, "discard", "release /a: nothing", "drop /a"]

    @pytest.mark.parametrize("shared", [True, False])
    def test_private_from_now_on(self, shared: bool) -> None:
        """What could be shared was found under the key for all; it is for this user now."""
        old = stale(etag='"v1"', cache_control="public")
        told = answer(304, etag='"v1"', cache_control="private, max-age=9")
        scene = Lawful(load={"/a": old}, origin=[told], settings=law(shared=shared))
        served = scene.serve(get(Authorization="A"))
        assert served.reason is Reason.VALIDATED
        looked = ["load /a of A", "load /a", "lock /a of A", "GET /a If-None-Match", "discard"]
        if shared:
            assert scene.told == [*looked, "release /a of A: nothing", "drop /a"]
        else:
            ends = ["drop /a", "save /a of A", "release /a of A: stored"]
            assert scene.told == [*looked, *ends]

    def test_store_fails(self) -> None:
        old, told = stale(etag='"v1"'), answer(304, etag='"v1"')
        scene = Lawful(load={"/a": old}, origin=[told], failing=frozenset({"freshen"}))
        assert scene.serve().stored.body == b"stored"

    def test_another_has_taken_its_place(self) -> None:
        old, told = stale(etag='"v1"'), answer(304, etag='"v1"')
        scene = Lawful(load={"/a": old}, origin=[told], overtaken=True)
        assert scene.serve().reason is Reason.VALIDATED
        assert scene.told == [*ASKED, "discard", "release /a: stored"]

    def test_credentials_from_inside_change_nothing_for_others(self) -> None:
        told = answer(304, etag='"v1"', authorization="added inside")
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[told])
        assert scene.serve().reason is Reason.VALIDATED
        assert scene.told == [*ASKED, "discard", "release /a: nothing"]

    @pytest.mark.parametrize("etag", [{}, {"etag": '"v1"'}])
    def test_by_date_alone(self, etag: dict[str, str]) -> None:
        old = stale(last_modified=LONG_AGO, date=TODAY, **etag)
        scene = Lawful(load={"/a": old}, origin=[answer(304)])
        assert scene.serve().reason is Reason.VALIDATED
        assert list(sent(scene)) == [*(["If-None-Match"] if etag else []), "If-Modified-Since"]

    def test_the_caller_has_it(self) -> None:
        """What they asked is answered by what has just been freshened."""
        old, told = stale(etag='"v1"'), answer(304, etag='"v1"')
        scene = Lawful(load={"/a": old}, origin=[told])
        served = scene.serve(get(If_None_Match='"mine", "v1"'))
        assert (served.made.status, served.reason) == (304, Reason.VALIDATED)
        assert sent(scene) == {"If-None-Match": '"v1", "mine"'}

    def test_the_caller_has_another(self) -> None:
        told = answer(304, etag='"mine"')
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[told])
        served = scene.serve(get(If_None_Match='"mine"'))
        assert served == Forwarded(told, Reason.EXPIRED, refusal=Reason.CONDITION, key=key())
        assert scene.told == ["load /a", "GET /a If-None-Match"]

    def test_whether_it_is_meant_for_the_caller_or_for_us(self) -> None:
        """A 304 without a name could be the answer to either."""
        old, fetched = stale(etag='"v1"'), answer(etag='"v2"')
        scene = Lawful(load={"/a": old}, origin=[answer(304), fetched])
        served = scene.serve(get(If_None_Match='"mine"'))
        assert (served.answer, served.reason) == (fetched, Reason.UNIDENTIFIED)
        assert [sent(scene, index) for index in range(2)] == [
            {"If-None-Match": '"v1", "mine"'},
            {},
        ]
        assert Lawful(load={"/a": old}, origin=[answer(304)]).serve().reason is Reason.VALIDATED

    @pytest.mark.parametrize("told", [answer(304), answer(304, etag='"v3"')])
    def test_it_names_nothing_that_is_stored(self, told: Any) -> None:
        """Of several, nobody knows which: the origin is asked again, without conditions."""
        request = get(Accept="a")
        pair = tuple(
            stale(vary="Accept", chosen_for=get(Accept=name), etag=f'"{name}"') for name in "bc"
        )
        scene = Lawful(load={"/a": pair}, origin=[told, answer(etag='"v4"', vary="Accept")])
        served = scene.serve(request)
        assert (served.reason, served.stored.body) == (Reason.UNIDENTIFIED, b"new")
        assert scene.told == [
            *("load /a", "lock /a as a variant", "GET /a If-None-Match", "discard"),
            *("GET /a", "read", "save /a", "release /a as a variant: new"),
        ]
        assert sent(scene) == {"If-None-Match": '"b", "c"'}

    def test_the_tag_became_weak_on_the_way(self) -> None:
        old, told = stale(etag='W/"v1"'), answer(304, etag='"v1"')
        scene = Lawful(load={"/a": old}, origin=[told])
        served = scene.serve()
        assert (served.stored, served.reason) == (old, Reason.VALIDATED)
        assert scene.told == [*ASKED, "discard", "release /a: stored"]

    def test_the_origin_chooses_another_variant(self) -> None:
        """From then on it is stored for this selection, too."""
        request = get(Accept="new")
        other = stale(vary="Accept", chosen_for=get(Accept="old"), etag='"v1"')
        told = answer(304, etag='"v1"', vary="Accept", cache_control="max-age=9")
        scene = Lawful(load={"/a": other}, origin=[told])
        served = scene.serve(request)
        assert (served.asked, served.stored.body) == (Reason.VARIANT, b"stored")
        assert served.stored.variant not in ("", other.variant)
        assert scene.told[3:] == [
            *("discard", "freshen /a", "save /a", "release /a as a variant: stored"),
        ]

    def test_a_range_cannot_be_made_of_it(self) -> None:
        """So the request is sent as it is."""
        old = kept(etag='"v1"', facts={"no_cache": True}, content_encoding="gzip")
        fetched = answer(206)
        scene = Lawful(load={"/a": old}, origin=[answer(304, etag='"v1"'), fetched])
        served = scene.serve(get(Range="bytes=0-1"))
        assert served.answer is fetched
        assert scene.told[-1] == "GET /a"


class TestAnotherAnswer:
    def test_what_head_was_answered_is_not_asked_about_by_get(self) -> None:
        """A 304 would confirm what has no content."""
        head = stale(method="HEAD", body=b"", etag='"v1"')
        scene = Lawful(load={"/a": head}, origin=[answer(etag='"v1"')])
        assert scene.serve().stored.body == b"new"
        assert sent(scene) == {}

    def test_a_new_one_takes_its_place(self) -> None:
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[answer(etag='"v2"')])
        served = scene.serve()
        assert (served.reason, served.stored.body) == (Reason.EXPIRED, b"new")
        assert scene.told == [*ASKED, "read", "save /a", "release /a: new"]

    def test_force_refresh_asks_without_conditions(self) -> None:
        scene = Lawful(load={"/a": kept(etag='"v1"')}, origin=[answer(etag='"v2"')])
        served = scene.serve(options=Options(force_refresh=True))
        assert served.reason is Reason.FORCE_REFRESH
        assert scene.told == ["load /a", "GET /a", "read", "save /a"]

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_an_error_leaves_what_is_stored(self, status: int) -> None:
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[answer(status)])
        assert scene.serve().answer.head.status == status
        assert scene.told == [*ASKED, "release /a: nothing"]

    def test_the_callers_if_match_reaches_the_origin_as_it_is(self) -> None:
        scene = Lawful(load={"/a": stale(etag='"v1"')}, origin=[answer(412)])
        scene.serve(get(If_Match='"v1"'))
        assert sent(scene) == {}


class TestHead:
    """Section 4.3.5."""

    head = get(method="HEAD")
    old = stale(etag='"v1"', content_length="6")

    def test_the_same(self) -> None:
        told = answer(etag='"v1"', cache_control="max-age=30", content_length="6")
        scene = Lawful(load={"/a": self.old}, origin=[told])
        served = scene.serve(self.head)
        assert (served.answer, served.refusal) == (told, None)
        assert served.stored.entry.expires == NOW + 29
        assert scene.told == ["load /a", "HEAD /a If-None-Match", "freshen /a"]

    @pytest.mark.parametrize(
        "told", [answer(etag='"v2"'), answer(etag='"v1"', content_length="7")], ids=["tag", "size"]
    )
    def test_another(self, told: Any) -> None:
        fresh = kept(etag='"v1"', content_length="6")
        scene = Lawful(load={"/a": fresh}, origin=[told])
        scene.serve(self.head, Options(refresh=True))
        ((_, _, entry),) = scene.trip("freshen").arguments[0]
        assert entry.expires == NOW
        # The answer itself is stored for later HEADs, beside it.
        assert scene.trip("save").arguments[1].method == "HEAD"
        assert "drop /a" not in scene.told

    @pytest.mark.parametrize("told", [answer(404), answer(etag='"v1"', cache_control="no-store")])
    def test_nothing(self, told: Any) -> None:
        scene = Lawful(load={"/a": self.old}, origin=[told])
        scene.serve(self.head)
        assert not {"freshen /a", "drop /a"} & set(scene.told)


class TestCompletion:
    """Sections 3.3 and 3.4."""

    part = kept(body=b"sto", status=206, etag='"v1"', content_range="bytes 0-2/6")
    rest = answer(206, etag='"v1"', content_range="bytes 3-5/6", cache_control="max-age=9")

    def test_the_rest_is_fetched(self) -> None:
        scene = Lawful(load={"/a": self.part}, origin=[self.rest], bodies=[b"red"])
        served = scene.serve()
        assert sent(scene) == {"Range": "bytes=3-", "If-Range": '"v1"'}
        stored = served.stored
        assert (stored.body, stored.entry.status, stored.variant) == (b"stored", 200, "")
        assert (served.reason, served.asked, served.forward_status) == (
            *(Reason.COMPLETED, Reason.PART, 206),
        )
        told = ["load /a", "GET /a Range If-Range", "read", "save /a", "drop /a"]
        assert [each for each in scene.told if "lock" not in each and "release" not in each] == told
        assert scene.trip("drop").arguments == ([(key(), "part")],)

    def test_it_has_changed(self) -> None:
        scene = Lawful(load={"/a": self.part}, origin=[answer(etag='"v2"')])
        served = scene.serve()
        assert (served.stored.body, served.stored.entry.status) == (b"new", 200)
        assert len(scene.exchanges) == 1

    @pytest.mark.parametrize(
        ("told", "body"),
        [
            (answer(416, content_range="bytes */2"), b""),
            (answer(412), b""),
            (answer(304), b""),
            (answer(206, etag='"v2"', content_range="bytes 3-5/6"), b"red"),
            (rest, Lost(OSError("broke off"))),
        ],
    )
    def test_what_does_not_fit_is_asked_for_again_as_the_caller_did(
        self, told: Any, body: Any
    ) -> None:
        fetched = answer(etag='"v2"')
        scene = Lawful(
            load={"/a": self.part}, origin=[told, fetched], bodies=[body] if body else []
        )
        served = scene.serve()
        assert (served.answer, served.reason) == (fetched, Reason.UNIDENTIFIED)
        assert sent(scene, 1) == {}

    @pytest.mark.parametrize(
        ("part", "request_"),
        [
            (part, get(Cache_Control="no-store")),
            (kept(body=b"sto", status=206, etag='W/"v1"', content_range="bytes 0-2/6"), get()),
            (kept(body=b"red", status=206, etag='"v1"', content_range="bytes 3-5/6"), get()),
            (kept(body=b"sto", status=206, content_range="bytes 0-2/6"), get()),
        ],
    )
    def test_what_cannot_be_completed(self, part: Any, request_: Any) -> None:
        scene = Lawful(load={"/a": part}, origin=[answer(etag='"v2"')])
        assert scene.serve(request_).answer.head.status == 200
        assert sent(scene) == {}

    def test_a_part_beside_another(self) -> None:
        """What the caller asks for is stored with what touches it."""
        told = answer(206, etag='"v1"', content_range="bytes 3-4/6")
        scene = Lawful(load={"/a": self.part}, origin=[told], bodies=[b"re"])
        served = scene.serve(get(Range="bytes=3-4"))
        assert served.answer is told
        assert (served.stored.body, served.stored.variant) == (b"store", "part")
        fields = Headers(served.stored.entry.headers)
        assert fields.get("content-range") == "bytes 0-4/6"

    def test_a_part_of_a_whole_that_nothing_tells_from_it(self) -> None:
        told = answer(206, content_range="bytes 3-4/6", last_modified=TODAY)
        scene = Lawful(load={"/a": stale()}, origin=[told], bodies=[b"re"])
        served = scene.serve(get(Range="bytes=3-4"))
        assert (served.stored, served.refusal) == (None, Reason.PARTIAL)
        assert not {"save /a", "drop /a"} & set(scene.told)
