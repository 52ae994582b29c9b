"""What a :class:`~aiohttp_client_cache.BaseCache` promises."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from aiohttp_client_cache.backends.base import CacheBackend
from aiohttp_client_cache.backends.storage import BaseCache
from aiohttp_client_cache.session import CachedSession
from aiohttp_client_cache.testing.serving import answers
from http_client_cache.item import StoredResponse
from http_client_cache.testing._contract import AsyncTests
from http_client_cache.testing.subject import NOW, alias, entry, full_entry

SIZES = [0, 1, 1024, 600_000, 3_000_000]


def key(number: int = 0) -> str:
    """A key as the engine makes them: hexadecimal digits and a dot."""
    return f"{number:016x}.{number + 1:032x}"


def item(body: bytes = b"the body") -> StoredResponse:
    """A response that expires tomorrow."""
    return StoredResponse(entry(body=body, expires=NOW + 86400), body)


class StorageContract(AsyncTests):
    """The contract of a storage; a subclass has, or sees, a fixture ``storage``.

    That fixture makes a new, empty one for each test, which is closed when the test is over. Items
    come back equal to what they were.

    Attributes:
        many: how many items a test writes that is about many of them: more than any page or batch
            of the storage.
        any_key: whether a key may be any text, as a ``key_fn`` makes them; otherwise it is always
            hexadecimal digits and a dot.
    """

    many: ClassVar[int] = 300
    any_key: ClassVar[bool] = True

    @pytest_asyncio.fixture(autouse=True)
    async def storage_is_closed_at_the_end(self, storage: BaseCache) -> AsyncIterator[None]:
        """Lets go of whatever it has opened."""
        yield
        await storage.close()

    async def test_what_was_never_written_is_absent(self, storage: BaseCache) -> None:
        """No method fails where there is nothing."""
        assert await storage.read(key()) is None
        assert not await storage.contains(key())
        await storage.delete(key())
        await storage.bulk_delete({key(), key(1)})
        await storage.bulk_delete(set())
        assert await storage.size() == 0
        assert await keys_of(storage) == []
        assert await values_of(storage) == []
        await storage.clear()

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_response_comes_back_whole(self, storage: BaseCache, size: int) -> None:
        """As often as it is read."""
        kept = item(os.urandom(size))
        await storage.write(key(), kept)
        for _ in range(2):
            assert await storage.read(key()) == kept
            assert await storage.contains(key())
        assert await storage.size() == 1

    async def test_every_field_of_a_response_comes_back(self, storage: BaseCache) -> None:
        """Fields that came as bytes are the same bytes, fractions of seconds included."""
        kept = StoredResponse(full_entry(body=b"x"), b"x")
        await storage.write(key(), kept)
        found = await storage.read(key())
        assert isinstance(found, StoredResponse)
        assert repr(found.entry) == repr(kept.entry)
        assert found.body == b"x"

    async def test_a_redirect_comes_back(self, storage: BaseCache) -> None:
        """For the instance that is assigned to ``redirects``."""
        await storage.write(key(), alias(key(1)))
        assert await storage.read(key()) == alias(key(1))
        assert await values_of(storage) == [alias(key(1))]

    async def test_writing_again_replaces(self, storage: BaseCache) -> None:
        """Nothing of the item before is left, be it longer or shorter."""
        for body in (b"one", bytes(100_000), b"three"):
            await storage.write(key(), item(body))
            assert await storage.read(key()) == item(body)
            assert await storage.size() == 1
            assert await keys_of(storage) == [key()]

    async def test_deleting_one_leaves_the_others(self, storage: BaseCache) -> None:
        """What is deleted may be written again."""
        for number in range(3):
            await storage.write(key(number), item())
        await storage.delete(key(1))
        assert await storage.read(key(1)) is None
        assert not await storage.contains(key(1))
        assert await keys_of(storage) == [key(0), key(2)]
        await storage.write(key(1), item(b"again"))
        assert await storage.read(key(1)) == item(b"again")
        assert await storage.size() == 3

    async def test_many_are_listed_and_deleted(self, storage: BaseCache) -> None:
        """More than fit into one page, or one batch; each is told once."""
        for number in range(self.many):
            await storage.write(key(number), item(b"%d" % number))
        assert await storage.size() == self.many
        assert await keys_of(storage) == [key(number) for number in range(self.many)]
        bodies = sorted(int(kept.body) for kept in await values_of(storage))
        assert bodies == list(range(self.many))
        gone = {key(number) for number in range(self.many) if number != 7}
        await storage.bulk_delete(gone | {key(self.many)})
        assert await keys_of(storage) == [key(7)]
        assert await storage.size() == 1

    async def test_clear_leaves_nothing(self, storage: BaseCache) -> None:
        """And the storage is as good as new."""
        for number in range(10):
            await storage.write(key(number), item())
        await storage.clear()
        assert await storage.size() == 0
        assert await keys_of(storage) == []
        assert await storage.read(key()) is None
        await storage.write(key(), item())
        assert await storage.size() == 1

    async def test_keys_may_hold_anything(self, storage: BaseCache) -> None:
        """No character means anything, and none is taken for another."""
        names = [f"GET http://httpbin.org/{key()}", "get", "GET", "../a", "a b\n", "%_*", "ключ.1"]
        if not self.any_key:
            names = [key(number) for number in (0, 10, 255)]
        for name in names:
            await storage.write(name, item(name.encode()))
        assert await keys_of(storage) == sorted(names)
        for name in names:
            assert await storage.read(name) == item(name.encode())
            await storage.delete(name)
            assert not await storage.contains(name)
        assert await storage.size() == 0

    async def test_it_may_change_while_it_is_listed(self, storage: BaseCache) -> None:
        """Other tasks write and delete meanwhile; what they let alone is told once."""
        for number in range(10):
            await storage.write(key(number), item())
        told: list[str] = []
        names = storage.keys()
        async for name in names:
            told.append(name)
            if len(told) == 1:
                await storage.write(key(20), item())
                await storage.delete(key(9))
                await storage.delete(key(0))
        assert len(told) == len(set(told))
        assert {key(number) for number in range(1, 9)} <= set(told)

    async def test_many_at_once(self, storage: BaseCache) -> None:
        """Each task sees what it has written itself."""

        async def one(number: int) -> None:
            kept = item(b"%d " % number * 5000)
            await storage.write(key(number), kept)
            assert await storage.read(key(number)) == kept
            if number % 3 == 0:
                await storage.delete(key(number))
                assert not await storage.contains(key(number))

        await asyncio.gather(*(one(number) for number in range(60)))
        assert await storage.size() == 40

    async def test_of_many_writers_one_wins(self, storage: BaseCache) -> None:
        """Whoever reads meanwhile is given one of the items, whole."""

        async def one(number: int) -> None:
            # Body and metadata tell of each other: the length.
            body = b"x" * (number * 20_000)
            await storage.write(key(), item(body))
            found = await storage.read(key())
            assert len(found.body) == found.entry.body_size, "half of one item, half of another"

        await asyncio.gather(*(one(number) for number in range(12)))
        found = await storage.read(key())
        assert len(found.body) == found.entry.body_size
        assert await storage.size() == 1

    async def test_what_was_closed_opens_again(self, storage: BaseCache) -> None:
        """The last session that uses a backend closes it, and another one may come."""
        await storage.close()
        await storage.write(key(), item())
        await storage.close()
        await storage.close()
        await storage.read(key())
        await storage.write(key(1), item(b"again"))
        assert await storage.read(key(1)) == item(b"again")

    async def test_one_loop_after_the_other(self, storage: BaseCache) -> None:
        """A program may call ``asyncio.run`` several times."""

        async def use(number: int) -> None:
            await storage.write(key(number), item(b"%d" % number))
            assert await storage.read(key(number)) == item(b"%d" % number)
            await storage.close()

        for number in range(3):
            await asyncio.to_thread(asyncio.run, use(number))
        await use(3)

    async def test_a_session_is_served_from_it(self, storage: BaseCache) -> None:
        """Kept, served, looked up, expired, deleted: by a session, from a server."""
        backend = CacheBackend(expire_after=3600)
        backend.responses = storage
        async with answers() as server, CachedSession(cache=backend) as session:
            for page in ("/a", "/b", "/a", "/b"):
                response = await session.get(server.url + page)
                assert await response.text() == f"{page} 1"
            assert (server.asked["/a"], server.asked["/b"]) == (1, 1)
            assert await storage.size() == 2
            assert await backend.has_url(server.url + "/a")
            assert await backend.delete_url(server.url + "/a") == 1
            assert not await backend.has_url(server.url + "/a")
            assert await backend.delete_expired_responses(expire_after=1e-6) == 1
            assert await storage.size() == 0
            response = await session.get(server.url + "/a")
            assert await response.text() == "/a 2"

    async def test_redirects_are_served_from_it(self, storage: BaseCache) -> None:
        """The same for the instance that is assigned to ``redirects``."""
        backend = CacheBackend()
        backend.redirects = storage
        async with answers() as server, CachedSession(cache=backend) as session:
            for _ in range(2):
                response = await session.get(server.url + "/to/a")
                assert await response.text() == "/a 1"
                assert [hop.status for hop in response.history] == [302]
            assert dict(server.asked) == {"/to/a": 1, "/a": 1}
            assert await storage.size() == 1
            await backend.delete_url(server.url + "/a")
            assert await storage.size() == 0, "a redirect goes with the response it leads to"


async def keys_of(storage: BaseCache) -> list[str]:
    """All keys, in their order."""
    told = storage.keys()
    return sorted([name async for name in told])


async def values_of(storage: BaseCache) -> list[Any]:
    """All items."""
    return [found async for found in storage.values()]
