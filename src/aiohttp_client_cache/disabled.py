"""Caching switched off for a while, in the current context only."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class _Period:
    """One stay in a ``with session.disabled():``."""

    __slots__ = ("session",)

    def __init__(self, session: object) -> None:
        self.session = session


_NOBODY: frozenset[_Period] = frozenset()
_DISABLED: ContextVar[frozenset[_Period]] = ContextVar(
    "aiohttp_client_cache_disabled", default=_NOBODY
)


def is_disabled(session: object) -> bool:
    """Whether caching is switched off for a session, here and now."""
    periods = _DISABLED.get()
    return bool(periods) and any(period.session is session for period in periods)


class Disabled:
    """Switches caching off for a session, for this task and those that it starts meanwhile.

    Both ``with`` and ``async with``; may be nested, entered again, and left in any order.
    """

    def __init__(self, session: object) -> None:
        self._session = session
        self._periods: list[_Period] = []

    def __enter__(self) -> None:
        period = _Period(self._session)
        self._periods.append(period)
        _DISABLED.set(_DISABLED.get() | {period})

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _DISABLED.set(_DISABLED.get() - {self._periods.pop()})

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)
