"""What is done to a cache as a whole, or apart from a request: look around, delete, sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.expiry import DO_NOT_CACHE, Expiry
from http_client_cache.key import redact_url, url_locator
from http_client_cache.plan import Failed, Pause, Plan, UseStore
from http_client_cache.settings import Settings
from http_client_cache.store import Store

T = TypeVar("T")

PAGE = 500
"""Entries in one trip: few enough that neither a loop nor another writer waits for long."""

SWEEP = 2000
"""The same for a sweep, which costs less for each."""


def ask(plan: Plan[T], otherwise: T, *, writes: bool = False) -> Plan[T]:
    """Ask the store; ``otherwise`` where it fails, which is logged.

    ``writes`` where the plan changes something: a store that can only be read fails at that alone.
    """
    answer = yield UseStore(plan, writes)
    return otherwise if isinstance(answer, Failed) else answer


def delete(store: Store, keys: Iterable[str]) -> Plan[int]:
    """Delete entries and aliases by key; answers how many there were."""
    return (yield from ask(store.delete(list(keys)), 0, writes=True))


def delete_url(store: Store, settings: Settings, url: str) -> Plan[int]:
    """Delete whatever was stored for a URL: each method, body and set of header fields."""
    deleted = yield from ask(store.purge(url_locator(settings, url)), 0, writes=True)
    if settings.key_fn is not None:
        keys = yield from _keys_of_users(store, settings, url)
        deleted += yield from delete(store, keys)
    return deleted


def has_url(store: Store, settings: Settings, url: str) -> Plan[bool]:
    """Whether anything is stored for a URL, or a redirect from it."""
    if (yield from ask(store.has_locator(url_locator(settings, url)), False)):
        return True
    return settings.key_fn is not None and bool((yield from _keys_of_users(store, settings, url)))


def _keys_of_users(store: Store, settings: Settings, url: str) -> Plan[list[str]]:
    """The keys of a URL's entries, where a user makes them: nothing but the entries tells.

    They tell no redacted names, so that all that differs in those counts as the same.
    """
    wanted, found, after = (
        url_locator(settings, redact_url(url, settings.unstored)),
        list[str](),
        "",
    )
    while batch := (yield from page(store, after, bodies=False)):
        found += [
            stored.key for _, stored in batch if url_locator(settings, stored.entry.url) == wanted
        ]
        after = batch[-1][0]
    return found


def page(store: Store, after: str, *, bodies: bool) -> Plan[list[tuple[str, Stored]]]:
    """Some entries, each with the cursor that continues behind it."""
    return (yield from ask(store.page(after, PAGE if not bodies else 50, bodies=bodies), []))


def links(store: Store, after: str) -> Plan[list[tuple[str, Alias]]]:
    """Some aliases, in the order of their keys."""
    return (yield from ask(store.links(after, PAGE), []))


def urls(store: Store) -> Plan[list[str]]:
    """The URLs of all entries, expired ones included: sorted, each once."""
    found: set[str] = set()
    after = ""
    while batch := (yield from page(store, after, bodies=False)):
        found.update(stored.entry.url for _, stored in batch)
        after = batch[-1][0]
    return sorted(found)


def sweep(store: Store, now: float) -> Plan[int]:
    """Delete all entries that have expired; answers how many."""
    total = 0
    while swept := (yield from ask(store.sweep(now, SWEEP), 0, writes=True)):
        total += swept
        yield Pause()
        if swept < SWEEP:
            break
    return total


def reset_expiration(store: Store, expiry: Expiry) -> Plan[int]:
    """Apply another expiration to all entries, counted from when each was created.

    Answers how many were changed.
    """
    changed, after = 0, ""
    while batch := (yield from page(store, after, bodies=False)):
        changes = [
            (stored.key, stored.variant, _expiring(stored.entry, expiry)) for _, stored in batch
        ]
        changed += yield from ask(store.freshen(changes), 0, writes=True)
        after = batch[-1][0]
        yield Pause()
    return changed


def _expiring(entry: Entry, expiry: Expiry) -> Entry:
    expires = entry.created if expiry is DO_NOT_CACHE else expiry.expires(entry.created)
    return msgspec.structs.replace(entry, expires=expires)
