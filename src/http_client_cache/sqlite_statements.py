"""The words in which the SQLite store speaks to its shell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from http_client_cache.body import AnyBody, Draft
from http_client_cache.limits import Limits

Row = tuple[str, str, bytes | None, AnyBody | None, int | None, bytes | None]
"""Key, variant, record, body, chain, alias: what a stored response is read as.

``chain`` names the blocks of a body, or, below zero, its file; ``body`` is ``None`` until the shell
has put the blocks together or opened the file, and stays so where there is none. ``alias`` is the
record of the alias that led here; ``record`` is ``None`` where it led to nothing, and where what
was there is being deleted.
"""


class Bodies(NamedTuple):
    """Where the bodies are that are not in their rows.

    Attributes:
        blocks: selects the blocks of a chain, in order; its one parameter is the chain.
        files: begins the names of files.
    """

    blocks: str
    files: str

    def file_of(self, chain: int) -> str:
        """The name of the file for a chain below zero."""
        return f"{self.files}-{-chain:016x}"


class Point(NamedTuple):
    """Read the rows of one key. Answers ``list[Row]``, what is still being written included.

    Attributes:
        sql: selects a ``Row``; its parameters are the key, once for each mark.
        key: the key.
        bodies: of the rows.
        marks: two where an alias of that name counts, too; else one.
    """

    sql: str
    key: str
    bodies: Bodies
    marks: int = 1


class Query(NamedTuple):
    """Read anything else, after what was written before. Answers a list of rows.

    Attributes:
        sql: any ``SELECT``.
        arguments: its parameters.
        bodies: if given, the rows begin as a ``Row`` does, and get their bodies.
        quick: touches a few pages at most.
        at_once: before what was written before.
    """

    sql: str
    arguments: Sequence[Any] = ()
    bodies: Bodies | None = None
    quick: bool = False
    at_once: bool = False


class Insert(NamedTuple):
    """A step: one row. Neighbours into the same table are inserted by one statement.

    Attributes:
        into: ``INSERT INTO table (columns)``.
        row: a value for each column.
        tail: what follows ``VALUES (…)``.
    """

    into: str
    row: tuple[Any, ...]
    tail: str = ""


class Change(NamedTuple):
    """A step: any statement. Its answer is the rows, or how many it changed."""

    sql: str
    arguments: Sequence[Any] = ()


FLUSH_SECONDS: Final = (0.02, 0.5)
"""Between two times when uses are written down though nothing else is: the less others use or
write meanwhile, the longer."""

MOST_USES: Final = 4096
"""Keys whose use is remembered before it is written down."""


class UpkeepSQL(NamedTuple):
    """The texts of :class:`Upkeep`; all but the first are for a store with limits.

    Attributes:
        leave: deletes what has left by a time; its parameters are that and how many at most.
        totals: selects how many entries there are, bytes, and aliases.
        latest: selects the logical time of the last use.
        use: makes the rows of a key those used last.
        expired: selects id and bytes of what has expired by a time, earliest first.
        oldest: selects id and bytes of everything, what was used least recently first.
        remove: deletes a row by its id.
        links: selects id and bytes of the aliases, in the order of their arrival.
        unlink: deletes an alias by its id.
        trash: selects the chains whose files can go, once this is committed.
        empty_trash: forgets them.
        has_file: selects anything if an entry has the file of this chain.
    """

    leave: str
    totals: str
    latest: str
    use: str
    expired: str
    oldest: str
    remove: str
    links: str
    unlink: str
    trash: str
    empty_trash: str
    has_file: str


@dataclass(eq=False, slots=True, weakref_slot=True)
class Upkeep:
    """What the thread that writes does besides, for one store: in the transactions of its writes.

    Attributes:
        limits: how much may be kept.
        now: UTC seconds.
        sql: the texts.
        bodies: of the store.
        used: keys that were read since the last write, what was read last at the end; the next
            write takes them along.
        noted: keys that were used in the order of their use, and are not written down yet; only
            the thread that writes looks at it. This and the following are its own.
        was_read: whether any of those was read.
        flush_at: when uses are written down though nothing else is (UTC seconds); whoever reads
            sets it, too.
        flush_after: seconds from one time to the next.
        latest: the logical time of the last use, as it was then.
        writes: how many there were since what has left was last deleted.
        swept: when that was (UTC seconds).
        told: whether the log has been told that the store is full.
    """

    limits: Limits
    now: Callable[[], float]
    sql: UpkeepSQL
    bodies: Bodies
    used: dict[str, None] = field(default_factory=dict[str, None])
    noted: dict[str, None] = field(default_factory=dict[str, None])
    was_read: bool = False
    flush_at: float = 0.0
    flush_after: float = FLUSH_SECONDS[0]
    latest: int = 0
    writes: int = 0
    swept: float = 0.0
    told: bool = False

    def take(self) -> tuple[str, ...]:
        """The keys that were read, for a write that takes them along."""
        used, self.used = self.used, {}
        return tuple(used)


class Write(NamedTuple):
    """Carry out steps in one transaction. Answers the answers of its ``Change`` steps.

    With ``row`` or ``alias`` the answer is ``None`` and comes at once: every reader of this
    process sees them from then on, the transaction follows. So it does where there is nothing
    but ``upkeep``.

    Attributes:
        steps: in their order.
        row: what the steps write, as it will be read.
        alias: key, target and record of the alias that the steps write.
        gone: a row without a record for each that the steps delete; no reader of this process
            sees those any more, but the answer comes when the transaction has ended.
        shrink: whether to give free pages back to the file system when that is done, and to remove
            files that belong to no entry.
        upkeep: to be done in the same transaction, once for all writes that bring it.
        used: keys that were read before this write and after the one before, for the upkeep.
        draft: is the body of the row, in a file that the writer keeps when it has committed.
        unattended: nobody waits for it; the answer is ``None`` and comes at once.
        patience: seconds after which the answer is waited for no more; it is written all the same.
    """

    steps: tuple[Insert | Change, ...]
    row: Row | None = None
    alias: tuple[str, str, bytes] | None = None
    gone: tuple[Row, ...] = ()
    shrink: bool = False
    upkeep: Upkeep | None = None
    used: tuple[str, ...] = ()
    draft: Draft | None = None
    unattended: bool = False
    patience: float | None = None
