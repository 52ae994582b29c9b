"""The words in which the SQLite store speaks to its shell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Row = tuple[str, str, bytes | None, bytes | None, int | None, bytes | None]
"""Key, variant, record, body, chain, alias: what a stored response is read as.

``chain`` names the blocks of a large body, whose ``body`` is ``None`` until the shell has put
the blocks together. ``alias`` is the record of the alias that led here; ``record`` is ``None``
where it led to nothing, and where what was there is being deleted.
"""


class Point(NamedTuple):
    """Read the rows of one key. Answers ``list[Row]``, what is still being written included.

    Attributes:
        sql: selects a ``Row``; its parameters are the key, once for each mark.
        key: the key.
        blocks: selects the blocks of a chain, in order; its one parameter is the chain.
        marks: two where an alias of that name counts, too; else one.
    """

    sql: str
    key: str
    blocks: str
    marks: int = 1


class Query(NamedTuple):
    """Read anything else, after what was written before. Answers a list of rows.

    Attributes:
        sql: any ``SELECT``.
        arguments: its parameters.
        blocks: if given, the rows begin as a ``Row`` does, and bodies are put together.
        quick: touches a few pages at most.
    """

    sql: str
    arguments: Sequence[Any] = ()
    blocks: str | None = None
    quick: bool = False


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


class Write(NamedTuple):
    """Carry out steps in one transaction. Answers the answers of its ``Change`` steps.

    With ``row`` or ``alias`` the answer is ``None`` and comes at once: every reader of this
    process sees them from then on, the transaction follows.

    Attributes:
        steps: in their order.
        row: what the steps write, as it will be read.
        alias: key, target and record of the alias that the steps write.
        gone: a row without a record for each that the steps delete; no reader of this process
            sees those any more, but the answer comes when the transaction has ended.
        shrink: whether to give free pages back to the file system when that is done.
    """

    steps: tuple[Insert | Change, ...]
    row: Row | None = None
    alias: tuple[str, str, bytes] | None = None
    gone: tuple[Row, ...] = ()
    shrink: bool = False
