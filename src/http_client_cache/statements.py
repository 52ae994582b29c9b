"""The words in which a store speaks to its shell: one statement is one trip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol


class _NotNow(Enum):
    NOT_NOW = "the statement cannot be answered without waiting"


NOT_NOW: Final = _NotNow.NOT_NOW


@dataclass(frozen=True, slots=True)
class Call:
    """Call a coroutine method of a user's own storage (async only)."""

    method: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Collect:
    """List what an async iterator of a user's own storage yields (async only)."""

    method: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


class SyncShell(Protocol):
    """Carries out the statements of one store, blocking the calling thread."""

    def run(self, statement: Any) -> Any:
        """Carry out a statement; may raise, the driver catches."""
        ...

    def close(self) -> None:
        """Flush what is under way and let go of connections and threads; idempotent."""
        ...


class AsyncShell(Protocol):
    """Carries out the statements of one store for any running event loop."""

    def run_now(self, statement: Any) -> Any:
        """Answer at once if that is cheap, else ``NOT_NOW``, with nothing done."""
        ...

    async def run(self, statement: Any) -> Any:
        """Carry out a statement; may raise, the driver catches."""
        ...

    async def close(self) -> None:
        """Flush what is under way and let go of connections and threads; idempotent."""
        ...
