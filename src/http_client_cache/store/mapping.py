"""The store in a mapping of the user's own: one value for each URL, least recently used goes first.

The mapping need know no more than an ``OrderedDict`` of the plainest kind, and cannot be listed.
So the store remembers which URLs it put there. What somebody else put there is found when it is
asked for, if the store is told which URL a locator stands for (:meth:`MappingStore.name`).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from http_client_cache.body import Draft
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.item import StoredResponse
from http_client_cache.plan import Plan
from http_client_cache.store._measure import bytes_of, bytes_of_alias
from http_client_cache.store._unleased import Unleased
from http_client_cache.store._whole import WholeBodies, whole

_NAMES: Final = 1024
"""How many URLs are remembered whether or not anything is kept for them."""


class OrderedMapping(Protocol):
    """What the user's mapping can do. The order is that of writing, until something is moved."""

    def __contains__(self, key: Any, /) -> bool: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def pop(self, key: Any, /) -> Any:
        """Delete a key that is there; answers its value."""
        ...

    def popitem(self, last: bool = True) -> Any:  # noqa: FBT001, FBT002 - as OrderedDict has it
        """Delete the last key, or the first; the answer is not looked at."""
        ...

    def move_to_end(self, key: Any, /) -> None:
        """Let a key that is there be the last."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class StoredUrl:
    """All that is kept for one URL: immutable, picklable, and the value in a user's mapping.

    Attributes:
        url: in normal form; the key in the mapping.
        rows: the entries with their bodies, of whatever key and variant, last written last.
        links: keys, and the redirects that begin there.
    """

    url: str
    rows: tuple[Stored, ...] = ()
    links: tuple[tuple[str, Alias], ...] = ()

    @property
    def responses(self) -> tuple[StoredResponse, ...]:
        """The responses, last written last."""
        return tuple(StoredResponse(row.entry, whole(row.body)) for row in self.rows)

    def __repr__(self) -> str:
        return f"<StoredUrl {self.url} [{len(self.rows)}]>"


class MappingStore(WholeBodies, Unleased):
    """Keeps entries in a mapping that is its own alone; safe for any threads and loops.

    Its plans are done as soon as they are asked, in the calling thread.

    Args:
        mapping: where the values are put.
        capacity: for how many URLs something is kept; ``None`` for no limit.
        rows_per_url: how many entries are kept for one URL; ``None`` for no limit.
    """

    def __init__(
        self,
        mapping: OrderedMapping,
        capacity: int | None = None,
        rows_per_url: int | None = None,
    ) -> None:
        self.mapping = mapping
        self.capacity = capacity
        self.rows_per_url = rows_per_url
        self._lock = threading.Lock()
        # The URL of each locator: of what was asked for of late, and of what was put here, some
        # of which may have gone.
        self._named: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._tidy_at = _NAMES
        self._linked = False

    def name(self, locator: str, url: str) -> None:
        """Say which URL a locator stands for, before anything is loaded or saved there."""
        if locator in self._kept:
            return
        with self._lock:
            self._named.pop(locator, None)
            self._named[locator] = url
            if len(self._named) > _NAMES:
                del self._named[next(iter(self._named))]

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            found = self._variants(key)
            if not found and follow and (alias := self._alias(key)) is not None:
                found = [row._replace(hops=alias.hops) for row in self._variants(alias.target)]
            if found:
                self.mapping.move_to_end(self._url_of(_locator(found[0].key)))
            return tuple(found)

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[bytes]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            url = self._keep_name(key, entry.url)
            value = self._get(url) or StoredUrl(url)
            rows = [row for row in value.rows if (row.key, row.variant) != (key, variant)]
            rows.append(Stored(key, entry, whole(body), variant=variant))
            if self.rows_per_url is not None:
                del rows[: -self.rows_per_url]
            self._put(StoredUrl(value.url, tuple(rows), value.links))
        return whole(body)

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        count = 0
        with self._lock:
            for key, variant, entry in changes:
                value = self._value(key)
                rows = list(value.rows) if value is not None else []
                for index, row in enumerate(rows):
                    same = (row.key, row.variant) == (key, variant)
                    if value is None or not same or not entry.has_body_of(row.entry):
                        continue
                    rows[index] = row._replace(entry=entry)
                    self._put(StoredUrl(value.url, tuple(rows), value.links))
                    count += 1
        return count

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            url = self._keep_name(key, alias.hops[0].url if alias.hops else key)
            value = self._get(url) or StoredUrl(url)
            links = [link for link in value.links if link[0] != key]
            self._put(StoredUrl(value.url, value.rows, (*links, (key, alias))))
            self._linked = True

    # What ends an entry.

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            return sum([self._delete(key) for key in keys])

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            return sum([self._drop(key, variant) for key, variant in variants])

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            value = self._get(self._url_of(locator))
            if value is None:
                return 0
            keys = {row.key for row in value.rows} | {key for key, _ in value.links}
            return sum([self._delete(key) for key in keys if _locator(key) == locator])

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`; all of the mapping is this cache's."""
        yield from ()
        with self._lock:
            for _ in range(len(self.mapping)):
                self.mapping.popitem()

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        count = 0
        with self._lock:
            for row in list(self._rows()):
                expires = row.entry.expires
                if count < limit and expires is not None and expires <= before:
                    count += self._drop(row.key, row.variant)
            if count < limit:
                self._unlink(lambda alias: not self._variants(alias.target))
        return count

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            return self._answers(key, follow=follow)

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            value = self._get(self._url_of(locator))
            if value is None:
                return False
            keys = [*(row.key for row in value.rows), *(key for key, _ in value.links)]
            return any(_locator(key) == locator and self._answers(key, follow=True) for key in keys)

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`; in the order of keys and variants."""
        yield from ()
        place = _place(after)
        with self._lock:
            rows = [row for row in self._rows() if (row.key, row.variant) > place]
        first = heapq.nsmallest(limit, rows, key=lambda row: (row.key, row.variant))
        return [(_cursor(row), row if bodies else row._replace(body=b"")) for row in first]

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            links = [link for value in self._values() for link in value.links if link[0] > after]
        return heapq.nsmallest(limit, links, key=lambda link: link[0])

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`; counts what this store has seen."""
        yield from ()
        with self._lock:
            return sum([len(value.rows) for value in self._values()])

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`; counts what this store has seen."""
        yield from ()
        with self._lock:
            values = list(self._values())
        size = sum([bytes_of(row) for value in values for row in value.rows])
        return size + sum([bytes_of_alias(alias) for value in values for _, alias in value.links])

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`; counts what this store has seen."""
        yield from ()
        with self._lock:
            return sum([len(value.links) for value in self._values()])

    # How it is kept. Everything below runs under the lock.

    def _get(self, url: str | None) -> StoredUrl | None:
        if url is None or url not in self.mapping:
            return None
        try:
            value = self.mapping[url]
        except KeyError:
            # A mapping may drop things by itself, just now.
            return None
        return value if isinstance(value, StoredUrl) else None

    def _put(self, value: StoredUrl) -> None:
        mapping = self.mapping
        if value.url in mapping:
            # Not all mappings take a second value for a key without listing the key twice.
            mapping.pop(value.url)
        if not value.rows and not value.links:
            return
        mapping[value.url] = value
        if self.capacity is not None:
            for _ in range(len(mapping) - self.capacity):
                mapping.popitem(last=False)

    def _value(self, key: str) -> StoredUrl | None:
        return self._get(self._url_of(_locator(key)))

    def _values(self) -> Iterator[StoredUrl]:
        for url in dict.fromkeys(self._kept.values()):
            value = self._get(url)
            if value is not None:
                yield value

    def _rows(self) -> Iterator[Stored]:
        for value in self._values():
            yield from value.rows

    def _variants(self, key: str) -> list[Stored]:
        """Newest first; of equally old ones, in the order of their variants."""
        value = self._value(key)
        if value is None:
            return []
        rows = [row for row in value.rows if row.key == key]
        if len(rows) > 1:
            rows.sort(key=lambda row: (-row.entry.created, row.variant))
        return rows

    def _alias(self, key: str) -> Alias | None:
        value = self._value(key)
        return dict(value.links).get(key) if value is not None else None

    def _answers(self, key: str, *, follow: bool) -> bool:
        if self._variants(key):
            return True
        alias = self._alias(key) if follow else None
        return alias is not None and bool(self._variants(alias.target))

    def _delete(self, key: str) -> bool:
        """Delete whatever has this key, and what led to it."""
        value = self._value(key)
        rows = tuple(row for row in value.rows if row.key != key) if value is not None else ()
        links = tuple(link for link in value.links if link[0] != key) if value is not None else ()
        known = value is not None and (rows, links) != (value.rows, value.links)
        if value is not None and known:
            self._put(StoredUrl(value.url, rows, links))
        self._unlink(lambda alias: alias.target == key)
        return known

    def _drop(self, key: str, variant: str) -> bool:
        value = self._value(key)
        if value is None:
            return False
        rows = tuple(row for row in value.rows if (row.key, row.variant) != (key, variant))
        if rows == value.rows:
            return False
        self._put(StoredUrl(value.url, rows, value.links))
        if not any(row.key == key for row in rows):
            self._unlink(lambda alias: alias.target == key)
        return True

    def _unlink(self, lost: Callable[[Alias], bool]) -> None:
        if not self._linked:
            return
        for value in list(self._values()):
            links = tuple(link for link in value.links if not lost(link[1]))
            if len(links) < len(value.links):
                self._put(StoredUrl(value.url, value.rows, links))

    def _url_of(self, locator: str) -> str | None:
        return self._kept.get(locator) or self._named.get(locator)

    def _keep_name(self, key: str, url: str) -> str:
        """The URL of a key, for something to be put there: as it was named, or else ``url``."""
        locator = _locator(key)
        if locator not in self._kept:
            if len(self._kept) >= self._tidy_at:
                mapping = self.mapping
                self._kept = {name: kept for name, kept in self._kept.items() if kept in mapping}
                self._tidy_at = max(_NAMES, 2 * len(self._kept))
            self._kept[locator] = self._named.get(locator, url)
        return self._kept[locator]


def _locator(key: str) -> str:
    return key.partition(".")[0]


def _cursor(row: Stored) -> str:
    return f"{len(row.key)}.{row.key}{row.variant}"


def _place(cursor: str) -> tuple[str, str]:
    """Key and variant of a cursor; what comes before all of them for the first."""
    size, _, rest = cursor.partition(".")
    length = int(size or 0)
    return rest[:length], rest[length:]
