"""Storages: where a backend keeps responses and redirects, seen as mappings with coroutines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from aiohttp_client_cache.detached import detached_response
from http_client_cache import housekeeping, steps
from http_client_cache.codec import Codec, codec_for
from http_client_cache.entry import Alias, Entry
from http_client_cache.item import StoredResponse
from http_client_cache.variant import variant_name

if TYPE_CHECKING:
    from aiohttp_client_cache.response import CachedResponse
    from http_client_cache.engine import AsyncCache


class BaseCache(ABC):
    """A storage of your own: subclass it, and assign instances to a backend.

    ::

        backend = CacheBackend()
        backend.responses = MyStorage()
        backend.redirects = MyStorage()

    What is written is a :class:`~http_client_cache.item.StoredResponse` or, for redirects, an
    :class:`~http_client_cache.entry.Alias`; ``read`` gives it back, or ``None``. A storage that
    fails costs a request to the origin and a line in the log, nothing more.
    """

    @abstractmethod
    async def read(self, key: str) -> Any:
        """The item of a key, or ``None``."""

    @abstractmethod
    async def write(self, key: str, item: Any) -> None:
        """Keep an item, in the place of the one before."""

    @abstractmethod
    async def contains(self, key: str) -> bool:
        """Whether the key has an item."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Delete the item of a key; no error if there is none."""

    @abstractmethod
    async def bulk_delete(self, keys: set[str]) -> None:
        """Delete the items of these keys; those that have none are no error."""

    @abstractmethod
    async def clear(self) -> None:
        """Delete all items."""

    @abstractmethod
    async def size(self) -> int:
        """How many items there are."""

    @abstractmethod
    def keys(self) -> AsyncIterator[str]:
        """All keys; written as ``async def`` with ``yield``."""

    @abstractmethod
    def values(self) -> AsyncIterator[Any]:
        """All items; written as ``async def`` with ``yield``."""

    async def close(self) -> None:  # noqa: B027 - most storages have nothing to close
        """Let go of connections; the storage may be used again afterwards."""

    def serialize(self, item: StoredResponse | Alias) -> bytes:
        """An item as bytes, for a storage that keeps nothing else; no code lies in them."""
        codec = self._codec()
        if isinstance(item, Alias):
            return b"a" + codec.encode_alias("", item)
        record = codec.encode("", "", item.entry, item.body)
        return b"r" + len(record).to_bytes(4, "big") + record + item.body

    def deserialize(self, data: bytes | None) -> StoredResponse | Alias | None:
        """The inverse of :meth:`serialize`.

        Raises:
            RecordError: the bytes are damaged; the engine takes that for a miss.
        """
        if data is None:
            return None
        codec = self._codec()
        if data[:1] == b"a":
            return codec.decode_alias("", data[1:])
        end = 5 + int.from_bytes(data[1:5], "big")
        body = data[end:]
        entry: Entry = codec.decode("", "", data[5:end], body)
        return StoredResponse(entry, body)

    def _codec(self) -> Codec:
        return codec_for()


class DictCache(BaseCache):
    """A storage in a dictionary, for tests and as an example; it has no limit.

    Args:
        items: what it begins with.
    """

    def __init__(self, items: dict[str, Any] | None = None) -> None:
        self.items: dict[str, Any] = {} if items is None else items

    async def read(self, key: str) -> Any:
        """The item of a key, or ``None``."""
        return self.items.get(key)

    async def write(self, key: str, item: Any) -> None:
        """Keep an item."""
        self.items[key] = item

    async def contains(self, key: str) -> bool:
        """Whether the key has an item."""
        return key in self.items

    async def delete(self, key: str) -> None:
        """Delete the item of a key."""
        self.items.pop(key, None)

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        """Delete the items of some keys."""
        for key in keys:
            self.items.pop(key, None)

    async def clear(self) -> None:
        """Delete all items."""
        self.items.clear()

    async def size(self) -> int:
        """How many items there are."""
        return len(self.items)

    async def keys(self) -> AsyncIterator[str]:
        """All keys."""
        for key in list(self.items):
            yield key

    async def values(self) -> AsyncIterator[Any]:
        """All items."""
        for item in list(self.items.values()):
            yield item


class ResponseStorage(BaseCache):
    """The responses of a backend; what it yields are readable responses."""

    def __init__(self, engine: AsyncCache) -> None:
        self._engine = engine

    async def read(self, key: str) -> CachedResponse | None:
        """The response of a key, whether it has expired or not; ``None`` if there is none."""
        found = await self._engine.run(housekeeping.ask(self._engine.store.load(key), ()))
        return detached_response(found[0], self._engine) if found else None

    async def write(self, key: str, item: StoredResponse) -> None:
        """Store a response under a key."""
        variant = variant_name(item.entry)
        saving = self._engine.store.save(key, item.entry, item.body, variant=variant)
        await self._engine.run(housekeeping.ask(saving, None))

    async def contains(self, key: str) -> bool:
        """Whether the key has a response."""
        return await self._engine.run(housekeeping.ask(self._engine.store.contains(key), False))

    async def delete(self, key: str) -> None:
        """Delete the response of a key."""
        await self.bulk_delete({key})

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        """Delete the responses of some keys."""
        await self._engine.run(housekeeping.delete(self._engine.store, keys))

    async def clear(self) -> None:
        """Delete all responses, and the redirects that led to them."""
        await self._engine.run(housekeeping.ask(self._engine.store.clear(), None))

    async def size(self) -> int:
        """How many responses there are, expired ones included."""
        return await self._engine.run(housekeeping.ask(self._engine.store.size(), 0))

    async def keys(self) -> AsyncIterator[str]:
        """The keys of all responses, each once."""
        after, seen = "", set[str]()
        while page := await self._page(after, bodies=False):
            for _, stored in page:
                # Where responses vary, a key has several of them.
                if stored.key not in seen:
                    seen.add(stored.key)
                    yield stored.key
            after = page[-1][0]

    async def values(self) -> AsyncIterator[CachedResponse]:
        """All responses, expired ones included."""
        after = ""
        while page := await self._page(after, bodies=True):
            for _, stored in page:
                yield detached_response(stored, self._engine)
            after = page[-1][0]

    async def _page(self, after: str, *, bodies: bool) -> list[Any]:
        return await self._engine.run(housekeeping.page(self._engine.store, after, bodies=bodies))


class OwnResponses(ResponseStorage):
    """A backend's own responses, as a storage beside a user's: items are stored responses."""

    async def read(self, key: str) -> Any:
        """The item of a key, or ``None``."""
        found = await self._engine.run(housekeeping.ask(self._engine.store.load(key), ()))
        if not found:
            return None
        body = await self._engine.run(steps.whole(self._engine, found[0].body))
        return None if body is None else StoredResponse(found[0].entry, body)


class RedirectStorage(BaseCache):
    """The redirects of a backend: from keys of what redirects to keys of responses.

    Args:
        engine: of the backend.
        whole: items are :class:`Alias` with the hops, instead of plain keys.
    """

    def __init__(self, engine: AsyncCache, *, whole: bool = False) -> None:
        self._engine = engine
        self._whole = whole

    async def read(self, key: str) -> str | Alias | None:
        """The key that a key leads to, or ``None``."""
        # Whatever lies between its own beginning and the key differs in one character.
        async for name, alias in self._all(after=key[:-1]):
            if name >= key:
                return self._shown(alias) if name == key else None
        return None

    async def write(self, key: str, item: str | Alias) -> None:
        """Let a key lead to another."""
        alias = item if isinstance(item, Alias) else Alias(item, (), self._engine.now())
        await self._engine.run(housekeeping.ask(self._engine.store.link(key, alias), None))

    async def contains(self, key: str) -> bool:
        """Whether the key leads to another."""
        return await self.read(key) is not None

    async def delete(self, key: str) -> None:
        """Let the key lead nowhere."""
        await self.bulk_delete({key})

    async def bulk_delete(self, keys: Iterable[str]) -> None:
        """Let the keys lead nowhere."""
        known = {name async for name in self.keys()}
        await self._engine.run(housekeeping.delete(self._engine.store, known & set(keys)))

    async def clear(self) -> None:
        """Let all keys lead nowhere."""
        await self.bulk_delete([name async for name in self.keys()])

    async def size(self) -> int:
        """How many redirects there are."""
        return await self._engine.run(housekeeping.ask(self._engine.store.links_size(), 0))

    async def keys(self) -> AsyncIterator[str]:
        """The keys of all redirects."""
        async for name, _ in self._all():
            yield name

    async def values(self) -> AsyncIterator[str | Alias]:
        """The keys that the redirects lead to."""
        async for _, alias in self._all():
            yield self._shown(alias)

    def _shown(self, alias: Alias) -> str | Alias:
        return alias if self._whole else alias.target

    async def _all(self, after: str = "") -> AsyncIterator[tuple[str, Alias]]:
        while page := await self._engine.run(housekeeping.links(self._engine.store, after)):
            for name, alias in page:
                yield name, alias
            after = page[-1][0]
