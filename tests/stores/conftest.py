"""Every store in every colour."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from http_client_cache.plan import Plan
from http_client_cache.store import Store
from http_client_cache.store.dynamodb import DynamoDBStore
from tests.stores.mongo_subjects import database_of
from tests.stores.subjects import COLOURS, SUBJECTS, Subject, remove_table
from tests.support.servers import mongodb_url

Do = Callable[[Plan[Any]], Awaitable[Any]]


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    subject = SUBJECTS[request.param](tmp_path)
    yield subject
    await subject.close()
    if isinstance(subject.store, DynamoDBStore):
        # Tables lie in the memory of the server.
        remove_table(subject.store)


@pytest.fixture
def store(subject: Subject) -> Store:
    return subject.store


@pytest.fixture(params=COLOURS)
async def do(request: pytest.FixtureRequest, subject: Subject) -> AsyncIterator[Do]:
    """Runs a plan; what is put in by one colour is there for the other."""
    colour = COLOURS[request.param]

    async def do(plan: Plan[Any]) -> Any:
        return await colour(subject, plan)

    yield do
    await subject.async_shell.close()


@pytest.fixture
def database(subject: Subject, tmp_path: Path) -> Iterator[Any]:
    """The database of a subject in MongoDB."""
    with MongoClient[dict[str, Any]](mongodb_url(), tz_aware=True) as client:
        yield client[database_of(tmp_path)]


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """After ``close`` there is none, and without it none stays for long."""
    yield
    patience = time.monotonic() + 5
    while threads := [
        thread.name for thread in threading.enumerate() if thread.name.startswith("http-cache")
    ]:
        assert time.monotonic() < patience, threads
        time.sleep(0.01)
