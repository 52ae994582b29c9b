"""The fault table: which servers, which faults, which operations; what is not tried, and why."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Self

from tests.faults.deployments import Deployment
from tests.faults.dynamo_deployment import DynamoDB
from tests.faults.faults import Fault
from tests.faults.mongo_deployments import GridFS, MongoDB
from tests.faults.operations import OPERATIONS
from tests.faults.outage import Outcome, play
from tests.faults.redis_deployments import Cluster, Redis, Sentinel, Valkey

DEPLOYMENTS: dict[str, type[Deployment]] = {
    kind.name: kind for kind in (Redis, Valkey, Cluster, Sentinel, MongoDB, GridFS, DynamoDB)
}

FAULTS: dict[str, Fault] = {
    fault.name: fault for kind in DEPLOYMENTS.values() for fault in kind.faults
}

AT_ONCE = 2
"""Servers that are hurt at the same time."""

NOT_ASKED = {
    ("cluster", "slow", "manage"): "it is asked of sixteen shards one after the other",
}
"""Cells that are not tried, and why."""

ROWS = [(kind.name, fault.name) for kind in DEPLOYMENTS.values() for fault in kind.faults]
CELLS = [
    (*row, operation)
    for row in ROWS
    for operation in OPERATIONS
    if (*row, operation) not in NOT_ASKED
]

EVERYWHERE = ("refused", "silent_midway")
"""What goes wrong with each deployment in the ordinary suite; all else with one of them."""

SELECTED = [
    row
    for number, row in enumerate(ROWS)
    if row[1] in EVERYWHERE or row[1] not in {fault for _, fault in ROWS[:number]}
]
"""The rows of the ordinary suite; the others take their time."""


def reason(deployment: str, fault: str) -> str | None:
    """Why a fault is not tried with a deployment, if it is not."""
    kind = DEPLOYMENTS[deployment]
    if FAULTS[fault] in kind.faults:
        return None
    return kind.without.get(fault) or _OF_OTHERS[fault]


_OF_OTHERS = {
    "credentials": "it is not asked for any",
    "failover": "only sentinels let a replica take over",
    "no_sentinels": "it has none",
    "node_killed": "only a cluster has several nodes that take writes",
    "node_lost": "only a cluster has several nodes that take writes",
    "commands_fail": "only MongoDB can be told to",
    "commands_close": "only MongoDB can be told to; with others, connections that are reset",
    "stepped_down": "only MongoDB has elections; with Redis, a replica that takes over",
    "throttled": "only DynamoDB sells its throughput",
    "internal": "only DynamoDB is reached by HTTP",
    "gateway": "only DynamoDB is reached by HTTP",
}


class Table:
    """Has the outages, each once, some at a time; a context manager.

    Most of an outage is waiting, so that two of different servers fit into one process. What is
    not as promised then is had again when nothing else is under way: unless it was the machine that
    had too much to do, it is not as promised again.

    Args:
        rows: that will be asked for.

    Attributes:
        again: the rows that were had again.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._rows = list(dict.fromkeys(rows))
        self._found = {row: Future[dict[str, Outcome]]() for row in self._rows}
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._have, name="outages")
        self._lock = threading.Lock()
        self.again: dict[tuple[str, str], dict[str, Outcome]] = {}

    def __enter__(self) -> Self:
        # Each outage looks for what is left of it, and is not to look through all of the program.
        gc.collect()
        gc.freeze()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        gc.unfreeze()

    def outcomes(self, deployment: str, fault: str) -> dict[str, Outcome]:
        """What became of all operations, by their names, and by "" what else was said."""
        return self._found[deployment, fault].result()

    def _have(self) -> None:
        # Those first that take longest.
        names = sorted({name for name, _ in self._rows}, key=lambda name: -DEPLOYMENTS[name].weight)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for name in names:
                pool.submit(self._play, name)
        for name in sorted({name for name, _ in self.again}):
            self._play(name)

    def _play(self, name: str) -> None:
        """Have all outages of a deployment, one after the other, less those that are had."""
        kind = DEPLOYMENTS[name]
        running: dict[type[Deployment], Deployment] = {}
        with ExitStack() as stack:
            for row in self._rows:
                if row[0] != name or self._found[row].done() or self._ends.is_set():
                    continue
                try:
                    chosen = kind.stand_ins.get(row[1], kind)
                    if chosen not in running:
                        running[chosen] = stack.enter_context(chosen())
                    asked = [name for name in OPERATIONS if (*row, name) not in NOT_ASKED]
                    outcomes = asyncio.run(play(running[chosen], FAULTS[row[1]], asked))
                except BaseException as error:  # noqa: BLE001 - the test raises it
                    if row in self.again or not isinstance(error, Exception):
                        self._found[row].set_exception(error)
                        continue
                    outcomes = {"": Outcome(problems=[f"{type(error).__name__}: {error}"])}
                self._take(row, outcomes)

    def _take(self, row: tuple[str, str], outcomes: dict[str, Outcome]) -> None:
        before = self.again.get(row)
        if before is None and any(outcome.problems for outcome in outcomes.values()):
            with self._lock:
                self.again[row] = outcomes
            return
        for name, outcome in (before or {}).items():
            outcomes[name].problems += outcome.wrong
        self._found[row].set_result(outcomes)
