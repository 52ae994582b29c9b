"""Which query parameters do not tell responses apart (draft-ietf-httpbis-no-vary-search)."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus

from http_client_cache.message import Headers
from http_client_cache.rfc9111.structured import Value, parse_dictionary


class Variance(NamedTuple):
    """How the query of a URL counts.

    Attributes:
        ignored: decoded names of parameters that do not count; ``None`` for all but ``kept``.
        kept: decoded names of those that do, where ``ignored`` is ``None``.
        ordered: whether the order of different names counts.
    """

    ignored: frozenset[str] | None = frozenset()
    kept: frozenset[str] = frozenset()
    ordered: bool = True

    def counts(self, name: str) -> bool:
        """Whether a parameter of this decoded name counts."""
        return name in self.kept if self.ignored is None else name not in self.ignored


EVERYTHING: Final = Variance()
"""The query counts as it was sent."""


def variance(headers: Headers) -> Variance:
    """What ``No-Vary-Search`` says; :data:`EVERYTHING` if it is absent or has a mistake in it."""
    if "no-vary-search" not in headers:
        return EVERYTHING
    value = parse_dictionary(headers.get_all("no-vary-search")) or {}
    key_order, params = value.get("key-order", False), value.get("params", False)
    if not isinstance(key_order, bool):
        return EVERYTHING
    ignored = frozenset[str]() if params is False else _names(params)
    kept: frozenset[str] | None = frozenset()
    if params is True:
        ignored, kept = None, _names(value.get("except", ()))
    elif ignored is None or "except" in value:
        return EVERYTHING
    return EVERYTHING if kept is None else Variance(ignored, kept, not key_order)


def significant_query(query: str, rule: Variance) -> str:
    """A normal form of a query: equal for all that a response with this rule may answer.

    Args:
        query: as sent, without its question mark.
        rule: what :func:`variance` said.
    """
    if rule == EVERYTHING:
        return query
    pairs = [
        (unquote_plus(name), unquote_plus(value))
        for name, _, value in (piece.partition("=") for piece in query.split("&") if piece)
    ]
    pairs = [pair for pair in pairs if rule.counts(pair[0])]
    if not rule.ordered:
        pairs.sort(key=lambda pair: pair[0])
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs])


def _names(value: Value) -> frozenset[str] | None:
    """An inner list of strings, decoded; ``None`` for anything else."""
    if not isinstance(value, tuple):
        return None
    names = [unquote_plus(item) for item in value if isinstance(item, str)]
    return frozenset(names) if len(names) == len(value) else None


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
