"""The origin of these tests does as it is told, seen by a client without a cache."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import ClientSession

from tests.support.clock import StandingClock
from tests.support.scripted import End, Received, Reply, ScriptedOrigin, reply


async def test_answers_come_in_order_and_the_last_one_again(scripted: ScriptedOrigin) -> None:
    scripted.answers("/", reply(body="first"), reply(status=404))
    async with ClientSession() as session:
        seen = []
        for _ in range(3):
            response = await session.get(scripted.url("/?a=1"), headers={"X-Asked": "yes"})
            seen.append((response.status, await response.text()))
    assert seen == [(200, "first"), (404, "2"), (404, "3")]
    assert [request.target for request in scripted.asked("/")] == ["/?a=1"] * 3
    assert scripted.last.headers["x-asked"] == "yes"


async def test_fields_are_sent_as_they_are(scripted: ScriptedOrigin, clock: StandingClock) -> None:
    scripted.answers("/", reply("X-Odd: a", b"x-odd:caf\xe9", "X-Empty:"))
    async with ClientSession() as session:
        response = await session.get(scripted.url("/"))
        clock.advance(seconds=90)
    assert response.raw_headers[:3] == ((b"X-Odd", b"a"), (b"x-odd", b"caf\xe9"), (b"X-Empty", b""))
    assert response.headers["Date"] == "Fri, 01 Jan 2021 18:00:00 GMT"
    assert scripted.date() == "Fri, 01 Jan 2021 18:01:30 GMT"


async def test_answers_are_made_of_requests(scripted: ScriptedOrigin) -> None:
    async def echo(request: Received) -> Reply:
        await asyncio.sleep(0)
        return reply(body=request.method.encode() + request.body)

    scripted.answers("/", echo)
    async with ClientSession() as session:
        assert await (await session.put(scripted.url("/"), data=b"ting")).text() == "PUTting"

        async def pieces() -> object:
            yield b"a"
            yield b"bc"

        assert await (await session.post(scripted.url("/"), data=pieces())).text() == "POSTabc"


@pytest.mark.parametrize("end", [End.CUT_OFF, End.CUT_CHUNK])
async def test_bodies_break_off(scripted: ScriptedOrigin, end: End) -> None:
    scripted.answers("/", reply(body="half", end=end))
    async with ClientSession() as session:
        response = await session.get(scripted.url("/"))
        assert await response.content.readexactly(4) == b"half"
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


@pytest.mark.parametrize("end", [End.LENGTH, End.CHUNKED, End.CLOSED])
async def test_bodies_end(scripted: ScriptedOrigin, end: End) -> None:
    scripted.answers("/", reply(body="whole", end=end))
    async with ClientSession() as session:
        for _ in range(2):
            assert await (await session.get(scripted.url("/"))).text() == "whole"


async def test_heads_without_a_body(scripted: ScriptedOrigin) -> None:
    early = ("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload")
    scripted.answers("/", reply(body="five5", interim=(early,)))
    scripted.answers("/not-modified", reply(status=304))
    async with ClientSession() as session:
        response = await session.head(scripted.url("/"))
        assert (response.status, response.headers["Content-Length"]) == (200, "5")
        assert await response.read() == b""
        response = await session.get(scripted.url("/not-modified"))
        assert (response.status, await response.read()) == (304, b"")


async def test_gates(scripted: ScriptedOrigin) -> None:
    gate = asyncio.Event()
    scripted.answers("/", reply(gate=gate))
    async with ClientSession() as session:
        task = asyncio.create_task(session.get(scripted.url("/")))
        await scripted.has_received(1)
        assert not task.done()
        gate.set()
        assert (await task).status == 200


async def test_it_goes_away_and_comes_back(scripted: ScriptedOrigin) -> None:
    scripted.answers("/", reply(raw=b"HTTP/1.0 200 OK\r\n\r\nold"), reply())
    async with ClientSession() as session:
        assert await (await session.get(scripted.url("/"))).text() == "old"
        scripted.away = True
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.get(scripted.url("/"))
        assert scripted.count() == 1
        scripted.away = False
        assert await (await session.get(scripted.url("/"))).text() == "2"


async def test_what_is_not_scripted_is_an_error(clock: StandingClock) -> None:
    with pytest.raises(AssertionError):
        async with ScriptedOrigin(clock).serving() as origin, ClientSession() as session:
            assert (await session.get(origin.url("/unknown"))).status == 500
