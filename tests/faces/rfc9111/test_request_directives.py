"""What a request asks of the cache (RFC 9111 section 5.2.1)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply

FRESH = "Cache-Control: max-age=60"


async def stored(web: Web, age: float, *lines: str) -> None:
    """Store a response that is fresh for a minute, and wait."""
    web.origin.answers("/", reply(*(lines or (FRESH,)), 'ETag: "a"'))
    await web.get()
    web.clock.advance(seconds=age)


@pytest.mark.parametrize(
    ("fields", "age", "reused"),
    [
        ({"Cache-Control": "max-age=30"}, 29, True),
        ({"Cache-Control": "max-age=30"}, 30, True),
        ({"Cache-Control": "max-age=30"}, 31, False),
        ({"Cache-Control": "foo, MAX-AGE=30"}, 31, False),
        ({"Cache-Control": 'max-age="30"'}, 31, False),
        ({"Cache-Control": "max-age=0"}, 1, False),
        ({"Cache-Control": "max-age=300"}, 59, True),
        ({"Cache-Control": "max-age=300"}, 61, False),
        ({"Cache-Control": "min-fresh=30"}, 29, True),
        ({"Cache-Control": "min-fresh=30"}, 31, False),
        ({"Cache-Control": "min-fresh=61"}, 0, False),
        ({"Cache-Control": "max-stale"}, 1000, True),
        ({"Cache-Control": "max-stale=30"}, 89, True),
        ({"Cache-Control": "max-stale=30"}, 91, False),
        ({"Cache-Control": "max-stale=0"}, 61, False),
        ({"Cache-Control": "max-stale=99999999999"}, 86_400, True),
        ({"Cache-Control": "max-stale, max-age=100"}, 90, True),
        ({"Cache-Control": "max-stale, max-age=80"}, 90, False),
        ({"Cache-Control": "max-age=300, max-stale=30"}, 80, True),
        ({"Cache-Control": "no-cache"}, 1, False),
        ({"Cache-Control": "NO-CACHE"}, 1, False),
        ({"Cache-Control": "foo, no-cache, bar"}, 1, False),
        ({"Cache-Control": "max-stale, no-cache"}, 1, False),
        ({"Cache-Control": 'foo="no-cache"'}, 1, True),
        ({"Pragma": "no-cache"}, 1, False),
        ({"Pragma": "No-Cache, x"}, 1, False),
        ({"Pragma": "no-cache", "Cache-Control": "max-age=30"}, 1, True),
        ({"Pragma": "whatever"}, 1, True),
        ({"Cache-Control": "no-store"}, 1, True),
        ({"Cache-Control": "no-transform"}, 1, True),
        ({"Cache-Control": "only-if-cached"}, 1, True),
        ({"Cache-Control": "unknown, unknown=1"}, 1, True),
        ({"Cache-Control": "public, immutable, s-maxage=0"}, 1, True),
        ({"Cache-Control": ""}, 1, True),
        ({"Cache-Control": ",,=,;"}, 1, True),
    ],
    ids=str,
)
async def test_reuse(table_web: Web, fields: Mapping[str, str], age: float, reused: bool) -> None:
    await stored(table_web, age)
    assert await table_web.is_reused("/", fields) == reused


@pytest.mark.parametrize(
    "lines",
    [
        ("Cache-Control: max-age=60, no-cache",),
        ("Cache-Control: max-age=60, must-revalidate",),
        ("Cache-Control: no-cache",),
    ],
    ids=str,
)
async def test_max_stale_does_not_overrule_the_response(web: Web, lines: tuple[str, ...]) -> None:
    """Section 4.2.4."""
    await stored(web, 61, *lines)
    assert not await web.is_reused("/", {"Cache-Control": "max-stale"})


async def test_what_is_asked_for_changes_nothing_for_others(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", reply(FRESH))
    await web.get("/", {"Cache-Control": "max-age=5"})
    web.clock.advance(seconds=30)
    assert await web.is_reused()
    assert await web.is_reused("/", {"Cache-Control": "min-fresh=10"})
    assert await web.is_reused()


async def test_what_narrows_leads_to_a_validation(web: Web) -> None:
    for directive in ("no-cache", "max-age=0", "min-fresh=100"):
        web.origin.answers("/", reply(FRESH, 'ETag: "a"', body="kept"), reply(FRESH, status=304))
        await web.get()
        web.clock.advance(seconds=1)
        seen = await web.get("/", {"Cache-Control": directive})
        assert (seen.status, seen.body) == (200, b"kept")
        assert web.origin.last.headers["If-None-Match"] == '"a"'
        await web.clear()


async def test_no_cache_brings_what_is_new_for_all(web: Web) -> None:
    await stored(web, 1)
    assert (await web.get("/", {"Cache-Control": "no-cache"})).body == b"2"
    seen = await web.get()
    assert (seen.from_cache, seen.body) == (True, b"2")


class TestOnlyIfCached:
    """Section 5.2.1.7."""

    FIELDS: Mapping[str, str] = {"Cache-Control": "only-if-cached"}

    async def test_without_a_stored_response(self, any_web: Web) -> None:
        any_web.origin.answers("/", reply(FRESH))
        seen = await any_web.get("/", self.FIELDS)
        assert (seen.status, seen.body) == (504, b"")
        assert seen.reason == "Gateway Timeout"
        assert any_web.origin.count() == 0

    async def test_with_a_stale_one(self, web: Web) -> None:
        await stored(web, 61)
        assert (await web.get("/", self.FIELDS)).status == 504
        allowed = {"Cache-Control": "only-if-cached, max-stale=10"}
        assert (await web.get("/", allowed)).body == b"1"
        assert web.origin.count() == 1

    async def test_with_one_that_other_directives_rule_out(self, web: Web) -> None:
        await stored(web, 30)
        for more in ("max-age=10", "min-fresh=50", "no-cache"):
            fields = {"Cache-Control": f"{more}, only-if-cached"}
            assert (await web.get("/", fields)).status == 504
        assert (await web.get("/", self.FIELDS)).status == 200
        assert web.origin.count() == 1

    async def test_another_method(self, web: Web) -> None:
        """A 504 is what is asked for, where the cache could never answer."""
        assert (await web.request("PUT", "/", self.FIELDS)).status == 504
        assert web.origin.count() == 0


@pytest.mark.parametrize(
    "value", ["max-age=5, foo", "no-cache", "no-store", "no-transform", "max-stale=5", "x=1,,y"]
)
async def test_they_reach_the_origin(web: Web, value: str) -> None:
    """Section 5.2: a cache passes directives on."""
    web.origin.answers("/", reply(FRESH))
    await web.get("/", {"Cache-Control": value, "Pragma": "x"})
    assert web.origin.last.all("Cache-Control") == [value]
    assert web.origin.last.all("Pragma") == ["x"]


async def test_those_of_the_response_reach_the_caller(web: Web) -> None:
    """Section 5.2, and no-transform in 5.2.2.6: what is served is as it was received."""
    lines = ("Cache-Control: max-age=60, No-Transform , foo=bar", 'Cache-Control: x="y,z"')
    web.origin.answers("/", reply(*lines, body="  as it is \r\n"))
    for _ in range(2):
        seen = await web.get()
        assert seen.headers.getall("Cache-Control") == [
            "max-age=60, No-Transform , foo=bar",
            'x="y,z"',
        ]
        assert seen.body == b"  as it is \r\n"
    assert web.origin.count() == 1


@pytest.mark.parametrize(
    "value", ["max-age=x", "max-age=-1", "max-age", "min-fresh=x", "min-fresh"]
)
async def test_what_cannot_be_read_narrows(web: Web, value: str) -> None:
    """Section 4.2.1: in doubt, ask."""
    await stored(web, 1)
    assert not await web.is_reused("/", {"Cache-Control": value})


@pytest.mark.parametrize("value", ["max-stale=x", "max-stale=-1", "max-stale=1.5"])
async def test_what_cannot_be_read_allows_nothing(web: Web, value: str) -> None:
    await stored(web, 61)
    assert not await web.is_reused("/", {"Cache-Control": value})
