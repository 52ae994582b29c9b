"""What unsafe requests do to what is stored (RFC 9111 section 4.4, RFC 9875)."""

from __future__ import annotations

from typing import Final

from http_client_cache import housekeeping
from http_client_cache.entry import Entry
from http_client_cache.key import normalize_url, url_locator
from http_client_cache.lawful.query import apply_rule
from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.options import Options
from http_client_cache.plan import Pause, Plan, UseStore
from http_client_cache.rfc9111.invalidation import (
    groups,
    invalidated,
    invalidated_groups,
    same_origin,
)
from http_client_cache.rfc9111.no_vary_search import EVERYTHING, variance
from http_client_cache.scope import Scope
from http_client_cache.steps import key_of


def invalidate(scope: Scope, request: Request, options: Options, head: ResponseHead) -> Plan[int]:
    """Delete what an answer to an unsafe request has outdated.

    Answers how many changes were noted by then, those by this answer included.
    """
    settings = scope.settings
    urls = invalidated(request, head)
    outdated = [each for url in urls for each in _spellings(scope, url)]
    key = None
    if urls and settings.key_fn is not None:
        # The user's key may be that of other URLs, too.
        key = yield from key_of(scope, as_get(request), options)
    for place in [url_locator(settings, url) for url in outdated] + [_place(key)] * bool(key):
        scope.note_change(place)
    noted = scope.changes()
    for url in outdated:
        yield from housekeeping.delete_url(scope.store, settings, url)
    if key is not None:
        yield from housekeeping.delete(scope.store, [key])
    named = invalidated_groups(request, head) if settings.cache_groups else frozenset[str]()
    if named or (urls and settings.no_vary_search):
        yield from _search(scope, request.url, urls, named)
    return noted


def as_get(request: Request) -> Request:
    """The request that a stored answer to this one would answer."""
    return Request("GET", request.url, request.headers.without(_OF_A_BODY))


_OF_A_BODY: Final = frozenset(
    {"content-encoding", "content-length", "content-type", "transfer-encoding"}
)


def _place(key: str | None) -> str:
    return (key or "").partition(".")[0]


def _spellings(scope: Scope, url: str) -> list[str]:
    """The URL, and the one under which responses with ``No-Vary-Search`` are kept."""
    rule = scope.query_rules.rule_for(url) if scope.settings.no_vary_search else EVERYTHING
    if rule == EVERYTHING:
        return [url]
    return [url, apply_rule(Request("GET", url), rule)[0].url]


def _search(scope: Scope, url: str, urls: list[str], named: frozenset[str]) -> Plan[None]:
    """Look through everything for what only the entries tell: their groups, and their rules.

    There is no index, as few origins use either. What rules there are may have been said before
    this process began.
    """
    after, ignored = "", scope.settings.unstored
    while batch := (yield from housekeeping.page(scope.store, after, bodies=False)):
        gone = [
            (stored.key, stored.variant)
            for _, stored in batch
            if _is_of_group(stored.entry, url, named)
            or any(_is_same(stored.entry, each, ignored) for each in urls)
        ]
        for key, _ in gone:
            scope.note_change(_place(key))
        if gone:
            yield UseStore(scope.store.drop(gone), writes=True)
        after = batch[-1][0]
        yield Pause()


def _is_of_group(entry: Entry, url: str, named: frozenset[str]) -> bool:
    return (
        bool(named)
        and same_origin(entry.url, url)
        and not named.isdisjoint(groups(Headers(entry.headers)))
    )


def _is_same(entry: Entry, url: str, ignored: frozenset[str]) -> bool:
    """Whether a response with ``No-Vary-Search`` answers requests for a URL."""
    rule = variance(Headers(entry.headers))
    if rule == EVERYTHING:
        return False
    one, other = (
        normalize_url(apply_rule(Request("GET", each), rule)[0].url, ignored=ignored)
        for each in (entry.url, url)
    )
    return one == other
