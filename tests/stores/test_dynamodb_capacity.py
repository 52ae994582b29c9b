"""What DynamoDB Local never does: no capacity, half-done batches, transactions in conflict."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.shell.dynamodb import talk
from http_client_cache.store import Store
from http_client_cache.testing.pieces import LARGE, load, put, read
from tests.stores.conftest import Do
from tests.stores.dynamo import at, table_of
from tests.stores.subjects import COLOURS, Subject, alias, entry, remove_table
from tests.support import servers
from tests.support.servers.dynamo_stub import Answer, Stub, error, stub_before

BODY = b"the body"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with stub_before(servers.dynamodb_url()) as stub:
        yield stub


@pytest.fixture
def subject(stub: Stub, tmp_path: Path) -> Iterator[Subject]:
    subject = at(stub.url, tmp_path, seconds=2.0)
    yield subject
    subject.sync_shell.close()
    remove_table(subject.store)


BUSY = [
    error("ProvisionedThroughputExceededException"),
    error("ThrottlingException"),
    error("RequestLimitExceeded"),
    error("TransactionConflictException"),
    (500, error("InternalServerError")[1]),
]


@pytest.mark.parametrize("busy", BUSY, ids=[busy[1]["__type"].partition("#")[2] for busy in BUSY])
async def test_what_has_no_capacity_is_asked_again(
    do: Do, store: Store, stub: Stub, busy: Answer
) -> None:
    await do(store.load("a.1"))
    left = {"PutItem": 2, "Query": 2, "Scan": 2}

    def instead(operation: str, *_: Any) -> Answer | None:
        left[operation] = left.get(operation, 0) - 1
        return busy if left[operation] >= 0 else None

    stub.instead = instead
    await do(store.save("a.1", entry(body=BODY), BODY))
    (found,) = await do(store.load("a.1"))
    assert found.body == BODY
    assert await do(store.size()) == 1
    assert left == {"PutItem": -1, "Query": -1, "Scan": -1}


async def test_it_is_not_asked_for_ever(do: Do, store: Store, stub: Stub, subject: Subject) -> None:
    await do(store.load("a.1"))
    stub.instead = lambda *_: error("ThrottlingException", "slow down")
    stub.seen.clear()
    subject.sync_shell.guard.seconds = 1.0
    begun = time.monotonic()
    # The time of a call may be over a moment before it has been asked for the last time.
    with pytest.raises(StoreUnavailable, match=r"slow down|no answer within"):
        await do(store.save("a.1", entry(body=BODY), BODY))
    assert time.monotonic() - begun < 1.5
    assert 4 <= len(stub.seen) <= 12


@pytest.mark.parametrize("colour", COLOURS)
async def test_what_has_no_capacity_to_write_is_read(
    tmp_path: Path, stub: Stub, colour: str
) -> None:
    subject = at(stub.url, tmp_path, seconds=0.5)
    throttled = error("ProvisionedThroughputExceededException")

    async def do(plan: Any) -> Any:
        return await COLOURS[colour](subject, plan)

    try:
        for _ in range(10):
            with contextlib.suppress(StoreUnavailable):
                await do(subject.store.save("a.1", entry(body=BODY), BODY))
                break
        stub.instead = lambda operation, *_: throttled if operation == "PutItem" else None
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                await do(subject.store.save("a.2", entry(body=BODY), BODY))
        (found,) = await do(subject.store.load("a.1"))
        assert found.body == BODY
    finally:
        await subject.close()
        remove_table(subject.store)


async def test_what_is_refused_is_not_asked_again(do: Do, store: Store, stub: Stub) -> None:
    await do(store.load("a.1"))
    stub.instead = lambda *_: error("ValidationException", "no such thing")
    stub.seen.clear()
    with pytest.raises(StoreError, match="no such thing"):
        await do(store.load("a.1"))
    assert stub.seen == ["Query"]


async def test_half_done_batches_are_done(
    do: Do,
    store: Store,
    stub: Stub,
    subject: Subject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(talk, "FIRST_PAUSE", 0.001)

    def instead(operation: str, arguments: dict[str, Any], ask: Any) -> Answer | None:
        if operation == "BatchWriteItem":
            ((table, requests),) = arguments["RequestItems"].items()
            status, told = ask({**arguments, "RequestItems": {table: requests[:1]}})
            if requests[1:]:
                told["UnprocessedItems"] = {table: requests[1:]}
            return status, told
        if operation == "BatchGetItem":
            ((table, wanted),) = arguments["RequestItems"].items()
            rest = wanted["Keys"][1:]
            first = {**wanted, "Keys": wanted["Keys"][:1]}
            status, told = ask({**arguments, "RequestItems": {table: first}})
            if rest:
                told["UnprocessedKeys"] = {table: {**wanted, "Keys": rest}}
            return status, told
        return None

    stub.instead = instead
    body = os.urandom(2**20)
    await do(store.save("a.1", entry(body=body), body))
    (found,) = await do(store.load("a.1"))
    assert found.body == body
    await put(do, store, key="b.1")
    assert await read(do, store, await load(do, store, "b.1")) == LARGE
    await do(store.link("x.1", alias("a.1")))
    await do(store.clear())
    with table_of(subject) as table:
        assert {item["pk"]["S"].split("#")[2] for item in table.items()} == {"b", "g"}


async def test_what_stays_undone_is_an_error(
    do: Do,
    store: Store,
    stub: Stub,
    subject: Subject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await do(store.load("a.1"))

    def instead(operation: str, arguments: dict[str, Any], ask: Any) -> Answer | None:
        if operation == "BatchWriteItem":
            return 200, {"UnprocessedItems": arguments["RequestItems"]}
        if operation == "BatchGetItem":
            return 200, {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return None

    body = os.urandom(2**20)
    await do(store.save("a.1", entry(body=body), body))
    stub.instead = instead
    # The last rest that would not fit begins after 0.31 s, long before the end.
    monkeypatch.setattr(talk, "random", SimpleNamespace(random=lambda: 0.0))
    subject.sync_shell.guard.seconds = 0.6
    for plan in (store.save("b.1", entry(body=body), body), store.load("a.1")):
        with pytest.raises(StoreError, match="no capacity"):
            await do(plan)
    subject.sync_shell.guard.seconds = 2.0
    stub.instead = None
    assert await do(store.load("b.1")) == ()
    assert (await do(store.load("a.1")))[0].body == body


async def test_transactions_in_conflict_are_tried_again(do: Do, store: Store, stub: Stub) -> None:
    await do(store.load("a.1"))
    left = [2]

    def instead(operation: str, arguments: dict[str, Any], ask: Any) -> Answer | None:
        if operation != "TransactWriteItems" or not left[0]:
            return None
        left[0] -= 1
        reasons = [{"Code": "None"} for _ in arguments["TransactItems"]]
        reasons[0] = {"Code": "TransactionConflict", "Message": "busy"}
        return error("TransactionCanceledException", "busy", CancellationReasons=reasons)

    stub.instead = instead
    await do(store.link("x.1", alias("a.1")))
    assert await do(store.links_size()) == 1
    assert left == [0]


async def test_a_connection_that_was_closed_while_idle(do: Do, store: Store, stub: Stub) -> None:
    await do(store.save("a.1", entry(body=BODY), BODY))
    closed = [False]

    def instead(*_: Any) -> Answer | None:
        if not closed[0]:
            closed[0] = True
            raise ConnectionAbortedError
        return None

    stub.instead = instead
    (found,) = await do(store.load("a.1"))
    assert found.body == BODY


async def test_many_writers_of_large_ones_leave_one_whole(
    do: Do, store: Store, subject: Subject
) -> None:
    bodies = [bytes([number]) * 300_000 for number in range(6)]

    async def one(body: bytes) -> None:
        await do(store.save("a.1", entry(body=body), body))

    await asyncio.gather(*map(one, bodies))
    (found,) = await do(store.load("a.1"))
    assert found.body in bodies
    with table_of(subject) as table:
        # All others are on the list, so nothing is left for ever.
        assert len(table.items("g")) == 5
        assert len(table.items("b")) == 12
