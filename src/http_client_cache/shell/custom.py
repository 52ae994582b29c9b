"""The shell of a user's own storage: it awaits the storage's methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from http_client_cache.errors import RecordError, StoreError
from http_client_cache.statements import NOT_NOW, Call, Collect


class CustomShell:
    """Carries out ``Call`` and ``Collect``.

    Args:
        closers: awaited by ``close``, in order.
    """

    def __init__(self, closers: list[Callable[[], Awaitable[None]]]) -> None:
        self._closers = closers

    def run_now(self, statement: Any) -> Any:
        """Always ``NOT_NOW``: the methods are coroutines."""
        del statement
        return NOT_NOW

    async def run(self, statement: Any) -> Any:
        """Await the method; a damaged item counts as absent."""
        if isinstance(statement, Call):
            try:
                return await statement.method(*statement.arguments)
            except RecordError:
                return None
        if isinstance(statement, Collect):
            return [item async for item in statement.method(*statement.arguments)]
        raise TypeError(f"a user's storage cannot carry out {statement!r}")

    async def close(self) -> None:
        """Close the storages, each of them, and raise what one of them raised."""
        failures: list[Exception] = []
        for closer in self._closers:
            try:
                await closer()
            except Exception as error:  # noqa: BLE001 - the others are to be closed all the same
                failures.append(error)
        if failures:
            raise failures[0]


class NoSyncShell:
    """Stands where a user's storage has no blocking methods."""

    def run(self, statement: Any) -> Any:
        """Refuse."""
        del statement
        raise StoreError("this storage has only coroutine methods; await get_urls() instead")

    def close(self) -> None:
        """There is nothing to close."""
