"""The two drivers, with a store and a client that do as plans tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from http_client_cache.plan import (
    Answer,
    Discard,
    Exchange,
    Lease,
    Lost,
    Present,
    ReadBody,
)
from http_client_cache.shell.drivers import AsyncDriver, SyncDriver
from http_client_cache.shell.failures import Failures
from http_client_cache.shell.flights import AsyncFlights, SyncFlights
from http_client_cache.statements import NOT_NOW
from tests.flow.scene import answer

Script = Generator[Any, Any, Any]
Run = Callable[..., Any]


class Shell:
    """Answers a statement with itself; raises those that are exceptions, waits for text."""

    def __init__(self) -> None:
        self.down: Exception | None = None

    def run_now(self, statement: Any) -> Any:
        return NOT_NOW if isinstance(statement, str) else self._carry_out(statement)

    def _carry_out(self, statement: Any) -> Any:
        if self.down is not None:
            raise self.down
        if isinstance(statement, Exception):
            raise statement
        return statement


class SyncShell(Shell):
    def run(self, statement: Any) -> Any:
        return self._carry_out(statement)

    def close(self) -> None: ...


class AsyncShell(Shell):
    async def run(self, statement: Any) -> Any:
        await asyncio.sleep(0)
        return self._carry_out(statement)

    async def close(self) -> None: ...


class Client:
    """Says what it was asked for."""

    def exchange(self, effect: Exchange) -> Answer | Lost:
        return ANSWER

    def read_body(self, effect: ReadBody) -> bytes:
        return b"body"

    def discard(self, effect: Discard) -> None: ...

    def present(self, effect: Present) -> Any:
        return "presented", effect.body


class AsyncClient:
    def __init__(self) -> None:
        self._client = Client()
        self.present = self._client.present

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        return self._client.exchange(effect)

    async def read_body(self, effect: ReadBody) -> bytes:
        return self._client.read_body(effect)

    async def discard(self, effect: Discard) -> None:
        self._client.discard(effect)


ANSWER = answer()


class Colour:
    """One of the two drivers, with all that it needs."""

    def __init__(self, name: str) -> None:
        self.failures = Failures("of the test")
        self.driver: Any
        if name == "sync":
            self.shell: Shell = SyncShell()
            self.driver = SyncDriver(self.shell, SyncFlights(), self.failures)  # type: ignore[arg-type]
        else:
            self.shell = AsyncShell()
            self.driver = AsyncDriver(self.shell, AsyncFlights(), self.failures)  # type: ignore[arg-type]
        self.client: Any = Client() if name == "sync" else AsyncClient()
        self.name = name

    def run(self, plan: Script, client: Any = None) -> Any:
        if self.name == "sync":
            return self.driver.run(plan, client)
        return asyncio.run(self.driver.run(plan, client))

    def keys(self) -> list[str]:
        flights = self.driver.flights
        if self.name == "sync":
            return list(flights._flights)
        return [key for loop in flights._loops.values() for key in loop]


def trips(*statements: Any) -> Script:
    """The plan of a store."""
    found = []
    for statement in statements:
        found.append((yield statement))  # noqa: PERF401
    return found


def told(*effects: Any) -> Script:
    """A plan that says these, and answers what it was answered."""
    return (yield from trips(*effects))


def sub_plan(*effects: Any, held: bool = False, error: BaseException | None = None) -> Any:
    def plan(lease: Lease) -> Script:
        lease.held = held
        found = yield from told(*effects)
        if error is not None:
            raise error
        return found

    return plan
