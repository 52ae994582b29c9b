"""Many tasks, one response: the gate of the origin shows who waits and who goes out."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse

from aiohttp_client_cache import CachedSession
from tests.faces.aiohttp.conftest import OpenBackend, OpenSession
from tests.faces.aiohttp.parity import ROUTES, open_route, was_cached
from tests.support.clock import StandingClock
from tests.support.origin import Origin

TASKS = 10


def ask(session: Any, origin: Origin, tasks: int = TASKS, **kwargs: Any) -> list[asyncio.Task[Any]]:
    async def get() -> tuple[int, str]:
        response: ClientResponse = await session.get(origin.url("/gated"), **kwargs)
        return response.status, await response.text()

    return [asyncio.create_task(get()) for _ in range(tasks)]


@pytest.mark.parametrize("route", ROUTES)
async def test_one_fetch_for_all(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    async with open_route(route, open_backend()) as session:
        tasks = ask(session, origin)
        await origin.waiting(1)
        origin.open()
        assert await asyncio.gather(*tasks) == [(200, "answer 1")] * TASKS
    assert origin.count() == 1


async def test_one_fetch_for_all_sessions_of_a_backend(
    origin: Origin, open_backend: OpenBackend
) -> None:
    backend = open_backend()
    async with CachedSession(cache=backend) as one, CachedSession(cache=backend) as other:
        tasks = ask(one, origin) + ask(other, origin)
        await origin.waiting(1)
        origin.open()
        assert set(await asyncio.gather(*tasks)) == {(200, "answer 1")}
    assert origin.count() == 1


async def test_one_fetch_for_all_through_redirects(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:

        async def get() -> str:
            response = await session.get(origin.url("/redirect-to?to=/gated"))
            return await response.text()

        tasks = [asyncio.create_task(get()) for _ in range(TASKS)]
        await origin.waiting(1)
        origin.open()
        assert await asyncio.gather(*tasks) == ["answer 1"] * TASKS
    assert origin.count("/gated") == 1


async def test_different_requests_do_not_wait_for_each_other(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        urls = [origin.url(f"/gated?n={n}") for n in range(TASKS)]
        tasks = [asyncio.create_task(session.get(url)) for url in urls]  # type: ignore[arg-type]
        await origin.waiting(TASKS)
        origin.open(TASKS)
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("route", ROUTES)
async def test_what_is_not_stored_is_fetched_at_once(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """The first answer cannot be shared: all others go out together, not one by one."""
    async with open_route(route, open_backend()) as session:
        tasks = ask(session, origin)
        await origin.waiting(1)
        origin.open(outcome="404")
        await origin.waiting(TASKS - 1)
        origin.open(TASKS - 1, outcome="404")
        answers = await asyncio.gather(*tasks)
        assert {status for status, _ in answers} == {404}
        assert len({text for _, text in answers}) == TASKS


async def test_what_is_known_not_to_be_stored_waits_for_nobody(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        [first] = ask(session, origin, 1)
        await origin.waiting(1)
        origin.open(outcome="404")
        await first

        tasks = ask(session, origin)
        await origin.waiting(TASKS)
        origin.open(TASKS, outcome="404")
        await asyncio.gather(*tasks)


async def test_requests_that_bypass_the_cache_wait_for_nobody(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        with session.disabled():
            tasks = ask(session, origin)
        await origin.waiting(TASKS)
        origin.open(TASKS)
        await asyncio.gather(*tasks)

        tasks = ask(session, origin, expire_after=0)
        await origin.waiting(TASKS)
        origin.open(TASKS)
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_cancelled_leader_hands_over_to_one(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with open_route(route, open_backend()) as session:
        leader, *waiters = ask(session, origin)
        await origin.waiting(1)
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader

        await origin.has_received(2)
        await origin.waiting(1)
        origin.open()
        assert await asyncio.gather(*waiters) == [(200, "answer 1")] * (TASKS - 1)
    assert origin.count() == 2


async def test_cancelled_waiters_disturb_nobody(origin: Origin, open_session: OpenSession) -> None:
    async with open_session() as session:
        leader, first, second, last = ask(session, origin, 4)
        await origin.waiting(1)
        for waiter in (first, second):
            waiter.cancel()
        await asyncio.wait([first, second])
        origin.open()
        assert await leader == await last == (200, "answer 1")
    assert origin.count() == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_a_failed_leader_releases_all(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """An outage is not served to one after the other."""
    async with open_route(route, open_backend()) as session:
        tasks = ask(session, origin)
        await origin.waiting(1)
        origin.open(outcome="broken")
        await origin.waiting(TASKS - 1)
        origin.open(TASKS - 1, outcome="broken")
        for answer in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(answer, aiohttp.ClientError)
        assert origin.count() == TASKS


@pytest.mark.parametrize("route", ROUTES)
async def test_a_connection_that_breaks_is_tried_once_more(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """aiohttp does so by itself, and enters the cache a second time within one request."""
    async with asyncio.timeout(5), open_route(route, open_backend()) as session:
        url = origin.url("/hang-up")
        for text in ("answer 2", "answer 2"):
            assert await (await session.get(url)).text() == text
    assert origin.count() == 2


@pytest.mark.parametrize("cache_control", [False, True])
async def test_what_is_served_in_an_outage_is_not_for_who_refuses_it(
    origin: Origin, open_session: OpenSession, clock: StandingClock, cache_control: bool
) -> None:
    async with open_session(
        expire_after=60, stale_if_error=True, cache_control=cache_control
    ) as session:
        (first,) = ask(session, origin, 1)
        await origin.waiting(1)
        origin.open()
        assert await first == (200, "answer 1")
        clock.advance(seconds=61)
        (leader,) = ask(session, origin, 1)
        await origin.waiting(1)
        waiters = ask(session, origin, 3)
        strict = ask(session, origin, 1, stale_if_error=False)
        await origin.waiting(1)
        origin.open(outcome="503")
        await origin.waiting(1)
        origin.open(outcome="503")
        assert await asyncio.gather(leader, *waiters) == [(200, "answer 1")] * 4
        assert await asyncio.gather(*strict) == [(503, "answer 3")]
    assert origin.count() == 3


async def test_after_a_failure_the_next_answer_is_shared(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        leader, waiter = ask(session, origin, 2)
        await origin.waiting(1)
        origin.open(outcome="broken")
        await origin.waiting(1)
        origin.open()
        assert isinstance(
            *await asyncio.gather(leader, return_exceptions=True), aiohttp.ClientError
        )
        assert await waiter == (200, "answer 1")
        assert await asyncio.gather(*ask(session, origin)) == [(200, "answer 1")] * TASKS


@pytest.mark.parametrize("route", ROUTES)
async def test_a_waiter_keeps_its_own_timeout(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    async with open_route(route, open_backend()) as session:
        [leader] = ask(session, origin, 1)
        await origin.waiting(1)
        impatient = aiohttp.ClientTimeout(total=0.05)
        [waiter] = ask(session, origin, 1, timeout=impatient)
        with pytest.raises(TimeoutError):
            await waiter
        assert not leader.done()
        origin.open()
        assert await leader == (200, "answer 1")
    assert origin.count() == 1


async def test_a_leader_that_times_out_hands_over(
    origin: Origin, open_session: OpenSession
) -> None:
    async with open_session() as session:
        [leader] = ask(session, origin, 1, timeout=aiohttp.ClientTimeout(total=0.15))
        await origin.waiting(1)
        waiters = ask(session, origin, 3)
        with pytest.raises(TimeoutError):
            await leader
        await origin.has_received(2)
        async with asyncio.timeout(5):
            while not all(waiter.done() for waiter in waiters):
                origin.open()
                await asyncio.sleep(0.01)
        assert {status for status, _ in await asyncio.gather(*waiters)} == {200}


async def test_an_expired_response_is_fetched_once(
    origin: Origin, open_session: OpenSession, clock: Any
) -> None:
    async with open_session(expire_after=60) as session:
        [first] = ask(session, origin, 1)
        origin.open()
        await first
        clock.advance(seconds=61)
        tasks = ask(session, origin)
        await origin.waiting(1)
        origin.open()
        assert set(await asyncio.gather(*tasks)) == {(200, "answer 2")}
    assert origin.count() == 2


@pytest.mark.parametrize("route", ROUTES)
async def test_one_fetch_of_a_large_body_for_all(
    origin: Origin, open_backend: OpenBackend, route: str
) -> None:
    """While the first one reads it, the others wait for what it will leave."""
    async with open_route(route, open_backend()) as session:

        async def get() -> int:
            async with session.get(origin.url("/large")) as response:
                return len(await response.read())

        assert await asyncio.gather(*(get() for _ in range(TASKS))) == [3 * 2**20] * TASKS
    assert origin.count() == 1


async def test_a_large_body_that_its_reader_leaves(
    origin: Origin, open_session: OpenSession
) -> None:
    """The others do not wait for ever for what nobody reads to its end."""
    async with asyncio.timeout(5), open_session() as session:

        async def get(*, to_the_end: bool) -> int:
            async with session.get(origin.url("/large")) as response:
                if to_the_end:
                    return len(await response.read())
                return len(await response.content.readexactly(10))

        assert await get(to_the_end=False) == 10
        readers = [get(to_the_end=n > 0) for n in range(TASKS)]
        assert await asyncio.gather(*readers) == [10] + [3 * 2**20] * (TASKS - 1)


async def test_many_tasks_over_many_urls(origin: Origin, open_session: OpenSession) -> None:
    """Each body is the one of its URL, and each URL is fetched once."""
    async with open_session() as session:

        async def get(n: int) -> tuple[bool, dict[str, str]]:
            response = await session.get(origin.url("/json"), params={"n": str(n % 25)})
            return was_cached(response), (await response.json())["args"]

        answers = await asyncio.gather(*(get(n) for n in range(500)))
        for n, (_, args) in enumerate(answers):
            assert args == {"n": str(n % 25)}
    assert origin.count() == 25
