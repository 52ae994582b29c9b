"""The store in this process's memory: bounded, and what was used least recently goes first."""

from __future__ import annotations

import heapq
import logging
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from http_client_cache.body import AnyBody, Draft
from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.limits import FULL, Limits, Retention
from http_client_cache.plan import Plan
from http_client_cache.store._measure import bytes_of, bytes_of_alias
from http_client_cache.store._memory_bodies import BodiesInMemory, kept_in_memory
from http_client_cache.store._timetable import Timetable
from http_client_cache.store._unleased import Unleased

logger = logging.getLogger("http_client_cache")

DEFAULT_MAX_BYTES: Final = 256 * 1024 * 1024

LEAVING: Final = 8
"""How many of those whose time to leave has come go with each that is saved."""


class _Row:
    """One variant of one key."""

    __slots__ = ("cost", "leaves", "number", "stored")

    def __init__(self, number: int, stored: Stored) -> None:
        self.number = number
        self.stored = stored
        self.cost = 0
        self.leaves: float | None = None


class _Slot:
    """All variants of one key, and what ``load`` answers for it."""

    __slots__ = ("answer", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.answer: tuple[Stored, ...] = ()

    def arrange(self) -> None:
        """Newest first; of equally old ones, in the order of their variants."""
        found = [row.stored for row in self.rows.values()]
        found.sort(key=lambda stored: (-stored.entry.created, stored.variant))
        self.answer = tuple(found)


class MemoryStore(BodiesInMemory, Unleased):
    """Keeps entries and bodies as they are; safe for any threads and loops.

    Its plans are done as soon as they are asked: ``yield from ()`` only makes them plans.

    Args:
        max_bytes: how much may be kept, about; ``None`` for no limit.
        max_entries: how many entries may be kept, and how many aliases; ``None`` for no limit.
        retention: until when what has expired is kept; an hour if left out.
    """

    def __init__(
        self,
        max_bytes: int | None = DEFAULT_MAX_BYTES,
        *,
        max_entries: int | None = None,
        retention: Retention | None = None,
    ) -> None:
        self.limits = Limits(max_entries, max_bytes)
        self._retention = retention or Retention()
        self._lock = threading.Lock()
        self._evicted = False
        self._forget()

    def _forget(self) -> None:
        self._bytes = 0
        self._count = 0
        self._number = 0
        # In the order of their last use.
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._aliases: OrderedDict[str, Alias] = OrderedDict()
        self._led_from: dict[str, set[str]] = {}
        self._locators: dict[str, set[str]] = {}
        # In the order of their numbers; what was deleted is dropped now and then.
        self._numbers: list[int] = []
        self._rows: dict[int, tuple[str, _Row]] = {}
        self._expiries = Timetable(self._expires)
        self._leaving = Timetable(self._leaves)

    # What a request needs.

    def load(self, key: str, *, follow: bool = False) -> Plan[tuple[Stored, ...]]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            slot = self._slots.get(key)
            if slot is not None:
                self._slots.move_to_end(key)
                return slot.answer
            if follow and (alias := self._aliases.get(key)) is not None:
                slot = self._slots.get(alias.target)
                if slot is not None:
                    self._slots.move_to_end(alias.target)
                    return tuple(stored._replace(hops=alias.hops) for stored in slot.answer)
            return ()

    def save(
        self, key: str, entry: Entry, body: bytes | Draft, *, variant: str = ""
    ) -> Plan[AnyBody]:
        """See :class:`~http_client_cache.store.Store`.

        What alone is larger than ``max_bytes`` is not kept.
        """
        yield from ()
        kept = kept_in_memory(body, key, variant)
        stored = Stored(key, entry, kept, variant=variant)
        with self._lock:
            slot = self._slots.get(key)
            if self.limits.max_bytes is not None and bytes_of(stored) > self.limits.max_bytes:
                # The one it replaces must not answer in its stead.
                if slot is not None and variant in slot.rows:
                    self._remove(key, slot, slot.rows[variant])
                return kept
            if slot is None:
                slot = self._slots[key] = _Slot()
                self._locators.setdefault(_locator(key), set()).add(key)
            self._put(key, slot, stored)
            self._slots.move_to_end(key)
            self._make_room()
            if self._leaving:
                self._let_leave(self._retention.now())
        return kept

    def freshen(self, changes: Sequence[tuple[str, str, Entry]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        count = 0
        with self._lock:
            for key, variant, entry in changes:
                slot = self._slots.get(key)
                row = slot.rows.get(variant) if slot is not None else None
                if slot is None or row is None or not entry.has_body_of(row.stored.entry):
                    continue
                self._put(key, slot, row.stored._replace(entry=entry))
                count += 1
            self._make_room()
        return count

    def link(self, key: str, alias: Alias) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            self._unlink(key)
            self._aliases[key] = alias
            self._bytes += bytes_of_alias(alias)
            self._led_from.setdefault(alias.target, set()).add(key)
            self._locators.setdefault(_locator(key), set()).add(key)
            self._make_room()

    # What ends an entry.

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            return sum([self._delete(key) for key in keys])

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        count = 0
        with self._lock:
            for key, variant in variants:
                slot = self._slots.get(key)
                if slot is not None and variant in slot.rows:
                    self._remove(key, slot, slot.rows[variant])
                    count += 1
        return count

    def purge(self, locator: str) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            return sum([self._delete(key) for key in list(self._locators.get(locator, ()))])

    def clear(self) -> Plan[None]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            number = self._number
            self._forget()
            # A cursor from before must not meet what is written after.
            self._number = number

    def sweep(self, before: float, limit: int) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        count = 0
        with self._lock:
            while count < limit and (number := self._expiries.take(before)) is not None:
                self._remove_number(number)
                count += 1
            if count < limit:
                lost = [
                    key for key, alias in self._aliases.items() if alias.target not in self._slots
                ]
                for key in lost:
                    self._unlink(key)
        return count

    # What is there.

    def contains(self, key: str, *, follow: bool = False) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            alias = self._aliases.get(key) if follow else None
            return key in self._slots or (alias is not None and alias.target in self._slots)

    def has_locator(self, locator: str) -> Plan[bool]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            for key in self._locators.get(locator, ()):
                alias = self._aliases.get(key)
                if key in self._slots or (alias is not None and alias.target in self._slots):
                    return True
            return False

    def page(
        self, after: str, limit: int, *, bodies: bool = False
    ) -> Plan[list[tuple[str, Stored]]]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        page: list[tuple[str, Stored]] = []
        with self._lock:
            for index in range(bisect_right(self._numbers, int(after or 0)), len(self._numbers)):
                if len(page) == limit:
                    break
                number = self._numbers[index]
                found = self._rows.get(number)
                if found is not None:
                    stored = found[1].stored
                    page.append((str(number), stored if bodies else stored._replace(body=b"")))
        return page

    def links(self, after: str, limit: int) -> Plan[list[tuple[str, Alias]]]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        with self._lock:
            keys = heapq.nsmallest(limit, (key for key in self._aliases if key > after))
            return [(key, self._aliases[key]) for key in keys]

    def size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        return self._count

    def bytes_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        return self._bytes

    def links_size(self) -> Plan[int]:
        """See :class:`~http_client_cache.store.Store`."""
        yield from ()
        return len(self._aliases)

    # How it is kept. Everything below runs under the lock.

    def _put(self, key: str, slot: _Slot, stored: Stored) -> None:
        row = slot.rows.get(stored.variant)
        if row is None:
            self._number += 1
            row = slot.rows[stored.variant] = _Row(self._number, stored)
            self._numbers.append(row.number)
            self._rows[row.number] = (key, row)
            self._count += 1
        else:
            self._bytes -= row.cost
            row.stored = stored
        row.cost = bytes_of(stored)
        self._bytes += row.cost
        slot.arrange()
        if stored.entry.expires is None:
            row.leaves = None
        else:
            row.leaves = self._retention.leaves(stored.entry)
            self._expiries.add(row.number, stored.entry.expires, self._count)
            self._leaving.add(row.number, row.leaves, self._count)

    def _expires(self, number: int) -> float | None:
        found = self._rows.get(number)
        return None if found is None else found[1].stored.entry.expires

    def _leaves(self, number: int) -> float | None:
        found = self._rows.get(number)
        return None if found is None else found[1].leaves

    def _remove(self, key: str, slot: _Slot, row: _Row) -> None:
        del slot.rows[row.stored.variant]
        del self._rows[row.number]
        self._bytes -= row.cost
        self._count -= 1
        if slot.rows:
            slot.arrange()
        else:
            del self._slots[key]
            self._forget_locator(key)
            for alias in list(self._led_from.get(key, ())):
                self._unlink(alias)
        if len(self._numbers) > 2 * self._count + 64:
            self._numbers = list(self._rows)

    def _remove_number(self, number: int) -> None:
        key, row = self._rows[number]
        self._remove(key, self._slots[key], row)

    def _delete(self, key: str) -> bool:
        """Delete whatever has this key, and what led to it."""
        slot = self._slots.get(key)
        known = slot is not None or key in self._aliases
        self._unlink(key)
        if slot is not None:
            for row in list(slot.rows.values()):
                self._remove(key, slot, row)
        for alias in list(self._led_from.get(key, ())):
            self._unlink(alias)
        return known

    def _unlink(self, key: str) -> None:
        alias = self._aliases.pop(key, None)
        if alias is None:
            return
        self._bytes -= bytes_of_alias(alias)
        sources = self._led_from[alias.target]
        sources.discard(key)
        if not sources:
            del self._led_from[alias.target]
        self._forget_locator(key)

    def _forget_locator(self, key: str) -> None:
        if key in self._slots or key in self._aliases:
            return
        keys = self._locators[_locator(key)]
        keys.discard(key)
        if not keys:
            del self._locators[_locator(key)]

    def _is_over(self) -> bool:
        entries, size = self.limits
        return (size is not None and self._bytes > size) or (
            entries is not None and max(self._count, len(self._aliases)) > entries
        )

    def _make_room(self) -> None:
        """What has expired goes first, then what was used least recently."""
        if not self._is_over():
            return
        now = self._retention.now()
        while self._is_over() and (number := self._expiries.take(now)) is not None:
            self._remove_number(number)
        entries = self.limits.max_entries
        while self._is_over():
            if self._slots and (entries is None or len(self._aliases) <= entries):
                self._evict()
            else:
                self._unlink(next(iter(self._aliases)))

    def _evict(self) -> None:
        if not self._evicted:
            self._evicted = True
            logger.warning(FULL, "in memory", self.limits)
        key, slot = next(iter(self._slots.items()))
        if len(slot.answer) > 1:
            # The newest may be what was saved just now.
            self._remove(key, slot, slot.rows[slot.answer[-1].variant])
        else:
            self._delete(key)

    def _let_leave(self, now: float) -> None:
        for _ in range(LEAVING):
            number = self._leaving.take(now)
            if number is None:
                return
            self._remove_number(number)


def _locator(key: str) -> str:
    return key.partition(".")[0]
