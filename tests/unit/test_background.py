"""Work that nobody waits for: one piece for each key, with an end, and without a word of URLs."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from http_client_cache.shell import background
from http_client_cache.shell.background import MOST_THREADS, AsyncBackground, SyncBackground

SECRET = "http://origin.test/?token=s3cret"


class Work:
    """Goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended: list[str] = []
        self.go_on = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            self.over.set()
            raise
        self.ended.append("done")


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class TestTasks:
    async def test_one_for_each_key(self) -> None:
        work, tasks = Work(), AsyncBackground()
        for key in ("a", "a", "b", "a"):
            tasks.start(key, work, None)
        await turns()
        assert work.begun == 2
        work.go_on.set()
        await turns()
        assert work.ended == ["done", "done"]

    async def test_another_when_it_has_ended(self) -> None:
        work, tasks = Work(), AsyncBackground()
        work.go_on.set()
        for _ in range(2):
            tasks.start("a", work, None)
            await turns()
        assert work.ended == ["done", "done"]

    async def test_it_begins_later(self) -> None:
        work, tasks = Work(), AsyncBackground()
        tasks.start("a", work, None)
        assert work.begun == 0
        await tasks.stop()

    async def test_the_end_of_an_owner_is_that_of_its_work(self) -> None:
        mine, yours, tasks = Work(), Work(), AsyncBackground()
        me, you = object(), object()
        tasks.start("a", mine, me)
        tasks.start("b", yours, you)
        await turns()
        await tasks.stop(me)
        assert (mine.ended, yours.ended) == (["cancelled"], [])
        await tasks.stop()
        assert yours.ended == ["cancelled"]

    async def test_nothing_to_stop(self) -> None:
        await AsyncBackground().stop()
        await AsyncBackground().stop(object())

    async def test_its_time_is_limited(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "http_client_cache")
        monkeypatch.setattr(background, "TIME_LIMIT", 0.01)
        work, tasks = Work(), AsyncBackground()
        tasks.start("a", work, None)
        await asyncio.wait_for(work.over.wait(), 5)
        await turns()
        assert work.ended == ["cancelled"]
        assert [line.getMessage() for line in caplog.records] == [
            "a background refresh failed: TimeoutError"
        ]
        tasks.start("a", work, None)
        await turns()
        assert work.begun == 2
        await tasks.stop()

    async def test_what_it_raises_is_told_to_nobody_but_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "http_client_cache")

        async def fail() -> None:
            raise ConnectionError(SECRET)

        tasks = AsyncBackground()
        tasks.start("a", fail, None)
        await turns()
        # A task whose exception nobody has asked for would complain when it goes.
        gc.collect()
        assert_said_without_secrets(caplog)

    def test_each_loop_has_its_own(self) -> None:
        tasks, begun = AsyncBackground(), list[int]()

        async def main(number: int) -> None:
            async def work() -> None:
                begun.append(number)
                await asyncio.Event().wait()

            tasks.start("a", work, None)
            await turns()
            await tasks.stop()

        for number in range(2):
            asyncio.run(main(number))
        assert begun == [0, 1]


class Threads:
    """Work in threads, which is let go at the end of the test."""

    def __init__(self) -> None:
        self.background = SyncBackground()
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()

    def work(self) -> None:
        self.begun.release()
        assert self.go_on.wait(5)

    def start(self, key: str, work: Callable[[], object] | None = None) -> None:
        self.background.start(key, work or self.work)

    def count(self) -> int:
        """How many have begun since it was asked."""
        found = 0
        while self.begun.acquire(timeout=0.05):
            found += 1
        return found

    def end(self) -> None:
        self.go_on.set()
        for thread in threading.enumerate():
            if thread.name.startswith("http cache "):
                thread.join(5)


@pytest.fixture
def threads() -> Any:
    threads = Threads()
    yield threads
    threads.end()
    assert threads.background._keys == set()


class TestThreads:
    def test_one_for_each_key(self, threads: Threads) -> None:
        for key in ("a", "a", "b"):
            threads.start(key)
        assert threads.count() == 2

    def test_another_when_it_has_ended(self, threads: Threads) -> None:
        threads.go_on.set()
        for _ in range(2):
            threads.start("a")
            threads.end()
        assert threads.count() == 2

    def test_not_too_many(self, threads: Threads) -> None:
        for number in range(MOST_THREADS + 3):
            threads.start(str(number))
        assert threads.count() == MOST_THREADS

    def test_what_it_raises_is_told_to_nobody_but_the_log(
        self, threads: Threads, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "http_client_cache")

        def fail() -> None:
            raise ConnectionError(SECRET)

        threads.start("a", fail)
        threads.end()
        assert_said_without_secrets(caplog)

    def test_the_interpreter_does_not_wait_for_it(self, threads: Threads) -> None:
        threads.start("a")
        (thread,) = [one for one in threading.enumerate() if one.name == "http cache a"]
        assert thread.daemon


def assert_said_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = caplog.records
    assert line.levelno == logging.DEBUG
    assert line.getMessage() == "a background refresh failed: ConnectionError"
    assert line.exc_info is None
    assert "s3cret" not in caplog.text
