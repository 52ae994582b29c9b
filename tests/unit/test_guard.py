"""When a server that fails is asked, and when it is left alone."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from http_client_cache.errors import StoreUnavailable
from http_client_cache.shell.guard import FAILURES, Guard


class Time:
    """Seconds that only tests let pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def guard(time: Time) -> Guard:
    return Guard(0.25, time)


def is_admitted(guard: Guard, *, writes: bool = False) -> bool:
    try:
        guard.enter(0.25, writes=writes)
    except StoreUnavailable:
        return False
    return True


def lose(guard: Guard, times: int = FAILURES, *, writes: bool = False) -> None:
    for _ in range(times):
        guard.lost(guard.enter(0.25, writes=writes), writes=writes)


def refuse(guard: Guard, times: int = FAILURES, *, writes: bool = True) -> None:
    for _ in range(times):
        guard.refused(guard.enter(0.25, writes=writes), writes=writes)


class TestRests:
    def test_it_takes_some_failures_in_a_row(self, guard: Guard) -> None:
        for _ in range(5):
            lose(guard, FAILURES - 1)
            guard.worked(writes=False)
        lose(guard, FAILURES - 1)
        assert is_admitted(guard)
        lose(guard, 1)
        assert not is_admitted(guard)

    def test_each_is_twice_as_long_as_the_one_before(self, guard: Guard, time: Time) -> None:
        lose(guard)
        for rest in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0):
            time.now += rest - 0.01
            assert not is_admitted(guard)
            time.now += 0.02
            lose(guard, 1)

    def test_after_a_success_the_first_is_short_again(self, guard: Guard, time: Time) -> None:
        lose(guard)
        time.now += 1
        lose(guard, 1)
        time.now += 2
        assert is_admitted(guard)
        guard.worked(writes=False)
        assert is_admitted(guard)
        lose(guard)
        assert not is_admitted(guard)
        time.now += 1
        assert is_admitted(guard)

    def test_failures_of_calls_that_were_under_way_do_not_lengthen_it(
        self, guard: Guard, time: Time
    ) -> None:
        begun = [guard.enter(5.0, writes=False) for _ in range(20)]
        lose(guard)
        for call in begun[:10]:
            guard.lost(call, writes=False)
        time.now += 1
        # Not even when the rest is over, and somebody tries.
        assert is_admitted(guard)
        for call in begun[10:]:
            guard.lost(call, writes=False)
        time.now += 0.25
        assert is_admitted(guard)

    def test_an_answer_to_a_call_that_was_under_way_ends_it(self, guard: Guard) -> None:
        guard.enter(5.0, writes=False)
        lose(guard)
        guard.worked(writes=False)
        assert is_admitted(guard)
        # And failures count again at once.
        lose(guard)
        assert not is_admitted(guard)

    def test_the_message(self, guard: Guard) -> None:
        lose(guard)
        with pytest.raises(StoreUnavailable, match="it failed several times in a row, and is left"):
            guard.enter(0.25, writes=False)


class TestTrials:
    def test_one_at_a_time(self, guard: Guard, time: Time) -> None:
        lose(guard)
        time.now += 1
        assert [is_admitted(guard) for _ in range(3)] == [True, False, False]

    def test_who_was_cancelled_frees_it_when_its_time_is_up(self, guard: Guard, time: Time) -> None:
        lose(guard)
        time.now += 1
        assert is_admitted(guard)
        time.now += 0.24
        assert not is_admitted(guard)
        time.now += 0.02
        assert is_admitted(guard)

    def test_one_that_is_refused_where_it_would_write_takes_no_turn(
        self, guard: Guard, time: Time
    ) -> None:
        refuse(guard)
        time.now += 1
        refuse(guard, 1)
        lose(guard)
        # Who is not reached rests for a second, who refuses to write for two.
        time.now += 1
        assert not is_admitted(guard, writes=True)
        assert is_admitted(guard)

    def test_one_among_threads(self, guard: Guard, time: Time) -> None:
        together = threading.Barrier(8)

        def ask() -> bool:
            together.wait()
            return is_admitted(guard)

        with ThreadPoolExecutor(8) as pool:
            for _ in range(50):
                lose(guard)
                time.now += 1
                assert [future.result() for future in [pool.submit(ask) for _ in range(8)]].count(
                    True
                ) == 1
                guard.worked(writes=False)


class TestTooManyAtOnce:
    """Who had to wait for their turn too long say nothing of the server."""

    def test_what_began_before_others_were_answered_does_not_count(
        self, guard: Guard, time: Time
    ) -> None:
        begun = [guard.enter(0.25, writes=False) for _ in range(100)]
        time.now += 0.2
        for _ in begun[:50]:
            guard.worked(writes=False)
        time.now += 0.05
        for call in begun[50:]:
            guard.lost(call, writes=False)
        assert is_admitted(guard)
        assert is_admitted(guard, writes=True)

    def test_what_began_after_it_does(self, guard: Guard, time: Time) -> None:
        guard.worked(writes=False)
        time.now += 0.01
        begun = [guard.enter(0.25, writes=False) for _ in range(FAILURES)]
        time.now += 0.25
        for call in begun:
            guard.lost(call, writes=False)
        assert not is_admitted(guard)

    def test_answers_to_reads_do_not_excuse_writes(self, guard: Guard, time: Time) -> None:
        begun = [guard.enter(0.25, writes=True) for _ in range(FAILURES)]
        time.now += 0.2
        guard.worked(writes=False)
        time.now += 0.05
        for call in begun:
            guard.lost(call, writes=True)
        assert is_admitted(guard)
        assert not is_admitted(guard, writes=True)


class TestCancelled:
    def give_up(self, guard: Guard, time: Time, after: float) -> None:
        for _ in range(FAILURES):
            begun = guard.enter(0.25, writes=False)
            time.now += after
            guard.given_up(begun, 0.25, writes=False)

    def test_who_never_waits_to_the_end_does_not_ask_for_ever(
        self, guard: Guard, time: Time
    ) -> None:
        self.give_up(guard, time, 0.2)
        assert not is_admitted(guard)

    def test_who_has_hardly_waited_says_nothing(self, guard: Guard, time: Time) -> None:
        self.give_up(guard, time, 0.05)
        assert is_admitted(guard)

    def test_nor_who_gives_up_while_others_are_answered(self, guard: Guard, time: Time) -> None:
        begun = [guard.enter(0.25, writes=False) for _ in range(FAILURES)]
        time.now += 0.2
        guard.worked(writes=False)
        for call in begun:
            guard.given_up(call, 0.25, writes=False)
        assert is_admitted(guard)


class TestReadsAndWrites:
    def test_who_refuses_to_write_can_still_be_read(self, guard: Guard, time: Time) -> None:
        refuse(guard)
        assert not is_admitted(guard, writes=True)
        assert is_admitted(guard)
        guard.worked(writes=False)
        assert not is_admitted(guard, writes=True)
        time.now += 1
        assert is_admitted(guard, writes=True)
        guard.worked(writes=True)
        assert [is_admitted(guard, writes=True) for _ in range(2)] == [True, True]

    def test_who_refuses_to_read_can_still_be_written(self, guard: Guard) -> None:
        refuse(guard, writes=False)
        assert not is_admitted(guard)
        assert is_admitted(guard, writes=True)

    def test_refusals_of_both_do_not_add_up(self, guard: Guard) -> None:
        refuse(guard, FAILURES - 1)
        refuse(guard, FAILURES - 1, writes=False)
        assert is_admitted(guard)
        assert is_admitted(guard, writes=True)

    @pytest.mark.parametrize("writes", [True, False])
    def test_who_is_not_reached_is_asked_for_neither(self, guard: Guard, writes: bool) -> None:
        lose(guard, writes=writes)
        assert not is_admitted(guard)
        assert not is_admitted(guard, writes=True)

    def test_losses_of_both_add_up(self, guard: Guard) -> None:
        lose(guard, 2)
        lose(guard, 1, writes=True)
        assert not is_admitted(guard)
        assert not is_admitted(guard, writes=True)

    def test_who_is_reached_again_is_written_at_once_if_only_reads_were_lost(
        self, guard: Guard, time: Time
    ) -> None:
        """Of many who come then, none is to be told that the server is left alone."""
        lose(guard)
        time.now += 1
        assert is_admitted(guard)
        guard.worked(writes=False)
        assert [is_admitted(guard, writes=True) for _ in range(10)] == [True] * 10

    def test_writes_that_hang_rest_though_reads_work(self, guard: Guard) -> None:
        """As on a server whose disk is stuck."""
        for _ in range(FAILURES):
            assert is_admitted(guard)
            guard.worked(writes=False)
            lose(guard, 1, writes=True)
        assert is_admitted(guard)
        assert not is_admitted(guard, writes=True)

    def test_who_refuses_was_reached(self, guard: Guard) -> None:
        lose(guard, 2)
        refuse(guard, 1)
        lose(guard, 1, writes=True)
        assert is_admitted(guard)
        assert is_admitted(guard, writes=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_finds_it_unlocked(guard: Guard) -> None:
    """Whatever other threads are doing at that moment."""
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            guard.lost(0.0, writes=False)
            guard.worked(writes=False)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            pid = os.fork()
            if not pid:
                code = 1
                try:
                    code = 0 if guard._lock.acquire(timeout=5) else 2
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert is_admitted(guard)
