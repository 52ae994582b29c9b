"""The URLs in a cache: a list, and something to call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class Urls(list[str]):
    """The URLs in a cache, as a list; called with what ``filter`` takes, those of some responses.

    Args:
        urls: of all responses.
        some: those of responses that a filter lets through.
    """

    def __init__(self, urls: Iterable[str], some: Callable[..., list[str]]) -> None:
        super().__init__(urls)
        self._some = some

    def __call__(self, **conditions: Any) -> list[str]:
        """The URLs of the responses that ``cache.filter(…)`` yields, sorted, each once."""
        return self._some(**conditions) if conditions else list(self)
