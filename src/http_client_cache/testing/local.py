"""What a store promises beside that lies on this machine: not to make an event loop wait."""

from __future__ import annotations

import asyncio

from http_client_cache.statements import NOT_NOW
from http_client_cache.store import Store
from http_client_cache.testing._contract import BODY, Contract, Do, does, found, put
from http_client_cache.testing.subject import Subject, alias, answered_now, entry


class LocalContract(Contract):
    """Small hits, and all that is written, are answered at once (``AsyncShell.run_now``).

    So a hit costs no switch to a thread, and a response is handed over before it is on the disk.
    A store that has to ask a server does without this.
    """

    async def test_small_hits_and_all_saves_are_answered_at_once(
        self, do: Do, store: Store, subject: Subject
    ) -> None:
        """While something is being written, too, where the store says so (``never_waits``)."""
        await do(store.load("a.1"))  # Opens whatever has to be opened.
        if answered_now(subject, store.load("a.1")) is NOT_NOW:
            await does(subject, "async")(store.load("a.1"))
        assert answered_now(subject, store.load("a.1")) == ()
        assert answered_now(subject, store.save("a.1", entry(body=BODY), BODY)) == BODY
        assert answered_now(subject, store.link("b.1", alias("a.1"))) is None
        for written in (False, True):
            for key in ("a.1", "b.1") if written or subject.never_waits else ():
                (stored,) = answered_now(subject, store.load(key, follow=True))
                assert stored.body == BODY
            assert await do(store.size()) == 1

    async def test_nobody_sees_what_is_being_dropped(self, subject: Subject, store: Store) -> None:
        """Not even while the dropping is under way."""
        do = does(subject, "async")
        await put(do, store, "a.1", "b.1")
        await do(store.link("x.1", alias("b.1")))
        assert await do(store.size()) == 2
        dropping = asyncio.ensure_future(do(store.drop([("a.1", ""), ("b.1", "")])))
        await asyncio.sleep(0)
        assert await found(do, store, "a.1") == []
        assert await found(do, store, "x.1") == []
        assert not await do(store.contains("b.1"))
        assert await do(store.size()) == 0
        assert await dropping == 2
