"""Responses and redirects of a backend, seen as mappings; nothing reads all of them at once."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, MutableMapping, ValuesView
from typing import TYPE_CHECKING

from http_client_cache import housekeeping
from http_client_cache.entry import Alias, Stored
from requests_cache.backends.saving import link_to, save_response
from requests_cache.response import detached_response

if TYPE_CHECKING:
    from requests import Response

    from http_client_cache.engine import SyncCache
    from requests_cache.response import CachedResponse


def pages(engine: SyncCache, *, bodies: bool = False) -> Iterator[list[Stored]]:
    """All that is stored, some of it at a time; without ``bodies`` these are empty."""
    after = ""
    while page := engine.run(housekeeping.page(engine.store, after, bodies=bodies)):
        yield [stored for _, stored in page]
        after = page[-1][0]


def links(engine: SyncCache, after: str = "") -> Iterator[tuple[str, Alias]]:
    """All redirects behind a key, in the order of theirs."""
    while page := engine.run(housekeeping.links(engine.store, after)):
        yield from page
        after = page[-1][0]


class _Values(ValuesView["CachedResponse"]):
    """All responses, in some order."""

    _mapping: ResponseStorage

    def __iter__(self) -> Iterator[CachedResponse]:
        engine = self._mapping.engine
        for page in pages(engine, bodies=True):
            for stored in page:
                yield detached_response(stored, engine)


class _Items(ItemsView[str, "CachedResponse"]):
    """All responses with their keys; where responses vary, a key has several."""

    _mapping: ResponseStorage

    def __iter__(self) -> Iterator[tuple[str, CachedResponse]]:
        for response in self._mapping.values():
            yield response.cache_key or "", response


class ResponseStorage(MutableMapping[str, "CachedResponse"]):
    """The responses of a backend by key, expired ones included.

    What is assigned may be any response of requests'. Those that it holds are loaded when they are
    looked at.

    Args:
        engine: of the backend.
    """

    def __init__(self, engine: SyncCache) -> None:
        self.engine = engine

    def __getitem__(self, key: str) -> CachedResponse:
        found = self.engine.run(housekeeping.ask(self.engine.store.load(key), ()))
        if not found:
            raise KeyError(key)
        return detached_response(found[0], self.engine)

    def __setitem__(self, key: str, response: Response) -> None:
        save_response(self.engine, response, key)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.bulk_delete([key])

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        return self.engine.run(housekeeping.ask(self.engine.store.contains(key), False))

    def __iter__(self) -> Iterator[str]:
        seen = set[str]()
        for page in pages(self.engine):
            for stored in page:
                # Where responses vary, a key has several of them.
                if stored.key not in seen:
                    seen.add(stored.key)
                    yield stored.key

    def __len__(self) -> int:
        return self.engine.run(housekeeping.ask(self.engine.store.size(), 0))

    def values(self) -> ValuesView[CachedResponse]:
        """All responses."""
        return _Values(self)

    def items(self) -> ItemsView[str, CachedResponse]:
        """All responses with their keys."""
        return _Items(self)

    def bulk_delete(self, keys: Iterable[str]) -> None:
        """Delete the responses of some keys; those that have none are no error."""
        self.engine.run(housekeeping.delete(self.engine.store, keys))

    def clear(self) -> None:
        """Delete all responses, and the redirects that led to them."""
        self.engine.run(housekeeping.ask(self.engine.store.clear(), None, writes=True))


class RedirectStorage(MutableMapping[str, str]):
    """The redirects of a backend: from keys of what redirects to keys of responses.

    Args:
        engine: of the backend.
    """

    def __init__(self, engine: SyncCache) -> None:
        self.engine = engine

    def __getitem__(self, key: str) -> str:
        # Whatever lies between its own beginning and the key differs in one character.
        for name, alias in links(self.engine, key[:-1]):
            if name == key:
                return alias.target
            if name > key:
                break
        raise KeyError(key)

    def __setitem__(self, key: str, target: str) -> None:
        link_to(self.engine, key, Alias(target, (), self.engine.now()))

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.bulk_delete([key])

    def __iter__(self) -> Iterator[str]:
        for name, _ in links(self.engine):
            yield name

    def __len__(self) -> int:
        return self.engine.run(housekeeping.ask(self.engine.store.links_size(), 0))

    def values(self) -> ValuesView[str]:
        """The keys that the redirects lead to."""
        return _Targets(self)

    def items(self) -> ItemsView[str, str]:
        """The keys of all redirects, and those that they lead to."""
        return _Links(self)

    def bulk_delete(self, keys: Iterable[str]) -> None:
        """Let the keys lead nowhere; those that lead nowhere are no error."""
        known = [key for key in keys if key in self]
        self.engine.run(housekeeping.delete(self.engine.store, known))

    def clear(self) -> None:
        """Let all keys lead nowhere."""
        while names := [
            name for name, _ in self.engine.run(housekeeping.links(self.engine.store, ""))
        ]:
            if not self.engine.run(housekeeping.delete(self.engine.store, names)):
                return


class _Targets(ValuesView[str]):
    _mapping: RedirectStorage

    def __iter__(self) -> Iterator[str]:
        for _, alias in links(self._mapping.engine):
            yield alias.target


class _Links(ItemsView[str, str]):
    _mapping: RedirectStorage

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name, alias in links(self._mapping.engine):
            yield name, alias.target
