"""``No-Vary-Search``: which parts of a query do not tell responses apart, as far as is known.

What a response says of its path is remembered in the process, and forgotten with it: then the
query counts as it is, until a response says it again.
"""

from __future__ import annotations

from typing import Final

from http_client_cache.message import Headers, Request
from http_client_cache.rfc9111.no_vary_search import (
    EVERYTHING,
    Variance,
    significant_query,
    variance,
)
from http_client_cache.urls import normalize_url

MOST_PATHS: Final = 4096


class QueryRules:
    """What the latest responses of each path said; the oldest is forgotten."""

    __slots__ = ("_rules",)

    def __init__(self) -> None:
        self._rules: dict[str, Variance] = {}

    def learn(self, url: str, headers: Headers) -> None:
        """Take note of what a response says."""
        rule = variance(headers)
        path = _path(url)
        self._rules.pop(path, None)
        if rule != EVERYTHING:
            self._rules[path] = rule
            for oldest in list(self._rules)[: max(len(self._rules) - MOST_PATHS, 0)]:
                self._rules.pop(oldest, None)

    def apply(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request with the query that counts, and marks for its key."""
        rule = self.rule_for(request.url)
        return (request, ()) if rule == EVERYTHING else apply_rule(request, rule)

    def rule_for(self, url: str) -> Variance:
        """What is known of how a query counts."""
        return self._rules.get(_path(url), EVERYTHING) if self._rules else EVERYTHING


def apply_rule(request: Request, rule: Variance) -> tuple[Request, tuple[str, ...]]:
    """The request with the query that counts, and marks for its key."""
    base, _, rest = request.url.partition("?")
    query = significant_query(rest.partition("#")[0], rule)
    text = f"{rule.ordered} {sorted(rule.ignored) if rule.ignored is not None else '*'}"
    marks = ("no-vary-search", f"{text} {sorted(rule.kept)}")
    return request._replace(url=f"{base}?{query}" if query else base), marks


def _path(url: str) -> str:
    return normalize_url(url.partition("?")[0].partition("#")[0])
