"""What is asked of a cache while its server is in trouble, each by a backend of its own."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import ClientPayloadError

from http_client_cache.plan import Failed, Plan, UseStore
from http_client_cache.testing.subject import entry
from tests.faults.faults import BUDGET, Effect

if TYPE_CHECKING:
    from aiohttp_client_cache import CachedSession
    from http_client_cache.backends.remote import Remote
    from tests.support.clock import StandingClock
    from tests.support.origin import Origin

LARGE = 3 * 2**20
"""Bytes of a body that is stored in blocks."""

SMALL_BUDGET = 0.02
"""Seconds that a call may take while what nobody waits for is tried: that may take longer by far
than a request, and the test need not."""

CACHE, ORIGIN, ANSWERED, FAILED = "cache", "origin", "answered", "failed"


class Place:
    """Where an operation is tried.

    Attributes:
        backend: that is tested.
        session: on it.
        healthy: one that still goes to the server when the other one cannot be connected yet.
        clock: of both.
        origin: that is asked.
        effect: what will be left of the store.
        budget: seconds that a call may take.
        unique: tells URLs of this outage from those of others.
    """

    backend: Remote
    session: CachedSession
    healthy: CachedSession
    clock: StandingClock
    origin: Origin
    effect: Effect
    budget: float
    unique: str

    def url(self, path: str) -> str:
        return self.origin.url(f"{path}{self.unique}")

    async def text(self, url: str) -> tuple[str, str]:
        """The body, and where it came from."""
        async with self.session.get(url) as response:
            assert response.status == 200
            return await response.text(), CACHE if response.from_cache else ORIGIN

    async def store(self, url: str) -> str:
        """Fill the cache. Answers the body."""
        async with self.healthy.get(url) as response:
            return await response.text()

    async def in_a_thread(
        self, plan: Plan[Any], backend: Remote | None = None, **kind: bool
    ) -> Any:
        """Run a plan of the store without ``await``."""

        def asked() -> Plan[Any]:
            return (yield UseStore(plan, **kind))

        return await asyncio.to_thread((backend or self.backend)._sync.run, asked())


class Operation(ABC):
    """One thing that is done in an outage.

    Attributes:
        name: in the names of tests.
        title: in the report.
        settings: of the backend.
        budgets: how many calls may each take all of their time until the server is left alone.
        calls: how many there are, one after the other, where it works.
        needs_reads: whether it is answered from the cache where that can be read.
        writes: whether it changes something in the cache if it can.
        blocks: whether it asks without ``await``, too.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}
    budgets: ClassVar[float] = 1
    calls: ClassVar[int] = 2
    needs_reads: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    blocks: ClassVar[bool] = False

    async def prepare(self, at: Place) -> None:  # noqa: B027 - not all have to
        """All is well yet. It may be called more than once."""

    @abstractmethod
    async def perform(self, at: Place) -> str:
        """In the outage. Answers where it was answered from.

        Raises:
            AssertionError: something wrong was answered, which no haste excuses.
            Exception: it failed.
        """

    async def works(self, at: Place) -> bool:
        """Whether all is well again. It is called more than once."""
        _, source = await at.text(at.url("/serial/recovered"))
        return source == CACHE

    async def again(self, at: Place) -> None:  # noqa: B027 - not all have to
        """Once more, when all is well."""

    def expected(self, effect: Effect) -> set[str]:
        """From where it may be answered."""
        if effect is Effect.ANY:
            return {CACHE, ORIGIN, ANSWERED, FAILED}
        if not self.needs_reads:
            return {ORIGIN, ANSWERED}
        return {ORIGIN} if effect is Effect.NOTHING else {CACHE}


class Hit(Operation):
    name, title, needs_reads = "hit", "hit", True
    _known = ""

    async def prepare(self, at: Place) -> None:
        self._known = await at.store(at.url("/serial/hit"))

    async def perform(self, at: Place) -> str:
        body, source = await at.text(at.url("/serial/hit"))
        assert (body == self._known) is (source == CACHE)
        return source


class Miss(Operation):
    name, title, writes = "miss", "miss", True
    path = "/serial/miss"

    def __init__(self) -> None:
        self.tried = 0

    async def perform(self, at: Place) -> str:
        self.tried += 1
        body, source = await at.text(at.url(f"{self.path}-{self.tried}-"))
        assert (body, source) == ("1", ORIGIN)
        return source


class Lease(Miss):
    name, title = "lease", "miss, with `fetch_lease`"
    settings: ClassVar[dict[str, Any]] = {"fetch_lease": 20}
    calls = 4
    path = "/serial/lease"

    async def again(self, at: Place) -> None:
        await self.perform(at)


class Revalidation(Operation):
    name, title, needs_reads, writes = "revalidation", "revalidation", True, True

    async def prepare(self, at: Place) -> None:
        await at.store(at.url("/etag/"))

    async def perform(self, at: Place) -> str:
        at.clock.advance(seconds=100)
        seen = at.origin.count()
        body, source = await at.text(at.url("/etag/"))
        assert at.url("/etag/") in body
        assert at.origin.count() > seen
        return source


class Streamed(Operation):
    name, title, writes, budgets = "streamed", "large miss", True, 2
    calls = 6

    async def perform(self, at: Place) -> str:
        async with at.session.get(at.url(f"/large?size={LARGE}&streamed=")) as response:
            source = CACHE if response.from_cache else ORIGIN
            assert await response.read() == b"x" * LARGE
        return source


class Large(Operation):
    """The answer is under way when the outage begins, and asked for again."""

    name, title, needs_reads, budgets = "large", "large hit, being read", True, 3
    # A block each time.
    calls = 2 * 14

    def __init__(self) -> None:
        self._begun: Any = None

    async def prepare(self, at: Place) -> None:
        await at.store(self._url(at))
        if at.session is at.healthy:
            self._begun = await at.session.get(self._url(at))
            assert await self._begun.content.readexactly(1000) == b"x" * 1000

    async def perform(self, at: Place) -> str:
        if self._begun is not None:
            begun, self._begun = self._begun, None
            # Where it cannot be had any more, its reader is told, and in time.
            try:
                assert await begun.read() == b"x" * (LARGE - 1000)
            except ClientPayloadError:
                begun.close()
        async with at.session.get(self._url(at)) as response:
            source = CACHE if response.from_cache else ORIGIN
            assert await response.read() == b"x" * LARGE
        return source

    def _url(self, at: Place) -> str:
        return at.url(f"/large?size={LARGE}&read=")


class Redirect(Operation):
    """Each hop is a request."""

    name, title, needs_reads, writes, budgets = "redirect", "redirect hit", True, True, 2
    calls = 4
    _known = ""

    async def prepare(self, at: Place) -> None:
        self._known = await at.store(self._url(at))

    async def perform(self, at: Place) -> str:
        async with at.session.get(self._url(at)) as response:
            source = CACHE if response.from_cache else ORIGIN
            body = await response.text()
        assert len(response.history) == 1
        assert (body == self._known) is (source == CACHE)
        return source

    def _url(self, at: Place) -> str:
        return at.origin.url(f"/redirect-to?to=/serial/there{at.unique}")


class Unsafe(Operation):
    name, title, writes = "unsafe", "POST that invalidates", True
    settings: ClassVar[dict[str, Any]] = {"cache_control": True}

    async def prepare(self, at: Place) -> None:
        await at.store(at.url("/cache/600?"))

    async def perform(self, at: Place) -> str:
        async with at.session.post(at.url("/cache/600?"), data=b"new") as response:
            assert response.status == 200
            assert not response.from_cache
            assert at.unique in await response.text()
        return ORIGIN

    async def again(self, at: Place) -> None:
        await self.perform(at)


class Manage(Operation):
    """What a program asks of the cache itself; it may take longer than a request."""

    name, title, writes = "manage", "`size()`, `urls`, `delete()`, `clear()` …", True
    # A call that looks through everything may take 40 times as long, and one that blocks waits for
    # its client before.
    budgets = 2 * 40 * SMALL_BUDGET / BUDGET
    calls = 100

    async def perform(self, at: Place) -> str:
        cache, guard = at.backend, at.backend._guard
        url = at.url("/serial/none")
        if at.effect is Effect.NOTHING:
            guard.seconds = SMALL_BUDGET
        try:
            found = await asyncio.gather(
                *(cache.size(), cache.bytes(), cache.get_urls()),
                asyncio.to_thread(lambda: cache.urls),
                *(cache.has_url(url), cache.contains("none"), cache.get_response("none")),
                *(cache.delete("none"), cache.delete_url(url), cache.delete_expired_responses()),
                cache.clear(),
            )
        finally:
            guard.seconds = at.budget
        size, size_in_bytes, urls, same_urls, *rest = found
        # Where it still works, there may be what others have left.
        assert isinstance(size, int)
        assert isinstance(size_in_bytes, int)
        assert isinstance(urls, list)
        assert isinstance(same_urls, list)
        assert not any(rest)
        return ANSWERED


class Close(Operation):
    # It is a second at most for what the server is told, and a budget for the request.
    name, title, budgets, calls = "close", "`close()`", 5, 6

    async def perform(self, at: Place) -> str:
        await at.text(at.url("/serial/close"))
        begun = time.monotonic()
        await at.backend.close()
        if time.monotonic() - begun > 1.2:
            raise TimeoutError("it took too long to close")
        return ANSWERED


class _Sync(Operation):
    """Of the store itself, as there is no blocking face yet."""

    budgets = 2
    blocks = True

    def __init__(self) -> None:
        self.tried = 0

    async def ask(self, at: Place) -> Any:
        raise NotImplementedError

    async def perform(self, at: Place) -> str:
        answer = await self.ask(at)
        if isinstance(answer, Failed):
            return FAILED
        self.check(answer)
        return ANSWERED

    def check(self, answer: Any) -> None:
        raise NotImplementedError

    async def works(self, at: Place) -> bool:
        # Each colour finds out for itself.
        return await self.perform(at) == ANSWERED

    def expected(self, effect: Effect) -> set[str]:
        works = effect is Effect.ALL or (effect is Effect.READS and self.needs_reads)
        return {ANSWERED, FAILED} if effect is Effect.ANY else {ANSWERED if works else FAILED}


class SyncLoad(_Sync):
    name, title, needs_reads = "sync_load", "load, blocking", True

    async def prepare(self, at: Place) -> None:
        saved = entry(body=b"body", created=at.clock.time())
        plan = at.backend.engine.store.save(f"sync.{at.unique}", saved, b"body")
        await at.in_a_thread(plan, at.healthy.cache, writes=True)

    async def ask(self, at: Place) -> Any:
        return await at.in_a_thread(at.backend.engine.store.load(f"sync.{at.unique}"))

    def check(self, answer: Any) -> None:
        # Where the server has forgotten all, nothing is the right answer.
        assert [stored.body for stored in answer] in ([], [b"body"])


class SyncSave(_Sync):
    name, title, writes = "sync_save", "save, blocking", True

    async def ask(self, at: Place) -> Any:
        saved = entry(body=b"body", created=at.clock.time())
        plan = at.backend.engine.store.save(f"sync.{at.unique}", saved, b"body")
        return await at.in_a_thread(plan, writes=True)

    def check(self, answer: Any) -> None:
        assert answer == b"body"


class SyncClaim(_Sync):
    name, title, writes = "sync_claim", "claim, blocking", True

    async def ask(self, at: Place) -> Any:
        self.tried += 1
        name = f"sync-{self.tried}.{at.unique}"
        plan = at.backend.engine.store.claim(name, "me", at.clock.time(), 20.0)
        return await at.in_a_thread(plan, writes=True, lease=True)

    def check(self, answer: Any) -> None:
        assert answer == "me"


OPERATIONS: dict[str, Callable[[], Operation]] = {
    kind.name: kind
    for kind in (
        *(Hit, Miss, Revalidation, Streamed, Large, Redirect, Lease, Unsafe, Manage, Close),
        *(SyncLoad, SyncSave, SyncClaim),
    )
}
