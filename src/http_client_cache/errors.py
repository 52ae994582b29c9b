"""The errors that the cache raises, and nothing else.

A failing store is never among them: the request goes on to the origin and the
failure is logged (``docs/architecture.md``, "The cache never breaks a request").
"""

from __future__ import annotations


class CacheError(Exception):
    """Base of every error of this library."""


class ConfigurationError(CacheError, ValueError):
    """An argument has a value that the cache cannot work with."""


class MissingDependency(CacheError, ImportError):
    """A backend needs a package that is not installed; the message names the extra."""


class RecordError(CacheError):
    """A stored record cannot be read: damaged, signed by another key, or of a newer version.

    The engine treats it as a miss; it never reaches a caller.
    """


class StoreError(CacheError):
    """A store could not carry out an operation; it never reaches a caller of a request."""


class StoreUnavailable(StoreError):
    """A store's server cannot be reached, or takes too long; a request asks it no more."""


def describe(value: object, limit: int = 80) -> str:
    """Show ``value`` in an error message without flooding the terminal."""
    text = repr(value)
    shown = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return f"{shown} ({type(value).__name__})"


def check_count(value: object, name: str, accepted: str) -> None:
    """Check an argument that is a whole number, 0 or more.

    Raises:
        ConfigurationError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{name} must be {accepted}, not {describe(value)}")


def check_flag(value: object, name: str) -> bool:
    """Check an argument that is either ``True`` or ``False``.

    Raises:
        ConfigurationError: it is neither.
    """
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {describe(value)}")
    return value
