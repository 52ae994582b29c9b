"""What is waited for only so long, in threads that come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from http_client_cache.errors import StoreUnavailable
from http_client_cache.shell import helpers as module
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.helpers import Helpers
from tests.support.line_server import LineServer, Say, SyncLines
from tests.unit.remote.conftest import LONG, SHORT


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    helpers = Helpers()
    yield helpers
    helpers.close()


class TestHelpers:
    def test_they_answer(self, helpers: Helpers) -> None:
        assert helpers.run(lambda: 7, 5.0) == 7

    def test_they_raise(self, helpers: Helpers) -> None:
        with pytest.raises(ZeroDivisionError):
            helpers.run(lambda: 1 / 0, 5.0)
        assert helpers.run(lambda: 7, 5.0) == 7

    def test_one_is_enough_for_one_after_the_other(self, helpers: Helpers) -> None:
        assert len({helpers.run(threading.get_ident, 5.0) for _ in range(100)}) == 1

    def test_what_takes_longer_is_left(self, helpers: Helpers) -> None:
        may_end, ended = threading.Event(), threading.Event()

        def slow() -> None:
            may_end.wait(5)
            ended.set()

        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            helpers.run(slow, SHORT)
        assert time.monotonic() - begun < 2
        # Others have other threads, and it goes on.
        assert helpers.run(lambda: 7, 5.0) == 7
        may_end.set()
        assert ended.wait(5)

    def test_answers_are_not_confused(self, helpers: Helpers) -> None:
        wrong: list[int] = []

        def ask(first: int) -> None:
            for number in range(first, first + 200):
                try:
                    if helpers.run(partial(int, number), 0.0001) != number:
                        wrong.append(number)
                except TimeoutError:
                    continue

        threads = [threading.Thread(target=ask, args=(1000 * first,)) for first in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_who_has_nothing_to_do_ends(
        self, helpers: Helpers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "IDLE_SECONDS", SHORT)
        thread = helpers.run(threading.current_thread, 5.0)
        thread.join(5)
        assert not thread.is_alive()
        assert helpers.run(lambda: 7, 5.0) == 7

    def test_none_is_left_before_a_fork(self, helpers: Helpers) -> None:
        thread = helpers.run(threading.current_thread, 5.0)
        helpers.freeze()
        assert not thread.is_alive()
        helpers.thaw()
        assert helpers.run(lambda: 7, 5.0) == 7


def test_a_driver_that_waits_on_costs_no_more_than_a_call_may(server: LineServer) -> None:
    """As one whose limit is for each piece that it receives."""
    may_end = threading.Event()

    class Stubborn(SyncLines):
        def _carry_out(self, client: Any, statement: Say) -> str:
            may_end.wait(5)
            return statement.word

    guard = Guard(SHORT)
    shell = Stubborn(guard, server.port)
    with pytest.raises(StoreUnavailable, match="no answer within"):
        shell.run(Say("echo", patience=4.0))
    may_end.set()
    assert shell.run(Say("echo", patience=100.0)) == "echo"
    shell.close()


def test_to_close_leaves_no_thread(server: LineServer) -> None:
    shell = SyncLines(Guard(LONG), server.port)
    shell.run(Say("echo"))
    shell.close()
    assert "http-cache-calling" not in [thread.name for thread in threading.enumerate()]
