"""Caching switched off for a while, in the current context only."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_DISABLED: ContextVar[frozenset[int]] = ContextVar("aiohttp_client_cache_disabled")
_NONE: frozenset[int] = frozenset()


def is_disabled(session: object) -> bool:
    """Whether caching is switched off for a session, here and now."""
    disabled = _DISABLED.get(_NONE)
    return bool(disabled) and id(session) in disabled


class Disabled:
    """Switches caching off for a session, for this task and those that it starts meanwhile.

    Both ``with`` and ``async with``; may be nested, and entered again.
    """

    def __init__(self, session: object) -> None:
        # Held, so that no other session can get the same id meanwhile.
        self._session = session
        self._tokens: list[Token[frozenset[int]]] = []

    def __enter__(self) -> None:
        disabled = _DISABLED.get(_NONE) | {id(self._session)}
        self._tokens.append(_DISABLED.set(disabled))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        token = self._tokens.pop()
        try:
            _DISABLED.reset(token)
        except ValueError:
            # Left in another context than entered, as an async generator may be.
            _DISABLED.set(_DISABLED.get(_NONE) - {id(self._session)})

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)
