"""What the Redis store leaves on the server: names, times to live, and nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from http_client_cache.errors import StoreError
from http_client_cache.settings import Settings
from http_client_cache.store import Store
from http_client_cache.store._blocks import BLOCK_BYTES, DRAFT_SECONDS, READER_SECONDS
from tests.stores.conftest import Do
from tests.stores.subjects import NOW, Subject, alias, entry, redis, run_as_sync
from tests.support import servers

SMALL, LARGE = b"small", os.urandom(5 * BLOCK_BYTES)
HOUR = 3600.0


@pytest.fixture
def subject() -> Iterator[Subject]:
    subject = redis(Path())
    yield subject
    subject.sync_shell.close()


@pytest.fixture
def server() -> Iterator[Redis]:
    with Redis.from_url(servers.redis_url()) as server:
        yield server


def names_of(server: Redis, store: Any) -> set[str]:
    """What is there of a cache, less what all names begin with."""
    (prefix,) = store._names.prefixes
    return {name[len(prefix) :].decode() for name in server.scan_iter(prefix + b"*", count=1000)}


def left(server: Redis, store: Any, name: str) -> float | None:
    """Seconds after which it leaves; None for never."""
    milliseconds = server.pttl(store._names.prefixes[0] + name.encode())
    assert milliseconds != -2, f"{name} is not there"
    return None if milliseconds == -1 else milliseconds / 1000


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=20)


def chain_of(server: Redis, store: Any) -> str:
    (name,) = [name for name in names_of(server, store) if name.startswith("c:")]
    return name


async def put(
    do: Do,
    store: Store,
    key: str,
    *variants: str,
    expires: float | None = None,
    body: bytes = SMALL,
) -> None:
    for variant in variants or ("",):
        await do(store.save(key, entry(body=body, expires=expires), body, variant=variant))


@pytest.mark.parametrize("options", [{}, {"secret_key": "secret"}, {"compression": "zstd"}])
async def test_a_look_up_is_one_command(options: Any, do: Do, server: Redis) -> None:
    subject = redis(Path(), **options)
    store = subject.store

    async def mine(plan: Any) -> Any:
        return await run_as_sync(subject, plan)

    whole = os.urandom(2**20)
    await put(mine, store, "a.1")
    await put(mine, store, "a.2", body=whole)
    await put(mine, store, "a.3", "de", "en", "")
    await mine(store.link("a.4", alias("a.1")))
    # So that the server knows the script.
    await mine(store.load("a.1"))
    for key, trips, found in (
        ("nothing.1", 1, 0),
        ("a.1", 1, 1),
        ("a.2", 1, 1),
        ("a.3", 1, 3),
        ("a.4", 2, 1),
    ):
        with servers.counting(servers.redis_url()) as counted:
            assert len(await mine(store.load(key, follow=True))) == found
        assert counted.names == ["EVALSHA"] * trips
    with servers.counting(servers.redis_url()) as counted:
        await put(mine, store, "a.5")
    assert counted.names == ["EVALSHA"]
    subject.sync_shell.close()


class TestTimes:
    async def test_a_hash_leaves_with_its_last_variant(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1", "de", expires=NOW + 500)
        assert left(server, store, "e:a.1") == about(HOUR + 500)
        await put(do, store, "a.1", "en", expires=NOW + 100)
        assert left(server, store, "e:a.1") == about(HOUR + 500)
        await put(do, store, "a.1", "de", expires=NOW + 300)
        assert left(server, store, "e:a.1") == about(HOUR + 300)
        await do(store.drop([("a.1", "de")]))
        assert left(server, store, "e:a.1") == about(HOUR + 100)
        await put(do, store, "a.1", "fr")
        assert left(server, store, "e:a.1") is None

    async def test_indexes_leave_with_the_last_that_they_hold(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        for key, expires in (("a.1", 100.0), ("b.1", 900.0), ("c.1", None)):
            await put(do, store, key, expires=expires and NOW + expires)
            for name in "idx":
                assert left(server, store, name) == (expires and about(HOUR + expires))
        await do(store.delete(["c.1"]))
        assert [left(server, store, name) for name in "idx"] == [about(HOUR + 900)] * 3
        await do(store.delete(["a.1", "b.1"]))
        assert names_of(server, store) == set()

    async def test_freshened_it_stays_for_longer(self, do: Do, store: Store, server: Redis) -> None:
        await put(do, store, "a.1", expires=NOW + 100, body=LARGE)
        await do(store.link("b.1", alias("a.1")))
        fresh = entry(body=LARGE, expires=NOW + 5000)
        assert await do(store.freshen([("a.1", "", fresh)])) == 1
        for name in ("e:a.1", chain_of(server, store), "i", "d", "x", "t:a.1", "e:b.1", "a", "l"):
            assert left(server, store, name) == about(HOUR + 5000)

    async def test_a_body_leaves_with_its_entry(self, do: Do, store: Store, server: Redis) -> None:
        await put(do, store, "a.1", expires=NOW + 5000, body=LARGE)
        assert left(server, store, chain_of(server, store)) == about(HOUR + 5000)
        await do(store.delete(["a.1"]))
        assert left(server, store, chain_of(server, store)) == about(READER_SECONDS)
        assert names_of(server, store) == {chain_of(server, store)}

    async def test_what_never_expires_never_leaves(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1", body=LARGE)
        await do(store.link("b.1", alias("a.1")))
        names = names_of(server, store)
        assert {left(server, store, name) for name in names} == {None}
        await do(store.delete(["a.1"]))
        assert names_of(server, store) == {chain_of(server, store)}
        assert left(server, store, chain_of(server, store)) == about(READER_SECONDS)

    async def test_without_ttl_nothing_leaves(self, do: Do, server: Redis) -> None:
        subject = redis(Path(), ttl=False)
        store = subject.store
        await run_as_sync(subject, store.save("a.1", entry(expires=NOW + 1), b""))
        assert left(server, store, "e:a.1") is None
        await run_as_sync(subject, store.clear())
        subject.sync_shell.close()

    async def test_an_alias_leaves_with_its_target(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1", expires=NOW + 500)
        await do(store.link("b.1", alias("a.1")))
        await do(store.link("b.2", alias("nowhere.1")))
        assert left(server, store, "e:b.1") == about(HOUR + 500)
        assert left(server, store, "e:b.2") == about(HOUR)
        assert left(server, store, "t:nowhere.1") == about(HOUR)
        await put(do, store, "a.1", expires=NOW + 5000)
        assert left(server, store, "e:b.1") == about(HOUR + 5000)

    async def test_a_draft_leaves_by_itself(self, do: Do, store: Store, server: Redis) -> None:
        draft = await do(store.begin("a.1", entry()))
        await do(store.append(draft, [LARGE]))
        assert names_of(server, store) == {chain_of(server, store)}
        assert left(server, store, chain_of(server, store)) == about(DRAFT_SECONDS)
        server.pexpire(store._names.prefixes[0] + chain_of(server, store).encode(), 50_000)
        await do(store.append(draft, [LARGE]))
        assert left(server, store, chain_of(server, store)) == about(DRAFT_SECONDS)
        await do(store.forget(draft))
        assert names_of(server, store) == set()

    async def test_who_reads_keeps_what_has_gone(self, do: Do, store: Store, server: Redis) -> None:
        await put(do, store, "a.1", body=LARGE)
        (found,) = await do(store.load("a.1"))
        chain = chain_of(server, store)
        await do(store.delete(["a.1"]))
        server.pexpire(store._names.prefixes[0] + chain.encode(), 50_000)
        assert (
            await do(store.read(found.body, 2 * BLOCK_BYTES, 10)) == LARGE[2 * BLOCK_BYTES :][:10]
        )
        assert left(server, store, chain) == about(READER_SECONDS)

    async def test_everything_leaves_by_itself(self, do: Do, server: Redis) -> None:
        subject = redis(Path(), settings=Settings(keep_expired=0))
        store = subject.store

        async def mine(plan: Any) -> Any:
            return await run_as_sync(subject, plan)

        await put(mine, store, "a.1", "", "de", expires=NOW + 0.3)
        await put(mine, store, "a.2", expires=NOW + 0.2, body=LARGE)
        await mine(store.link("b.1", alias("a.1")))
        await mine(store.claim("a.1", "me", NOW, 0.1))
        assert len(await mine(store.load("b.1", follow=True))) == 2
        assert len(names_of(server, store)) == 12
        chain = chain_of(server, store)
        wait_until(lambda: names_of(server, store) == {chain})
        # Whoever has just been told of a body can read it.
        assert left(server, store, chain) == about(READER_SECONDS)
        assert await mine(store.load("b.1", follow=True)) == ()
        subject.sync_shell.close()

    async def test_a_variant_that_has_left_is_absent_beside_others(self, server: Redis) -> None:
        subject = redis(Path(), settings=Settings(keep_expired=0))
        store = subject.store

        async def mine(plan: Any) -> Any:
            return await run_as_sync(subject, plan)

        await put(mine, store, "a.1", "de", expires=NOW + 0.05)
        await put(mine, store, "a.1", "en", expires=NOW + 500)
        await put(mine, store, "a.2", "de", "en", expires=NOW + 0.05)
        await asyncio.sleep(0.06)
        assert [found.variant for found in await mine(store.load("a.1"))] == ["en"]
        assert await mine(store.size()) == 1
        assert [found.variant for _, found in await mine(store.page("", 9))] == ["en"]
        assert not await mine(store.contains("a.2"))
        old = entry(body=SMALL, expires=NOW + 900)
        assert await mine(store.freshen([("a.1", "de", old)])) == 0
        # The next change takes them along.
        await put(mine, store, "a.3", expires=NOW + 500)
        assert server.zcard(store._names.prefixes[0] + b"i") == 2
        assert server.hlen(store._names.prefixes[0] + b"e:a.1") == 3
        await mine(store.clear())
        subject.sync_shell.close()


def wait_until(true: Callable[[], Any]) -> None:
    patience = time.monotonic() + 10
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.01)


class TestWhatTheServerEvicts:
    async def test_without_its_index_an_entry_is_absent(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        """What could not be purged is never served, whatever the server has evicted."""
        await put(do, store, "a.1", "de", "en", body=LARGE)
        await put(do, store, "a.2")
        await do(store.link("b.1", alias("a.1")))
        server.delete(store._names.prefixes[0] + b"i")
        for key in ("a.1", "a.2", "b.1"):
            assert await do(store.load(key, follow=True)) == ()
            assert not await do(store.contains(key, follow=True))
        assert not await do(store.has_locator("a"))
        assert await do(store.purge("a")) == await do(store.size()) == 0
        assert await do(store.freshen([("a.1", "de", entry(body=LARGE))])) == 0
        await put(do, store, "a.1", "fr")
        assert [found.variant for found in await do(store.load("a.1"))] == ["fr"]
        assert await do(store.size()) == 1
        assert await do(store.purge("a")) == 1
        assert await do(store.load("a.1")) == ()

    async def test_without_its_index_an_alias_is_absent(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1")
        await do(store.link("b.1", alias("a.1")))
        server.delete(store._names.prefixes[0] + b"a")
        assert await do(store.load("b.1", follow=True)) == ()
        assert not await do(store.contains("b.1", follow=True))
        assert await do(store.links("", 10)) == []
        assert await do(store.links_size()) == 0

    async def test_entries_that_were_evicted_are_not_counted(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        for number in range(20):
            await put(do, store, f"a.{number}", expires=NOW + 1)
            await do(store.link(f"b.{number}", alias(f"a.{number}")))
        prefix = store._names.prefixes[0]
        server.delete(
            *[prefix + f"e:{key}.{number}".encode() for key in "ab" for number in range(15)]
        )
        assert len(await do(store.page("", 3))) == 3
        assert await do(store.size()) == await do(store.links_size()) == 5
        assert server.zcard(prefix + b"i") == server.zcard(prefix + b"a") == 5
        assert await do(store.sweep(NOW + 2, 100)) == 5
        # What was noted of their aliases has their time to live.
        stays = names_of(server, store)
        assert stays == {f"t:a.{number}" for number in range(15)}
        assert all(left(server, store, name) == about(HOUR) for name in stays)

    async def test_a_body_that_was_evicted_makes_its_entry_absent(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1", body=LARGE)
        (found,) = await do(store.load("a.1"))
        server.delete(store._names.prefixes[0] + chain_of(server, store).encode())
        assert await do(store.load("a.1")) == ()
        with pytest.raises(StoreError, match="gone"):
            await do(store.read(found.body, 3 * BLOCK_BYTES, 10))

    async def test_a_draft_that_was_evicted_is_not_published(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1")
        draft = await do(store.begin("a.1", entry()))
        await do(store.append(draft, [LARGE]))
        server.delete(store._names.prefixes[0] + chain_of(server, store).encode())
        await do(store.append(draft, [LARGE]))
        with pytest.raises(StoreError, match="left the server"):
            await do(store.save("a.1", entry(body=LARGE + LARGE), draft))
        (found,) = await do(store.load("a.1"))
        assert found.body == SMALL


NAMES = ["a", "a:b", "a}", "{a", "a*", "a?", "a[b]", "a\\", "a%7D", "\x00", "é", "a:1.0", "A"]


class TestNames:
    async def test_no_two_caches_meet(self, server: Redis) -> None:
        ours = [redis(Path(), cache_name=name) for name in NAMES]
        foreign = ["a", "http_cache:v1:{a", "http_cache:v2:{a}:i", "http_cache:v1:{a}b:i", "{a}:i"]
        server.mset(dict.fromkeys(foreign, "theirs"))
        try:
            for subject in ours:
                await run_as_sync(subject, subject.store.clear())
            for name, subject in zip(NAMES, ours, strict=True):
                body = name.encode()
                await run_as_sync(subject, subject.store.save("a.1", entry(body=body), body))
                await run_as_sync(subject, subject.store.link("b.1", alias("a.1")))
            for number, (name, subject) in enumerate(zip(NAMES, ours, strict=True)):
                (found,) = await run_as_sync(subject, subject.store.load("b.1", follow=True))
                assert found.body == name.encode()
                await run_as_sync(subject, subject.store.clear())
                assert names_of(server, subject.store) == set()
                for other in ours[number + 1 :]:
                    assert await run_as_sync(other, other.store.size()) == 1
            assert set(server.mget(foreign)) == {b"theirs"}
        finally:
            server.delete(*foreign)
            for subject in ours:
                subject.sync_shell.close()

    async def test_scripts_that_the_server_has_forgotten(
        self, do: Do, store: Store, server: Redis
    ) -> None:
        await put(do, store, "a.1")
        server.script_flush()
        assert len(await do(store.load("a.1"))) == 1
        server.script_flush()
        await put(do, store, "a.2", body=LARGE)
        server.script_flush()
        (found,) = await do(store.load("a.2"))
        server.script_flush()
        assert await do(store.read(found.body, 0, 10)) == LARGE[:10]
        assert await do(store.size()) == 2
