"""Values by URL: glob patterns and regular expressions (``urls_expire_after`` and its kin)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeGuard, TypeVar, cast

from http_client_cache.errors import ConfigurationError, describe
from http_client_cache.urls import (
    DEFAULT_PORTS,
    normalize_escapes,
    normalize_host,
    redact_url,
    split_url,
)

_REMEMBERED: Final = 1024
_NOTHING: Final[frozenset[str]] = frozenset()

_WILDCARD: Final = re.compile(r"(\*+|\?)")
_WILDCARD_IN_PATH: Final = re.compile(r"(/\*\*+(?=/)|\*+|\?)")
_SEVERAL_STARS: Final = re.compile(r"\*{2,}")
# One character is several octets of percent-encoded UTF-8.
_ONE_IN_PATH: Final = "(?:%[C-F][0-9A-F](?:%[89AB][0-9A-F])+|%[0-9A-F]{2}|[^/%])"
_IN_SCHEME: Final = {"?": "[^:/]", "*": "[^:/]*", "**": "[^:/]*"}
_IN_HOST: Final = {"?": "[^/:]", "*": r"(?:\[[^\]/]*\]|[^/:\[\]])*", "**": ".*"}
_IN_PORT: Final = {"?": "[0-9]", "*": "[0-9]*", "**": "[0-9]*"}
_IN_PATH: Final = {"?": _ONE_IN_PATH, "*": "[^/]*", "**": ".*", "/**": "(?:/.*)?"}


V = TypeVar("V")


class _Rule(NamedTuple, Generic[V]):
    pattern: re.Pattern[str]
    is_glob: bool
    value: V


class UrlPatterns(Generic[V]):
    """Values by URL, such as expirations, compiled once.

    A string is a glob for the URL without its query. ``*`` stands for any run of characters
    other than ``/``, ``**`` for anything, ``?`` for one character other than ``/``; all else for
    itself. What is left out matches anything: the scheme (``http*://``), the port, and whatever
    lies below the path, at a segment boundary (``/**``). Scheme and host are compared without
    regard to case, the path with. A compiled regular expression is searched for in the URL as
    sent, query included. Userinfo is never looked at.

    Args:
        mapping: pattern to value; the first pattern that matches counts.
        parse: checks a value, given with its name.
        name: what the user calls the mapping, for the message of an error.

    Raises:
        ConfigurationError: a pattern or a value is not what it should be.
    """

    __slots__ = ("_rules", "_seen", "_whole_url", "mapping")

    def __init__(
        self, mapping: Mapping[Any, Any], parse: Callable[[Any, str], V], name: str
    ) -> None:
        self.mapping: Final[Mapping[Any, Any]] = MappingProxyType(dict(mapping))
        self._rules = tuple(
            _rule(key, parse(value, f"{name}[{key!r}]"), name)
            for key, value in self.mapping.items()
        )
        self._whole_url = not all(rule.is_glob for rule in self._rules)
        self._seen: dict[str, V | None] = {}

    def match(self, url: str) -> V | None:
        """The value of the first pattern that matches, or ``None``."""
        known = url if self._whole_url else url.partition("?")[0]
        try:
            return self._seen[known]
        except KeyError:
            pass
        found = self._search(url)
        # Threads may share an instance: to empty the whole is one step, to drop the oldest is not.
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[known] = found
        return found

    def _search(self, url: str) -> V | None:
        parts = split_url(url)
        base = ""
        if parts is not None:
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, "")
            base = f"{parts.scheme}://{parts.host}:{port}{parts.path}"
        whole = redact_url(url, _NOTHING) if self._whole_url else ""
        for pattern, is_glob, value in self._rules:
            if pattern.fullmatch(base) if is_glob else pattern.search(whole):
                return value
        return None


def _rule(pattern: object, value: V, name: str) -> _Rule[V]:
    if _is_expression(pattern):
        return _Rule(pattern, is_glob=False, value=value)
    if not isinstance(pattern, str):
        raise ConfigurationError(
            f"{name} must have globs or compiled regular expressions as keys, "
            f"not {describe(pattern)}"
        )
    return _Rule(_compile(pattern.strip(), name), is_glob=True, value=value)


def _is_expression(pattern: object) -> TypeGuard[re.Pattern[str]]:
    return isinstance(pattern, re.Pattern) and isinstance(cast("Any", pattern).pattern, str)


def _compile(glob: str, name: str) -> re.Pattern[str]:
    """The regular expression for ``scheme://host:port/path``, where the port is never left out."""
    scheme, separator, rest = glob.partition("://")
    if not separator or "/" in scheme:
        scheme, rest = "http*", glob.removeprefix("//")
    authority, _, path = rest.partition("/")
    host, port = _host_and_port(authority.rpartition("@")[2])
    if not host or not scheme:
        raise ConfigurationError(
            f"{name} must have URL patterns such as '*.site.com/path' as keys, "
            f"and {glob!r} has no host; '*' stands for any"
        )
    parts = [
        _translate(scheme.lower(), _WILDCARD, _IN_SCHEME),
        "://",
        _translate(_lower_host(host), _WILDCARD, _IN_HOST),
        f":{_translate(port, _WILDCARD, _IN_PORT)}" if port else ":[0-9]*",
        _translate(_without_tail(f"/{path}"), _WILDCARD_IN_PATH, _IN_PATH, normalize_escapes),
        "(?:/.*)?",
    ]
    if "**" in host:
        # It may have taken the port along with a part of the path.
        parts[3] = f"(?:{parts[3]})?"
    return re.compile("".join(parts), re.DOTALL)


def _host_and_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and not port.strip("0123456789*?") else (authority, "")


def _lower_host(host: str) -> str:
    if host.isascii():
        return host.lower()
    labels = host.lower().split(".")
    return ".".join(
        normalize_host(label) if label.strip("*?") == label else label for label in labels
    )


def _without_tail(path: str) -> str:
    """The path without what is implied at its end anyway."""
    path = path.rstrip("/")
    while path.endswith("/**"):
        path = path[:-3].rstrip("/")
    return path


def _translate(
    glob: str,
    wildcard: re.Pattern[str],
    meanings: Mapping[str, str],
    literal: Callable[[str], str] = str,
) -> str:
    tokens = wildcard.split(_SEVERAL_STARS.sub("**", glob))
    # Wildcards and what lies between them take turns.
    return "".join(
        meanings[token] if index % 2 else re.escape(literal(token))
        for index, token in enumerate(tokens)
    )
