"""Checks of settings that hold several values, or a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from http_client_cache.errors import ConfigurationError, describe


def check_names(value: object, argument: str, kind: str = "a list") -> list[str]:
    """A list of names.

    Args:
        value: as the user gave it.
        argument: what the user calls it.
        kind: what else it could be, for the message of the error.

    Raises:
        ConfigurationError: it is none.
    """
    names: list[str] = []
    for name in _listed(value, f"{argument} must be {kind} of names"):
        if not isinstance(name, str):
            raise ConfigurationError(f"{argument} must hold names only, not {describe(name)}")
        names.append(name)
    return names


def check_codes(value: object) -> frozenset[int]:
    """Status codes.

    Raises:
        ConfigurationError: one of them is none.
    """
    codes: set[int] = set()
    for code in _listed(value, "allowed_codes must be a list of status codes"):
        if not isinstance(code, int) or isinstance(code, bool) or not 100 <= code <= 999:
            raise ConfigurationError(
                f"allowed_codes must hold status codes from 100 to 999, not {describe(code)}"
            )
        codes.add(int(code))
    return frozenset(codes)


def _listed(value: object, rule: str) -> list[object]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{rule}, not {describe(value)}")
    return list(cast("Iterable[object]", value))


def check_function(value: Callable[..., Any] | None, argument: str) -> Callable[..., Any] | None:
    """A function, or ``None``.

    Raises:
        ConfigurationError: it is neither.
    """
    given: object = value
    if given is not None and not callable(given):
        raise ConfigurationError(f"{argument} must be a function or None, not {describe(value)}")
    return value
