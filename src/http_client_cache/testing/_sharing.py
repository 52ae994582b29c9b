"""Many users of one store: tasks, threads, loops, colours."""

from __future__ import annotations

import asyncio

from http_client_cache.body import AnyBody
from http_client_cache.entry import Stored
from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, does, found, put
from http_client_cache.testing.subject import Subject, alias, entry


class Sharing(Contract):
    """A store may be used by any number of them, at once and one after the other."""

    async def test_many_at_once(self, do: Do, store: Store, subject: Subject) -> None:
        """Each sees what it has written itself."""

        async def one(number: int) -> None:
            key = f"{number % 7}.{number}"
            body = f"body {number}".encode() * (1 + 5000 * (number % 10 == 0))
            await do(store.save(key, entry(body=body), body))
            assert await found(do, store, key) == [(key, body)]
            if number % 3 == 0:
                assert await do(store.delete([key])) == 1
                assert await found(do, store, key) == []
            elif number % 3 == 1:
                await do(store.link(f"x.{number}", alias(key)))
                assert await found(do, store, f"x.{number}") == [(key, body)]

        count = subject.many // 24
        await asyncio.gather(*(one(number) for number in range(3 * count)))
        assert await do(store.size()) == 2 * count
        assert await do(store.links_size()) == count

    async def test_of_many_writers_one_wins(self, do: Do, store: Store) -> None:
        """What is read meanwhile is whole, and so is what is left."""

        def body_of(number: int) -> bytes:
            return f"{number} ".encode() * (10 + 40_000 * (number % 2))

        def whole(stored: Stored) -> AnyBody:
            number = int(stored.entry.url.rpartition("/")[2])
            assert stored.body == body_of(number), "metadata and body are of two responses"
            return stored.body

        async def one(number: int) -> None:
            body, url = body_of(number), f"https://example.org/{number}"
            await do(store.save("a.1", entry(url, body=body), body))
            (stored,) = await do(store.load("a.1"))
            whole(stored)

        await asyncio.gather(*(one(number) for number in range(12)))
        (left,) = await do(store.load("a.1"))
        assert whole(left)
        assert await do(store.size()) == 1

    async def test_what_one_writes_the_other_reads(
        self, subject: Subject, store: Store, writer: str, reader: str
    ) -> None:
        """A program may use both colours of one store."""
        write, read = does(subject, writer), does(subject, reader)
        for number in range(3):
            await write(store.save(f"a.{number}", entry(body=BODY), BODY))
            (stored,) = await read(store.load(f"a.{number}"))
            assert stored.body == BODY
            assert await read(store.size()) == number + 1
        await read(store.delete(["a.1"]))
        assert await found(write, store, "a.1") == []
        await write(store.link("b.1", alias("a.2")))
        assert await found(read, store, "b.1") == [("a.2", BODY)]

    async def test_what_was_closed_opens_again(
        self, do: Do, store: Store, subject: Subject
    ) -> None:
        """The last session that uses a store closes it, and another one may come."""
        await put(do, store, "a.1")
        await subject.close()
        await subject.close()
        await found(do, store, "a.1")
        await put(do, store, "a.2")
        assert await found(do, store, "a.2") == [("a.2", BODY)]

    async def test_one_loop_after_the_other(self, do: Do, store: Store, subject: Subject) -> None:
        """A store belongs to no event loop, and to no thread."""

        async def use(key: str) -> None:
            await put(do, store, key)
            assert await found(do, store, key) == [(key, BODY)]
            await subject.close()

        for key in ("a.1", "a.2", "a.3"):
            await asyncio.to_thread(asyncio.run, use(key))
        await use("a.4")
