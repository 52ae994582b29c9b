"""Equal requests that are made at the same time (RFC 9111 section 4)."""

from __future__ import annotations

import asyncio

import pytest

from tests.faces.rfc9111.web import Fields, Seen, Web, only_aiohttp
from tests.support.scripted import Answerer, Received, Reply, reply


async def together(web: Web, *fields: Fields, target: str = "/") -> list[Seen]:
    return await asyncio.gather(*[web.get(target, each) for each in fields])


def slow(*lines: str, **more: object) -> Answerer:
    """Answers that take long enough for the others to arrive."""

    async def answer(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        return reply(*lines, **more)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize(
    "line", ["Cache-Control: max-age=60", "Cache-Control: private, max-age=60", "Expires: {soon}"]
)
async def test_they_share_an_answer(any_web: Web, line: str) -> None:
    web = any_web
    web.origin.answers("/", slow(line.format(soon=web.origin.date(60))))
    seen = await together(web, *[{}] * 5)
    assert {each.body for each in seen} == {b"1"}
    assert sorted(each.from_cache for each in seen) == [False, True, True, True, True]
    assert web.origin.count() == 1


@pytest.mark.parametrize("line", ["Cache-Control: no-store", "Vary: *", "X-Nothing: 1"])
async def test_what_may_not_be_shared(web: Web, line: str) -> None:
    """They are not served one after the other, either."""
    web.origin.answers("/", slow(line))
    async with asyncio.timeout(2):
        seen = await together(web, *[{}] * 10)
    assert len({each.body for each in seen}) == 10


async def test_no_cache_does_not_share(web: Web) -> None:
    """Who wants to hear from the origin does: an answer to an earlier request will not do."""
    web.origin.answers("/", slow("Cache-Control: max-age=60"))
    seen = await together(web, {}, {"Cache-Control": "no-cache"})
    assert [each.from_cache for each in seen] == [False, False]
    assert web.origin.count() == 2


async def test_force_refresh_does_not_share(session_web: Web) -> None:
    web = session_web
    web.origin.answers("/", slow("Cache-Control: max-age=60"))
    seen = await asyncio.gather(web.get(), web.get(force_refresh=True))
    assert [each.from_cache for each in seen] == [False, False]
    assert web.origin.count() == 2


async def test_no_store_does_not_share_what_it_gets(web: Web) -> None:
    web.origin.answers("/", slow("Cache-Control: max-age=60"))
    seen = await together(web, {"Cache-Control": "no-store"}, {})
    assert [each.from_cache for each in seen] == [False, False]
    assert await web.is_reused()


async def test_another_variant_does_not_share(web: Web) -> None:
    async def answer(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        return reply("Cache-Control: max-age=60", "Vary: X-A", body=request.headers["X-A"])

    web.origin.answers("/", answer)
    seen = await together(web, *[{"X-A": value} for value in "121212"])
    assert [each.body.decode() for each in seen] == list("121212")
    seen = await together(web, *[{"X-A": value} for value in "12"])
    assert [each.from_cache for each in seen] == [True, True]


async def test_another_user_does_not_share(web: Web) -> None:
    async def answer(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        return reply("Cache-Control: max-age=60", body=request.headers["Authorization"])

    web.origin.answers("/", answer)
    users = ["Basic YTox", "Basic Yjoy"]
    seen = await together(web, *[{"Authorization": user} for user in users])
    assert [each.body.decode() for each in seen] == users


async def test_a_part_is_not_shared_with_who_wants_all(web: Web) -> None:
    async def answer(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        if "Range" in request.headers:
            told = "Content-Range: bytes 0-1/4"
            return reply("Cache-Control: max-age=60", 'ETag: "a"', told, status=206, body="ab")
        return reply("Cache-Control: max-age=60", 'ETag: "a"', body="abcd")

    web.origin.answers("/", answer)
    seen = await together(web, {"Range": "bytes=0-1"}, {}, {"Range": "bytes=0-1"}, {})
    assert [(each.status, each.body) for each in seen] == [(206, b"ab"), (200, b"abcd")] * 2


async def test_conditions_of_one_are_not_those_of_all(web: Web) -> None:
    async def answer(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        status = 304 if "If-None-Match" in request.headers else 200
        return reply("Cache-Control: max-age=60", 'ETag: "a"', status=status, body="all of it")

    web.origin.answers("/", answer)
    seen = await together(web, {"If-None-Match": '"a"'}, {}, {"If-None-Match": '"a"'}, {})
    assert [(each.status, each.body) for each in seen] == [(304, b""), (200, b"all of it")] * 2


async def test_validations_are_shared(web: Web) -> None:
    web.origin.answers("/", reply("Cache-Control: max-age=10", 'ETag: "a"', body="kept"))
    await web.get()
    web.clock.advance(seconds=20)
    web.origin.answers("/", slow("Cache-Control: max-age=10", 'ETag: "a"', status=304))
    seen = await together(web, *[{}] * 5)
    assert {(each.status, each.body) for each in seen} == {(200, b"kept")}
    assert web.origin.count() == 2


async def test_each_gets_the_error(web: Web) -> None:
    async def gone(request: Received) -> Reply:
        await asyncio.sleep(0.05)
        return reply(raw=b"")

    web.origin.answers("/", gone)
    outcomes = await asyncio.gather(*[web.get() for _ in range(3)], return_exceptions=True)
    assert all(isinstance(each, Exception) for each in outcomes)


@only_aiohttp("a thread is not cancelled")
async def test_the_first_of_them_is_cancelled(web: Web) -> None:
    gate = asyncio.Event()
    web.origin.answers("/", reply("Cache-Control: max-age=60", gate=gate), reply())
    first = asyncio.create_task(web.get())
    await web.origin.has_received(1)
    second = asyncio.create_task(web.get())
    await asyncio.sleep(0.02)
    first.cancel()
    async with asyncio.timeout(5):
        assert (await second).body == b"2"
    gate.set()


async def test_unsafe_requests_are_never_joined(web: Web) -> None:
    web.origin.answers("/", slow("Cache-Control: max-age=60", "Content-Location: /"))
    await asyncio.gather(*[web.request("POST", data=b"same") for _ in range(3)])
    assert web.origin.count() == 3


async def test_head_and_get_at_the_same_time(web: Web) -> None:
    web.origin.answers("/", slow("Cache-Control: max-age=60", body="five5"))
    head, get = await asyncio.gather(web.head(), web.get())
    assert (head.body, get.body) == (b"", b"five5")
    assert (head.status, get.status) == (200, 200)


async def test_what_was_changed_meanwhile_is_not_stored(web: Web) -> None:
    """Section 4.4: an answer from before the change must not outlive it."""
    gate = asyncio.Event()

    def answer(request: Received) -> Reply:
        if request.method == "PUT":
            return reply()
        return reply("Cache-Control: max-age=60", gate=gate)

    web.origin.answers("/", answer)
    before = asyncio.create_task(web.get())
    await web.origin.has_received(1)
    await web.request("PUT")
    gate.set()
    await before
    assert not await web.is_reused()
