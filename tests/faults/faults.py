"""What can go wrong with a server."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tests.support.servers import BlackHole, Delay, Garbage, Mode, Refuse, Reset, Truncate

BUDGET = 0.25
"""Seconds that a call may take, which is the default of the backends."""


class Effect(Enum):
    """What is left of the store meanwhile."""

    NOTHING = "whatever is asked of it fails"
    READS = "it can be read"
    ALL = "it works, though slower"
    ANY = "some of it works, or soon again"


class Fault(NamedTuple):
    """One thing that goes wrong.

    Attributes:
        name: in the names of tests.
        title: in the report.
        effect: what is left of the store.
        cold: it concerns who connects while it lasts; else who has connected before.
        mode: of a proxy before the server, if that is how it comes about.
    """

    name: str
    title: str
    effect: Effect = Effect.NOTHING
    cold: bool = False
    mode: Mode | None = None


# On the way to the server. No answer of any protocol is as short as two bytes.
ON_THE_WAY = (
    Fault("refused", "connections are refused", mode=Refuse()),
    Fault("reset_at_once", "connections are reset as they begin", cold=True, mode=Reset()),
    Fault("reset_in_use", "open connections are reset, once", Effect.ANY),
    Fault("silent", "a black hole from the start", cold=True, mode=BlackHole()),
    Fault("silent_midway", "a black hole in the middle of an answer", mode=BlackHole(after=2)),
    Fault("truncated", "answers break off", mode=Truncate(after=2)),
    Fault("garbage", "answers are garbage", mode=Garbage()),
    Fault("slow", "answers come 0.1 s late", Effect.ALL, mode=Delay(0.1)),
    Fault("too_slow", "answers come a second late", mode=Delay(1.0)),
)

REFUSED, _, _, _, SILENT_MIDWAY, *_ = ON_THE_WAY

# At the server.
SUSPENDED = Fault("suspended", "SIGSTOP")
KILLED = Fault("killed", "SIGKILL, and started again")
CREDENTIALS = Fault("credentials", "wrong credentials", cold=True)
FULL = Fault("full", "full of others' connections", cold=True)
MEMORY = Fault("memory", "out of memory", Effect.READS)
READ_ONLY = Fault("read_only", "may only be read", Effect.READS)
FAILOVER = Fault("failover", "the master is killed, a replica takes over")
NODE_KILLED = Fault("node_killed", "one node of three is killed", Effect.ANY)
NODE_LOST = Fault("node_lost", "one node of three is lost, the cluster is down")
NO_SENTINELS = Fault("no_sentinels", "the sentinels are suspended", cold=True)
COMMANDS_FAIL = Fault("commands_fail", "every command is an error")
COMMANDS_CLOSE = Fault("commands_close", "every command closes the connection")
STEPPED_DOWN = Fault("stepped_down", "the primary has stepped down")
THROTTLED = Fault("throttled", "throttled: 400 ProvisionedThroughputExceededException")
INTERNAL = Fault("internal", "500 InternalServerError")
GATEWAY = Fault("gateway", "503 from a gateway in between")
