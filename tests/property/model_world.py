"""A small world to run a cache in: an origin, a clock, and a client between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from http_client_cache.engine import SyncCache
from http_client_cache.limits import Retention
from http_client_cache.message import Headers, Request
from http_client_cache.options import Options
from http_client_cache.plan import LATER, Answer, Discard, Exchange, Lost, Present, ReadBody
from http_client_cache.served import Served
from http_client_cache.settings import Settings
from http_client_cache.shell.immediate import SyncImmediate
from http_client_cache.store.memory import MemoryStore
from tests.property.model_origin import HOST, START, Ask, Origin, Say, Sent, date


class Seen(NamedTuple):
    """How one request went.

    Attributes:
        ask: the request.
        request: the same as the cache was given it.
        now: when it was answered.
        served: with what; or the exception.
        sent: what the origin sent meanwhile; ``None`` where it was lost.
    """

    ask: Ask
    request: Request
    now: float
    served: Served | Exception
    sent: list[Sent | None]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now

    monotonic = time


class Later:
    """Work in the background, done when the world gets to it."""

    def __init__(self) -> None:
        self.work: dict[str, Callable[[], object]] = {}

    def start(self, key: str, work: Callable[[], object]) -> None:
        self.work.setdefault(key, work)


class World:
    """Cache, origin, client and clock.

    Args:
        settings: of the cache; RFC 9111 decides.
    """

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.settings = Settings(cache_control=True, **settings)
        self.cache = SyncCache(
            self.settings,
            MemoryStore(retention=Retention(self.settings, self.clock)),  # type: ignore[arg-type]
            SyncImmediate(),
            name="model",
            clock=self.clock,  # type: ignore[arg-type]
        )
        self.background = Later()
        self.cache._driver.background = self.background  # type: ignore[assignment]
        self.origin = Origin()
        self._script: Iterator[Say] = iter(())
        self._last = Say()
        self.overtaking: list[Seen] = []
        self._meanwhile: list[tuple[Ask, Say]] = []
        self._exchanges: list[list[Sent | None]] = []
        self._unread: list[tuple[Any, bytes]] = []

    # What happens in it.

    def serve(
        self, ask: Ask, says: tuple[Say, ...] = (), meanwhile: tuple[tuple[Ask, Say], ...] = ()
    ) -> Seen:
        """Serve a request; the last of ``says`` is said again as often as it takes."""
        self._script, self._meanwhile = iter(says), list(meanwhile)
        self._last = says[-1] if says else Say()
        return self._serve(ask)

    def refresh(self) -> int:
        """Do what was left for the background; answers how often the origin was asked."""
        asked = 0
        while self.background.work:
            _, work = self.background.work.popitem()
            self._exchanges.append([])
            try:
                work()
            except ConnectionError:
                assert self._exchanges[-1][-1] is None
            asked += len(self._exchanges.pop())
        return asked

    def read_to_the_end(self) -> None:
        """Who was given a slow body has read all of it."""
        for later, body in self._unread:
            self.cache.run(later.finish([body]))
        self._unread.clear()

    def _serve(self, ask: Ask) -> Seen:
        request = self._request(ask)
        options = Options(**({ask.option: True} if ask.option else {}))
        self._exchanges.append([])
        try:
            served: Any = self.cache.serve(request, options, self)
        except ConnectionError as error:
            served = error
        for later, _ in self._unread:
            # Nobody has read for so long that all who wait are let go.
            later.give_up()
        return Seen(ask, request, self.clock.now, served, self._exchanges.pop())

    def _request(self, ask: Ask) -> Request:
        fields: list[tuple[str, str]] = []
        said = [f"{name}={n}" if n >= 0 else name for name, n in ask.seconds]
        if said or ask.flags:
            fields.append(("Cache-Control", ", ".join([*said, *ask.flags])))
        if ask.pragma:
            fields.append(("Pragma", "no-cache"))
        if ask.kind is not None:
            fields.append(("X-Kind", ask.kind))
        if ask.user is not None:
            fields.append(("Authorization", ask.user))
        if ask.condition is not None:
            name, back = ask.condition
            shown = self.origin.show(ask.path, ask.kind, back)
            by_date = name.endswith("Since")
            since = shown.modified or self.clock.now
            fields.append((name, date(since) if by_date else shown.tag or '"none"'))
        if ask.range is not None:
            fields.append(("Range", f"bytes={ask.range}"))
            if ask.if_range:
                fields.append(("If-Range", self.origin.show(ask.path, ask.kind).tag or '"none"'))
        return Request(ask.method, HOST + ask.path, Headers.of(fields))

    # The client.

    def detached(self) -> World:
        return self

    def exchange(self, effect: Exchange) -> Answer | Lost:
        say = self._last = next(self._script, self._last)
        requested = self.clock.now
        self.clock.now += say.delay
        if say.lost:
            self._exchanges[-1].append(None)
            return Lost(ConnectionError("lost"))
        headers = effect.request.headers.without(
            effect.without | {name.lower() for name, _ in effect.conditions}
        )
        headers = Headers((*headers.raw, *Headers.of(effect.conditions).raw))
        request = effect.request._replace(headers=headers)
        answer = self.origin.answer(request, say, requested, self.clock.now)
        self._exchanges[-1].append(self.origin.sent[-1])
        if self._meanwhile:
            ask, other = self._meanwhile.pop()
            rest, last = self._script, self._last
            self._script, self._last = iter((other,)), other
            self.overtaking.append(self._serve(ask))
            self._script, self._last = rest, last
        return answer

    def read_body(self, effect: ReadBody) -> Any:
        sent, body = effect.answer.raw
        if sent.say.body == "lost":
            return Lost(ConnectionError("broke off"))
        if sent.say.body == "slow" and effect.later is not None:
            self._unread.append((effect.later, body))
            return LATER
        return body

    def discard(self, effect: Discard) -> None: ...

    def present(self, effect: Present) -> None: ...
