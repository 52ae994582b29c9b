"""The table of the DynamoDB store: how it comes about, and who shares it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell.dynamodb import AsyncDynamoDB, SyncDynamoDB, Table
from http_client_cache.shell.guard import Guard
from tests.stores.dynamo import at, table_of
from tests.stores.subjects import (
    COLOURS,
    Subject,
    alias,
    dynamodb,
    dynamodb_account,
    entry,
    remove_table,
    run_as_async,
    run_as_sync,
)
from tests.support import servers
from tests.support.servers.dynamo_stub import Answer, Stub, error, stub_before

BODY = b"the body"
LARGE = bytes(300_000)


@pytest.fixture(params=["dynamodb"])
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = dynamodb(tmp_path)
    yield subject
    subject.sync_shell.close()
    remove_table(subject.store)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_before(servers.dynamodb_url()) as stub:
        yield stub


def with_table(subject: Subject, **what: Any) -> Subject:
    shell: Any = subject.sync_shell
    parts = Guard(5.0), shell._account, shell._table._replace(**what)
    return subject._replace(sync_shell=SyncDynamoDB(*parts), async_shell=AsyncDynamoDB(*parts))


@pytest.mark.parametrize("colour", COLOURS)
async def test_it_is_made_with_the_first_request(subject: Subject, colour: str) -> None:
    with table_of(subject) as table:
        with pytest.raises(table.exceptions.ResourceNotFoundException):
            table.describe_table(TableName=table.table)
        assert await COLOURS[colour](subject, subject.store.load("a.1")) == ()
        told = table.describe_table(TableName=table.table)["Table"]
        assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        ttl = table.describe_time_to_live(TableName=table.table)["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "ttl")
    await subject.async_shell.close()


@pytest.mark.parametrize("colour", COLOURS)
async def test_it_is_made_again_if_it_is_removed(subject: Subject, colour: str) -> None:
    """As where a server forgets all when it is started again."""
    store = subject.store

    async def do(plan: Any) -> Any:
        return await COLOURS[colour](subject, plan)

    await do(store.save("a.1", entry(body=BODY), BODY))
    remove_table(store)
    for _ in range(100):
        with contextlib.suppress(StoreError):
            assert await do(store.load("a.1")) == ()
            break
        await asyncio.sleep(0.1)
    await do(store.save("a.1", entry(body=BODY), BODY))
    with table_of(subject) as table:
        ttl = table.describe_time_to_live(TableName=table.table)["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "ttl")
    await subject.async_shell.close()


@pytest.mark.parametrize("colour", COLOURS)
async def test_it_is_not_made_if_that_is_not_wanted(subject: Subject, colour: str) -> None:
    subject = with_table(subject, create=False)
    name: Any = subject.store._table
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"there is no table '{name}'"):
            await COLOURS[colour](subject, subject.store.load("a.1"))
    with table_of(subject) as table:
        with pytest.raises(table.exceptions.ResourceNotFoundException):
            table.describe_table(TableName=name)
        # Once it is there it is found.
        await COLOURS[colour](with_table(subject, create=True), subject.store.load("a.1"))
    assert await COLOURS[colour](subject, subject.store.load("a.1")) == ()
    await subject.async_shell.close()


async def test_many_make_it_at_once(subject: Subject) -> None:
    others = [with_table(subject) for _ in range(5)]
    await asyncio.gather(*(run_as_async(one, one.store.load("a.1")) for one in others))
    await run_as_async(others[0], subject.store.save("a.1", entry(body=BODY), BODY))
    for one in others:
        (found,) = await run_as_async(one, one.store.load("a.1"))
        assert found.body == BODY
        await one.async_shell.close()


@pytest.mark.parametrize("colour", COLOURS)
async def test_one_that_is_not_ours(subject: Subject, colour: str) -> None:
    with table_of(subject) as table:
        table.create_table(
            TableName=table.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )
    with pytest.raises(StoreUnavailable, match=r"has the keys k \(S\); .* another table"):
        await COLOURS[colour](subject, subject.store.load("a.1"))
    await subject.async_shell.close()


@pytest.mark.parametrize("ttl", [True, False])
def test_time_to_live_of_a_table_that_is_there(subject: Subject, ttl: bool) -> None:
    schema = {
        "KeySchema": [("pk", "HASH"), ("sk", "RANGE")],
        "AttributeDefinitions": [("pk", "S"), ("sk", "S")],
    }
    keys = {"KeySchema": "KeyType", "AttributeDefinitions": "AttributeType"}
    with table_of(subject) as table:
        table.create_table(
            TableName=table.table,
            BillingMode="PAY_PER_REQUEST",
            **{
                part: [{"AttributeName": name, keys[part]: kind} for name, kind in rows]
                for part, rows in schema.items()
            },
        )
        subject = with_table(subject, ttl=ttl)
        subject.sync_shell.run(next(subject.store.load("a.1")))
        told = table.describe_time_to_live(TableName=table.table)["TimeToLiveDescription"]
        assert told["TimeToLiveStatus"] == ("ENABLED" if ttl else "DISABLED")
    subject.sync_shell.close()


FORBIDDEN = ("DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive")


@pytest.mark.parametrize("operation", FORBIDDEN)
def test_who_may_only_use_it(
    subject: Subject,
    stub: Stub,
    tmp_path: Path,
    operation: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def instead(asked: str, arguments: dict[str, Any], ask: Any) -> Answer | None:
        if asked == "DescribeTimeToLive" and operation == "UpdateTimeToLive":
            return 200, {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        return error("AccessDeniedException", "no") if asked == operation else None

    do = partial(COLOURS["sync"], subject)
    asyncio.run(do(subject.store.save("a.1", entry(body=BODY), BODY)))
    limited = at(stub.url, tmp_path, table=subject.store._table)
    stub.instead = instead
    (found,) = asyncio.run(run_as_sync(limited, limited.store.load("a.1")))
    assert found.body == BODY
    told = [record.getMessage() for record in caplog.records if "DynamoDB" in record.getMessage()]
    assert len(told) == (operation != "DescribeTable")
    assert all("delete_expired_responses" in line for line in told)
    limited.sync_shell.close()


def test_a_table_that_takes_its_time(stub: Stub, tmp_path: Path) -> None:
    """Amazon's are not there at once; who asks does not wait for it longer than for a call."""
    subject = at(stub.url, tmp_path, seconds=0.3)
    looks = [0]

    def instead(operation: str, arguments: dict[str, Any], ask: Any) -> Answer | None:
        if operation != "DescribeTable":
            return None
        looks[0] += 1
        status, told = ask(arguments)
        if status == 200 and looks[0] < 6:
            told["Table"]["TableStatus"] = "CREATING"
        return status, told

    stub.instead = instead
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        asyncio.run(run_as_sync(subject, subject.store.load("a.1")))
    assert time.monotonic() - begun < 0.8
    shell: Any = subject.sync_shell
    shell._opening.result(10)
    assert asyncio.run(run_as_sync(subject, subject.store.load("a.1"))) == ()
    subject.sync_shell.close()


NAMES = ["cache", "cache#1", "cache#1#k", "cach", "c" * 3000]


async def test_caches_in_one_table_never_touch_each_other(tmp_path: Path) -> None:
    first = dynamodb(tmp_path, cache_name=NAMES[0])
    table: Any = first.store._table
    caches = [first] + [dynamodb(tmp_path, table=table, cache_name=name) for name in NAMES[1:]]
    foreign = {"pk": {"S": "cache#1"}, "sk": {"S": "1!e"}, "body": {"S": "x"}, "ttl": {"N": "1"}}
    others = [
        foreign,
        {**foreign, "pk": {"S": "somebody else"}},
        {**foreign, "sk": {"S": "b"}, "key": {"N": "1"}},
    ]
    for number, one in enumerate(caches):
        do = partial(run_as_async, one)
        body = str(number).encode()
        await do(one.store.save("a.1", entry(body=body, expires=1.0), body))
        await do(one.store.link("x.1", alias("a.1")))
        await do(one.store.claim("a", "A", 1.0, 1e6))
        await do(one.store.save("b.1", entry(body=LARGE), LARGE))
    with table_of(first) as client:
        for item in others:
            client.put_item(TableName=table, Item=item)
        while caches:
            one = caches.pop(len(caches) // 2)
            do = partial(run_as_async, one)
            assert await do(one.store.size()) == 2
            assert await do(one.store.links_size()) == 1
            assert {s.key for _, s in await do(one.store.page("", 10))} == {"a.1", "b.1"}
            if len(caches) % 2:
                await do(one.store.sweep(10.0, 10))
                await do(one.store.delete(["b.1"]))
            await do(one.store.clear())
            assert await do(one.store.size()) == await do(one.store.links_size()) == 0
            for other in caches:
                assert await run_as_async(other, other.store.holder("a", 2.0)) == "A"
                assert len(await run_as_async(other, other.store.load("x.1", follow=True))) == 1
            await one.async_shell.close()
        for item in others:
            key = {"pk": item["pk"], "sk": item["sk"]}
            assert client.get_item(TableName=table, Key=key)["Item"] == item


@pytest.mark.parametrize(
    "change",
    [
        {"record": {"B": b"\xff\xfe"}},
        {"record": {"S": "text"}},
        {"key": {"S": "b.1"}},
        {"content": {"B": b"short"}},
        {"content": {"NULL": True}},
        {"ttl": {"S": "soon"}},
        {"blocks": {"N": "3"}},
        {"variant": {"N": "1"}},
    ],
    ids=str,
)
async def test_items_that_say_nothing_are_absent(subject: Subject, change: dict[str, Any]) -> None:
    do, store = partial(run_as_async, subject), subject.store
    await do(store.save("a.1", entry(body=BODY), BODY))
    with table_of(subject) as table:
        (item,) = table.items("k")
        table.put_item(TableName=table.table, Item={**item, **change})
    if "variant" not in change and change != {"ttl": {"S": "soon"}}:
        assert await do(store.load("a.1")) == ()
        assert await do(store.page("", 10, bodies=True)) == []
    else:
        assert len(await do(store.load("a.1"))) == 1
    await do(store.save("a.1", entry(body=BODY), BODY))
    (found,) = await do(store.load("a.1"))
    assert found.body == BODY
    await subject.async_shell.close()


class TestFaults:
    @pytest.mark.parametrize("colour", COLOURS)
    async def test_a_server_that_hangs_costs_the_budget(self, tmp_path: Path, colour: str) -> None:
        with servers.DynamoServer() as server:
            subject = at(server.url, tmp_path, seconds=0.25)
            do, store = partial(COLOURS[colour], subject), subject.store
            shell: Any = subject.sync_shell
            patient = at(server.url, tmp_path, table=store._table)
            await COLOURS[colour](patient, store.save("a.1", entry(body=BODY), BODY))
            await patient.async_shell.close()
            patient.sync_shell.close()
            for _ in range(20):
                try:
                    await do(store.load("a.1"))
                    break
                except StoreUnavailable:
                    shell.guard.worked(writes=False)
                    await asyncio.sleep(0.1)
            server.suspend()
            for plan in (store.load("a.1"), store.save("a.1", entry(body=BODY), BODY)):
                begun = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await do(plan)
                assert 0.2 < time.monotonic() - begun < 0.6
            server.resume()
            await subject.async_shell.close()
            subject.sync_shell.close()

    @pytest.mark.parametrize("colour", COLOURS)
    async def test_a_server_that_is_not_there(self, tmp_path: Path, colour: str) -> None:
        subject = at(f"http://127.0.0.1:{servers.free_port()}", tmp_path)
        with pytest.raises(StoreUnavailable, match="Could not connect") as told:
            await COLOURS[colour](subject, subject.store.load("a.1"))
        assert "\n" not in str(told.value)
        await subject.async_shell.close()


def test_an_account_does_not_show_its_secrets() -> None:
    account = dynamodb_account("http://127.0.0.1:1")
    assert "'secret'" not in repr(account)
    assert "127.0.0.1" in repr(account)
    assert Table("abc").create
