"""The one place that writes: one transaction for whatever is waiting, never a wait for more."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from http_client_cache.errors import StoreError
from http_client_cache.shell.body_files import BodyDraft
from http_client_cache.shell.jobs import Job
from http_client_cache.shell.sqlite.connection import (
    concerns_all,
    is_busy,
    is_unreadable,
    patiently,
)
from http_client_cache.shell.sqlite.keeper import Keeper
from http_client_cache.shell.sqlite.pending import size_of
from http_client_cache.shell.temps import sync_all
from http_client_cache.shell.worker import PutBackError, Worker
from http_client_cache.sqlite_statements import Insert, Upkeep, Write

if TYPE_CHECKING:
    from http_client_cache.shell.sqlite.database import Database

logger = logging.getLogger("http_client_cache")

CLOSING_PATIENCE: Final = 1.0
"""Seconds for which a lock is waited for when the cache is closed or the program ends."""

PACE: Final = 0.01
"""Seconds between two transactions while responses keep coming: each costs as much as some ten
rows. What comes alone is written at once."""

SHRINK_SECONDS: Final = 0.25
SHRINK_PAGES: Final = 500
"""What is given back at once, in about 10 ms; what is left over waits for the next sweep."""

SPARE_PAGES: Final = 128
SPARE_SHARE: Final = 10
"""Free pages that a file may have while it is written to: so many, or one of so many."""

_TOGETHER: Final = (32, 8, 1)
"""Rows of one ``INSERT``. Each statement costs a trip through the interpreter's lock, which
takes milliseconds while the other threads compute; few sizes keep the statements prepared."""


class Writer:
    """Owns the thread that writes, and the log lines about writes that failed.

    Args:
        database: gives the connection, and shows what is pending.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failing = False
        self._keeper = Keeper(database.name)
        self._spare = False
        # Stores whose orphans were looked for.
        self._known: WeakSet[Upkeep] = WeakSet()
        self._closing: float | None = None
        self._one_by_one = False
        self._inserts: dict[tuple[str, int], str] = {}
        self._worker: Worker[Job[Write]] = Worker(
            "http-cache-writer", self._carry_out, _weight, pace=PACE, is_urgent=_is_awaited
        )
        self.put = self._worker.put
        self.pause = self._worker.pause
        self.resume = self._worker.resume
        self.reset = self._worker.reset

    def drain(self) -> None:
        """Return when everything is written or given up, and the thread has ended."""
        self._closing = time.monotonic() + CLOSING_PATIENCE
        try:
            database = self._database
            if database.write_handle.connection is not None and database.is_in_place():
                self._put_upkeep(self._keeper.waiting())
            self._worker.drain()
        finally:
            self._closing = None

    def _carry_out(self, jobs: list[Job[Write]]) -> None:
        """Write all of it; where one write is at fault, the others are written without it."""
        if all(not job.work.steps and job.work.upkeep is None for job in jobs):
            self._end(jobs, [[] for _ in jobs])
            return
        jobs = self._synced(jobs)
        try:
            answers = self._in_one_transaction(jobs)
        except PutBackError:
            raise
        except Exception as error:  # noqa: BLE001 - told to who waits, and logged
            if is_unreadable(error):
                self._database.condemn(error)
                self._known.clear()
                self._each(jobs)
            elif len(jobs) > 1 and not concerns_all(error):
                self._each(jobs)
            else:
                self._fail(jobs, error)
            return
        # Who clears or sweeps is told when that has been done.
        self._tidy(jobs)
        self._end(jobs, answers)
        if any(job.work.shrink for job in jobs):
            self._shrink()
        elif self._keeper.removed or self._spare:
            self._trim()
        if self._closing is None and threading.main_thread().is_alive():
            self._put_upkeep(self._keeper.unfinished)

    def _synced(self, jobs: list[Job[Write]]) -> list[Job[Write]]:
        """Wait for the disk until it has the bodies; those that it has not are not published."""
        drafts = [job.work.draft for job in jobs if isinstance(job.work.draft, BodyDraft)]
        if not drafts:
            return jobs
        closing = self._closing is not None or not threading.main_thread().is_alive()
        if not (self._database.fast_save or self._worker.paused or closing):
            sync_all(drafts)
        good: list[Job[Write]] = []
        for job in jobs:
            error = job.work.draft.error if isinstance(job.work.draft, BodyDraft) else None
            if error is None:
                good.append(job)
            else:
                self._fail([job], error)
        return good

    def _tidy(self, jobs: list[Job[Write]]) -> None:
        """Remove files that belong to no entry."""
        folder = self._database.folder
        if folder is None:
            return
        folder.remove(self._keeper.trash)
        for upkeep in {job.work.upkeep for job in jobs if self._may_leave_orphans(job.work)}:
            if upkeep is not None:
                self._known.add(upkeep)
                with (
                    suppress(sqlite3.Error, OSError),
                    self._database.using(self._database.write_handle) as connection,
                ):
                    folder.remove_orphans(connection, upkeep)

    def _may_leave_orphans(self, write: Write) -> bool:
        """Whether it is time to look for them: with a sweep, and before the first large body."""
        return write.shrink or (write.draft is not None and write.upkeep not in self._known)

    def _put_upkeep(self, upkeeps: Iterable[Upkeep]) -> None:
        for upkeep in upkeeps:
            self.put(Job(Write((), upkeep=upkeep, used=upkeep.take())))

    def _shrink(self) -> None:
        """Give free pages back, a few at a time: others want to write, too."""
        end = time.monotonic() + SHRINK_SECONDS
        with (
            suppress(sqlite3.Error, OSError),
            self._database.using(self._database.write_handle) as connection,
        ):
            left, free = None, -1
            # In a file of another program's making, nothing may change.
            while free != left and time.monotonic() < end and not self._worker.paused:
                left = free
                connection.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
                free = connection.execute("PRAGMA freelist_count").fetchone()[0]

    def _trim(self) -> None:
        """Give some free pages back, if they are many: a few will be needed again at once."""
        with (
            suppress(sqlite3.Error, OSError),
            self._database.using(self._database.write_handle) as connection,
        ):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            self._spare = free > max(SPARE_PAGES, pages // SPARE_SHARE)
            if self._spare:
                connection.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")

    def _each(self, jobs: list[Job[Write]]) -> None:
        failure: BaseException | None = None
        self._one_by_one = True
        for job in jobs:
            if failure is None:
                try:
                    answers = self._in_one_transaction([job])
                    self._tidy([job])
                    self._end([job], answers)
                except Exception as error:  # noqa: BLE001 - as above
                    self._fail([job], error)
                    failure = error if concerns_all(error) else None
            else:
                self._fail([job], failure)
        self._one_by_one = False

    def _in_one_transaction(self, jobs: list[Job[Write]]) -> list[list[Any]]:
        database = self._database
        if database.write_handle.connection is not None and not database.is_in_place():
            # Somebody deleted or replaced the file: what went there would be lost.
            database.let_go()
            self._known.clear()
        deadline = self._patience()
        with database.using(database.write_handle) as connection:
            patiently(lambda: self._begin(connection), deadline)
            try:
                answers = self._perform(connection, jobs)
                patiently(lambda: connection.execute("COMMIT"), deadline)
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        return answers

    def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_busy(error) and self._worker.paused and not self._one_by_one:
                raise PutBackError from error
            raise

    def _patience(self) -> Callable[[], float]:
        """Until when a lock is waited for; that is sooner once the cache or the program ends."""
        end = time.monotonic() + self._database.timeout
        at_exit: float | None = None

        def deadline() -> float:
            nonlocal at_exit
            if at_exit is None and not threading.main_thread().is_alive():
                at_exit = time.monotonic() + CLOSING_PATIENCE
            return min(soon for soon in (end, at_exit, self._closing) if soon is not None)

        return deadline

    def _perform(self, connection: sqlite3.Connection, jobs: list[Job[Write]]) -> list[list[Any]]:
        answers: list[list[Any]] = []
        rows: list[Insert] = []
        for job in jobs:
            answer: list[Any] = []
            for step in job.work.steps:
                if isinstance(step, Insert):
                    if rows and rows[0].into is not step.into:
                        self._insert(connection, rows)
                    rows.append(step)
                else:
                    self._insert(connection, rows)
                    cursor = connection.execute(step.sql, step.arguments)
                    told = cursor.fetchall()
                    answer.append(told if cursor.description else cursor.rowcount)
            answers.append(answer)
        self._insert(connection, rows)
        self._keeper.keep(connection, [job.work for job in jobs])
        return answers

    def _insert(self, connection: sqlite3.Connection, rows: list[Insert]) -> None:
        start = 0
        for size in _TOGETHER:
            while len(rows) - start >= size:
                some = rows[start : start + size]
                values = [value for insert in some for value in insert.row]
                connection.execute(self._statement(some[0], size), values)
                start += size
        rows.clear()

    def _statement(self, insert: Insert, size: int) -> str:
        statement = self._inserts.get((insert.into, size))
        if statement is None:
            marks = f"({', '.join('?' * len(insert.row))})"
            statement = f"{insert.into} VALUES {', '.join([marks] * size)} {insert.tail}"
            self._inserts[insert.into, size] = statement
        return statement

    def _end(self, jobs: list[Job[Write]], answers: list[list[Any]]) -> None:
        # Nobody is told before the log is.
        if self._failing and any(job.work.steps for job in jobs):
            self._failing = False
            logger.warning("The cache %s can be written again", self._database.name)
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(job.work.draft, BodyDraft):
                job.work.draft.keep()
            self._database.pending.remove(job.work)
            job.end(answer)

    def _fail(self, jobs: list[Job[Write]], error: BaseException) -> None:
        if not self._failing and any(job.work.steps for job in jobs):
            self._failing = True
            logger.warning(
                "The cache %s cannot be written; responses are not stored until it can: %s",
                self._database.name,
                error,
            )
        for job in jobs:
            if isinstance(job.work.draft, BodyDraft):
                job.work.draft.discard()
            self._database.pending.remove(job.work)
            if not job.work.steps:
                # Only wanted to know that those before it have ended.
                job.end([])
                continue
            failure = StoreError(f"SQLite cannot write {self._database.name}: {error}")
            failure.__cause__ = error
            job.end(None, failure)


def _is_awaited(job: Job[Write]) -> bool:
    return job.tell is not None


def _weight(job: Job[Write]) -> int:
    row = job.work.row
    return size_of(row) if row is not None else 0
