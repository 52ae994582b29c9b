"""What the Redis store does when its server is full, read-only, slow, or not to be reached."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any, Self

import pytest
from redis import Redis

from http_client_cache.body import KeptBody
from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.settings import Settings
from http_client_cache.shell.redis.address import parse
from http_client_cache.store._blocks import BLOCK_BYTES
from tests.stores.subjects import (
    COLOURS,
    NOW,
    Subject,
    alias,
    entry,
    redis,
    redis_at,
    run_as_async,
    run_as_sync,
)
from tests.support.servers import RedisServer

BODY = b"the body"
LARGE = os.urandom(5 * BLOCK_BYTES)

both = pytest.mark.parametrize("colour", COLOURS)


class BodyGoneError(Exception):
    """A body was evicted while it was read."""


class Using:
    """A cache on a server, in one colour; it is closed at the end."""

    def __init__(self, url: str, colour: str, **options: Any) -> None:
        self.subject: Subject = redis_at(parse(url), **options)
        self.store: Any = self.subject.store
        self._colour = COLOURS[colour]

    async def __call__(self, plan: Any) -> Any:
        return await self._colour(self.subject, plan)

    async def put(self, key: str, body: bytes = BODY, *, expires: float | None = None) -> None:
        await self(self.store.save(key, entry(body=body, expires=expires), body))

    async def body(self, key: str) -> bytes | None:
        """Of a key, read to its end; ``None`` where it is absent."""
        found = await self(self.store.load(key))
        if not found:
            return None
        ((_, _, body, _, _),) = found
        if isinstance(body, KeptBody):
            pieces = b""
            while len(pieces) < len(body):
                try:
                    pieces += await self(self.store.read(body, len(pieces), 2**20))
                except StoreError as error:
                    raise BodyGoneError from error
            return pieces
        return bytes(body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.subject.close()


@both
async def test_a_full_server_can_still_be_read(colour: str) -> None:
    arguments = ("--maxmemory", "6mb", "--maxmemory-policy", "noeviction")
    with RedisServer(*arguments) as server:
        async with Using(server.url, colour) as use:
            await use.put("a.1")
            await use(use.store.link("b.1", alias("a.1")))
            with pytest.raises(StoreError, match="maxmemory") as caught:
                for number in range(9):
                    await use.put(f"large.{number}", LARGE)
            assert not isinstance(caught.value, StoreUnavailable)
            # Nothing goes where something could not be put in its place.
            with pytest.raises(StoreError):
                await use.put("a.1", LARGE)
            assert await use.body("a.1") == BODY
            assert len(await use(use.store.load("b.1", follow=True))) == 1
            assert await use.body("large.0") == LARGE
            assert await use(use.store.contains("a.1"))
            assert await use(use.store.size()) == len(await use(use.store.page("", 100)))
            assert await use(use.store.delete(["a.1"])) == 1
            assert await use(use.store.purge("large")) > 0
            assert await use(use.store.size()) == 0


@both
async def test_a_server_that_may_only_be_read(colour: str) -> None:
    with RedisServer() as server, Redis(port=server.port) as other:
        async with Using(server.url, colour) as use:
            await use.put("a.1")
            await use.put("a.2", LARGE)
            await use.put("a.3")
            other.delete(use.store._names.prefixes[0] + b"e:a.3")
            (_, stored) = [found for _, found in await use(use.store.page("", 9, bodies=True))]
            other.pexpire(
                use.store._names.prefixes[0] + b"c:" + stored.body.source.name.encode(), 50_000
            )
            other.replicaof("127.0.0.1", 1)
            assert await use.body("a.1") == BODY
            assert await use.body("a.2") == LARGE
            assert await use(use.store.size()) == 2
            assert len(await use(use.store.page("", 9))) == 2
            with pytest.raises(StoreError, match=r"(?i)read.?only"):
                await use.put("a.4")
            other.replicaof("NO", "ONE")
            await use.put("a.4")
            assert await use(use.store.size()) == 3


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl", "allkeys-random"])
async def test_a_server_that_makes_room_leaves_whole_entries(policy: str) -> None:
    """And what it has dropped, an index above all, never makes something stale be served."""
    arguments = ("--maxmemory", "12mb", "--maxmemory-policy", policy)
    with RedisServer(*arguments) as server:
        async with Using(server.url, "sync", settings=Settings(keep_expired=0)) as use:
            dice = random.Random(policy)
            kept: dict[str, bytes] = {}
            there = 0
            for number in range(400):
                key = f"{number % 100}.1"
                body = dice.randbytes(dice.choice([500, 20_000, 90_000, 2**20 + 5]))
                await use.put(key, body, expires=NOW + dice.randrange(50, 5000))
                kept[key] = body
                asked = f"{dice.randrange(100)}.1"
                try:
                    found = await use.body(asked)
                except BodyGoneError:
                    continue
                there += found is not None
                assert found in (None, kept.get(asked))
                if number % 5 == 0:
                    await use(use.store.purge(asked.partition(".")[0]))
                    kept.pop(asked, None)
                    assert await use(use.store.load(asked)) == ()
            assert there > 20
            size = await use(use.store.size())
            assert len(await use(use.store.page("", 1000))) == size <= 100
            with Redis(port=server.port) as other:
                assert other.info("stats")["evicted_keys"] > 50


@both
async def test_a_server_that_hangs_costs_its_time_and_only_a_few_times(colour: str) -> None:
    with RedisServer() as server:
        async with Using(server.url, colour, seconds=0.25) as use:
            await use.put("a.1")
            server.suspend()
            for _ in range(3):
                begun = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await use.body("a.1")
                assert 0.2 < time.monotonic() - begun < 0.45
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable, match="left alone"):
                await use.body("a.1")
            assert time.monotonic() - begun < 0.05
            server.resume()
            async with asyncio.timeout(5):
                while True:
                    try:
                        assert await use.body("a.1") == BODY
                        break
                    except StoreUnavailable:
                        await asyncio.sleep(0.05)


@both
async def test_a_server_that_comes_back(colour: str) -> None:
    with RedisServer() as server:
        async with Using(server.url, colour, seconds=0.25) as use:
            await use.put("a.1")
            server.kill()
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await use.body("a.1")
            assert time.monotonic() - begun < 0.45
            server.restart()
            # It has forgotten everything, its scripts as well.
            assert await use.body("a.1") is None
            await use.put("a.1")
            assert await use.body("a.1") == BODY


@both
async def test_an_answer_that_comes_too_late_is_nobodys(colour: str) -> None:
    with RedisServer() as server, Redis(port=server.port) as other:
        async with Using(server.url, colour, seconds=0.15) as use:
            for number in range(10):
                await use.put(f"a.{number}", b"%d" % number)
            for number in range(2):
                other.client_pause(250, all=True)
                with pytest.raises(StoreUnavailable):
                    await use.body(f"a.{number}")
                other.client_unpause()
                for again in range(10):
                    assert await use.body(f"a.{again}") == b"%d" % again


async def test_the_answer_to_who_was_cancelled_is_nobodys() -> None:
    subject = redis(Path())
    store = subject.store

    async def body_of(number: int) -> bytes:
        (found,) = await run_as_async(subject, store.load(f"a.{number}"))
        return found.body

    for number in range(20):
        body = b"%d" % number * (1 + 30_000 * (number % 3))
        await run_as_async(subject, store.save(f"a.{number}", entry(body=body), body))
    for turn in range(20):
        tasks = [asyncio.create_task(body_of(number)) for number in range(20)]
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        for task in tasks[turn % 2 :: 2]:
            task.cancel()
        for number, body in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
            if not isinstance(body, asyncio.CancelledError):
                assert body == b"%d" % number * (1 + 30_000 * (number % 3))
    await subject.close()


@both
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("redis://:hunter2@127.0.0.1:{port}", "invalid username-password|WRONGPASS"),
        ("redis://127.0.0.1:{port}", "(?i)authentication required"),
        ("redis://:secret@127.0.0.1:{port}/99", "out of range"),
        ("redis://:secret@127.0.0.1:1", "(?i)connect"),
        ("redis://:secret@nowhere.invalid:{port}", "(?i)nowhere.invalid|name"),
        ("rediss://:secret@127.0.0.1:{port}", "(?i)ssl|reset|closed|timeout|no answer"),
        ("redis+cluster://:secret@127.0.0.1:{port}", "(?i)cluster"),
    ],
)
async def test_what_is_wrong_is_said_in_a_line(colour: str, address: str, said: str) -> None:
    with RedisServer(password="secret") as server:
        async with Using(address.format(port=server.port), colour, seconds=0.5) as use:
            with pytest.raises(StoreUnavailable, match=said) as caught:
                await use.body("a.1")
            message = str(caught.value)
            assert "\n" not in message
            assert len(message) < 300
            assert "hunter2" not in message
            assert "secret" not in message


def test_many_threads_may_use_it() -> None:
    subject = redis(Path())
    store = subject.store

    async def one(number: int) -> None:
        for turn in range(10):
            key, body = f"{number}.{turn}", b"%d %d" % (number, turn)
            await run_as_sync(subject, store.save(key, entry(body=body), body))
            (found,) = await run_as_sync(subject, store.load(key))
            assert found.body == body

    def work(number: int) -> None:
        asyncio.run(one(number))

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(32)))
        assert await run_as_sync(subject, store.size()) == 320

    asyncio.run(main())
    subject.sync_shell.close()
