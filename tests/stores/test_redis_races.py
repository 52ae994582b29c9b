"""What the Redis store leaves on the server where two are at work at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from http_client_cache.redis_statements import Scan
from http_client_cache.settings import Settings
from http_client_cache.shell.redis.address import Address
from http_client_cache.store._blocks import BLOCK_BYTES, DRAFT_SECONDS, READER_SECONDS
from http_client_cache.testing import Subject
from tests.stores.subjects import NOW, alias, entry, redis, redis_at
from tests.support import servers

BODY = b"the body"
LARGE = os.urandom(5 * BLOCK_BYTES)


class Using:
    """A cache, and what lies of it on the server."""

    def __init__(self, subject: Subject, server: Any) -> None:
        self.subject = subject
        self.store: Any = subject.store
        self.server = server

    def __call__(self, plan: Any) -> Any:
        """Carry out a plan."""
        try:
            answer = None
            while True:
                answer = self.subject.sync_shell.run(plan.send(answer))
        except StopIteration as end:
            return end.value

    def until(self, plan: Any, kind: type) -> Any:
        """Carry out a plan as far as it comes before a statement of that kind; that is answered."""
        statement = plan.send(None)
        while not isinstance(statement, kind):
            statement = plan.send(self.subject.sync_shell.run(statement))
        return statement

    def rest(self, plan: Any, statement: Any) -> None:
        """Carry out what is left."""
        try:
            while True:
                statement = plan.send(self.subject.sync_shell.run(statement))
        except StopIteration:
            pass

    def put(self, key: str, body: bytes = BODY, *, variant: str = "", **known: Any) -> None:
        self(self.store.save(key, entry(body=body, **known), body, variant=variant))

    def names(self) -> dict[str, float | None]:
        """What is there, and how many seconds it stays."""
        found: dict[str, float | None] = {}
        for prefix in self.store._names.prefixes:
            for name in self.server.scan_iter(prefix + b"*", count=10_000):
                left = self.server.pttl(name)
                found[name[len(prefix) :].decode()] = None if left == -1 else left / 1000
        return found


@pytest.fixture
def using() -> Iterator[Using]:
    with Redis.from_url(servers.redis_url()) as server:
        subject = redis(Path())
        yield Using(subject, server)
        subject.sync_shell.close()


def test_what_is_saved_while_all_is_cleared_stays(using: Using) -> None:
    store = using.store
    using.put("a.1", LARGE, variant="old")
    using.put("a.2", LARGE)
    using.put("a.3")
    using(store.link("a.4", alias("a.3")))
    using(store.link("a.5", alias("a.3")))
    using(store.claim("old", "me", NOW, 50))
    clearing = store.clear()
    # All has been forgotten, and nothing has gone.
    looking = using.until(clearing, Scan)
    using.put("a.1", LARGE, variant="new")
    using.put("a.5")
    using(store.link("a.6", alias("a.5")))
    using(store.claim("new", "me", NOW, 50))
    using.rest(clearing, looking)
    assert using(store.size()) == 2
    assert using(store.links_size()) == 1
    (found,) = using(store.load("a.1"))
    assert (found.variant, using(store.read(found.body, 0, 9))) == ("new", LARGE[:9])
    (found,) = using(store.load("a.6", follow=True))
    assert found.body == BODY
    assert using(store.holder("new", NOW)) == "me"
    assert using(store.holder("old", NOW)) is None
    there = using.names()
    chains = sorted(
        (left is not None, left) for name, left in there.items() if name.startswith("c:")
    )
    # That of the new one stays; those of the others go.
    assert [has_end for has_end, _ in chains] == [False, True, True]
    assert all(left is None or left <= READER_SECONDS for _, left in chains)
    rest = {name for name in there if not name.startswith("c:")}
    assert rest == {"e:a.1", "e:a.5", "e:a.6", "t:a.5", "i", "d", "a", "l", "k:new", "w"}
    hash_of = store._names.prefixes[0] + b"e:a.5"
    assert set(using.server.hkeys(hash_of)) == {b"r", b"m", b"b"}
    using(store.delete(["a.5"]))
    assert using(store.links_size()) == 0


def test_a_clear_at_any_point_of_a_save_leaves_nothing_that_no_index_lists(using: Using) -> None:
    store = using.store
    for number in range(4):
        plan = store.save("a.1", entry(body=LARGE), LARGE)
        try:
            statement = plan.send(None)
            for _ in range(number):
                statement = plan.send(using.subject.sync_shell.run(statement))
        except StopIteration:
            using(store.clear())
        else:
            using(store.clear())
            using.rest(plan, statement)
        assert using(store.size()) == len(using(store.load("a.1")))
        using(store.purge("a"))
        assert all(left is not None and left <= DRAFT_SECONDS for left in using.names().values())
        using(store.clear())


@pytest.mark.parametrize("expires", [NOW - 1000, NOW, NOW + 0.01])
def test_what_leaves_at_once_can_be_read_by_who_saved_it(expires: float) -> None:
    with Redis.from_url(servers.redis_url()) as server:
        using = Using(redis(Path(), settings=Settings(keep_expired=0)), server)
        store = using.store
        draft = using(store.begin("a.1", entry(expires=expires)))
        using(store.append(draft, [LARGE]))
        body = using(store.save("a.1", entry(body=LARGE, expires=expires), draft))
        assert using(store.read(body, 4 * BLOCK_BYTES, 10)) == LARGE[4 * BLOCK_BYTES :][:10]
        (left,) = [left for name, left in using.names().items() if name.startswith("c:")]
        assert left is not None
        assert READER_SECONDS - 20 < left <= READER_SECONDS
        using.subject.sync_shell.close()


def test_a_target_forgets_aliases_that_have_gone(using: Using) -> None:
    store = using.store
    using.put("a.1")
    using.put("a.2")

    def noted(target: str) -> set[bytes]:
        return set(using.server.smembers(store._names.prefixes[0] + f"t:{target}".encode()))

    for number in range(20):
        using(store.link(f"b.{number}", alias("a.1")))
        using(store.delete([f"b.{number}"]))
    assert noted("a.1") == set()
    using(store.link("b.1", alias("a.1")))
    using(store.link("b.2", alias("a.1")))
    using(store.link("b.1", alias("a.2")))
    assert (noted("a.1"), noted("a.2")) == ({b"b.2"}, {b"b.1"})
    using(store.purge("b"))
    assert noted("a.1") == noted("a.2") == set()


def test_an_alias_whose_target_goes_meanwhile_leaves_by_itself() -> None:
    """In a cluster, where they lie apart: what is done to one of them is not done to both."""
    subject = redis_at(Address("cluster", tuple(servers.redis_cluster_nodes()), {}), ttl=False)
    store: Any = subject.store
    using = Using(subject, None)
    shard_of = store._names.shard_of
    key = next(f"{n}.1" for n in range(100) if shard_of(f"{n}.1") != shard_of("a.1"))
    using.put("a.1")
    linking = store.link(key, alias("a.1"))
    noting = linking.send(None)
    statement = linking.send(subject.sync_shell.run(noting))
    using(store.delete(["a.1"]))
    using.rest(linking, statement)
    for host, port in servers.redis_cluster_nodes():
        with Redis(host, port) as node:
            for name in node.scan_iter(store._names.pattern, count=10_000):
                assert 0 < node.ttl(name) <= DRAFT_SECONDS
    subject.sync_shell.close()
