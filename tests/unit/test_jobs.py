"""What is awaited of threads."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from http_client_cache.shell.jobs import awaited, within


async def test_what_was_there_in_time_counts_though_the_loop_was_held_up() -> None:
    future, tell = awaited()
    waiting = asyncio.create_task(within(0.05, future))
    await asyncio.sleep(0)
    thread = threading.Thread(target=tell, args=("done", None))
    thread.start()
    time.sleep(0.1)  # noqa: ASYNC251 - others do that
    assert await waiting == "done"
    thread.join()


async def test_what_failed_in_time_failed() -> None:
    future, tell = awaited()
    waiting = asyncio.create_task(within(0.05, future))
    await asyncio.sleep(0)
    tell(None, ValueError("why"))
    time.sleep(0.1)  # noqa: ASYNC251 - others do that
    with pytest.raises(ValueError, match="why"):
        await waiting


async def test_what_takes_longer_is_not_waited_for() -> None:
    future, tell = awaited()
    with pytest.raises(TimeoutError):
        await within(0.01, future)
    # It is told in vain.
    tell("done", None)
    await asyncio.sleep(0)
    assert future.cancelled()


async def test_who_is_cancelled_is_told_nothing() -> None:
    future, _ = awaited()
    waiting = asyncio.create_task(within(10, future))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert future.cancelled()
