"""The Age of what is served (RFC 9111 sections 4 and 5.1)."""

from __future__ import annotations

import pytest

from tests.faces.rfc9111.web import Web
from tests.support.scripted import reply


async def test_it_is_the_time_since_arrival(any_web: Web) -> None:
    web = any_web
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    assert (await web.get()).age is None
    assert (await web.get()).age == "0"
    web.clock.advance(seconds=12.9)
    seen = await web.get()
    assert seen.headers.getall("Age") == ["12"]
    assert [value for name, value in seen.raw_headers if name.lower() == b"age"] == [b"12"]


async def test_it_takes_the_place_of_the_one_received(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60", "Age: 10", "age: 11"))
    assert (await web.get()).headers.getall("Age") == ["10", "11"]
    web.clock.advance(seconds=5)
    assert (await web.get()).headers.getall("Age") == ["15"]


async def test_it_is_counted_from_date_where_that_is_older(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60", f"Date: {web.origin.date(-30)}"))
    await web.get()
    web.clock.advance(seconds=5)
    seen = await web.get()
    assert seen.age == "35"
    assert seen.headers["Date"] == web.origin.date(-35)


async def test_what_was_just_validated_has_none(web: Web) -> None:
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", 'ETag: "a"', "Age: 3"),
        reply("Cache-Control: max-age=10", 'ETag: "a"', status=304),
    )
    await web.get()
    web.clock.advance(seconds=60)
    seen = await web.get()
    assert (seen.from_cache, seen.status, seen.age) == (True, 200, None)
    web.clock.advance(seconds=4)
    assert (await web.get()).age == "4"
    assert web.origin.count() == 2


async def test_a_304_may_bring_one(web: Web) -> None:
    web.origin.answers(
        "/",
        reply("Cache-Control: max-age=10", 'ETag: "a"'),
        reply("Cache-Control: max-age=10", 'ETag: "a"', "Age: 5", status=304),
    )
    await web.get()
    web.clock.advance(seconds=60)
    assert (await web.get()).age == "5"
    web.clock.advance(seconds=4)
    assert (await web.get()).age == "9"
    web.clock.advance(seconds=2)
    assert not await web.is_reused()


async def test_what_is_served_stale_has_it(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=10"))
    await web.get()
    web.clock.advance(seconds=100)
    seen = await web.get("/", {"Cache-Control": "max-stale"})
    assert (seen.from_cache, seen.age) == (True, "100")


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("HEAD", {}, 200),
        ("GET", {"If-None-Match": '"a"'}, 304),
        ("GET", {"Range": "bytes=0-1"}, 206),
    ],
)
async def test_whatever_is_made_of_it_has_it(
    web: Web, method: str, fields: dict[str, str], status: int
) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=60", 'ETag: "a"', body="abc"))
    await web.get()
    web.clock.advance(seconds=7)
    seen = await web.request(method, "/", fields)
    assert (seen.status, seen.age, web.origin.count()) == (status, "7", 1)


async def test_it_is_not_part_of_what_is_stored(web: Web) -> None:
    """Ten looks do not make it older, nor is it repeated."""
    web.origin.answers("/", reply("Cache-Control: max-age=60"))
    await web.get()
    for seconds in range(1, 11):
        web.clock.advance(seconds=1)
        assert (await web.get()).headers.getall("Age") == [str(seconds)]
