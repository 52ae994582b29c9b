"""Stores that break a promise each, and the test of the contract that notices it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from http_client_cache.body import KeptBody
from http_client_cache.limits import Retention
from http_client_cache.plan import Plan
from http_client_cache.store.memory import MemoryStore


class Healthy(MemoryStore):
    """What the others are made of: in memory, with leases as for several processes."""

    def __init__(self) -> None:
        super().__init__(None, retention=Retention())
        self.leases: dict[str, tuple[str, float, float]] = {}

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        held = yield from self.holder(name, now)
        if held in {None, owner}:
            self.leases[name] = owner, now, now + seconds
            return owner
        return held

    def holder(self, name: str, now: float) -> Plan[str | None]:
        yield from ()
        owner, since, until = self.leases.get(name, (None, 0.0, 0.0))
        return owner if since - 1 <= now < until else None

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        if (yield from self.holder(name, now)) == owner:
            del self.leases[name]
            if fruitless:
                self.leases[name] = "", now, now + 1

    def clear(self) -> Plan[None]:
        self.leases.clear()
        return (yield from super().clear())

    def sweep(self, before: float, limit: int) -> Plan[int]:
        for name, (_, _, until) in list(self.leases.items()):
            if until <= before:
                del self.leases[name]
        return (yield from super().sweep(before, limit))


class VariantsInAnyOrder(Healthy):
    noticed_by = "test_newest_first"

    def load(self, key: str, *, follow: bool = False) -> Plan[Any]:
        found = list((yield from super().load(key, follow=follow)))
        random.shuffle(found)
        return tuple(found)


class OldestFirst(Healthy):
    noticed_by = "test_newest_first"

    def load(self, key: str, *, follow: bool = False) -> Plan[Any]:
        return (yield from super().load(key, follow=follow))[::-1]


class ForgetsAliasesOnDelete(Healthy):
    noticed_by = "test_deleting_an_entry_takes_its_aliases_along"

    def delete(self, keys: Iterable[str]) -> Plan[int]:
        named = set(keys)
        left = {key: led for key, led in self._aliases.items() if key not in named}
        count = yield from super().delete(named)
        for key in left.keys() - self._aliases.keys():
            yield from self.link(key, left[key])
        return count


class DropsAllVariants(Healthy):
    noticed_by = "test_dropping_one_leaves_the_others"

    def drop(self, variants: Iterable[tuple[str, str]]) -> Plan[int]:
        count = 0
        for key, _ in set(variants):
            slot = self._slots.get(key)
            count += len(slot.rows) if slot is not None else 0
            if slot is not None:
                yield from self.delete([key])
        return count


class TellsOneTwice(Healthy):
    noticed_by = "test_pages_tell_every_entry_once"

    def page(self, after: str, limit: int, *, bodies: bool = False) -> Plan[Any]:
        page = yield from super().page(after, limit, bodies=bodies)
        if after and len(page) == limit:
            before = yield from super().page(str(int(after) - 1), 1, bodies=bodies)
            page = [(page[0][0], before[0][1]), *page[1:]] if before else page
        return page


class OnePageOnly(Healthy):
    noticed_by = "test_pages_tell_every_entry_once"

    def page(self, after: str, limit: int, *, bodies: bool = False) -> Plan[Any]:
        return [] if after else (yield from super().page(after, limit, bodies=bodies))


class FreshensTheBody(Healthy):
    noticed_by = "test_freshening_leaves_the_body"

    def freshen(self, changes: Any) -> Plan[int]:
        changes = list(changes)
        count = yield from super().freshen(changes)
        for key, variant, _ in changes:
            slot = self._slots.get(key)
            if slot is not None and variant in slot.rows:
                row = slot.rows[variant]
                body = row.stored.body
                if isinstance(body, bytes):
                    row.stored = row.stored._replace(body=b"?" * len(body))
                slot.arrange()
        return count


class FreshensWhateverIsThere(Healthy):
    noticed_by = "test_freshening_never_joins_metadata_and_body_of_two"

    def freshen(self, changes: Any) -> Plan[int]:
        same = []
        for key, variant, entry in changes:
            slot = self._slots.get(key)
            if slot is not None and variant in slot.rows:
                old = slot.rows[variant].stored.entry
                told = msgspec.structs.replace(entry, body_size=old.body_size, arrived=old.arrived)
                same.append((key, variant, told))
        return (yield from super().freshen(same))


class SweepsWithoutLimit(Healthy):
    noticed_by = "test_a_sweep_keeps_to_its_limit"

    def sweep(self, before: float, limit: int) -> Plan[int]:
        return (yield from super().sweep(before, 10**9))


class SweepsByTheFirstExpiry(Healthy):
    noticed_by = "test_a_sweep_goes_by_the_expiry_of_now"

    def freshen(self, changes: Any) -> Plan[int]:
        kept = []
        for key, variant, entry in changes:
            slot = self._slots.get(key)
            if slot is not None and variant in slot.rows:
                expires = slot.rows[variant].stored.entry.expires
                kept.append((key, variant, msgspec.structs.replace(entry, expires=expires)))
        return (yield from super().freshen(kept))


class GrantsTwice(Healthy):
    noticed_by = "test_of_many_one_gets_it"

    def claim(self, name: str, owner: str, now: float, seconds: float) -> Plan[str]:
        self.leases[name] = owner, now, now + seconds
        yield from ()
        return owner


class AnybodyMayRelease(Healthy):
    noticed_by = "test_it_cannot_be_given_back_by_another"

    def release(self, name: str, owner: str, now: float, *, fruitless: bool = False) -> Plan[None]:
        yield from ()
        self.leases.pop(name, None)


class DeletesWhatHasExpired(Healthy):
    noticed_by = "test_reading_deletes_nothing"

    def load(self, key: str, *, follow: bool = False) -> Plan[Any]:
        found = yield from super().load(key, follow=follow)
        return tuple(stored for stored in found if not stored.entry.is_expired(Retention().now()))


class PurgesWhatBeginsAlike(Healthy):
    noticed_by = "test_purge_takes_all_keys_of_a_locator"

    def purge(self, locator: str) -> Plan[int]:
        keys = [key for key in {*self._slots, *self._aliases} if key.startswith(locator)]
        return (yield from self.delete(keys))


class FollowsAliasesOfAliases(Healthy):
    noticed_by = "test_an_alias_is_followed_once"

    def load(self, key: str, *, follow: bool = False) -> Plan[Any]:
        found = yield from super().load(key, follow=follow)
        if not found and follow and key in self._aliases:
            target = self._aliases[key].target
            return (yield from super().load(target, follow=target != key))
        return found


class LosesTheEndOfLargeBodies(Healthy):
    noticed_by = "test_saved_it_is_read_as_it_came"

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        piece = yield from super().read(body, start, size)
        return piece if start + len(piece) < 2_000_000 else bytes(len(piece))


class ReadsTheBodyOfNow(Healthy):
    """What is read is the body that the key has now, or nothing."""

    noticed_by = "test_it_is_read_to_its_end_whatever_becomes_of_it"

    def read(self, body: KeptBody, start: int, size: int) -> Plan[bytes]:
        key, variant = body.place or ("", "")
        slot = self._slots.get(key)
        now = slot.rows[variant].stored.body if slot is not None and variant in slot.rows else b""
        if isinstance(now, bytes):
            return now[start : start + size] or bytes(size)
        return (yield from super().read(KeptBody(now.source, body.start, body.stop), start, size))


class CountsLeases(Healthy):
    noticed_by = "test_leases_are_no_entries"

    def size(self) -> Plan[int]:
        return (yield from super().size()) + len(self.leases)


BROKEN = [
    kind for kind in globals().values() if isinstance(kind, type) and Healthy in kind.__bases__
]
