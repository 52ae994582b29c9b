"""The drivers: they do what plans say, with ``await`` or without.

The policy is in the plans; here is only how each effect is carried out, and that a store or
a function of the user's that fails is an answer (``Failed``), not an exception.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar, cast

from http_client_cache.errors import StoreUnavailable
from http_client_cache.plan import (
    Answer,
    Ask,
    Body,
    Discard,
    Exchange,
    Failed,
    Followed,
    Led,
    Locked,
    Lost,
    Pause,
    Plan,
    Present,
    ReadBody,
    Spawn,
    UseStore,
    Wait,
)
from http_client_cache.shell import store_driver
from http_client_cache.shell.background import AsyncBackground, SyncBackground
from http_client_cache.shell.failures import Failures
from http_client_cache.shell.flights import AsyncFlights, SyncFlights
from http_client_cache.statements import NOT_NOW, AsyncShell, SyncShell

T = TypeVar("T")


class AsyncClient(Protocol):
    """The part of a driver that only an asynchronous HTTP client can do."""

    @property
    def owner(self) -> object:
        """With whose end work in the background ends."""
        ...

    def detached(self) -> AsyncClient:
        """The same, for work that goes on when the request has been answered."""
        ...

    async def exchange(self, effect: Exchange) -> Answer | Lost:
        """Send the request."""
        ...

    async def read_body(self, effect: ReadBody) -> Body:
        """Read the body, and put it back for the caller."""
        ...

    async def discard(self, effect: Discard) -> None:
        """Give the connection back."""
        ...

    def present(self, effect: Present) -> Any:
        """Build what the user's ``filter_fn`` sees."""
        ...


class SyncClient(Protocol):
    """The part of a driver that only a blocking HTTP client can do."""

    def detached(self) -> SyncClient:
        """The same, for work that goes on when the request has been answered."""
        ...

    def exchange(self, effect: Exchange) -> Answer | Lost:
        """Send the request."""
        ...

    def read_body(self, effect: ReadBody) -> Body:
        """Read the body, and put it back for the caller."""
        ...

    def discard(self, effect: Discard) -> None:
        """Give the connection back."""
        ...

    def present(self, effect: Present) -> Any:
        """Build what the user's ``filter_fn`` sees."""
        ...


class AsyncDriver:
    """Carries out plans with ``await``.

    Args:
        shell: of the store.
        flights: the leases of this cache.
        failures: where failures are counted.
    """

    def __init__(self, shell: AsyncShell, flights: AsyncFlights, failures: Failures) -> None:
        self.shell = shell
        self.flights = flights
        self.failures = failures
        self.background = AsyncBackground()

    async def run(
        self,
        plan: Plan[T],
        client: AsyncClient | None = None,
        lost: list[Failed] | None = None,
    ) -> T:
        """Run a plan to its end.

        Args:
            plan: for one request, or whatever else is to be done.
            client: sends requests.
            lost: how the store was out of reach, if it was: it is not asked again.

        Raises:
            Exception: what the plan raises; a store's failure never does.
        """
        if lost is None:
            lost = []
        answer: Any = None
        try:
            while True:
                try:
                    effect = plan.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = await self._perform(effect, client, lost)
        finally:
            plan.close()

    async def _perform(self, effect: Any, client: AsyncClient | None, lost: list[Failed]) -> Any:
        kind = cast("type[object]", type(effect))
        if kind is UseStore:
            return await self._use_store(effect, lost)
        if kind is Locked:
            return await self._locked(effect, client, lost)
        if kind is Ask:
            return await self._ask(effect)
        if kind is Pause:
            return await asyncio.sleep(0)
        if kind is Wait:
            begun = time.monotonic()
            await asyncio.sleep(effect.seconds)
            return time.monotonic() - begun
        if client is None:
            raise TypeError(f"{kind.__name__} needs an HTTP client")
        if kind is Exchange:
            return await client.exchange(effect)
        if kind is ReadBody:
            return await client.read_body(effect)
        if kind is Discard:
            return await client.discard(effect)
        if kind is Present:
            return client.present(effect)
        if kind is Spawn:
            return self._spawn(effect, client)
        raise TypeError(f"a plan cannot ask for {effect!r}")

    def _spawn(self, effect: Spawn, client: AsyncClient) -> None:
        def work() -> Coroutine[Any, Any, None]:
            return self.run(effect.plan(), client.detached())

        self.background.start(effect.key, work, client.owner)

    async def _use_store(self, effect: UseStore, lost: list[Failed]) -> Any:
        if lost:
            return lost[0]
        try:
            answer = await store_driver.run_async(effect.plan, self.shell)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the request goes on
            failed = self.failures.failed(error, writes=effect.writes, lease=effect.lease)
            if isinstance(error, StoreUnavailable):
                lost.append(failed)
            return failed
        if self.failures.failing:
            self.failures.worked(writes=effect.writes, lease=effect.lease)
        return answer

    async def _locked(
        self, effect: Locked, client: AsyncClient | None, lost: list[Failed]
    ) -> Led | Followed:
        entered = await self.flights.enter(effect.key, wait=effect.wait)
        if isinstance(entered, Followed):
            return entered
        try:
            result = await self.run(effect.plan(entered), client, lost)
        except Exception:
            entered.release()
            raise
        except BaseException:
            entered.abandon()
            raise
        if not entered.held:
            entered.release()
        return Led(result)

    async def _ask(self, effect: Ask) -> Any:
        try:
            answer = effect.function(*effect.arguments)
            return await answer if inspect.isawaitable(answer) else answer
        except Exception as error:  # noqa: BLE001 - a user's function must not break the request
            return self.failures.user_function_failed(effect.function, error)


class SyncDriver:
    """Carries out plans, blocking the calling thread.

    Args:
        shell: of the store.
        flights: the leases of this cache.
        failures: where failures are counted.
    """

    def __init__(self, shell: SyncShell, flights: SyncFlights, failures: Failures) -> None:
        self.shell = shell
        self.flights = flights
        self.failures = failures
        self.background = SyncBackground()

    def run(
        self,
        plan: Plan[T],
        client: SyncClient | None = None,
        lost: list[Failed] | None = None,
    ) -> T:
        """Run a plan to its end.

        Args:
            plan: for one request, or whatever else is to be done.
            client: sends requests.
            lost: how the store was out of reach, if it was: it is not asked again.

        Raises:
            Exception: what the plan raises; a store's failure never does.
        """
        if lost is None:
            lost = []
        answer: Any = None
        try:
            while True:
                try:
                    effect = plan.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = self._perform(effect, client, lost)
        finally:
            plan.close()

    def _perform(self, effect: Any, client: SyncClient | None, lost: list[Failed]) -> Any:
        kind = cast("type[object]", type(effect))
        if kind is UseStore:
            return self._use_store(effect, lost)
        if kind is Locked:
            return self._locked(effect, client, lost)
        if kind is Ask:
            return self._ask(effect)
        if kind is Pause:
            return None
        if kind is Wait:
            begun = time.monotonic()
            time.sleep(effect.seconds)
            return time.monotonic() - begun
        if client is None:
            raise TypeError(f"{kind.__name__} needs an HTTP client")
        if kind is Exchange:
            return client.exchange(effect)
        if kind is ReadBody:
            return client.read_body(effect)
        if kind is Discard:
            return client.discard(effect)
        if kind is Present:
            return client.present(effect)
        if kind is Spawn:
            detached = client.detached()
            return self.background.start(effect.key, lambda: self.run(effect.plan(), detached))
        raise TypeError(f"a plan cannot ask for {effect!r}")

    def _use_store(self, effect: UseStore, lost: list[Failed]) -> Any:
        if lost:
            return lost[0]
        try:
            answer = store_driver.run_sync(effect.plan, self.shell)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the request goes on
            failed = self.failures.failed(error, writes=effect.writes, lease=effect.lease)
            if isinstance(error, StoreUnavailable):
                lost.append(failed)
            return failed
        if self.failures.failing:
            self.failures.worked(writes=effect.writes, lease=effect.lease)
        return answer

    def _locked(
        self, effect: Locked, client: SyncClient | None, lost: list[Failed]
    ) -> Led | Followed:
        entered = self.flights.enter(effect.key, wait=effect.wait)
        if isinstance(entered, Followed):
            return entered
        try:
            result = self.run(effect.plan(entered), client, lost)
        except Exception:
            entered.release()
            raise
        except BaseException:
            entered.abandon()
            raise
        if not entered.held:
            entered.release()
        return Led(result)

    def _ask(self, effect: Ask) -> Any:
        try:
            return effect.function(*effect.arguments)
        except Exception as error:  # noqa: BLE001 - a user's function must not break the request
            return self.failures.user_function_failed(effect.function, error)


def run_at_once(plan: Plan[T], shell: AsyncShell) -> T | Any:
    """Run a plan only as far as nothing has to be waited for.

    Answers the plan's result, or ``NOT_NOW`` with the plan closed and nothing changed: plans
    that only look something up may be driven this way.
    """
    answer: Any = None
    try:
        while True:
            effect = plan.send(answer)
            if type(effect) is not UseStore:
                return NOT_NOW
            answer = store_driver.run_now(effect.plan, shell)
            if answer is NOT_NOW:
                return NOT_NOW
    except StopIteration as stop:
        return stop.value
    finally:
        plan.close()
