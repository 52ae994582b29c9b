"""What a mapping promises that a cache keeps its responses in."""

from __future__ import annotations

from typing import ClassVar

import pytest

from acachecontrol.cache import AsyncCache
from acachecontrol.session import AsyncCacheControl
from aiohttp_client_cache.testing import answers
from http_client_cache.entry import Stored
from http_client_cache.shell.immediate import AsyncImmediate, SyncImmediate
from http_client_cache.store.mapping import MappingStore, OrderedMapping, StoredUrl
from http_client_cache.testing import (
    NoLeaseContract,
    StoreContract,
    Subject,
    VariantsContract,
    WholeBodiesContract,
    entry,
)

URLS = [f"https://example.org/{number}" for number in range(5)]


def value(url: str, body: bytes = b"") -> StoredUrl:
    """What the cache puts into a mapping."""
    return StoredUrl(url, (Stored("a.1", entry(url, body=body), body),))


class MappingContract(StoreContract, VariantsContract, WholeBodiesContract, NoLeaseContract):
    """The contract of a mapping; a subclass has, or sees, a fixture ``mapping``.

    That fixture makes a new, empty one for each test. Beside the few methods themselves, it is
    tested as the store that the cache makes of it.

    Attributes:
        many: how many entries a test saves, for one URL, that is about many of them.
    """

    many: ClassVar[int] = 240

    @pytest.fixture
    def subject(self, mapping: OrderedMapping) -> Subject:
        """The store that the cache makes of the mapping."""
        return Subject(MappingStore(mapping), SyncImmediate(), AsyncImmediate(), many=self.many)

    async def test_values_come_back(self, mapping: OrderedMapping) -> None:
        """Equal to what they were; what was never there, or was taken out, is not there."""
        assert len(mapping) == 0
        assert URLS[0] not in mapping
        for size in (0, 100, 300_000):
            mapping[URLS[0]] = value(URLS[0], bytes(size))
            assert URLS[0] in mapping
            assert mapping[URLS[0]] == value(URLS[0], bytes(size))
            assert len(mapping) == 1
            assert mapping.pop(URLS[0]) == value(URLS[0], bytes(size))
            assert URLS[0] not in mapping
            assert len(mapping) == 0
        with pytest.raises(KeyError):
            mapping[URLS[0]]

    async def test_the_order_is_that_of_writing(self, mapping: OrderedMapping) -> None:
        """``popitem`` takes the last, or the first."""
        for url in URLS:
            mapping[url] = value(url)
        mapping.popitem()
        mapping.popitem(last=False)
        assert [url in mapping for url in URLS] == [False, True, True, True, False]
        assert len(mapping) == 3

    async def test_what_is_moved_to_the_end_goes_last(self, mapping: OrderedMapping) -> None:
        """So that what was used least recently comes first."""
        for url in URLS:
            mapping[url] = value(url)
        mapping.move_to_end(URLS[0])
        mapping.move_to_end(URLS[4])
        mapping.pop(URLS[1])
        for gone in (2, 3, 0, 4):
            assert URLS[gone] in mapping
            mapping.popitem(last=False)
            assert URLS[gone] not in mapping
        assert len(mapping) == 0

    async def test_a_session_is_served_from_it(self, mapping: OrderedMapping) -> None:
        """And of more than ``capacity`` URLs, what was used least recently is fetched again."""
        cache = AsyncCache({"capacity": 2}, mapping)
        async with answers() as server, AsyncCacheControl(cache=cache) as session:
            for page, count in (("/a", 1), ("/b", 1), ("/a", 1), ("/c", 1), ("/a", 1), ("/b", 2)):
                async with session.get(server.url + page) as response:
                    assert await response.text() == f"{page} {count}"
            assert len(mapping) == 2
            cache.clear_cache()
            assert len(mapping) == 0
