"""From what a session is given to a backend: what the faces have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from http_client_cache.backends.options import SETTING_NAMES
from http_client_cache.errors import ConfigurationError, describe

if TYPE_CHECKING:
    from http_client_cache.backends.base import Backend

Row = tuple[str, str, Collection[str]]
"""The module and the name of a class, and the arguments that only it takes."""

SCHEMES: Final = {
    # scheme: name, the argument that takes the URL
    **dict.fromkeys(("redis", "rediss", "unix", "valkey", "valkeys"), ("redis", "address")),
    **dict.fromkeys(("redis+cluster", "rediss+cluster"), ("redis", "address")),
    **dict.fromkeys(("redis+sentinel", "rediss+sentinel"), ("redis", "address")),
    **dict.fromkeys(("mongodb", "mongodb+srv"), ("mongodb", "host")),
}


class Menu:
    """The backends of a face, by name and by URL.

    Args:
        package: where their modules are.
        rows: by name.
    """

    def __init__(self, package: str, rows: Mapping[str, Row]) -> None:
        self.package: Final = package
        self.rows: Final = rows

    def own(self, cache: str) -> Collection[str]:
        """The arguments that only the backend of this name or URL takes.

        Raises:
            ConfigurationError: there is none.
        """
        return self.rows[self.named(cache)[0]][2]

    def make(self, cache: str, options: Mapping[str, Any]) -> Any:
        """The backend of a name or URL, with these arguments.

        Raises:
            ConfigurationError: there is none, or an argument is not what it accepts.
            MissingDependency: it needs a package that is not installed.
            TypeError: an unknown argument.
        """
        name, argument = self.named(cache)
        module, kind, _ = self.rows[name]
        backend = getattr(import_module(f"{self.package}.{module}"), kind)
        if argument is None:
            return backend(**options)
        if options.get(argument) is not None:
            raise ConfigurationError(f"{argument} is in the URL already; give one of them")
        return backend(**{**options, argument: cache})

    def named(self, cache: str) -> tuple[str, str | None]:
        """The name of a backend, and the argument that takes ``cache`` if that is a URL.

        Raises:
            ConfigurationError: there is none.
        """
        if cache in self.rows:
            return cache, None
        # What follows the scheme may hold a password.
        scheme, separator, _ = cache.partition("://")
        if separator and scheme in SCHEMES:
            return SCHEMES[scheme]
        shown = f"{scheme}://…" if separator else cache
        raise ConfigurationError(
            f"a backend's name must be one of {', '.join(self.rows)}, or a URL of one of the "
            f"schemes {', '.join(SCHEMES)}, not {describe(shown)}"
        )


def taken(kwargs: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Take the keywords out that have these names."""
    return {name: kwargs.pop(name) for name in set(names) & kwargs.keys()}


def adjust(backend: Backend, options: Mapping[str, Any], check: Callable[..., object]) -> None:
    """Change the settings of a backend that somebody else has made.

    Args:
        backend: is changed only if all of them are right.
        options: of a session; ``None`` changes nothing.
        check: takes settings as keywords.

    Raises:
        ConfigurationError: one of them is not what its setting accepts, or no setting.
    """
    settings = {name: value for name, value in options.items() if name in SETTING_NAMES}
    for name in options:
        if name not in SETTING_NAMES and name != "autoclose":
            raise ConfigurationError(
                f"{name} belongs to the backend; give it to {type(backend).__name__}(…)"
            )
    check(**settings)
    if "autoclose" in options:
        backend.autoclose = options["autoclose"]
    for name, value in settings.items():
        if value is not None:
            setattr(backend, name, value)
