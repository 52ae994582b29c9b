"""What the tests of the DynamoDB store have in common: a subject, and its table as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from http_client_cache.limits import SERVER_CLOCK
from http_client_cache.shell.dynamodb import AsyncDynamoDB, SyncDynamoDB
from http_client_cache.shell.guard import Guard
from tests.stores.subjects import Subject, dynamodb, dynamodb_account, dynamodb_client
from tests.support import servers


@contextmanager
def table_of(subject: Subject) -> Iterator[Any]:
    yield TableClient(subject)


class TableClient:
    """A client of DynamoDB that knows a table."""

    def __init__(self, subject: Subject) -> None:
        store: Any = subject.store
        self.table: str = store._table
        self._space: str = store._places.space
        self._client = dynamodb_client(servers.dynamodb_url())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def items(self, kind: str = "") -> list[dict[str, Any]]:
        """All items of the cache, or those of one kind."""
        found: list[dict[str, Any]] = []
        for page in self._client.get_paginator("scan").paginate(TableName=self.table):
            found += page["Items"]
        start = f"{self._space}{kind}"
        return [item for item in found if item["pk"]["S"].startswith(start)]


def at(url: str, folder: Path, *, seconds: float = 5.0, **options: Any) -> Subject:
    """A subject whose server is somewhere else, as through a proxy."""
    subject = dynamodb(folder, **options)
    guard, account = Guard(seconds), dynamodb_account(url)
    table = subject.sync_shell._table
    return subject._replace(
        sync_shell=SyncDynamoDB(guard, account, table),
        async_shell=AsyncDynamoDB(guard, account, table),
    )


class ServerClock:
    """The time by which servers go, in the place of the real one."""

    def __init__(self, monkeypatch: Any) -> None:
        self.real = SERVER_CLOCK.time
        self.ahead = 0.0
        monkeypatch.setattr(SERVER_CLOCK, "time", self)

    def __call__(self) -> float:
        return self.real() + self.ahead
