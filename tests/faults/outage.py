"""One outage: everything is prepared, then something goes wrong, and then it is repaired."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import secrets
import time
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp_client_cache import CachedSession
from http_client_cache.shell.guard import Circuit
from tests.faults.deployments import Deployment
from tests.faults.faults import Effect, Fault
from tests.faults.operations import OPERATIONS, Manage, Operation, Place
from tests.support.clock import StandingClock
from tests.support.origin import Origin

MARGIN = 0.3
"""Seconds that a request may take beyond the budgets of its calls: for the origin, for the client,
and for the others of the same loop, which all have their outage at the same time."""

TRIES = 3
"""The best of so many counts, where the machine had something else to do: first at the same time
as all the others, then alone."""

REQUESTS = 20
"""After so many at most the cache answers again: drivers notice late that a server is back."""

PAUSE = 0.1
"""Seconds between them."""

PATIENCE = 5.0
"""Seconds that a call may take when all is well again."""

RECOVERY = 15.0
"""After so many seconds at most the cache answers again, on a machine that is busy."""


@dataclass
class Outcome:
    """What became of one operation.

    Attributes:
        answer: where it was answered from.
        seconds: that it took.
        most: seconds that it may take.
        tries: that it needed: where the machine is busy, not all of them count.
        requests: after so many of them the cache worked again.
        warnings: what the log said of it.
        problems: what was not as it is promised.
        wrong: which of it does not depend on time, so that trying again does not make it good.
    """

    answer: str = ""
    seconds: float = 0.0
    most: float = 0.0
    tries: int = 0
    requests: int = 0
    warnings: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])


UNSURE = {
    # Each new connection needs several answers.
    ("slow", "manage"): Effect.ANY,
    # Each piece of it comes late, and they come one after the other.
    ("slow", "large"): Effect.ANY,
    ("slow", "streamed"): Effect.ANY,
}
"""Where less is promised than elsewhere with this fault."""


class Log(logging.Handler):
    """What is said, by the name of the store that it is said of; the rest by the empty name."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        told = isinstance(record.args, tuple) and record.name == "http_client_cache"
        name = str(record.args[0]) if told and record.args else ""  # type: ignore[index]
        self.lines.setdefault(name, []).append(record.getMessage())

    @contextlib.contextmanager
    def listening(self) -> Iterator[Log]:
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield self
        finally:
            root.removeHandler(self)


class Actor(Place):
    """An operation, with a backend and a session of its own."""

    def __init__(
        self,
        deployment: Deployment,
        fault: Fault,
        operation: Operation,
        origin: Origin,
        log: Log,
    ) -> None:
        self.log = log
        self.fault = fault
        self.effect = UNSURE.get((fault.name, operation.name), fault.effect)
        self.operation = operation
        self.origin = origin
        self.budget = deployment.budget
        self.name = f"{deployment.name}-{fault.name}-{operation.name}"
        self.unique = f"{self.name}-{secrets.token_hex(3)}"
        self.clock = StandingClock()
        self.outcome = Outcome()
        self._later = 0.0
        # It clears its cache, where it can.
        own = "-cleared" if isinstance(operation, Manage) else ""
        self._cache_name = deployment.cache_name + own
        self._deployment = deployment

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self.backend = self._backend()
        self.backend.engine.failures.name = self.name
        self.backend._guard._clock = lambda: time.monotonic() + self._later
        async with CachedSession(cache=self.backend) as self.session:
            yield

    def _backend(self) -> Any:
        return self._deployment.backend(
            cache_name=self._cache_name,
            expire_after=60,
            clock=self.clock,
            store_timeout=self.budget,
            **self.operation.settings,
        )

    async def prepare(self) -> None:
        """Until all of it has gone well: servers make tables and collections first."""
        if self.fault.cold:
            healthy = self._backend()
            async with CachedSession(cache=healthy) as self.healthy:
                await self._prepare(healthy)
            return
        self.healthy = self.session
        await self._prepare(self.backend)

    async def _prepare(self, backend: Any) -> None:
        backend._guard._clock = lambda: time.monotonic() + self._later
        failures = backend.engine.failures
        for _ in range(2 * TRIES):
            before = failures.count
            await self.operation.prepare(self)
            if not self.fault.cold:
                await self.text(self.url("/serial/warm"))
                if self.operation.blocks:
                    await self.in_a_thread(backend.engine.store.load("none"))
            if failures.count == before:
                break
            self._later += 60
        else:
            raise RuntimeError(f"{self.name}: it fails before anything goes wrong")
        failures.failing = False
        failures._kinds.clear()

    async def perform(self) -> bool:
        """Answers whether it was as it is promised."""
        outcome, operation = self.outcome, self.operation
        calls = operation.budgets if self.effect is Effect.NOTHING else operation.calls
        outcome.most = calls * self.budget + MARGIN
        expected = operation.expected(self.effect)
        outcome.problems.clear()
        outcome.tries += 1
        said = len(self._fails())
        begun = time.monotonic()
        try:
            outcome.answer = await operation.perform(self)
        except AssertionError as error:
            outcome.wrong.append(_told(error))
        except Exception as error:  # noqa: BLE001 - the cell tells of it
            outcome.problems.append(_told(error))
        outcome.seconds = time.monotonic() - begun
        if outcome.seconds > outcome.most:
            outcome.problems.append(f"it took {outcome.seconds:.2f} s, not {outcome.most:.2f}")
        if outcome.answer not in expected:
            outcome.problems.append(f"{outcome.answer}, not {' or '.join(sorted(expected))}")
        if len(self._fails()) - said > self._warnings()[1]:
            outcome.problems.append("it was said that the store fails")
        return not outcome.problems

    async def perform_alone(self) -> None:
        """Once more, when nobody else is at work."""
        for _ in range(TRIES):
            guard = self.backend._guard
            guard._reach, guard._kinds = Circuit(), {False: Circuit(), True: Circuit()}
            if await self.perform():
                return

    async def recover(self) -> None:
        outcome = self.outcome
        until = time.monotonic() + RECOVERY
        # A busy machine is no second outage.
        self.backend._guard.seconds = PATIENCE
        try:
            while True:
                outcome.requests += 1
                # Whatever rested has rested.
                self._later += 60
                if await self.operation.works(self):
                    break
                if outcome.requests >= REQUESTS or time.monotonic() > until:
                    outcome.problems.append("the cache does not work again")
                    return
                if outcome.requests > 1:
                    await asyncio.sleep(PAUSE)
            await self.operation.again(self)
        except AssertionError as error:
            outcome.wrong.append(f"when all was well again: {_told(error)}")
        except Exception as error:  # noqa: BLE001 - the cell tells of it
            outcome.problems.append(f"when all was well again: {_told(error)}")

    def _fails(self) -> list[str]:
        lines = self.log.lines.get(self.name, [])
        return [line for line in lines if " fails; requests go to the origin" in line]

    def judge(self) -> None:
        """Look at what was said."""
        outcome = self.outcome
        fails = self._fails()
        outcome.warnings = lines = self.log.lines.pop(self.name, [])
        works = [line for line in lines if line.endswith(" works again")]
        least, most = self._warnings()
        # Where it fails now and then, the last thing that is said may be that it does.
        rest = {0, 1} if self.effect is Effect.ANY else {0}
        if (
            not least <= len(fails) <= most
            or len(fails) - len(works) not in rest
            or len(fails) + len(works) != len(lines)
        ):
            outcome.problems.append(f"it was said: {lines}")
        if any("\n" in line or "open-sesame" in line for line in lines):
            outcome.wrong.append(f"it was not said well: {lines}")
        outcome.problems += outcome.wrong

    def _warnings(self) -> tuple[int, int]:
        """How often it may be said that the store fails, at least and at most."""
        effect, operation = self.effect, self.operation
        if effect is Effect.NOTHING:
            return 1, 1
        if effect is Effect.ANY:
            # It may well work in between.
            return 0, 9
        if self.outcome.tries > 1:
            return 0, self.outcome.tries
        if effect is Effect.READS and isinstance(operation, Manage):
            # Four of what it asks for write, unless there is nothing to be written; then they work.
            return 0, 4
        return 0, int(effect is Effect.READS and (operation.writes or operation.name == "close"))


async def play(deployment: Deployment, fault: Fault, asked: Iterable[str]) -> dict[str, Outcome]:
    """Have an outage. Answers what became of each operation, and by "" what else was said."""
    log = Log()
    with log.listening():
        async with Origin().serving() as origin, contextlib.AsyncExitStack() as stack:
            actors = [Actor(deployment, fault, OPERATIONS[name](), origin, log) for name in asked]
            for actor in actors:
                await stack.enter_async_context(actor.opened())
            for actor in actors:
                await actor.prepare()
            log.lines.clear()
            hurting = deployment.hurt(fault)
            await asyncio.to_thread(hurting.__enter__)
            try:
                await _perform(actors, fault)
            finally:
                await asyncio.to_thread(hurting.__exit__, None, None, None)
            await asyncio.gather(*[actor.recover() for actor in actors])
        # What was left open says so.
        gc.collect()
    outcomes = {}
    for actor in actors:
        actor.judge()
        outcomes[actor.operation.name] = actor.outcome
    outcomes[""] = Outcome(problems=log.lines.get("", []))
    return outcomes


async def _perform(actors: list[Actor], fault: Fault) -> None:
    """All at the same time, less those who have so much to do that others would have to wait."""
    last = [
        actor
        for actor in actors
        if isinstance(actor.operation, Manage) and fault.effect is not Effect.NOTHING
    ]
    others = [actor for actor in actors if actor not in last]
    good = await asyncio.gather(*map(_in_turn, range(len(others)), others))
    for actor in last:
        await actor.perform()
    for actor, is_good in zip(others, good, strict=True):
        if not is_good:
            await actor.perform_alone()


async def _in_turn(number: int, actor: Actor) -> bool:
    # Else each would wait for what all the others have to compute.
    await asyncio.sleep(0.02 * number)
    return await actor.perform()


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
