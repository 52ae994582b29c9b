"""One circuit, whatever calls do, against a model of it."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from http_client_cache.shell.guard import FAILURES, RESTS, Circuit

FIRST, MOST = RESTS


class Call(NamedTuple):
    begun: float
    until: float
    is_trial: bool


class OneCircuit(RuleBasedStateMachine):
    """Calls begin, end in any order, at any time and in any way, or are never heard of again."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.circuit = Circuit()
        self.calls: list[Call] = []
        # What the laws know: how many failures came one after the other, and until when it rests.
        self.row = 0
        self.rests_until = 0.0

    @initialize(failures=st.integers(0, FAILURES + 7))
    def an_outage(self, failures: int) -> None:
        """So that long rests are seen, too."""
        for _ in range(failures):
            self.now = max(self.now, self.rests_until)
            assert self.circuit.admits(self.now)
            self._fail(self.now)

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.2, 0.25, 1.0, 7.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def its_rest_ends(self) -> None:
        self.now = max(self.now, self.rests_until)

    @rule(seconds=st.sampled_from([0.25, 5.0]))
    def a_call(self, seconds: float) -> None:
        rests = self.row >= FAILURES
        trials = [call for call in self.calls if call.is_trial and self.now < call.until]
        if not self.circuit.admits(self.now):
            assert rests
            assert self.now < self.rests_until or trials
            return
        assert not rests or (self.now >= self.rests_until and not trials)
        self.circuit.begin(self.now, seconds)
        self.calls.append(Call(self.now, self.now + seconds, rests))

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def one_is_answered(self, data: st.DataObject) -> None:
        self._take(data)
        self.circuit.worked()
        self.row, self.rests_until = 0, 0.0
        # What was a trial is now a call like any other.
        self.calls = [call._replace(is_trial=False) for call in self.calls]

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def one_fails(self, data: st.DataObject) -> None:
        self._fail(self._take(data).begun)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def one_is_cancelled(self, data: st.DataObject) -> None:
        """Nobody is told; its time must pass."""
        call = self._take(data)
        if call.is_trial:
            self.now = max(self.now, call.until)

    def _take(self, data: st.DataObject) -> Call:
        return self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))

    def _fail(self, begun: float) -> None:
        self.circuit.failed(self.now, begun)
        if begun < self.rests_until:
            return
        self.row += 1
        if self.row >= FAILURES:
            rest = min(FIRST * 2 ** (self.row - FAILURES), MOST)
            self.rests_until = self.now + rest
            self.calls = [call._replace(is_trial=False) for call in self.calls]

    @invariant()
    def it_rests_exactly_so_long(self) -> None:
        if self.row < FAILURES:
            assert self.circuit.admits(self.now)
        elif self.now < self.rests_until:
            assert not self.circuit.admits(self.now)
            assert not self.circuit.admits(self.rests_until - 0.001)
        assert self.circuit.has_failed == (self.row > 0)


TestOneCircuit = OneCircuit.TestCase
