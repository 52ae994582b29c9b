"""What the contract is run on, and the entries that it saves."""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from http_client_cache.entry import Alias, Entry, Hop
from http_client_cache.plan import Plan
from http_client_cache.shell.store_driver import run_async, run_now, run_sync
from http_client_cache.statements import AsyncShell, SyncShell
from http_client_cache.store import Store

NOW: Final = float(int(time.time()))
"""When what the contract saves was created (UTC seconds), and what it expires by.

It is the real time, so that a store whose entries leave by themselves needs no clock of its own.
"""


class Subject(NamedTuple):
    """A store to be tested, with the shells that carry out what it says.

    Attributes:
        store: it must be empty, and nobody else's.
        sync_shell: ``None`` where there is none; the contract is to be told so
            (``Contract.colours``).
        async_shell: the same.
        never_waits: whether a read is answered at once even while something is being written;
            only :class:`~http_client_cache.testing.LocalContract` asks.
        many: how many entries a test saves that is about many of them: more than any page or
            batch of the store. One that is slow to answer takes less than the default.
    """

    store: Store
    sync_shell: SyncShell | None = None
    async_shell: AsyncShell | None = None
    never_waits: bool = True
    many: int = 1201

    async def close(self) -> None:
        """Close the shells."""
        if self.async_shell is not None:
            await self.async_shell.close()
        if self.sync_shell is not None:
            self.sync_shell.close()


async def run_as_sync(subject: Subject, plan: Plan[Any]) -> Any:
    """Run a plan in the calling thread, blocking.

    Raises:
        TypeError: there is no shell for that.
    """
    if subject.sync_shell is None:
        raise TypeError("there is no sync_shell: say colours = ('async',) in the class")
    return run_sync(plan, subject.sync_shell)


async def run_as_async(subject: Subject, plan: Plan[Any]) -> Any:
    """Run a plan in the running event loop.

    Raises:
        TypeError: there is no shell for that.
    """
    if subject.async_shell is None:
        raise TypeError("there is no async_shell: say colours = ('sync',) in the class")
    return await run_async(plan, subject.async_shell)


COLOURS: Final = {"sync": run_as_sync, "async": run_as_async}


def answered_now(subject: Subject, plan: Plan[Any]) -> Any:
    """What a plan answers without waiting, or ``NOT_NOW``."""
    if subject.async_shell is None:
        raise TypeError("there is no async_shell, and so nothing that could wait")
    return run_now(plan, subject.async_shell)


def entry(
    url: str = "https://example.org/",
    *,
    body: bytes = b"",
    created: float = NOW,
    expires: float | None = None,
    status: int = 200,
) -> Entry:
    """Metadata of a response with this body; its fields are of the kinds that need care."""
    return Entry(
        method="GET",
        url=url,
        status=status,
        reason="OK",
        version=(1, 1),
        headers=((b"Content-Type", b"text/plain"), (b"X-Odd", b"caf\xe9"), (b"X-Odd", b"")),
        request_headers=((b"Accept", b"*/*"),),
        requested=created - 1,
        created=created,
        expires=expires,
        body_size=len(body),
    )


def full_entry(*, body: bytes = b"") -> Entry:
    """The same, with something in every field that a store is given."""
    return Entry(
        method="HEAD",
        url="https://example.org/caf%C3%A9?page=1",
        status=203,
        reason="caf\u00e9 \udce9",
        version=(1, 0),
        headers=((b"Set-Cookie", b"caf\xe9"), (b"", b""), (b"set-cookie", b"\x00\xff")),
        request_headers=((b"Accept", b"caf\xe9"), (b"Accept", b"")),
        requested=NOW - 0.75,
        created=NOW - 0.25,
        expires=NOW + 60.5,
        body_size=len(body),
        sets_cookies=True,
        initial_age=0.1,
        no_cache=True,
        must_revalidate=True,
        immutable=True,
        stale_while_revalidate=7,
        stale_if_error=8,
        vary=(("accept", "caf\u00e9 \udce9"), ("cookie", None)),
        arrived=NOW - 0.5,
    )


def alias(target: str, created: float = NOW) -> Alias:
    """A redirect to the entry of a key."""
    hop = Hop("GET", "https://example.org/old", 302, "Found", (1, 1), ((b"Location", b"/"),))
    return Alias(target, (hop,), created)
