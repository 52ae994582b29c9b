"""A cache: settings, a store and the driver of one colour."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from itertools import count
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from http_client_cache import flow, housekeeping
from http_client_cache.body import READ_BYTES, AnyBody, KeptBody
from http_client_cache.clock import Clock
from http_client_cache.entry import Stored
from http_client_cache.errors import StoreError, StoreUnavailable
from http_client_cache.lawful import serve as lawful
from http_client_cache.lawful.find import Found, find
from http_client_cache.lawful.query import QueryRules
from http_client_cache.message import Request
from http_client_cache.options import Options
from http_client_cache.plan import Plan
from http_client_cache.read_only import reading
from http_client_cache.rfc9111.cache_control import NO_REQUEST_DIRECTIVES
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.scope import Scope
from http_client_cache.served import Served
from http_client_cache.settings import Settings
from http_client_cache.shell import store_driver
from http_client_cache.shell.drivers import (
    AsyncClient,
    AsyncDriver,
    SyncClient,
    SyncDriver,
    run_at_once,
)
from http_client_cache.shell.failures import Failures
from http_client_cache.shell.flights import AsyncFlights, SyncFlights
from http_client_cache.shell.leases import new_owner, release_now, release_soon
from http_client_cache.statements import NOT_NOW, AsyncShell, SyncShell
from http_client_cache.store import Store

T = TypeVar("T")
S = TypeVar("S")
F = TypeVar("F", bound=AsyncFlights | SyncFlights)


class Recent:
    """Remembers the keys that were added last, so many of them, each with a number."""

    __slots__ = ("_keys", "_limit")

    def __init__(self, limit: int = 4096) -> None:
        self._keys: dict[str, int] = {}
        self._limit = limit

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def number_of(self, key: str) -> int:
        """The number that was added with a key; 0 for any other."""
        return self._keys.get(key, 0)

    def add(self, key: str, number: int = 0) -> None:
        """Remember a key; the oldest is forgotten where there are too many."""
        self._keys.pop(key, None)
        self._keys[key] = number
        while len(self._keys) > self._limit:
            try:
                del self._keys[next(iter(self._keys))]
            except (KeyError, RuntimeError, StopIteration):
                # Another thread was at it; the next key makes room.
                return

    def discard(self, key: str) -> None:
        """Forget a key."""
        self._keys.pop(key, None)


class _Mode(Protocol):
    """The flows of one mode."""

    def serve(self, scope: Scope, request: Request, options: Options) -> Plan[Served]: ...
    def admit(self, scope: Scope, request: Request, options: Options) -> Plan[bool]: ...


class _Cache(Generic[S, F]):
    """What both colours share: settings, a store with its shell, leases, and the time.

    Args:
        settings: the house rules, shared with whoever changes them.
        store: the operations.
        shell: carries out the store's statements.
        flights: the leases of fetches.
        name: how the log calls the store; must hold no secret.
        clock: replaced in tests.
    """

    def __init__(
        self, settings: Settings, store: Store, shell: S, flights: F, name: str, clock: Clock | None
    ) -> None:
        self.settings = settings
        self.store = store
        self.shell = shell
        self.clock = clock or Clock()
        self.uncacheable = Recent()
        self.query_rules = QueryRules()
        self._changes = Recent()
        self._saves = Recent()
        self._change_count = 0
        self.failures = Failures(name)
        self._flights = flights
        self.owner = new_owner()

    def now(self) -> float:
        """UTC seconds."""
        return self.clock.time()

    def fetches_ended(self) -> int:
        """Grows whenever a fetch ends."""
        return self._flights.ended

    def _release(self, name: str, *, fruitless: bool) -> Plan[None]:
        return self.store.release(name, self.owner(), self.now(), fruitless=fruitless)

    def _mode(self) -> _Mode:
        """The flows that the settings ask for."""
        return lawful if self.settings.cache_control else flow

    @abstractmethod
    def give_back(self, name: str, fruitless: bool) -> None:  # noqa: FBT001 - see AtEnd
        """Begin to release a lease in the store, without waiting for it."""

    def _serving(self, request: Request, options: Options) -> Plan[Served]:
        plan = self._mode().serve(self, request, self._ruled(options))
        return reading(plan) if self.settings.read_only else plan

    def _admitting(self, request: Request, options: Options) -> Plan[bool]:
        plan = self._mode().admit(self, request, self._ruled(options))
        return reading(plan) if self.settings.read_only else plan

    def _ruled(self, options: Options) -> Options:
        """What is said about a request, and what the settings say of all of them."""
        # What must not go out cannot be validated.
        if self.settings.always_revalidate and not options.only_if_cached:
            return msgspec.structs.replace(options, refresh=True)
        return options

    def note_change(self, locator: str) -> None:
        """What is being fetched for this URL may be outdated when it arrives."""
        self._change_count += 1
        self._changes.add(locator, self._change_count)

    def changes(self) -> int:
        """How many changes and saves were noted."""
        return self._change_count

    def changed_since(self, key: str, count: int) -> bool:
        """Whether a change of the key's URL was noted after the first ``count``."""
        return self._changes.number_of(key.partition(".")[0]) > count

    def note_save(self, key: str, variant: str) -> None:
        """A response takes this place in the store."""
        self._change_count += 1
        self._saves.add(f"{key} {variant}", self._change_count)

    def saved_since(self, key: str, variant: str, count: int) -> bool:
        """Whether a response took this place after the first ``count``."""
        return self._saves.number_of(f"{key} {variant}") > count


class AsyncCache(_Cache[AsyncShell, AsyncFlights]):
    """A cache for asynchronous clients; serves any number of event loops.

    Args:
        settings: the house rules, shared with whoever changes them.
        store: the operations.
        shell: carries out the store's statements.
        name: how the log calls the store; must hold no secret.
        clock: replaced in tests.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shell: AsyncShell,
        *,
        name: str,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(settings, store, shell, AsyncFlights(), name, clock)
        self._numbers = count()
        self._driver = AsyncDriver(shell, self._flights, self.failures)

    async def serve(self, request: Request, options: Options, client: AsyncClient) -> Served:
        """Answer a request from the store or through ``client``; see :func:`flow.serve`."""
        return await self._driver.run(self._serving(request, options), client)

    async def run(self, plan: Plan[T], client: AsyncClient | None = None) -> T:
        """Run any plan."""
        return await self._driver.run(plan, client)

    def read_now(self, body: KeptBody, start: int) -> bytes | None:
        """Some of a stored body, or ``None``: only :meth:`read` can tell, as it may wait."""
        try:
            piece = store_driver.run_now(self.store.read(body, start, READ_BYTES), self.shell)
        except Exception:  # noqa: BLE001 - the long way meets the same failure, and copes
            return None
        return None if piece is NOT_NOW else cast("bytes", piece)

    async def read(self, body: KeptBody, start: int) -> bytes:
        """Some of a stored body: a byte at least.

        Raises:
            StoreError: it cannot be read any more, or is damaged, and its entry has been deleted;
                or, as :class:`StoreUnavailable`, the store cannot be reached now.
        """
        plan = self.store.read(body, start, READ_BYTES)
        try:
            return await store_driver.run_async(plan, self.shell)
        except Exception as error:
            self.failures.failed(error)
            if body.place is not None and not isinstance(error, StoreUnavailable):
                # Whoever is told may ask again at once, or end, and nobody is to meet it again.
                await self.run(housekeeping.ask(self.store.drop([body.place]), 0, writes=True))
            raise error if isinstance(error, StoreError) else StoreError(str(error)) from error

    def soon(self, plan: Plan[Any]) -> None:
        """Run a plan that nobody waits for, in the background of the running loop."""
        self._driver.background.start(f"soon {next(self._numbers)}", lambda: self.run(plan), None)

    async def admit(self, request: Request, options: Options, client: AsyncClient) -> bool:
        """Whether a request will be answered without going out; see :func:`flow.admit`."""
        return await self._driver.run(self._admitting(request, options), client)

    def look_now(self, key: str, options: Options) -> tuple[Stored | None, Reason] | None:
        """What is stored and whether it may be served, if nothing has to be waited for.

        ``None`` says nothing: the long way will find out.
        """
        return self._at_once(flow.look(self, key, self._ruled(options)))

    def find_now(self, key: str, request: Request, options: Options) -> Found | None:
        """The same where RFC 9111 decides, for a request as it will be sent.

        None of its fields may direct a cache (``DIRECTING``) or select (``SELECTING``).
        """
        settings = self.settings
        plain = (
            request.method == "GET"
            and settings.filter_fn is None
            and not settings.always_revalidate
        )
        directives = NO_REQUEST_DIRECTIVES
        plan = find(self, key, request, directives, self._ruled(options), plain=plain)
        return self._at_once(plan)

    def _at_once(self, plan: Plan[T]) -> T | None:
        try:
            found = run_at_once(plan, self.shell)
        except Exception as error:  # noqa: BLE001 - the long way meets the same failure, and copes
            self.failures.failed(error)
            return None
        if found is NOT_NOW:
            return None
        if self.failures.failing:
            self.failures.worked()
        return cast("T", found)

    def give_back(self, name: str, fruitless: bool) -> None:  # noqa: FBT001 - see AtEnd
        """Begin to release a lease in the store, without waiting for it."""
        release_soon(
            name,
            lambda: self._release(name, fruitless=fruitless),
            self.shell,
            self._driver.background,
            self.failures,
        )

    async def stop_background(self, owner: object = None) -> None:
        """Cancel refreshes that are under way in this loop: of one owner only, if it is named."""
        await self._driver.background.stop(owner)


class Abandoned(Protocol):
    """A body on its way into the cache, whose reader is gone."""

    def end(self) -> None:
        """It will not be whole."""
        ...


class SyncCache(_Cache[SyncShell, SyncFlights]):
    """A cache for blocking clients; serves any number of threads.

    Args:
        settings: the house rules, shared with whoever changes them.
        store: the operations.
        shell: carries out the store's statements.
        name: how the log calls the store; must hold no secret.
        clock: replaced in tests.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shell: SyncShell,
        *,
        name: str,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(settings, store, shell, SyncFlights(), name, clock)
        self._driver = SyncDriver(shell, self._flights, self.failures)
        # Where the garbage collector finds what nobody has closed, no lock may be asked for.
        self.abandoned: deque[Abandoned] = deque()

    def give_back(self, name: str, fruitless: bool) -> None:  # noqa: FBT001 - see AtEnd
        """Begin to release a lease in the store, without waiting for it."""
        release_now(lambda: self._release(name, fruitless=fruitless), self.shell, self.failures)

    def serve(self, request: Request, options: Options, client: SyncClient) -> Served:
        """Answer a request from the store or through ``client``; see :func:`flow.serve`."""
        self.tidy_up()
        return self._driver.run(self._serving(request, options), client)

    def tidy_up(self) -> None:
        """Forget what was kept of bodies whose readers are gone, as the garbage collector found."""
        while self.abandoned:
            try:
                body = self.abandoned.popleft()
            except IndexError:
                # Another thread was faster.
                return
            body.end()

    def run(self, plan: Plan[T], client: SyncClient | None = None) -> T:
        """Run any plan."""
        return self._driver.run(plan, client)

    def read(self, body: KeptBody, start: int) -> bytes:
        """Some of a stored body: a byte at least.

        Raises:
            StoreError: it cannot be read any more, or is damaged.
        """
        try:
            return store_driver.run_sync(self.store.read(body, start, READ_BYTES), self.shell)
        except Exception as error:
            self.failures.failed(error)
            if body.place is not None and not isinstance(error, StoreUnavailable):
                # Whoever is told of it may try again at once, and is not to meet it again.
                self.run(housekeeping.ask(self.store.drop([body.place]), 0, writes=True))
            raise error if isinstance(error, StoreError) else StoreError(str(error)) from error

    def read_all(self, body: AnyBody) -> bytes:
        """A stored body, in memory.

        Raises:
            StoreError: it cannot be read any more, or is damaged.
        """
        if isinstance(body, bytes):
            return body
        pieces: list[bytes] = []
        start = 0
        while start < len(body):
            pieces.append(self.read(body, start))
            start += len(pieces[-1])
        return b"".join(pieces)

    def admit(self, request: Request, options: Options, client: SyncClient) -> bool:
        """Whether a request will be answered without going out; see :func:`flow.admit`."""
        return self._driver.run(self._admitting(request, options), client)

    def look(self, key: str, options: Options) -> tuple[Stored | None, Reason]:
        """What is stored under a key, and whether it may be served as it is."""
        return self._driver.run(flow.look(self, key, self._ruled(options)))

    def stop_background(self) -> None:
        """Wait for refreshes that are under way, a second at most."""
        self._driver.background.stop()
