"""A thing to be done by a thread, and how its outcome gets back to who asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

W = TypeVar("W")

Tell = Callable[[Any, BaseException | None], None]


class Job(Generic[W]):
    """Work, and whom to tell its result or its exception; ``None`` if nobody waits."""

    __slots__ = ("tell", "work")

    def __init__(self, work: W, tell: Tell | None = None) -> None:
        self.work = work
        self.tell = tell

    def end(self, result: Any, error: BaseException | None = None) -> None:
        """Tell how it ended."""
        if self.tell is not None:
            self.tell(result, error)


def call(jobs: list[Job[Callable[[], Any]]]) -> None:
    """Do what is to be called, each by itself."""
    for job in jobs:
        try:
            result = job.work()
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            job.end(None, error)
        else:
            job.end(result)


def awaited() -> tuple[asyncio.Future[Any], Tell]:
    """A future of the running loop, and what fulfils it from any thread."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        # Whoever waited may have been cancelled.
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def tell(result: Any, error: BaseException | None) -> None:
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            return

    return future, tell


async def within(seconds: float, future: asyncio.Future[Any]) -> Any:
    """The result of a future of the running loop, unless it takes longer.

    What was there in time counts, though the loop was held up and looks only now.

    Raises:
        TimeoutError: it was not there in time.
        Exception: what the future was told.
    """
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError:
        if future.done() and not future.cancelled():
            return future.result()
        raise


def blocking() -> tuple[Future[Any], Tell]:
    """The same for a thread that blocks."""
    future: Future[Any] = Future()

    def tell(result: Any, error: BaseException | None) -> None:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    return future, tell


async def apart(work: Callable[[], object], name: str) -> None:
    """Do something in a thread of its own, which has ended when this returns.

    Raises:
        Exception: what ``work`` raised.
    """
    future, tell = awaited()

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - it is raised where the end is awaited
            tell(None, error)
        else:
            tell(None, None)

    thread = threading.Thread(target=run, name=name)
    thread.start()
    await future
    # It has nothing left to do but end.
    thread.join()
