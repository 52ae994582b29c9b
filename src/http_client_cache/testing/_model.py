"""A store as two dictionaries, a third one for leases, and no regard for time or room."""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from http_client_cache.entry import Alias, Entry, Stored
from http_client_cache.store import FRUITLESS_SECONDS, NOBODY

Place = tuple[str, str]
"""Key and variant."""


def is_at(key: str, locator: str) -> bool:
    """Whether a key has this locator."""
    return key.partition(".")[0] == locator


class Model:
    """What a store answers, in as few words as possible; see ``Store`` for each."""

    def __init__(self) -> None:
        self.entries: dict[Place, tuple[Entry, bytes]] = {}
        self.aliases: dict[str, Alias] = {}
        self.leases: dict[str, tuple[str, float]] = {}

    def rows(self) -> list[Stored]:
        """All of it, in the order of keys and variants."""
        return [
            Stored(key, entry, body, variant=variant)
            for (key, variant), (entry, body) in sorted(self.entries.items())
        ]

    def load(self, key: str, *, follow: bool) -> list[Stored]:
        """Newest first; of equally old ones, in the order of their variants."""
        found = [stored for stored in self.rows() if stored.key == key]
        led = self.aliases.get(key)
        if not found and follow and led is not None:
            found = [stored for stored in self.rows() if stored.key == led.target]
            found = [stored._replace(hops=led.hops) for stored in found]
        return sorted(found, key=lambda stored: -stored.entry.created)

    def has_locator(self, locator: str) -> bool:
        """Whether a key with this locator leads to an entry."""
        return any(self.load(key, follow=True) for key in self.located(locator))

    def located(self, locator: str) -> list[str]:
        """All keys with this locator, of entries and of aliases."""
        keys = {key for key, _ in self.entries} | set(self.aliases)
        return [key for key in keys if is_at(key, locator)]

    def save(self, place: Place, entry: Entry, body: bytes) -> None:
        """Put one in the place of another."""
        self.entries[place] = entry, body

    def freshen(self, change: tuple[str, str, Entry]) -> bool:
        """Replace the metadata, if it tells of the body that is there."""
        key, variant, entry = change
        known = self.entries.get((key, variant))
        if known is None or not entry.has_body_of(known[0]):
            return False
        # What a store notes of its own is not compared.
        self.entries[key, variant] = msgspec.structs.replace(entry, packed=None), known[1]
        return True

    def delete(self, keys: Iterable[str]) -> tuple[int, int]:
        """Delete keys; answers how many were there, at least and at most.

        An alias that goes along with its target may be counted or not, if it is named as well.
        """
        named = set(keys)
        there = {key for key in named if self.load(key, follow=False) or key in self.aliases}
        alone = {key for key in there if self._target(key) not in named - {key}}
        for key in there:
            self.aliases.pop(key, None)
        self.drop([place for place in self.entries if place[0] in there])
        self._unlink(there)
        return len(alone), len(there)

    def _target(self, key: str) -> str | None:
        led = self.aliases.get(key)
        return None if led is None or self.load(key, follow=False) else led.target

    def purge(self, locator: str) -> tuple[int, int]:
        """Delete all keys with this locator; answers as ``delete`` does."""
        led = {alias.target for alias in self.aliases.values() if is_at(alias.target, locator)}
        return self.delete({*self.located(locator), *led})

    def drop(self, places: Iterable[Place]) -> int:
        """Delete entries, and what led to keys that have none any more."""
        gone = [place for place in set(places) if self.entries.pop(place, None) is not None]
        left = {key for key, _ in self.entries}
        self._unlink({key for key, _ in gone} - left)
        return len(gone)

    def due(self, before: float) -> list[Place]:
        """What has expired by then."""
        return [
            place
            for place, (entry, _) in self.entries.items()
            if entry.expires is not None and entry.expires <= before
        ]

    def lost(self) -> list[tuple[str, Alias]]:
        """Aliases that lead nowhere."""
        there = {key for key, _ in self.entries}
        return [(key, led) for key, led in self.aliases.items() if led.target not in there]

    def forget_lost(self, but: Container[str] = ()) -> None:
        """Delete aliases that lead nowhere, except for some."""
        for key, _ in self.lost():
            if key not in but:
                del self.aliases[key]

    def _unlink(self, targets: set[str]) -> None:
        self.aliases = {key: led for key, led in self.aliases.items() if led.target not in targets}

    # Leases

    def holder(self, name: str, now: float) -> str | None:
        """Whose a lease is."""
        owner, until = self.leases.get(name, (None, 0.0))
        return owner if now < until else None

    def claim(self, name: str, owner: str, now: float, seconds: float) -> str:
        """Take a lease, if it is free or the owner's own."""
        if self.holder(name, now) in {None, owner}:
            self.leases[name] = owner, now + seconds
        return self.leases[name][0]

    def release(self, name: str, owner: str, now: float, *, fruitless: bool) -> None:
        """Give a lease back, if it is still the owner's."""
        if self.holder(name, now) == owner:
            del self.leases[name]
            if fruitless:
                self.leases[name] = NOBODY, now + FRUITLESS_SECONDS
