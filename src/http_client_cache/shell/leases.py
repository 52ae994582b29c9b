"""Giving a lease of the store back, where nobody waits for that."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from typing import Any

from http_client_cache.plan import Plan
from http_client_cache.shell import store_driver
from http_client_cache.shell.background import AsyncBackground
from http_client_cache.shell.failures import Failures
from http_client_cache.statements import NOT_NOW, AsyncShell, SyncShell

Release = Callable[[], Plan[None]]


def new_owner() -> Callable[[], str]:
    """What tells a cache from all others, those in forks of its process included."""
    token = secrets.token_hex(8)
    return lambda: f"{os.getpid()}-{token}"


def release_soon(
    name: str, release: Release, shell: AsyncShell, background: AsyncBackground, failures: Failures
) -> None:
    """Release in the next turn of the running loop; without a loop, the lease waits for its time.

    Whoever collects garbage may call this, in the middle of anything.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return

    def begin() -> None:
        if _attempt(lambda: store_driver.run_now(release(), shell), failures) is NOT_NOW:
            background.start(f"release {name}", finish, None)

    async def finish() -> None:
        try:
            await store_driver.run_async(release(), shell)
        except Exception as error:  # noqa: BLE001 - nobody is there to be told
            failures.failed(error, writes=True, lease=True)

    loop.call_soon(begin)


def release_now(release: Release, shell: SyncShell, failures: Failures) -> None:
    """The same for a thread that blocks; stores with leases take it without waiting."""
    _attempt(lambda: store_driver.run_sync(release(), shell), failures)


def _attempt(do: Callable[[], Any], failures: Failures) -> Any:
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - it ends with its time
        return failures.failed(error, writes=True, lease=True)
