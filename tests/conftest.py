"""Fixtures that any test may want: an origin, its names, a clock and the backends."""

from __future__ import annotations

import gc
import socket
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tests.support.clock import StandingClock
from tests.support.names import lead_to
from tests.support.origin import Origin, origin_in_a_thread
from tests.support.servers import stop_all


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from walking all modules and tests, again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_server_is_left_behind() -> Iterator[None]:
    """Those that tests have started are stopped with the last of them."""
    yield
    stop_all()


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """A server in the loop of the test."""
    async with Origin().serving() as origin:
        yield origin


@pytest.fixture
def threaded_origin() -> Iterator[Origin]:
    """A server in a thread, for tests with loops or processes of their own."""
    with origin_in_a_thread() as origin:
        yield origin


@pytest.fixture
def names(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> Origin:
    """The origin, reached as port 80 of any name: ``http://httpbin.org/get``."""
    lead_to(monkeypatch, origin.port)
    return origin


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port at which nobody listens as long as the test lasts."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()
