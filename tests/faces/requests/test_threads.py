"""Many threads and processes: one fetch for each key, a fork in the middle, and no thread left."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from requests_cache import CachedSession
from tests.faces.requests.wired import KINDS, Wired, cache_of, wired_origin
from tests.support.clock import StandingClock
from tests.support.wire import Asked, Wire, head, noise, sized

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    with wired_origin() as wired:
        yield wired


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Do something in so many threads, all of which begin together."""
    ready = threading.Barrier(count)
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            ready.wait(20)
            work(number)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    if failed:
        raise failed[0]


def threads_of_the_cache(before: set[threading.Thread]) -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each not in before}


@pytest.mark.parametrize("cache_control", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_fetch_for_each_key(
    tmp_path: Path, wired: Wired, kind: str, *, cache_control: bool
) -> None:
    async def slow(wire: Wire, asked: Asked) -> bytes:
        await gate.permit()
        return sized(asked.target.encode())

    gate = wired.gate()
    urls = [wired.url(slow) for _ in range(4)]
    seen: list[bool] = []
    with CachedSession(backend=cache_of(kind, tmp_path, cache_control=cache_control)) as session:

        def fetch(number: int) -> None:
            url = urls[number % 4]
            response = session.get(url)
            assert url.endswith(response.text)
            seen.append(response.from_cache)

        opener = threading.Timer(0.1, gate.open, [4])
        opener.start()
        at_once(32, fetch)
        opener.join()
    assert (len(seen), seen.count(False)) == (32, 4)
    assert [wired.count(url) for url in urls] == [1] * 4


def test_a_storm(tmp_path: Path, wired: Wired) -> None:
    """Reading, writing and deleting: whatever is served is whole."""
    bodies = [noise(2_000 * (1 + number), number) for number in range(8)]
    urls = [wired.url(sized(body)) for body in bodies]
    with CachedSession(backend=cache_of("sqlite", tmp_path)) as session:

        def work(number: int) -> None:
            for step in range(15):
                index = (number + step) % 8
                if (number + step) % 11 == 0:
                    session.cache.delete(urls=[urls[index]])
                elif (number + step) % 7 == 0:
                    with session.get(urls[index], stream=True) as response:
                        assert b"".join(response.iter_content(500)) == bodies[index]
                else:
                    assert session.get(urls[index]).content == bodies[index]

        at_once(16, work)
        assert session.cache.size() <= 8


@pytest.mark.parametrize("kind", KINDS)
def test_no_thread_is_left(tmp_path: Path, wired: Wired, clock: StandingClock, kind: str) -> None:
    before = set(threading.enumerate())
    gate = wired.gate()

    async def gated(wire: Wire, _: Asked) -> bytes:
        await gate.permit()
        return sized(b"x")

    url = wired.url(sized(b"x"))
    cache = cache_of(kind, tmp_path, expire_after=10, stale_while_revalidate=True, clock=clock)
    with CachedSession(backend=cache) as session:
        session.get(url)
        wired.says(url, gated)
        clock.advance(seconds=11)
        assert session.get(url).from_cache
        assert threads_of_the_cache(before)
        gate.open()
    assert not threads_of_the_cache(before)
    assert wired.count(url) == 2


def test_a_refresh_that_hangs_is_not_waited_for(wired: Wired, clock: StandingClock) -> None:
    before = set(threading.enumerate())
    gate = wired.gate()

    async def gated(wire: Wire, _: Asked) -> bytes:
        await gate.permit()
        return sized(b"x")

    url = wired.url(sized(b"x"))
    session = CachedSession(
        backend="memory", expire_after=10, stale_while_revalidate=True, clock=clock
    )
    session.get(url)
    wired.says(url, gated)
    clock.advance(seconds=11)
    assert session.get(url).from_cache
    begun = time.monotonic()
    for _ in range(3):
        session.close()
    assert time.monotonic() - begun < 2
    gate.open()
    for thread in threads_of_the_cache(before):
        thread.join(5)
    assert not threads_of_the_cache(before)


def in_a_child(work: Callable[[], None], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Fork, and have the child do something; ``meanwhile`` is done here.

    Raises:
        AssertionError: it failed, or took too long.
    """
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            work()
            os._exit(0)
        os._exit(1)
    try:
        meanwhile()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                child = 0
                assert os.waitstatus_to_exitcode(status) == 0
                return
            time.sleep(0.005)
        raise AssertionError("the child hangs")
    finally:
        if child:
            os.kill(child, 9)
            os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestForks:
    """The child works on, and so does the parent."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_in_the_middle(self, tmp_path: Path, wired: Wired, kind: str) -> None:
        known, new, of_child = (wired.url(sized(noise(5_000, n))) for n in range(3))
        with CachedSession(backend=cache_of(kind, tmp_path)) as session:
            session.get(known)

            def work() -> None:
                hit, miss, again = (session.get(url) for url in (known, of_child, of_child))
                assert (hit.from_cache, miss.from_cache, again.from_cache) == (True, False, True)
                assert again.content == noise(5_000, 2)
                session.close()

            in_a_child(work)
            assert session.get(known).from_cache
            assert not session.get(new).from_cache
            assert session.get(new).from_cache
            # What a child stores in a file is there for all.
            assert session.get(of_child).from_cache == (kind != "memory")

    def test_while_others_fetch(self, tmp_path: Path, wired: Wired) -> None:
        """Threads that hold leases and locks are not there in the child."""
        gate = wired.gate()

        async def gated(wire: Wire, _: Asked) -> bytes:
            await gate.permit()
            return sized(b"x")

        def asked(times: int) -> bool:
            until = time.monotonic() + 5
            while wired.count(held) < times and time.monotonic() < until:
                time.sleep(0.002)
            return wired.count(held) == times

        held, stale, other = wired.url(gated), wired.url(sized(b"y")), wired.url(sized(b"z"))
        with CachedSession(backend=cache_of("sqlite", tmp_path)) as session:
            session.get(stale)
            fetching = [threading.Thread(target=session.get, args=(held,)) for _ in range(4)]
            for thread in fetching:
                thread.start()
            assert asked(1)

            def work() -> None:
                assert session.get(stale).from_cache
                assert session.get(other).content == b"z"
                assert session.get(held, timeout=10).content == b"x"

            def let_both_go() -> None:
                # Nobody has stored anything before.
                assert asked(2)
                gate.open(2)

            in_a_child(work, let_both_go)
            for thread in fetching:
                thread.join(10)
            assert not any(thread.is_alive() for thread in fetching)
            assert session.get(held).from_cache


_PROGRAM = """
import sys, threading, time
from requests_cache import CachedSession
url, kind, name = sys.argv[1:]
session = CachedSession(name, backend=kind, expire_after=0.01, stale_while_revalidate=True)
session.get(url)
time.sleep(0.02)
assert session.get(url).from_cache
begun = session.get(url + "?streamed", stream=True)
begun.raw.read(1)
print("end", flush=True)
"""


@pytest.mark.parametrize("kind", ["memory", "sqlite", "filesystem"])
def test_a_program_that_closes_nothing_ends_at_once(
    tmp_path: Path, wired: Wired, kind: str
) -> None:
    """Though a refresh hangs, and a stream has been begun."""
    first: list[bool] = []

    async def answer(wire: Wire, asked: Asked) -> bytes | None:
        if "streamed" in asked.target:
            return head("Content-Length: 3000000") + b"x" * 2_000_000
        if not first:
            first.append(True)
            return sized(b"x")
        await wire.gone.wait()
        return None

    program = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            _PROGRAM,
            wired.url(answer),
            kind,
            str(tmp_path / "c"),
        ],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "end\n"
        begun = time.monotonic()
        assert program.wait(10) == 0
        assert time.monotonic() - begun < 2
