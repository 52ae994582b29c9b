"""RFC 9111 decides: what unsafe requests change (section 4.4, RFC 9875)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from http_client_cache.entry import Stored
from http_client_cache.key import request_key, url_locator
from http_client_cache.options import Options
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded
from tests.flow.lawful_scene import LAW, Lawful, kept, key, law
from tests.flow.scene import HOST, answer, get

POST = get(method="POST", body=b"a=1")


def locator(path: str) -> str:
    return url_locator(LAW, HOST + path)


def test_what_is_stored_goes_before_the_answer_is_handed_over() -> None:
    fetched = answer()
    scene = Lawful(origin=[fetched])
    served = scene.serve(get(method="PUT", body=b"new"))
    assert served == Forwarded(fetched, Reason.UNSAFE, refusal=Reason.METHOD_NOT_UNDERSTOOD)
    # Nothing is looked up, and nobody waits.
    assert scene.told == ["PUT /a", "purge /a"]
    # What is being fetched meanwhile learns of it.
    assert scene.noted == [locator("/a")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PURGE"])
@pytest.mark.parametrize(
    ("status", "falls"), [(200, True), (204, True), (303, True), (404, False), (500, False)]
)
def test_by_methods_that_are_not_safe_if_they_succeed(
    method: str, status: int, falls: bool
) -> None:
    scene = Lawful(origin=[answer(status)])
    scene.serve(get(method=method))
    assert scene.told == [f"{method} /a", *(["purge /a"] if falls else [])]


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_safe_methods_change_nothing(method: str) -> None:
    scene = Lawful(origin=[answer()])
    scene.serve(get(method=method))
    assert scene.told == [f"{method} /a"]


def test_no_answer_changes_nothing() -> None:
    scene = Lawful(origin=[OSError("down")])
    with pytest.raises(OSError, match="down"):
        scene.serve(POST)
    assert scene.told == ["POST /a"]


@pytest.mark.parametrize("field", ["location", "content_location"])
@pytest.mark.parametrize(
    ("value", "also"),
    [
        ("/b", True),
        (HOST + "/b", True),
        ("http://elsewhere.test/b", False),
        ("https://origin.test/b", False),
        ("http://[", False),
    ],
)
def test_what_it_points_to_on_the_same_origin(field: str, value: str, also: bool) -> None:
    scene = Lawful(origin=[answer(201, **{field: value})])
    scene.serve(POST)
    assert scene.told[:2] == ["POST /a", "purge /a"]
    assert ("purge /b" in scene.told) is also
    assert (locator("/b") in scene.noted) is also


def test_all_is_noted_before_the_store_is_asked() -> None:
    """Else what arrives while it works would slip through."""
    scene = Lawful(origin=[answer(201, location="/b")])
    order: list[str] = []
    scene.note_change = lambda _: order.append("noted")  # type: ignore[method-assign]
    trip = scene._trip
    scene._trip = lambda effect: order.append(effect.name) or trip(effect)  # type: ignore[method-assign,func-returns-value]
    scene.serve(POST)
    assert order == ["noted", "noted", "purge", "purge"]


def test_the_store_fails() -> None:
    fetched = answer()
    scene = Lawful(origin=[fetched], failing=frozenset({"purge"}))
    assert scene.serve(POST).answer is fetched


@pytest.mark.parametrize("options", [Options(disabled=True), Options()])
def test_disabled_or_not(options: Options) -> None:
    """What is stored is wrong from now on, whoever looks at it."""
    scene = Lawful(origin=[answer()])
    served = scene.serve(get(method="PUT"), options)
    assert scene.told == ["PUT /a", "purge /a"]
    assert served.reason is (Reason.DISABLED if options.disabled else Reason.UNSAFE)


class TestPost:
    """RFC 9110 section 9.3.3."""

    shown = answer(cache_control="max-age=9", content_location="/a")

    def test_what_get_would_be_answered_is_stored_for_it(self) -> None:
        scene = Lawful(origin=[self.shown])
        served = scene.serve(POST)
        assert (served.reason, served.refusal, served.stored.key) == (Reason.UNSAFE, None, key())
        assert scene.told == ["POST /a", "purge /a", "read", "save /a"]

    @pytest.mark.parametrize(
        ("fetched", "refusal"),
        [
            (answer(cache_control="max-age=9"), Reason.POST),
            (answer(cache_control="max-age=9", content_location="/b"), Reason.POST),
            (answer(content_location="/a", etag='"v1"'), Reason.POST),
            (answer(cache_control="no-store", content_location="/a"), Reason.NO_STORE),
        ],
    )
    def test_other_answers_are_not(self, fetched: Any, refusal: Reason) -> None:
        scene = Lawful(origin=[fetched])
        assert scene.serve(POST) == Forwarded(fetched, Reason.UNSAFE, None, refusal, key())
        assert not {"read", "save /a"} & set(scene.told)

    def test_another_change_has_overtaken_it(self) -> None:
        scene = Lawful(origin=[self.shown], changed_while=1)
        served = scene.serve(POST)
        assert (served.stored, served.refusal) == (None, Reason.INVALIDATED)
        assert scene.told == ["POST /a", "purge /a"]

    def test_without_a_key(self) -> None:
        scene = Lawful(origin=[self.shown], settings=law(key_fn=lambda _: None))
        assert scene.serve(POST).refusal is Reason.KEY_FUNCTION

    def test_fields_of_its_body_are_not_those_of_a_get(self) -> None:
        settings = law(include_headers=True)
        scene = Lawful(origin=[self.shown], settings=settings)
        request = get(method="POST", body=b"a", Content_Type="text/plain", Accept="x")
        stored = scene.serve(request).stored
        assert stored.key == request_key(settings, get(Accept="x"))


class TestGroups:
    """RFC 9875."""

    told = answer(cache_group_invalidation='"news", "other"')

    def scene(self, *found: Stored, **settings: Any) -> Lawful:
        pages = [[(str(index), one)] for index, one in enumerate(found)]
        return Lawful(origin=[self.told], settings=law(**settings), pages=pages)

    def test_members_of_the_same_origin_go(self) -> None:
        elsewhere = kept("/c", cache_groups='"news"')
        entry = msgspec.structs.replace(elsewhere.entry, url="http://elsewhere.test/c")
        scene = self.scene(
            kept("/b", cache_groups='"old", "news"'),
            kept("/c", cache_groups='"more"'),
            elsewhere._replace(entry=entry),
            cache_groups=True,
        )
        scene.serve(get(method="PUT"))
        assert [told for told in scene.told if not told.startswith("page")] == [
            *("PUT /a", "purge /a", "drop /b"),
        ]
        assert scene.noted == [locator("/a"), locator("/b")]

    @pytest.mark.parametrize("method", ["OPTIONS", "GET"])
    def test_safe_methods_have_no_say(self, method: str) -> None:
        scene = self.scene(kept("/b", cache_groups='"news"'), cache_groups=True)
        scene.serve(get(method=method))
        assert "drop /b" not in scene.told

    def test_only_if_told_so(self) -> None:
        scene = self.scene(kept("/b", cache_groups='"news"'))
        scene.serve(get(method="PUT"))
        assert scene.told == ["PUT /a", "purge /a"]
