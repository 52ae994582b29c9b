"""The stage for flows where RFC 9111 decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from http_client_cache.entry import Entry, Stored
from http_client_cache.key import request_key, url_locator
from http_client_cache.lawful.query import QueryRules
from http_client_cache.lawful.serve import serve
from http_client_cache.message import Headers, Request
from http_client_cache.options import Options
from http_client_cache.plan import Exchange, Pause, ReadBody
from http_client_cache.rfc9111.selection import vary_values
from http_client_cache.settings import Settings
from http_client_cache.variant import variant_name
from tests.flow.scene import HOST, NAMES, NOW, PLAIN, Scene, Trip, get

TODAY = "Mon, 12 Jan 1970 13:46:40 GMT"
"""The date of ``NOW``."""

LAW = Settings(cache_control=True)


def law(**settings: Any) -> Settings:
    return Settings(cache_control=True, **settings)


def key(path: str = "/a", user: str | None = None) -> str:
    found = request_key(LAW, get(path, Authorization=user) if user else get(path))
    assert found is not None
    return found


for _path in ("/a", "/b", "/c"):
    NAMES[key(_path)] = _path
    NAMES[key(_path, "A")] = f"{_path} of A"
    NAMES[url_locator(LAW, HOST + _path)] = _path


def kept(
    path: str = "/a",
    body: bytes = b"stored",
    *,
    age: float = 0,
    lifetime: float = 60,
    method: str = "GET",
    status: int = 200,
    user: str | None = None,
    chosen_for: Request | None = None,
    facts: dict[str, Any] | None = None,
    **headers: str,
) -> Stored:
    """What is stored, and for how long it is fresh.

    Args:
        path: of its URL.
        body: its content.
        age: seconds since it came.
        lifetime: seconds from then.
        method: of its request.
        status: its status code.
        user: whose credentials the key has.
        chosen_for: the request that it was the answer to, where it has a ``Vary``.
        facts: further attributes of the entry.
        **headers: its fields.
    """
    fields = Headers.of({name.replace("_", "-"): value for name, value in headers.items()})
    names = [name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()]
    entry = Entry(
        method=method,
        url=HOST + path,
        status=status,
        reason="OK",
        version=(1, 1),
        headers=fields.raw,
        request_headers=(),
        requested=NOW - age,
        created=NOW - age,
        expires=NOW - age + lifetime,
        body_size=len(body),
        vary=vary_values(names, chosen_for or get(path)),
        **(facts or {}),
    )
    return Stored(key(path, user), entry, body, variant=variant_name(entry))


def stale(path: str = "/a", **more: Any) -> Stored:
    """What expired 90 seconds ago."""
    return kept(path, age=100, lifetime=10, **more)


@dataclass
class Lawful(Scene):
    """The scope of a flow where RFC 9111 decides.

    Attributes:
        changed_while: number of the exchange during which an unsafe request changes the URL of
            ``/a``; ``None`` for never.
        pages: what the store answers page by page, when it is looked through.
        later: who is told of a slow body, once one has been read.
    """

    settings: Settings = field(default_factory=law)
    changed_while: int | None = None
    pages: list[list[tuple[str, Stored]]] = field(default_factory=list)
    later: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.query_rules = QueryRules()
        self.noted: list[str] = []

    def plan(self, request: Request | None = None, options: Options = PLAIN) -> Any:
        return serve(self, request or get(), options)

    def _trip(self, trip: Trip) -> Any:
        reply = super()._trip(trip)
        if trip.name == "page":
            return self.pages.pop(0) if self.pages else []
        return 0 if reply is None else reply

    def note_change(self, locator: str) -> None:
        self.noted.append(locator)

    def note_save(self, key: str, variant: str) -> None:
        self.noted.append(f"{key} {variant}")

    def changes(self) -> int:
        return len(self.noted)

    def changed_since(self, key: str, count: int) -> bool:
        return key.partition(".")[0] in self.noted[count:]

    def saved_since(self, key: str, variant: str, count: int) -> bool:
        return self.overtaken or f"{key} {variant}" in self.noted[count:]

    def _answer(self, effect: Any) -> Any:
        if isinstance(effect, ReadBody):
            self.later = effect.later
        if isinstance(effect, Pause):
            return None
        reply = super()._answer(effect)
        if isinstance(effect, Exchange) and len(self.exchanges) == self.changed_while:
            self.note_change(url_locator(self.settings, HOST + "/a"))
        return reply
