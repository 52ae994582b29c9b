"""Settings that concern how a store is used: ``read_only``, ``always_revalidate``, redaction."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from http_client_cache.engine import SyncCache
from http_client_cache.errors import ConfigurationError
from http_client_cache.expiry import AT_ONCE, DO_NOT_CACHE
from http_client_cache.housekeeping import page, urls
from http_client_cache.key import request_key
from http_client_cache.limits import Retention
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.options import Options
from http_client_cache.plan import (
    Answer,
    Discard,
    Exchange,
    Failed,
    Locked,
    Lost,
    Present,
    ReadBody,
    Spawn,
    UseStore,
)
from http_client_cache.read_only import reading
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.served import Forwarded, Hit
from http_client_cache.settings import Settings
from http_client_cache.shell.immediate import SyncImmediate
from http_client_cache.storable import entry_of, hop_of
from http_client_cache.store.memory import MemoryStore
from tests.flow.scene import HOST, NOW, get, redirect
from tests.support.clock import StandingClock

LAWFUL = {"cache_control": True}
FRESH = {"cache-control": "max-age=60", "etag": '"1"'}


class Origin:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: Answer | Lost) -> None:
        self.answer = answer
        self.asked: list[Exchange] = []

    def exchange(self, effect: Exchange) -> Answer | Lost:
        self.asked.append(effect)
        return self.answer

    def read_body(self, effect: ReadBody) -> bytes:
        return b"body"

    def discard(self, effect: Discard) -> None: ...

    def present(self, effect: Present) -> Any: ...

    def detached(self) -> Origin:
        return self


def cache_with(**settings: Any) -> SyncCache:
    clock = StandingClock()
    store = MemoryStore(retention=Retention(clock=clock))
    return SyncCache(Settings(**settings), store, SyncImmediate(), name="it", clock=clock)


def fresh_answer(cache: SyncCache, status: int = 200, **more: str) -> Answer:
    fields = Headers.of({**FRESH, **more})
    head = ResponseHead(f"{HOST}/a", status, "as it says", (1, 1), fields)
    return Answer(head, object(), cache.now(), cache.now())


def ask(cache: SyncCache, origin: Origin, **options: Any) -> Any:
    return cache.serve(get(), Options(**options), origin)


@pytest.fixture(params=[{}, LAWFUL], ids=["settings", "law"])
def mode(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


def test_what_is_only_read_stores_nothing(mode: dict[str, Any]) -> None:
    cache = cache_with(read_only=True, **mode)
    origin = Origin(fresh_answer(cache))
    for _ in range(2):
        served = ask(cache, origin)
        assert isinstance(served, Forwarded)
        assert served.refusal is Reason.READ_ONLY
    assert cache.run(urls(cache.store)) == []


def test_what_is_only_read_serves_what_is_stored(mode: dict[str, Any]) -> None:
    cache = cache_with(**mode)
    origin = Origin(fresh_answer(cache))
    ask(cache, origin)
    cache.settings.read_only = True
    assert isinstance(ask(cache, origin), Hit)
    assert len(origin.asked) == 1


def test_what_is_only_read_is_not_changed(mode: dict[str, Any]) -> None:
    cache = cache_with(**mode)
    ask(cache, Origin(fresh_answer(cache)))
    cache.settings.read_only = True
    before = cache.run(_entries(cache))

    refreshed = ask(cache, Origin(fresh_answer(cache, 304, new="1")), refresh=True)
    assert isinstance(refreshed, Hit)
    assert Headers(refreshed.stored.entry.headers).get("new") == "1"
    ask(cache, Origin(fresh_answer(cache, 404)), force_refresh=True)
    ask(cache, Origin(fresh_answer(cache, 404)), refresh=True)
    cache.serve(get(method="POST"), Options(), Origin(fresh_answer(cache)))
    assert cache.run(_entries(cache)) == before


def _entries(cache: SyncCache) -> Any:
    found = yield from page(cache.store, "", bodies=False)
    return [stored.entry for _, stored in found]


def test_who_only_reads_takes_no_lease_in_the_store() -> None:
    said: list[Any] = []

    def plan() -> Any:
        empty: Any = iter(())
        said.append((yield UseStore(empty, lease=True)))
        said.append((yield UseStore(empty, writes=True)))
        said.append((yield UseStore(empty)))

        def within(_: Any = None) -> Any:
            said.append((yield UseStore(empty, writes=True)))

        said.append((yield Locked("key", within)))
        said.append((yield Spawn("key", within)))
        return "end"

    def drive(plan: Any) -> Any:
        answer = None
        while True:
            try:
                effect = plan.send(answer)
            except StopIteration as stop:
                return stop.value
            if hasattr(effect, "key"):
                drive(effect.plan(None) if type(effect).__name__ == "Locked" else effect.plan())
            answer = "performed"

    assert drive(reading(plan())) == "end"
    assert [isinstance(one, Failed) for one in said] == [
        True,
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_every_use_is_validated(mode: dict[str, Any]) -> None:
    cache = cache_with(always_revalidate=True, **mode)
    ask(cache, Origin(fresh_answer(cache)))
    origin = Origin(fresh_answer(cache, 304))
    served = ask(cache, origin)
    assert isinstance(served, Hit)
    assert (served.reason, served.asked) == (Reason.VALIDATED, Reason.REFRESH)
    assert dict(origin.asked[0].conditions)["If-None-Match"] == '"1"'

    assert isinstance(ask(cache, origin, only_if_cached=True), Hit)
    assert len(origin.asked) == 1
    cache.settings.always_revalidate = False
    assert ask(cache, origin).reason is Reason.HIT


@pytest.mark.parametrize("name", ["always_revalidate", "read_only"])
def test_they_are_flags(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings(**{name: 1})


def test_what_expires_at_once_exists_once() -> None:
    assert copy.deepcopy(AT_ONCE) is AT_ONCE
    assert pickle.loads(pickle.dumps(AT_ONCE)) is AT_ONCE
    assert AT_ONCE is not DO_NOT_CACHE
    assert AT_ONCE.expires(NOW) == NOW


# Redaction

SECRET = "2F63E5DF4F44"
QUERY = f"/a?q=1&api_key={SECRET}"


def test_redacted_names_tell_requests_apart() -> None:
    settings, plain = Settings(redacted_parameters=["api_key", "Authorization"]), Settings()
    keys = {
        request_key(settings, get(path, **fields))
        for path in ("/a?q=1", QUERY, "/a?q=1&api_key=2")
        for fields in ({}, {"authorization": SECRET})
    }
    assert len(keys) == 6
    # They are those of a cache that redacts nothing: both may use one store.
    assert request_key(settings, get(QUERY)) == request_key(plain, get(QUERY))


def test_redacted_fields_tell_requests_apart() -> None:
    settings, plain = Settings(redacted_parameters=["X-Api-Key"]), Settings()

    def key(settings: Settings, *fields: tuple[str, str]) -> str | None:
        return request_key(settings, Request("GET", "http://a.test/", Headers.of(fields)))

    mine, yours = ("x-API-key", "1"), ("X-Api-Key", "2")
    assert len({key(settings, *fields) for fields in ([mine], [yours], [mine, yours], [])}) == 4
    assert key(settings, mine) == key(settings, ("X-Api-Key", "1"), ("Accept", "*/*"))
    # As everywhere else, where there is none, and where it is only a field.
    assert key(settings) == key(plain) == key(plain, mine)
    assert key(settings, ("Authorization", "x")) == key(plain, ("Authorization", "x"))
    ignoring = Settings(redacted_parameters=["X-Api-Key"], ignored_parameters=["X-Api-Key"])
    assert key(ignoring, mine) == key(plain)


def test_redacted_names_are_not_stored() -> None:
    settings = Settings(
        redacted_parameters=["api_key", "X-Api-Key"], ignored_parameters=["q"], include_headers=True
    )
    fetched = redirect(f"/b?p=1&api_key={SECRET}", QUERY)
    request = get(QUERY, x_api_key=SECRET, accept="text/html")
    entry = entry_of(settings, request, fetched, None)
    assert entry.url == f"{HOST}/a"
    assert entry.request_headers == ((b"accept", b"text/html"),)
    assert Headers(entry.headers).get("location") == f"{HOST}/b?p=1"
    assert SECRET not in str(hop_of(settings, request, fetched.head))


@pytest.mark.parametrize("value", ["api_key", 1, [1]])
def test_what_is_no_list_of_names(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="redacted_parameters"):
        Settings(redacted_parameters=value)


def test_names_may_change() -> None:
    settings = Settings(redacted_parameters=["a"], ignored_parameters=["b"])
    assert settings.unstored == {"a", "b"}
    settings.redacted_parameters = None  # type: ignore[assignment]
    assert settings.unstored == {"b"}
    settings.ignored_parameters = ["c"]  # type: ignore[assignment]
    assert settings.unstored == {"c"}


@pytest.mark.parametrize("settings", [LAWFUL, {"allowed_codes": [301]}])
def test_a_redirect_that_would_lead_elsewhere_is_not_stored(settings: dict[str, Any]) -> None:
    cache = cache_with(redacted_parameters=["api_key"], **settings)
    to = {"location": f"{HOST}/b?api_key={SECRET}"}
    served = ask(cache, Origin(fresh_answer(cache, 301, **to)))
    assert served.refusal is Reason.REDACTED
