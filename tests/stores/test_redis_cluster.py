"""How the Redis store spreads a cache over a cluster, and what it does while that changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.cluster import AbstractRedisCluster
from redis.crc import key_slot

from http_client_cache.errors import StoreUnavailable
from http_client_cache.shell.redis.address import Address
from http_client_cache.store._redis_names import Names
from tests.stores.subjects import COLOURS, NOW, alias, entry, redis, redis_at, run_as_async
from tests.support import servers

BODY = b"the body"


def test_a_cluster_has_other_names() -> None:
    alone, spread = redis(Path(), cache_name="a"), redis_at(Address("cluster", (), {}))
    assert b"{a}:" in alone.store._names.prefixes[0]
    assert not any(b"{a}" in name for name in spread.store._names.prefixes)


def test_a_cluster_has_as_much_on_each_of_its_masters() -> None:
    for name in ("a", "aiohttp-cache", "\x00", ""):
        slots = [key_slot(prefix) for prefix in Names(name, 16).prefixes]
        assert [slot // 1024 for slot in slots] == list(range(16))


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_cluster_has_some_on_every_master(colour: str) -> None:
    nodes = servers.redis_cluster_nodes()
    subject = redis_at(Address("cluster", tuple(nodes), {}))
    store = subject.store

    async def do(plan: Any) -> Any:
        return await COLOURS[colour](subject, plan)

    keys = sorted(f"{number:x}.{number}" for number in range(300))
    for key in keys:
        await do(store.save(key, entry(body=BODY), BODY))
        await do(store.link(f"x{key}", alias(key)))
    for host, port in nodes:
        with Redis(host, port) as node:
            assert sum(1 for _ in node.scan_iter(store._names.pattern, count=1000)) > 100
    found, after = [], ""
    while page := await do(store.page(after, 7)):
        found += [stored.key for _, stored in page]
        after = page[-1][0]
    assert sorted(found) == keys
    links, after = [], ""
    while page := await do(store.links(after, 50)):
        links += [key for key, _ in page]
        after = page[-1][0]
    assert links == [f"x{key}" for key in keys]
    assert await do(store.delete(keys[:100])) == 100
    assert await do(store.links_size()) == await do(store.size()) == 200
    await do(store.clear())
    for host, port in nodes:
        with Redis(host, port) as node:
            assert list(node.scan_iter(store._names.pattern, count=1000)) == []
    await subject.close()


@pytest.fixture(scope="module")
def moving() -> Iterator[servers.ClusterServers]:
    with servers.ClusterServers() as cluster:
        yield cluster


async def test_all_of_one_that_has_failed_is_closed(moving: servers.ClusterServers) -> None:
    subject = redis_at(Address("cluster", tuple(moving.addresses), {}), seconds=1.0)
    keys = [f"{number:x}.{number}" for number in range(50)]
    for key in keys:
        await run_as_async(subject, subject.store.load(key))
    shell: Any = subject.async_shell
    (opening,) = shell._clients.values()
    client: Any = opening.result().redis
    with Redis(*moving.addresses[0]) as node:
        node.execute_command("CLIENT", "KILL", "TYPE", "normal")
    with pytest.raises(StoreUnavailable):
        for key in keys:
            await run_as_async(subject, subject.store.load(key))
    connections = [one for node in client.get_nodes() for one in node._connections]
    assert any(one.is_connected for one in connections)
    await subject.close()
    assert not any(one.is_connected for one in connections)


class Move:
    """A slot on its way from one node to another."""

    def __init__(self, cluster: servers.ClusterServers, slot: int) -> None:
        nodes = [Redis(*address) for address in cluster.addresses]
        holding = [
            any(
                first <= slot <= last
                for first, last, (_, port, *_), *_ in _slots(nodes[0])
                if port == known
            )
            for _, known in cluster.addresses
        ]
        source = holding.index(True)
        target = (source + 1) % len(nodes)
        self.slot = slot
        self.nodes = nodes
        self.source, self.target = nodes[source], nodes[target]
        self._address = cluster.addresses[target]

    def begin(self) -> None:
        ids = [_said(node, "MYID").decode() for node in (self.source, self.target)]
        _said(self.target, "SETSLOT", self.slot, "IMPORTING", ids[0])
        _said(self.source, "SETSLOT", self.slot, "MIGRATING", ids[1])

    def take(self, most: int = 10_000) -> None:
        """Move some keys."""
        keys = _said(self.source, "GETKEYSINSLOT", self.slot, most)
        assert keys
        self.source.execute_command("MIGRATE", *self._address, "", 0, 5000, "KEYS", *keys)

    def end(self) -> None:
        name = _said(self.target, "MYID").decode()
        for node in (self.target, *self.nodes):
            _said(node, "SETSLOT", self.slot, "NODE", name)
        for node in self.nodes:
            node.close()


def _said(node: Any, *words: Any) -> Any:
    return node.execute_command("CLUSTER", *words)


def _slots(node: Any) -> Any:
    return [(first, last, (None, int(tail[0][1]))) for first, last, *tail in _said(node, "SLOTS")]


@pytest.mark.parametrize("some", [0, 3, 10_000])
@pytest.mark.parametrize("colour", COLOURS)
async def test_a_slot_that_is_being_moved_is_left_alone(
    moving: servers.ClusterServers, colour: str, some: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of it is there already: nothing is done by halves, or done twice."""
    # The client asks again so often, and rests for half of these times.
    monkeypatch.setattr(AbstractRedisCluster, "RedisClusterRequestTTL", 4)
    subject = redis_at(Address("cluster", tuple(moving.addresses), {}), seconds=1.0)
    store: Any = subject.store

    async def do(plan: Any) -> Any:
        return await COLOURS[colour](subject, plan)

    for number in range(5):
        await do(store.save(f"a.{number}", entry(body=BODY), BODY))
    await do(store.claim("a", "me", NOW, 50))
    move = Move(moving, key_slot(store._names.prefix_of("a.0")))
    move.begin()
    if some:
        move.take(some)
    for plan in (
        store.purge("a"),
        store.delete(["a.1"]),
        store.save("a.9", entry(body=BODY), BODY),
        store.claim("a", "you", NOW, 50),
        store.load("a.1"),
        store.clear(),
    ):
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await do(plan)
        assert time.monotonic() - begun < 2
        # It is not the circuit that is under test.
        for writes in (True, False):
            subject.sync_shell.guard.worked(writes=writes)
    if _said(move.source, "COUNTKEYSINSLOT", move.slot):
        move.take()
    move.end()
    assert await do(store.claim("a", "you", NOW, 50)) == "me"
    assert [len(await do(store.load(f"a.{number}"))) for number in range(10)] == [1] * 5 + [0] * 5
    assert await do(store.purge("a")) == 5
    await subject.close()
