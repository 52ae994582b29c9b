"""What unsafe requests do to what is stored (RFC 9111 section 4.4, RFC 9875)."""

from __future__ import annotations

from http_client_cache import housekeeping
from http_client_cache.key import url_locator
from http_client_cache.lawful.query import apply_rule
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.plan import Pause, Plan, UseStore
from http_client_cache.rfc9111.invalidation import (
    groups,
    invalidated,
    invalidated_groups,
    same_origin,
)
from http_client_cache.rfc9111.no_vary_search import EVERYTHING
from http_client_cache.scope import Scope


def invalidate(scope: Scope, request: Request, head: ResponseHead) -> Plan[int]:
    """Delete what an answer to an unsafe request has outdated.

    Answers how many changes were noted by then, those by this answer included.
    """
    settings = scope.settings
    outdated = [each for url in invalidated(request, head) for each in _spellings(scope, url)]
    for url in outdated:
        scope.note_change(url_locator(settings, url))
    noted = scope.changes()
    for url in outdated:
        yield from housekeeping.delete_url(scope.store, settings, url)
    if settings.cache_groups:
        named = invalidated_groups(request, head)
        if named:
            yield from _delete_groups(scope, request.url, named)
    return noted


def _spellings(scope: Scope, url: str) -> list[str]:
    """The URL, and the one under which responses with ``No-Vary-Search`` are kept."""
    rule = scope.query_rules.rule_for(url) if scope.settings.no_vary_search else EVERYTHING
    if rule == EVERYTHING:
        return [url]
    return [url, apply_rule(Request("GET", url), rule)[0].url]


def _delete_groups(scope: Scope, url: str, named: frozenset[str]) -> Plan[None]:
    """Look through everything: groups have no index, as few origins use them."""
    after = ""
    while batch := (yield from housekeeping.page(scope.store, after, bodies=False)):
        gone = [
            (stored.key, stored.variant)
            for _, stored in batch
            if same_origin(stored.entry.url, url)
            and not named.isdisjoint(groups(Headers(stored.entry.headers)))
        ]
        for key, _ in gone:
            scope.note_change(key.partition(".")[0])
        if gone:
            yield UseStore(scope.store.drop(gone), writes=True)
        after = batch[-1][0]
        yield Pause()
