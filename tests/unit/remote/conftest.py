"""The shells of a store on a server, against a server: what holds for those of all drivers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from http_client_cache.shell.guard import Guard
from tests.support.line_server import AsyncLines, LineServer, Say, SyncLines

LONG = 10.0
"""Seconds that no call here takes, however busy the machine."""

SHORT = 0.05
"""Seconds that what never ends may take."""

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def server() -> Iterator[LineServer]:
    with LineServer().serving() as server:
        yield server


class Now:
    """Seconds that only tests let pass: for circuits, not for calls."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def guard(now: Now) -> Guard:
    return Guard(LONG, now)


@pytest.fixture(params=[AsyncLines, SyncLines])
async def shell(request: pytest.FixtureRequest, guard: Guard, server: LineServer) -> Any:
    shell = request.param(guard, server.port)
    yield shell
    await in_its_colour(shell.close, shell)
    await until(lambda: not connecting())


@pytest.fixture
def ask(shell: Any) -> Ask:
    """Carries out a statement in either colour."""

    async def ask(word: str, text: str = "", **more: Any) -> Any:
        return await in_its_colour(shell.run, shell, Say(word, text, **more))

    return ask


async def in_its_colour(work: Callable[..., Any], shell: Any, *arguments: Any) -> Any:
    if isinstance(shell, SyncLines):
        return await asyncio.to_thread(work, *arguments)
    return await work(*arguments)


def connecting() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name == "http-cache-connecting"]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - it happens in another thread
            await asyncio.sleep(0.002)


def client_of(shell: SyncLines) -> Any:
    assert shell._opening is not None
    return shell._opening.result()
