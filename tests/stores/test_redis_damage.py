"""What the Redis store makes of what it did not write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.store._blocks import BLOCK_BYTES
from http_client_cache.testing import Subject
from tests.stores.conftest import Do
from tests.stores.subjects import NOW, alias, entry, redis
from tests.support import servers

BODY = b"the body"
LARGE = os.urandom(5 * BLOCK_BYTES)

UNREADABLE = [
    b"",
    b"garbage",
    b"1e5 - 8.0.0",
    b"nan - 8.0.0",
    b"inf - 8.0.0",
    b"- \xff 8.0.0",
    b"- -",
    b"- - 8",
    b"- - x.0.0",
]


@pytest.fixture
def subject() -> Iterator[Subject]:
    subject = redis(Path())
    yield subject
    subject.sync_shell.close()


@pytest.fixture
def server() -> Iterator[Redis]:
    with Redis.from_url(servers.redis_url()) as server:
        yield server


def named(store: Any, name: str) -> bytes:
    (prefix,) = store._names.prefixes
    return bytes(prefix + name.encode())


async def put(do: Do, store: Any, key: str, body: bytes = BODY) -> None:
    await do(store.save(key, entry(body=body), body))


async def keys_of(do: Do, store: Any) -> list[str]:
    return [stored.key for _, stored in await do(store.page("", 10))]


async def test_what_is_no_hash_is_absent_and_saved_over(do: Do, store: Any, server: Redis) -> None:
    for number in range(5):
        await put(do, store, f"a.{number}")
        await do(store.link(f"b.{number}", alias(f"a.{number}")))
    for number in range(5):
        server.set(named(store, f"e:a.{number}"), "junk")
        server.set(named(store, f"t:a.{number}"), "junk")
        server.set(named(store, f"e:b.{number}"), "junk")
    await put(do, store, "c.1")
    # More often than what opens a circuit.
    for number in range(5):
        assert await do(store.load(f"a.{number}", follow=True)) == ()
        assert await do(store.load(f"b.{number}", follow=True)) == ()
        assert not await do(store.contains(f"a.{number}"))
        assert not await do(store.contains(f"b.{number}", follow=True))
    assert not await do(store.has_locator("a"))
    assert len(await do(store.load("c.1"))) == 1
    assert await do(store.freshen([("a.1", "", entry(body=BODY))])) == 0
    await put(do, store, "a.1")
    await do(store.link("b.1", alias("a.1")))
    await do(store.link("b.9", alias("a.2")))
    (found,) = await do(store.load("b.1", follow=True))
    assert found.body == BODY
    assert await keys_of(do, store) == ["a.1", "c.1"]
    assert await do(store.size()) == 2
    assert [key for key, _ in await do(store.links("", 10))] == ["b.1", "b.9"]
    assert await do(store.links_size()) == 2
    assert await do(store.drop([("a.3", "")])) == await do(store.delete(["a.4"])) == 0
    assert await do(store.purge("a")) == 1
    await do(store.sweep(NOW + 1, 100))
    assert await keys_of(do, store) == ["c.1"]


@pytest.mark.parametrize("lies", UNREADABLE)
async def test_what_cannot_be_read_is_absent_and_saved_over(
    do: Do, store: Any, server: Redis, lies: bytes
) -> None:
    await put(do, store, "a.1")
    await put(do, store, "a.2")
    server.hset(named(store, "e:a.1"), "m", lies)
    for _ in range(5):
        assert await do(store.load("a.1")) == ()
    assert not await do(store.contains("a.1"))
    assert await keys_of(do, store) == ["a.2"]
    assert await do(store.size()) == 1
    assert await do(store.bytes_size()) > 0
    assert await do(store.freshen([("a.1", "", entry(body=BODY))])) == 0
    await put(do, store, "a.1")
    assert len(await do(store.load("a.1"))) == 1
    server.hset(named(store, "e:a.1"), "m", lies)
    server.hset(named(store, "e:a.1"), "u", lies)
    await do(store.drop([("a.1", "")]))
    server.hset(named(store, "e:a.2"), "m", lies)
    await do(store.delete(["a.2"]))
    assert not server.exists(named(store, "i"))


async def test_a_body_that_is_none_is_absent(do: Do, store: Any, server: Redis) -> None:
    await put(do, store, "a.1", LARGE)
    (chain,) = server.scan_iter(named(store, "c:*"), count=10_000)
    server.set(chain, "junk")
    for _ in range(5):
        assert await do(store.load("a.1")) == ()
    await put(do, store, "a.1", LARGE)
    assert len(await do(store.load("a.1"))) == 1


@pytest.mark.parametrize("lies", ["", "junk", "a b c"])
async def test_a_lease_that_cannot_be_read_is_nobodys(
    do: Do, store: Any, server: Redis, lies: str
) -> None:
    server.set(named(store, "k:a"), lies)
    server.rpush(named(store, "k:b"), lies)
    for name in "ab":
        assert await do(store.holder(name, NOW)) is None
        assert await do(store.claim(name, "me", NOW, 5)) == "me"
        assert await do(store.holder(name, NOW)) == "me"


async def test_an_index_that_is_none_is_said_and_opens_no_circuit(
    do: Do, store: Any, server: Redis
) -> None:
    await put(do, store, "a.1")
    server.delete(named(store, "i"))
    server.set(named(store, "i"), "junk")
    for _ in range(5):
        with pytest.raises(StoreError, match="damaged") as caught:
            await do(store.load("a.1"))
        assert not isinstance(caught.value, StoreUnavailable)
    await do(store.clear())
    await put(do, store, "a.1")
    assert len(await do(store.load("a.1"))) == 1
