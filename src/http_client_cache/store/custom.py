"""A store whose entries, or aliases, lie in a storage of the user's own (async only)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Protocol

from http_client_cache.body import Draft
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.item import StoredResponse
from http_client_cache.plan import Plan
from http_client_cache.statements import Call, Collect
from http_client_cache.store._measure import bytes_of, bytes_of_alias
from http_client_cache.store._unleased import Unleased
from http_client_cache.store._whole import WholeBodies, whole
from http_client_cache.variant import variant_name


class Storage(Protocol):
    """What the user's storage can do; each key holds one item."""

    async def read(self, key: str) -> Any: ...
    async def write(self, key: str, item: Any) -> None: ...
    async def contains(self, key: str) -> bool: ...
    async def delete(self, key: str) -> None: ...
    async def bulk_delete(self, keys: set[str]) -> None: ...
    async def clear(self) -> None: ...
    async def size(self) -> int: ...
    def keys(self) -> AsyncIterator[str]: ...
    def values(self) -> AsyncIterator[Any]: ...


class CustomStore(WholeBodies, Unleased):
    """Entries in one storage, aliases in another.

    Args:
        responses: where entries lie, as ``StoredResponse``.
        redirects: where aliases lie, as ``Alias``; a plain key is understood, too.
    """

    def __init__(self, responses: Storage, redirects: Storage) -> None:
        self.responses = responses
        self.redirects = redirects

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        item = yield Call(self.responses.read, (key,))
        if isinstance(item, StoredResponse):
            return (Stored(key, item.entry, item.body, (), variant_name(item.entry)),)
        if not follow:
            return ()
        alias = yield from self._alias(key)
        if alias is None:
            return ()
        item = yield Call(self.responses.read, (alias.target,))
        if not isinstance(item, StoredResponse):
            return ()
        variant = variant_name(item.entry)
        return (Stored(alias.target, item.entry, item.body, alias.hops, variant),)

    def _alias(self, key: str) -> Plan[Alias | None]:
        alias = yield Call(self.redirects.read, (key,))
        if isinstance(alias, str):
            return Alias(alias, (), 0.0)
        return alias if isinstance(alias, Alias) else None

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[bytes]:
        del variant  # One item for each key: another variant takes its place.
        yield Call(self.responses.write, (key, StoredResponse(entry, whole(body))))
        return whole(body)

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        changed = 0
        for key, variant, entry in changes:
            item = yield Call(self.responses.read, (key,))
            if (
                isinstance(item, StoredResponse)
                and len(item.body) == entry.body_size
                and entry.arrived == item.entry.arrived
                and variant_name(item.entry) == variant
            ):
                yield Call(self.responses.write, (key, StoredResponse(entry, item.body)))
                changed += 1
        return changed

    def link(self, key: str, alias: Alias) -> Plan[None]:
        yield Call(self.redirects.write, (key, alias))

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        wanted = set(keys)
        present = 0
        for key in wanted:
            here = yield Call(self.responses.contains, (key,))
            there = yield Call(self.redirects.contains, (key,))
            present += bool(here or there)
        yield Call(self.responses.bulk_delete, (wanted,))
        gone = wanted | (yield from self._leading_to(wanted))
        yield Call(self.redirects.bulk_delete, (gone,))
        return present

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        present: set[str] = set()
        for key, variant in variants:
            item = yield Call(self.responses.read, (key,))
            if isinstance(item, StoredResponse) and variant_name(item.entry) == variant:
                present.add(key)
        if present:
            yield Call(self.responses.bulk_delete, (present,))
            leading = yield from self._leading_to(present)
            yield Call(self.redirects.bulk_delete, (leading,))
        return len(present)

    def _leading_to(self, keys: set[str]) -> Plan[set[str]]:
        found: set[str] = set()
        for name in (yield Collect(self.redirects.keys)):
            alias = yield from self._alias(name)
            if alias is not None and alias.target in keys:
                found.add(name)
        return found

    def purge(self, locator: str) -> Plan[int]:
        keys = yield from self._located(locator)
        return (yield from self.delete(keys))

    def _located(self, locator: str) -> Plan[list[str]]:
        prefix = f"{locator}."
        responses = yield Collect(self.responses.keys)
        redirects = yield Collect(self.redirects.keys)
        return [key for key in {*responses, *redirects} if key.startswith(prefix)]

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        if (yield Call(self.responses.contains, (key,))):
            return True
        alias = (yield from self._alias(key)) if follow else None
        if alias is None:
            return False
        return bool((yield Call(self.responses.contains, (alias.target,))))

    def has_locator(self, locator: str) -> Plan[bool]:
        for key in (yield from self._located(locator)):
            if (yield from self.contains(key, follow=True)):
                return True
        return False

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """All of it at once: a user's storage knows no cursor."""
        del limit, bodies
        if after:
            return []
        found: list[tuple[str, Stored]] = []
        for key in (yield Collect(self.responses.keys)):
            item = yield Call(self.responses.read, (key,))
            if isinstance(item, StoredResponse):
                variant = variant_name(item.entry)
                found.append((key, Stored(key, item.entry, item.body, (), variant)))
        return found

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """All of it at once: a user's storage knows no cursor."""
        del limit
        if after:
            return []
        found: list[tuple[str, Alias]] = []
        for key in (yield Collect(self.redirects.keys)):
            alias = yield from self._alias(key)
            if alias is not None:
                found.append((key, alias))
        return found

    def size(self) -> Plan[int]:
        size: int = yield Call(self.responses.size)
        return size

    def bytes_size(self) -> Plan[int]:
        """Reads everything: a user's storage does not know."""
        rows = yield from self.page("", 0)
        links = yield from self.links("", 0)
        size = sum([bytes_of(stored) for _, stored in rows])
        return size + sum([bytes_of_alias(alias) for _, alias in links])

    def links_size(self) -> Plan[int]:
        size: int = yield Call(self.redirects.size)
        return size

    def clear(self) -> Plan[None]:
        yield Call(self.responses.clear)
        yield Call(self.redirects.clear)

    def sweep(self, before: float, limit: int) -> Plan[int]:
        del limit
        expired: list[str] = []
        for key, stored in (yield from self.page("", 0)):
            expires = stored.entry.expires
            if expires is not None and expires <= before:
                expired.append(key)
        if expired:
            yield from self.delete(expired)
        return len(expired)
