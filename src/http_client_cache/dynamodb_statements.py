"""The words in which the DynamoDB store speaks to its shell."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

WHOLE_CACHE: Final = 20.0
"""Patience with what looks through a whole table."""

Item = dict[str, Any]
"""Attributes as DynamoDB's low-level interface spells them: ``{"name": {"S": "text"}}``."""


class Request(NamedTuple):
    """One request. Answers what the client's method of this name does, or :class:`Refused`.

    What DynamoDB leaves undone of a batch is asked for again, and what it has no capacity for
    just now is tried again, as long as there is time.

    Attributes:
        operation: as a method of the client, such as ``"put_item"``.
        arguments: of the method.
        writes: whether it changes something.
        patience: how many times as long as others it may take.
    """

    operation: str
    arguments: dict[str, Any]
    writes: bool = False
    patience: float = 1.0


class Refused(NamedTuple):
    """A condition did not hold, and nothing was done.

    Attributes:
        failed: of each change that was asked for, whether it is one of those to blame.
        items: of each change, the item that lies there, if it was asked for.
    """

    failed: tuple[bool, ...]
    items: tuple[Item | None, ...]
