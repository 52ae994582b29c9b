"""The shells of a store whose plans never ask for anything."""

from __future__ import annotations

from typing import Any, Never


class SyncImmediate:
    """For a store that lives in this process's memory, for callers that block."""

    __slots__ = ()

    def run(self, statement: Any) -> Never:
        """No statement is known."""
        raise TypeError(f"a store in memory asks for nothing, not for {statement!r}")

    def close(self) -> None:
        """Nothing to let go of."""


class AsyncImmediate:
    """For a store that lives in this process's memory, for event loops."""

    __slots__ = ()

    def run_now(self, statement: Any) -> Never:
        """No statement is known."""
        raise TypeError(f"a store in memory asks for nothing, not for {statement!r}")

    async def run(self, statement: Any) -> Never:
        """No statement is known."""
        raise TypeError(f"a store in memory asks for nothing, not for {statement!r}")

    async def close(self) -> None:
        """Nothing to let go of."""
