"""What may be said of a user's ``filter_fn``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "__looks_at_head_only__"


def head_only(function: F) -> F:
    """Declare that a ``filter_fn`` looks at status and header fields only, never at the body.

    It is asked as soon as the head of a response has come, so that a large body need not be held in
    memory until it has been asked; the response that it sees has no body.

    Args:
        function: the filter; plain or a coroutine function.

    Returns:
        The same function.

    Raises:
        TypeError: it takes no attributes, as methods of objects do not: mark the function.
    """
    try:
        setattr(function, _MARK, True)
    except AttributeError:
        raise TypeError(f"{function!r} cannot be marked; wrap it in a function") from None
    return function


def looks_at_body(function: Callable[..., Any] | None) -> bool:
    """Whether a filter may want to see the body."""
    return function is not None and not getattr(function, _MARK, False)
