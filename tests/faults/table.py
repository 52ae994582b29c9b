"""The fault table: which servers, which faults, which operations; what is not tried, and why."""

from __future__ import annotations

import asyncio
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

AT_ONCE = 3
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

    Most of an outage is waiting, so that two of different servers fit into one process.

    Args:
        rows: that will be asked for.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._rows = list(dict.fromkeys(rows))
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._found = {row: Future[dict[str, Outcome]]() for row in self._rows}
        self._ends = threading.Event()

    def __enter__(self) -> Self:
        # Those first that take longest.
        for name in sorted(DEPLOYMENTS, key=lambda name: -DEPLOYMENTS[name].weight):
            self._pool.submit(self._play, name)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._pool.shutdown()

    def outcomes(self, deployment: str, fault: str) -> dict[str, Outcome]:
        """What became of all operations, by their names, and by "" what else was said."""
        return self._found[deployment, fault].result()

    def _play(self, name: str) -> None:
        """Have all outages of a deployment, one after the other."""
        kind = DEPLOYMENTS[name]
        running: dict[type[Deployment], Deployment] = {}
        with ExitStack() as stack:
            for row in self._rows:
                if row[0] != name or self._ends.is_set():
                    continue
                try:
                    chosen = kind.stand_ins.get(row[1], kind)
                    if chosen not in running:
                        running[chosen] = stack.enter_context(chosen())
                    asked = [name for name in OPERATIONS if (*row, name) not in NOT_ASKED]
                    outcomes = asyncio.run(play(running[chosen], FAULTS[row[1]], asked))
                except BaseException as error:  # noqa: BLE001 - the test raises it
                    self._found[row].set_exception(error)
                else:
                    self._found[row].set_result(outcomes)
