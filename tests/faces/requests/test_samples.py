"""The samples of the README that users of requests-cache know, run as they are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import requests
from requests import Response

import requests_cache
from requests_cache import CachedSession
from tests.faces.aiohttp.servers.places import PATIENCE, made
from tests.support.clock import StandingClock
from tests.support.origin import Origin
from tests.support.samples import run_blocking

pytestmark = pytest.mark.usefixtures("in_tmp_path")

PAGE = "http://httpbin.org/get"

BASIC = """
from requests_cache import CachedSession

session = CachedSession('demo_cache', backend='sqlite')
for i in range(100):
    session.get('http://httpbin.org/delay/1')
"""

PATCHING = """
import requests
import requests_cache

requests_cache.install_cache()
requests.get('http://httpbin.org/get')
session = requests.Session()
session.get('http://httpbin.org/get')
"""

WITHOUT = """
# Neither of these requests will use the cache
with requests_cache.disabled():
    requests.get('http://httpbin.org/get')

requests_cache.uninstall_cache()
requests.get('http://httpbin.org/get')
"""

SECONDS = """
# Expire after 30 seconds
session = CachedSession(expire_after=30)
"""

DELTA = """
from datetime import timedelta

# Expire after 30 days
session = CachedSession(expire_after=timedelta(days=30))
"""

OF_A_REQUEST = """
# Expire after 6 minutes
session.get('http://httpbin.org/get', expire_after=360)
"""

NEVER = """
# Never expire
session.get('http://httpbin.org/get', expire_after=-1)
"""

REMOVAL = """
session.remove_expired_responses()
"""

REMOVAL_WHILE_PATCHING = """
requests_cache.remove_expired_responses()
"""

REVALIDATION = """
session.remove_expired_responses(expire_after=360)
"""

ON_SERVERS = ["redis", "mongodb", "dynamodb"]
NAMES = ["memory", "sqlite", *ON_SERVERS]
FILES = {"sqlite": "demo_cache.sqlite"}


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    yield
    requests_cache.uninstall_cache()
    assert type(requests.Session()) is requests.Session


def lifetime(response: Any) -> timedelta | None:
    """For how long a response from the cache is fresh; ``None`` for ever."""
    assert response.from_cache
    return response.expires and response.expires - response.created_at


def count_of(names: Origin, act: Callable[[], Response]) -> int:
    """How many requests reach the origin."""
    before = names.count()
    assert act().status_code == 200
    return names.count() - before


def test_a_hundred_requests_take_as_long_as_one(names: Origin, tmp_path: Path) -> None:
    names.second = 0.5

    started = time.monotonic()
    session = run_blocking(BASIC)["session"]
    took = time.monotonic() - started

    assert names.count() == names.count("/delay/1") == 1
    assert names.second <= took < 3 * names.second
    assert isinstance(session, requests.Session)
    session.close()
    assert (tmp_path / "demo_cache.sqlite").is_file()

    # What is in the file is there for the next program.
    run_blocking(BASIC)["session"].close()
    assert names.count() == 1


def test_patching(names: Origin, tmp_path: Path) -> None:
    made_here = run_blocking(PATCHING)

    assert names.count("/get") == names.count() == 1
    assert made_here["session"].get(PAGE).from_cache
    # It takes what `CachedSession` takes, and makes the same of nothing.
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".sqlite"] == [
        "http_cache.sqlite"
    ]

    run_blocking(WITHOUT, **made_here)

    assert names.count() == 3
    assert not requests_cache.is_installed()
    assert not hasattr(requests.get(PAGE), "from_cache")
    assert not made_here["session"].get(PAGE).from_cache


def test_patching_adds_caching_to_all_functions(names: Origin) -> None:
    methods = requests_cache.ALL_METHODS
    requests_cache.install_cache(backend="memory", allowable_methods=methods)
    for name in methods:
        function: Any = getattr(requests, name.lower())
        for of_cache in (False, True):
            assert function("http://httpbin.org/serial").from_cache is of_cache
            assert requests.request(name, "http://httpbin.org/serial").from_cache  # type: ignore[attr-defined]
    assert names.count() == len(methods)


@pytest.mark.parametrize("patched", [False, True], ids=["session", "patched"])
@pytest.mark.parametrize("name", NAMES)
def test_backends_by_name(names: Origin, tmp_path: Path, name: str, patched: bool) -> None:
    options: dict[str, Any] = {}
    cache_name = "demo_cache"
    if name in ON_SERVERS:
        options = {**made(name).arguments, "store_timeout": PATIENCE}
        # Others are on these servers, too.
        cache_name = f"demo-{token_hex(6)}"
    for round_ in range(2):
        session: Any
        if patched:
            requests_cache.install_cache(cache_name, backend=name, **options)
            session = requests.Session()
        else:
            session = CachedSession(cache_name, backend=name, **options)
        with session:
            for time_ in range(2):
                kept = time_ == 1 or (round_ == 1 and name != "memory")
                assert session.get(PAGE).from_cache is kept
            if round_ == 1:
                session.cache.clear()
        requests_cache.uninstall_cache()
    assert names.count() == (2 if name == "memory" else 1)
    assert [path.name for path in tmp_path.glob("demo*")] == (
        [FILES[name]] if name in FILES else []
    )


def test_what_has_no_expiration_is_kept_indefinitely(names: Origin, clock: StandingClock) -> None:
    with CachedSession(clock=clock) as session:
        session.get(PAGE)
        clock.advance(days=36_500)
        assert lifetime(session.get(PAGE)) is None
    assert names.count() == 1


@pytest.mark.parametrize(
    ("sample", "expected"), [(SECONDS, timedelta(seconds=30)), (DELTA, timedelta(days=30))]
)
def test_expiration_of_a_session(names: Origin, sample: str, expected: timedelta) -> None:
    with run_blocking(sample, CachedSession=CachedSession)["session"] as session:
        session.get(PAGE)
        assert lifetime(session.get(PAGE)) == expected


@pytest.mark.parametrize("patched", [False, True], ids=["session", "patched"])
def test_expiration_of_a_request(names: Origin, clock: StandingClock, patched: bool) -> None:
    options: Any = {"expire_after": 30, "clock": clock}
    if patched:
        requests_cache.install_cache(**options)
    with requests.Session() if patched else CachedSession(**options) as session:
        for sample, expected in ((OF_A_REQUEST, timedelta(minutes=6)), (NEVER, None)):
            run_blocking(sample, session=session)
            clock.advance(seconds=359)
            assert lifetime(session.get(PAGE)) == expected
            clock.advance(seconds=1)
        clock.advance(days=36_500)
        assert lifetime(session.get(PAGE)) is None
        # The session's own is as it was.
        other = f"{PAGE}?other"
        session.get(other)
        assert lifetime(session.get(other)) == timedelta(seconds=30)
    assert names.count() == 3


def test_what_has_expired_stays_until_it_is_asked_for(names: Origin, clock: StandingClock) -> None:
    url = "http://httpbin.org/serial"
    with CachedSession(expire_after=30, clock=clock) as session:
        session.get(url)
        clock.advance(seconds=31)
        assert session.cache.size() == 1
        assert session.get(url).text == "2"
        assert [response.text for response in session.cache.filter()] == ["2"]


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
@pytest.mark.parametrize("patched", [False, True], ids=["session", "patched"])
def test_removal(names: Origin, clock: StandingClock, backend: str, patched: bool) -> None:
    options: Any = {"backend": backend, "expire_after": 30, "clock": clock}
    if patched:
        requests_cache.install_cache(**options)
    with requests.Session() if patched else CachedSession(**options) as session:
        session.get(PAGE)
        session.get(f"{PAGE}?later", expire_after=60)
        clock.advance(seconds=31)
        if patched:
            run_blocking(REMOVAL_WHILE_PATCHING, requests_cache=requests_cache)
        else:
            run_blocking(REMOVAL, session=session)
        assert session.cache.urls == [f"{PAGE}?later"]


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
@pytest.mark.parametrize("patched", [False, True], ids=["session", "patched"])
def test_revalidation_with_a_new_expiration(
    names: Origin, clock: StandingClock, backend: str, patched: bool
) -> None:
    options: Any = {"backend": backend, "expire_after": 30, "clock": clock}
    if patched:
        requests_cache.install_cache(**options)
    with requests.Session() if patched else CachedSession(**options) as session:
        session.get(f"{PAGE}?old")
        clock.advance(seconds=350)
        session.get(PAGE)
        clock.advance(seconds=31)
        if patched:
            requests_cache.remove_expired_responses(expire_after=360)
        else:
            run_blocking(REVALIDATION, session=session)
        # One is within the six minutes, the other is not.
        assert session.cache.urls == [PAGE]
        assert lifetime(session.get(PAGE)) == timedelta(seconds=360)
    assert names.count() == 2


def test_the_names_that_the_links_lead_to(names: Origin) -> None:
    assert requests_cache.core.CachedSession is CachedSession
    assert requests_cache.core.install_cache is requests_cache.install_cache
    requests_cache.core.install_cache(backend="memory")
    with requests_cache.core.disabled():
        pass
    requests_cache.core.uninstall_cache()
    assert not requests_cache.core.is_installed()


def test_otherwise_it_behaves_as_any_session(names: Origin) -> None:
    with CachedSession(backend="memory") as session:
        assert isinstance(session, requests.Session)
        session.headers["X-Mine"] = "1"
        session.get("http://httpbin.org/headers")
        response = session.get("http://httpbin.org/headers")
        assert isinstance(response, requests.Response)
        assert response.json()["headers"]["X-Mine"] == "1"
        assert response.request.headers["X-Mine"] == "1"
        assert response.ok
