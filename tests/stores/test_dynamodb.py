"""What only the store in DynamoDB does: trips, sizes, what leaves by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from http_client_cache.errors import StoreError
from http_client_cache.limits import Retention
from http_client_cache.store import Store
from http_client_cache.testing.pieces import LARGE, load, read
from tests.stores.conftest import Do
from tests.stores.dynamo import ServerClock, at, table_of
from tests.stores.subjects import (
    NOW,
    SUBJECTS,
    Subject,
    alias,
    entry,
    remove_table,
    run_as_async,
    standing_clock,
)
from tests.support import servers

KINDS = [name for name in SUBJECTS if name.startswith("dynamodb")]
BODY = b"the body"
DAY = 86400


@pytest.fixture(params=["dynamodb"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    subject = SUBJECTS[request.param](tmp_path)
    yield subject
    subject.sync_shell.close()
    remove_table(subject.store)


@pytest.fixture
def server_time(monkeypatch: pytest.MonkeyPatch) -> ServerClock:
    return ServerClock(monkeypatch)


class TestTrips:
    @pytest.fixture
    def proxy(self) -> Iterator[servers.Proxy]:
        parts = urlsplit(servers.dynamodb_url())
        assert parts.hostname is not None
        with servers.Proxy((parts.hostname, parts.port or 80)) as proxy:
            yield proxy

    @pytest.fixture
    def subject(self, proxy: servers.Proxy, tmp_path: Path) -> Iterator[Subject]:
        subject = at(f"http://127.0.0.1:{proxy.port}", tmp_path)
        yield subject
        subject.sync_shell.close()

    @pytest.mark.parametrize(
        ("what", "operations"),
        [
            ("a hit", ["Query"]),
            ("a large inline hit", ["Query"]),
            ("a hit in blocks", ["Query", "BatchGetItem"]),
            ("a miss", ["Query"]),
            ("an alias", ["Query", "Query"]),
            ("a save", ["PutItem"]),
            ("a link", ["TransactWriteItems"]),
            ("freshen", ["UpdateItem"]),
            ("a lease", ["PutItem", "GetItem", "DeleteItem"]),
            ("delete", ["Query", "DeleteItem"]),
        ],
    )
    async def test_each_costs_as_few_requests_as_it_can(
        self, do: Do, store: Store, proxy: servers.Proxy, what: str, operations: list[str]
    ) -> None:
        bodies = {"a.1": BODY, "b.1": os.urandom(256 * 1024), "c.1": os.urandom(2**20)}
        for key, body in bodies.items():
            await do(store.save(key, entry(body=body), body))
        await do(store.link("x.1", alias("a.1")))
        with servers.counting(proxy) as trips:
            if what == "a hit":
                assert len(await do(store.load("a.1", follow=True))) == 1
            elif what == "a large inline hit":
                assert len(await do(store.load("b.1", follow=True))) == 1
            elif what == "a hit in blocks":
                assert (await do(store.load("c.1")))[0].body == bodies["c.1"]
            elif what == "a miss":
                assert await do(store.load("d.1", follow=True)) == ()
            elif what == "an alias":
                assert len(await do(store.load("x.1", follow=True))) == 1
            elif what == "a save":
                await do(store.save("a.1", entry(body=BODY), BODY))
            elif what == "a link":
                await do(store.link("x.2", alias("a.1")))
            elif what == "freshen":
                assert await do(store.freshen([("a.1", "", entry(body=BODY))])) == 1
            elif what == "a lease":
                await do(store.claim("a", "A", NOW, 5))
                await do(store.holder("a", NOW))
                await do(store.release("a", "A", NOW))
            else:
                assert await do(store.delete(["b.1"])) == 1
        assert trips.names == operations

    async def test_large_variants_are_opened_together(
        self, do: Do, store: Store, proxy: servers.Proxy
    ) -> None:
        for number in range(9):
            body = bytes([number]) * (2**20 + 1 if number else 300_000)
            await do(store.save("a.1", entry(body=body), body, variant=f"{number}"))
        with servers.counting(proxy) as trips:
            found = await do(store.load("a.1"))
        assert trips.names == ["Query", "BatchGetItem", "BatchGetItem"]
        for stored in found:
            number = int(stored.variant)
            body = stored.body if not number else await read(do, store, stored.body)
            assert set(body) == {number}


@pytest.mark.parametrize("subject", KINDS, indirect=True)
class TestSizes:
    async def test_variants_that_fill_more_than_a_page(self, do: Do, store: Store) -> None:
        bodies = {f"{number}": os.urandom(256 * 1024 - number) for number in range(6)}
        for variant, body in bodies.items():
            await do(store.save("a.1", entry(body=body), body, variant=variant))
        found = await do(store.load("a.1"))
        assert {stored.variant: stored.body for stored in found} == bodies
        assert await do(store.size()) == 6
        assert await do(store.purge("a")) == 1
        assert await do(store.size()) == 0

    @pytest.mark.parametrize("size", [256 * 1024 + 1, 600_000, 2**20, 2**20 + 1, 5_000_000])
    async def test_large_ones(self, do: Do, store: Store, size: int) -> None:
        body = os.urandom(size)
        for _ in range(2):
            await do(store.save("a.1", entry(body=body), body))
        assert await read(do, store, await load(do, store)) == body

    async def test_header_fields_that_leave_no_room_for_the_body(
        self, do: Do, store: Store
    ) -> None:
        body = os.urandom(200_000)
        fields = ((b"X-Large", b"x" * 250_000),)
        saved = msgspec.structs.replace(entry(body=body), headers=fields)
        assert await do(store.save("a.1", saved, body)) == body
        (found,) = await do(store.load("a.1"))
        assert (found.entry.headers, found.body) == (fields, body)

    async def test_header_fields_that_are_too_large(self, do: Do, store: Store) -> None:
        await do(store.save("a.1", entry(body=BODY), BODY))
        fields = ((b"X-Large", b"x" * 410_000),)
        saved = msgspec.structs.replace(entry(body=BODY), headers=fields)
        with pytest.raises(StoreError, match="400 KB"):
            await do(store.save("a.1", saved, BODY))
        # What it would have replaced does not answer in its stead.
        assert await do(store.load("a.1")) == ()

    async def test_a_redirect_that_is_too_large(self, do: Do, store: Store) -> None:
        hop = msgspec.structs.replace(alias("b.1").hops[0], headers=((b"X", b"x" * 410_000),))
        with pytest.raises(StoreError, match="400 KB"):
            await do(store.link("a.1", msgspec.structs.replace(alias("b.1"), hops=(hop,))))
        assert await do(store.links_size()) == 0

    @pytest.mark.parametrize("length", [400, 1000, 1500, 5000])
    async def test_keys_that_are_too_long_for_a_key(
        self, do: Do, store: Store, length: int
    ) -> None:
        keys = [f"{'a' * length}.1", f"{'a' * length}.2", f"a.{'b' * length}", f"a.{'b' * length}c"]
        variants = ["v" * length, "v" * length + "w"]
        for key in keys:
            for variant in variants:
                body = f"{key} {variant}".encode()
                await do(store.save(key, entry(body=body), body, variant=variant))
            await do(store.link(f"to {key}", alias(key)))
        for key in keys:
            found = await do(store.load(f"to {key}", follow=True))
            assert {stored.body for stored in found} == {f"{key} {v}".encode() for v in variants}
        links = await do(store.links("", 3))
        links += await do(store.links(links[-1][0], 3))
        led = [key for key, _ in links]
        # Beyond 900 bytes their order is any, but always the same.
        assert (led if length < 900 else sorted(led)) == sorted(f"to {key}" for key in keys)
        assert await do(store.purge("a" * length)) == 2
        assert await do(store.delete(keys)) == 2
        assert await do(store.size()) == await do(store.links_size()) == 0


class TestLeaving:
    async def test_items_say_when_they_leave(self, do: Do, store: Store, subject: Subject) -> None:
        before = time.time()
        await do(store.save("a.1", entry(body=BODY, expires=NOW + 100), BODY))
        await do(store.save("a.2", entry(body=BODY), BODY))
        await do(store.link("x.1", alias("a.1")))
        await do(store.claim("a", "A", NOW, 5))
        await do(store.save("a.3", entry(body=LARGE, expires=NOW + 100), LARGE))
        with table_of(subject) as table:
            leaves = {
                (item["pk"]["S"].split("#")[2], item["sk"]["S"]): int(item["ttl"]["N"]) - before
                for item in table.items()
                if "ttl" in item
            }
        assert 3700 <= leaves.pop(("k", "1!e")) < 3710
        assert ("k", "2!e") not in leaves
        assert 3700 <= leaves.pop(("k", "3!e")) < 3710
        assert 60 <= leaves.pop(("w", "-")) < 80
        # Blocks stay longer, and aliases and what belongs to them for a year.
        assert 3700 + DAY <= leaves.pop(("b", "-")) < 3710 + DAY
        assert len(leaves) == 3
        assert all(365 * DAY - 5 < left < 365 * DAY + 5 for left in leaves.values())

    async def test_without_ttl_only_leases_leave(self, tmp_path: Path) -> None:
        subject = SUBJECTS["dynamodb"](tmp_path)
        subject = subject._replace(
            store=type(subject.store)(
                subject.store._codec,
                table=subject.store._table,
                cache_name="test",
                retention=Retention(clock=standing_clock()),
                ttl=False,
            )
        )
        await run_as_async(
            subject, subject.store.save("a.1", entry(body=LARGE, expires=NOW), LARGE)
        )
        await run_as_async(subject, subject.store.link("x.1", alias("a.1")))
        await subject.async_shell.close()
        with table_of(subject) as table:
            assert not [item for item in table.items() if "ttl" in item]

    async def test_what_dynamodb_removes_late_is_absent(
        self, do: Do, store: Store, server_time: ServerClock
    ) -> None:
        for key, expires in (("a.1", NOW + 100), ("a.2", None)):
            await do(store.save(key, entry(body=BODY, expires=expires), BODY))
        await do(store.link("x.1", alias("a.1")))
        await do(store.link("x.2", alias("a.2")))
        server_time.ahead = 3800
        assert await do(store.load("a.1")) == await do(store.load("x.1", follow=True)) == ()
        assert not await do(store.contains("a.1"))
        assert not await do(store.contains("x.1", follow=True))
        assert await do(store.has_locator("a"))
        assert [stored.key for _, stored in await do(store.page("", 10))] == ["a.2"]
        assert await do(store.size()) == 1
        assert await do(store.bytes_size()) < 2000
        assert await do(store.freshen([("a.1", "", entry(body=BODY))])) == 0
        assert await do(store.delete(["a.1"])) == 0
        server_time.ahead += 365 * DAY
        assert await do(store.links("", 10)) == []
        assert await do(store.links_size()) == 0
        assert not await do(store.contains("x.2", follow=True))
        assert not await do(store.has_locator("x"))

    @pytest.mark.parametrize("large", [1e16, 1e40, 1e127, 1e300])
    async def test_numbers_that_dynamodb_has_no_room_for(
        self, do: Do, store: Store, large: float
    ) -> None:
        """It takes 38 digits."""
        for body in (BODY, LARGE):
            saved = entry(body=body, expires=large)
            await do(store.save("a.1", saved, body))
            assert await do(store.freshen([("a.1", "", saved)])) == 1
            (stored,) = await do(store.load("a.1"))
            assert stored.entry.expires == large
            assert await do(store.sweep(NOW, 10)) == 0
            assert await do(store.sweep(large, 10)) == 1
        retention: Any = store._retention
        retention.settings.keep_expired = large
        await do(store.save("a.1", entry(body=BODY, expires=NOW + 100), BODY))
        assert await do(store.size()) == 1

    async def test_a_sweep_takes_what_dynamodb_has_not_removed(
        self, do: Do, store: Store, subject: Subject, server_time: ServerClock
    ) -> None:
        await do(store.save("a.1", entry(body=LARGE, expires=NOW + 100), LARGE))
        await do(store.link("x.1", alias("a.1")))
        await do(store.claim("a", "A", NOW, 5))
        server_time.ahead = 370 * DAY
        await do(store.sweep(0.0, 100))
        with table_of(subject) as table:
            assert table.items() == []
