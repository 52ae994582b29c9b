"""What all parts of the contract have in common."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from http_client_cache.body import AnyBody
from http_client_cache.entry import Stored
from http_client_cache.plan import Plan
from http_client_cache.store import Store
from http_client_cache.testing.subject import COLOURS, Subject, entry

Do = Callable[[Plan[Any]], Awaitable[Any]]
"""Runs a plan of the store to its end; awaited in either colour."""

BODY = b"the body"


class AsyncTests:
    """Coroutine methods that are tests, whatever mode pytest-asyncio is in."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, test in vars(cls).items():
            if name.startswith("test_") and inspect.iscoroutinefunction(test):
                # Where it is in its strict mode, it takes no others.
                pytest.mark.asyncio(test)


class Contract(AsyncTests):
    """A part of the contract; a subclass has, or sees, a fixture ``subject``.

    That fixture makes a :class:`~http_client_cache.testing.Subject`, a new one for each test. The
    shells are closed when the test is over.

    Attributes:
        colours: what the store can be used by: ``"sync"`` for callers that block, ``"async"`` for
            event loops, or both, which is the default.
    """

    colours: ClassVar[tuple[str, ...]] = ("sync", "async")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each colour, where it makes a difference."""
        if "colour" in metafunc.fixturenames:
            metafunc.parametrize("colour", self.colours)
        if "writer" in metafunc.fixturenames:
            pairs = [(one, other) for one in self.colours for other in self.colours]
            metafunc.parametrize(("writer", "reader"), pairs)

    @pytest.fixture
    def store(self, subject: Subject) -> Store:
        """The store itself."""
        return subject.store

    @pytest.fixture
    def do(self, subject: Subject, colour: str) -> Do:
        """Runs a plan; what is put in by one colour is there for the other."""
        return does(subject, colour)

    @pytest_asyncio.fixture(autouse=True)
    async def closed_at_the_end(self, subject: Subject) -> AsyncIterator[None]:
        """Lets go of whatever the shells have opened."""
        yield
        await subject.close()


def does(subject: Subject, colour: str) -> Do:
    """Runs plans of a store in one colour."""
    run = COLOURS[colour]

    async def do(plan: Plan[Any]) -> Any:
        return await run(subject, plan)

    return do


async def put(do: Do, store: Store, *keys: str, expires: float | None = None) -> None:
    """Save a small entry under each key."""
    for key in keys:
        await do(store.save(key, entry(body=BODY, expires=expires), BODY))


async def found(do: Do, store: Store, key: str) -> list[tuple[str, AnyBody]]:
    """Key and body of whatever a key, or an alias of that name, leads to."""
    return [(stored.key, stored.body) for stored in await do(store.load(key, follow=True))]


async def all_pages(do: Do, store: Store, limit: int, *, bodies: bool = False) -> list[Stored]:
    """All entries, so many at a time."""
    told: list[Stored] = []
    after = ""
    while page := await do(store.page(after, limit, bodies=bodies)):
        assert len(page) <= limit, "a page is longer than it may be"
        told += [stored for _, stored in page]
        assert page[-1][0] != after, "a page must end with another cursor than it began"
        after = page[-1][0]
    return told
