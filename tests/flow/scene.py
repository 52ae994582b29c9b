"""A stage for flows: they say what is to be done, the scene answers and writes it down.

No store, no client, no loop: a test reads as the script of one request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from http_client_cache.entry import Entry, Hop, Stored
from http_client_cache.flow import serve
from http_client_cache.key import create_key
from http_client_cache.limits import Limits
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.options import Chain, Options
from http_client_cache.plan import (
    Answer,
    Ask,
    AtEnd,
    Discard,
    Exchange,
    Failed,
    Followed,
    Lease,
    Led,
    Locked,
    Lost,
    Present,
    ReadBody,
    Spawn,
    UseStore,
    Wait,
)
from http_client_cache.served import Hit
from http_client_cache.settings import Settings

NOW = 1_000_000.0
HOST = "http://origin.test"
DOWN = Failed(OSError("the store is down"))
PLAIN = Options()
US = "we"
THEM = "they"
"""Whose a lease in the store is."""
LEAD = object()
"""Answer to ``Locked``: nobody else is at it."""


def get(path: str = "/a", method: str = "GET", body: Any = b"", **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, HOST + path, Headers.of(fields), body)


def key(path: str = "/a") -> str:
    found = create_key(get(path))
    assert found is not None
    return found


NAMES = {key(path): path for path in ("/a", "/b", "/c")}


def answer(
    status: int = 200,
    path: str = "/a",
    *,
    received: float = NOW,
    authorization: str | None = None,
    **headers: str,
) -> Answer:
    fields = Headers.of({name.replace("_", "-"): value for name, value in headers.items()})
    head = ResponseHead(HOST + path, status, "as it says", (1, 1), fields)
    return Answer(head, object(), received - 1, received, authorization)


def redirect(to: str, path: str = "/a", status: int = 302, **more: Any) -> Answer:
    return answer(status, path, location=HOST + to, **more)


def stored(
    path: str = "/a",
    body: bytes = b"stored",
    *,
    age: float = 0,
    lifetime: float | None = None,
    hops: tuple[Hop, ...] = (),
    **headers: str,
) -> Stored:
    fields = Headers.of({name.replace("_", "-"): value for name, value in headers.items()})
    created = NOW - age
    entry = Entry(
        method="GET",
        url=HOST + path,
        status=200,
        reason="OK",
        version=(1, 1),
        headers=fields.raw,
        request_headers=(),
        requested=created,
        created=created,
        expires=None if lifetime is None else created + lifetime,
        body_size=len(body),
    )
    return Stored(key(path), entry, body, hops)


def expired(path: str = "/a", **more: Any) -> Stored:
    return stored(path, age=100, lifetime=10, **more)


def hop(path: str, to: str, status: int = 302) -> Hop:
    location = (b"location", (HOST + to).encode())
    return Hop("GET", HOST + path, status, "as it says", (1, 1), (location,))


class Trip(NamedTuple):
    """What a store would be asked."""

    name: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        first = self.arguments[0]
        if self.name in ("freshen", "drop"):
            return " ".join([self.name, *[named(change[0]) for change in first]])
        if self.name == "link":
            return f"link {named(first)} to {named(self.arguments[1].target)}"
        keys = [first] if isinstance(first, str) else first
        return " ".join([self.name, *map(named, keys)])


def named(key: str) -> str:
    """The path that a key is of; a key may be followed by the name of a variant."""
    key, _, variant = key.partition(" ")
    return NAMES.get(key, key) + (" as a variant" if variant else "")


class Trips:
    """A store that carries out nothing."""

    limits = Limits()

    def __getattr__(self, name: str) -> Callable[..., Trip]:
        return lambda *arguments, **_: Trip(name, arguments)


@dataclass
class Scene:
    """The scope of a flow, and whatever answers it.

    Attributes:
        origin: answers in their order; an exception is no answer.
        load: what the store finds under a key: one response, or a tuple of them, each time it is
            asked; or a list of such, for one time after the other.
        failing: names of trips that fail.
        lock: answers of the lock, in their order; leads where there are none left.
        bodies: what reading a body answers; ``b"new"`` where there are none left.
        ended: what ``fetches_ended`` tells, each time it is asked.
        holders: whose the lease in the store is, each time it is asked for or looked at; ours where
            there are none left.
        overtaken: whether others have stored something meanwhile.
        saved: key and variant of what was noted as saved.
        told: all that happened, in order.
    """

    settings: Settings = field(default_factory=Settings)
    origin: Iterable[Answer | Exception] = ()
    load: dict[str, Any] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    lock: Iterable[Any] = ()
    bodies: Iterable[Any] = ()
    ended: Iterable[int] = ()
    holders: Iterable[Any] = ()
    uncacheable: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    released: list[Any] = field(default_factory=list)
    spawned: list[Any] = field(default_factory=list)
    saved: list[tuple[str, str]] = field(default_factory=list)
    overtaken: bool = False
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store: Any = Trips()
        self.load = dict(self.load)
        self._origin, self._lock = iter(self.origin), iter(self.lock)
        self._bodies, self._ended = iter(self.bodies), iter(self.ended)
        self._holders = iter(self.holders)

    def owner(self) -> str:
        return US

    def give_back(self, name: str, fruitless: bool) -> None:
        self.told.append(f"give back {named(name)}" + (", fruitless" if fruitless else ""))

    def now(self) -> float:
        return NOW

    def fetches_ended(self) -> int:
        return next(self._ended, 0)

    def changes(self) -> int:
        return len(self.saved)

    def note_save(self, key: str, variant: str) -> None:
        self.saved.append((key, variant))

    def saved_since(self, key: str, variant: str, count: int) -> bool:
        return self.overtaken or (key, variant) in self.saved[count:]

    def plan(self, request: Request | None = None, options: Options = PLAIN) -> Any:
        return serve(self, request or get(), options)

    def serve(self, request: Request | None = None, options: Options = PLAIN) -> Any:
        return self.play(self.plan(request, options))

    def follow(self, *requests: Request, chain: Chain | None = None, **options: Any) -> list[Any]:
        """Serve one request after the other, as hops of one redirect chain."""
        told = Options(follow=True, chain=chain or Chain(), **options)
        return [self.serve(request, told) for request in requests]

    def play(self, plan: Any) -> Any:
        reply = None
        try:
            while True:
                reply = self._answer(plan.send(reply))
        except StopIteration as stop:
            return stop.value

    def trip(self, name: str) -> Trip:
        """The only trip of this name."""
        (found,) = [trip for trip in self.trips if trip.name == name]
        return found

    def _answer(self, effect: Any) -> Any:
        match effect:
            case UseStore(plan, writes, lease):
                assert lease is (plan.name in ("claim", "holder"))
                assert writes is (plan.name not in ("load", "contains", "page", "holder"))
                return self._trip(plan)
            case Exchange(request, conditions):
                self.exchanges.append(effect)
                path = request.url.removeprefix(HOST)
                self.told.append(" ".join([request.method, path, *[n for n, _ in conditions]]))
                reply = next(self._origin, None)
                assert reply is not None, "nobody has told the origin what to answer"
                return Lost(reply) if isinstance(reply, Exception) else reply
            case ReadBody():
                self.told.append("read")
                return next(self._bodies, b"new")
            case Discard():
                self.told.append("discard")
                return None
            case Present(reply, found, body):
                self.told.append("present " + ("stored" if found is not None else "answer"))
                return found or reply, body
            case Ask(function, arguments):
                self.told.append("ask")
                try:
                    return function(*arguments)
                except Exception as error:  # noqa: BLE001 - as a driver does
                    return Failed(error)
            case Spawn(name, plan):
                self.told.append(f"spawn {named(name)}")
                self.spawned.append(plan)
                return None
            case Wait(seconds):
                self.told.append(f"wait {seconds:g}")
                return seconds
            case Locked(name, plan, wait):
                self.told.append(f"lock {named(name)}" + ("" if wait else " without waiting"))
                reply = next(self._lock, LEAD)
                return self._lead(plan, named(name)) if reply is LEAD else Followed(reply)
        raise AssertionError(f"no plan says {effect!r}")

    def _trip(self, trip: Trip) -> Any:
        self.told.append(str(trip))
        self.trips.append(trip)
        if trip.name in self.failing:
            return DOWN
        if trip.name in ("claim", "holder"):
            return next(self._holders, US)
        if trip.name == "load":
            found = self.load.get(named(trip.arguments[0]))
            if isinstance(found, list):
                found = found.pop(0)
            if type(found) is tuple:
                return found
            return () if found is None else (found,)
        return trip.arguments[2] if trip.name == "save" else None

    def _lead(self, plan: Any, name: str) -> Led:
        lease = self.lease(name)
        result = self.play(plan(lease))
        if not lease.held:
            lease.release()
        return Led(result)

    def lease(self, name: str) -> Lease:
        """A lease whose end is told."""

        def release(result: Stored | Hit | None) -> None:
            self.released.append(result)
            stored = result.stored if isinstance(result, Hit) else result
            shared = "nothing" if stored is None else stored.body.decode()
            self.told.append(f"release {name}: {shared}")

        def abandon(at_end: AtEnd) -> bool:
            self.told.append(f"abandon {name}")
            return False

        return Lease(release, abandon)
