"""The steps of a history, and the fewest of them that fail as well."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final

SHORTEN_SECONDS: Final = 20.0
"""For so long a shorter history is looked for; each takes as long as the store does."""

Step = tuple[str, dict[str, Any]]
"""A rule and its arguments."""

Replay = Callable[[Sequence[Step]], Exception | None]
"""Tells a history from its beginning; what it fails with."""


def told(rule: Callable[..., None]) -> Callable[..., None]:
    """Let a history know its steps."""

    @wraps(rule)
    def tell(history: Any, **arguments: Any) -> None:
        history.steps.append((rule.__name__, arguments))
        rule(history, **arguments)

    return tell


def shortest(steps: Sequence[Step], replay: Replay) -> AssertionError | None:
    """A failure with the steps that lead to it, less all that can be left out."""
    error = replay(steps)
    if error is None:
        return None
    until = time.monotonic() + SHORTEN_SECONDS
    size = max(1, len(steps) // 2)
    while size:
        start = len(steps) - size
        while start >= 0 and time.monotonic() < until:
            fewer = [*steps[:start], *steps[start + size :]]
            failed = replay(fewer)
            if failed is not None:
                steps, error = fewer, failed
            start = min(start, len(steps)) - size
        size //= 2
    shown = [
        f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        for name, arguments in steps
    ]
    found = AssertionError("\n  ".join(["these steps show where it differs:", *shown]))
    found.__cause__ = error
    return found
