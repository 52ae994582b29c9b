"""The words in which the MongoDB store speaks to its shell: one statement is one trip.

Commands are those of MongoDB, as dictionaries of plain values, so that a store needs no driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

Document = Mapping[str, Any]

PATIENCE: Final = 40.0
"""Times the seconds of a call: for what looks through the whole cache, or much of it."""


class _Duplicate(Enum):
    DUPLICATE = "a document of that name is there, and is not as the condition says"


DUPLICATE: Final = _Duplicate.DUPLICATE


class Read(NamedTuple):
    """A ``find`` or ``aggregate``. Answers a list of all its documents.

    Attributes:
        command: its name comes first.
        patience: times the seconds of a call that it may take.
    """

    command: Document
    patience: float = 1.0

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return False


class Write(NamedTuple):
    """An ``insert``, ``update`` or ``delete``. Answers how many documents were matched.

    Or ``DUPLICATE``, where an upsert met a document that its condition does not match.

    Attributes:
        command: its name comes first.
        patience: times the seconds of a call that it may take.
    """

    command: Document
    patience: float = 1.0

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return True


Statement = Read | Write
