"""The owner of one folder: its threads, and what is pending."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from http_client_cache.errors import StoreError
from http_client_cache.file_statements import (
    LINK,
    AnyRead,
    AnyWrite,
    Claim,
    Drop,
    Freshen,
    Holder,
    Link,
    Raw,
    Read,
    ReadLink,
    ReadMany,
    Release,
    Remove,
    Save,
    SweepLeases,
    Use,
)
from http_client_cache.shell.bodies import Bodies
from http_client_cache.shell.body_files import BodyDraft
from http_client_cache.shell.filesystem import reading
from http_client_cache.shell.filesystem.leases import Leases
from http_client_cache.shell.filesystem.ledger import Ledger
from http_client_cache.shell.filesystem.paths import TEMP, root_of
from http_client_cache.shell.filesystem.pending import Pending, size_of
from http_client_cache.shell.filesystem.tidying import let_leave, remove_orphans, tidy
from http_client_cache.shell.filesystem.writing import TOGETHER, Writing
from http_client_cache.shell.jobs import Job, Tell, call
from http_client_cache.shell.lifetime import watch_over
from http_client_cache.shell.worker import PutBackError, Worker
from http_client_cache.statements import NOT_NOW

logger = logging.getLogger("http_client_cache")

CLOSING_SECONDS: Final = 1.0
"""After so long a wait for what is left to be written, the disk is waited for no more; at the end
of the program, what nobody waits for is given up."""


class Folder:
    """One folder of this process, for any threads and event loops.

    Small reads are done by who asks. Writes go through one thread; until they are on disk, reads
    see them in ``pending``. Large reads and listings have a thread, too, for those who must not
    wait. Nothing stays open in between.

    Args:
        path: absolute.
        fast_save: does not wait for the disk.
    """

    def __init__(self, path: Path, *, fast_save: bool = False) -> None:
        self.path = path
        self.fast_save = fast_save
        self.pending = Pending()
        self._root = root_of(path)
        self._ledger = Ledger(self._root, str(path))
        self._writing = Writing(self._root, self._ledger, self._syncs)
        self._leases = Leases(self._root)
        self._has_looked_for_orphans = False
        self._failing = False
        self._closing: float | None = None
        self._exiting: float | None = None
        self.writer: Worker[Job[AnyWrite]] = Worker(
            "http-cache-file-writer", self._carry_out, _weight
        )
        self.bodies = Bodies(lambda name: f"{self._root}{TEMP}/{name}")
        self.reader: Worker[Job[Callable[[], Any]]] = Worker("http-cache-file-reader", call)
        watch_over(self)

    # Reading.

    def read_now(self, statement: AnyRead) -> Any:
        """Answer if that takes microseconds, else ``NOT_NOW``.

        Raises:
            StoreError: the folder cannot be read.
        """
        try:
            if isinstance(statement, Read):
                return self._read_name(statement, inline=True)
            if isinstance(statement, ReadLink):
                return self._read_link(statement)
            if isinstance(statement, Claim):
                return self._leases.claim_now(statement) or NOT_NOW
            if isinstance(statement, Holder):
                return self._leases.holder(statement)
        except OSError as error:
            raise self._failure(error) from error
        return NOT_NOW

    def read(self, statement: AnyRead) -> Any:
        """Answer, however long it takes; listings after what was written before.

        Raises:
            StoreError: the folder cannot be read.
        """
        try:
            if isinstance(statement, Claim):
                return self._leases.claim(statement)
            if isinstance(statement, Holder):
                return self._leases.holder(statement)
            if isinstance(statement, Read):
                return self._read_name(statement, inline=False)
            if isinstance(statement, ReadLink):
                return self._read_link(statement)
            if isinstance(statement, ReadMany):
                return self._read_many(statement)
            with self._ledger.still():
                return reading.list_shards(self._root, statement)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> StoreError:
        return StoreError(f"The cache {self.path} cannot be read: {error}")

    def _read_name(self, read: Read, *, inline: bool) -> list[Raw] | Any:
        pending = self.pending.files_of(read.name) if self.pending.any else None
        found = reading.read_name(self._root, read.name, bodies=read.bodies, inline=inline)
        if not pending or found is NOT_NOW:
            return found
        files = {raw.file: raw for raw in found} | pending
        return [raw for raw in files.values() if raw is not None]

    def _read_link(self, read: ReadLink) -> Raw | None:
        pending = self.pending.link_of(read.name) if self.pending.any else None
        return pending or reading.read_one(self._root, read.name, LINK, bodies=False)

    def _read_many(self, read: ReadMany) -> list[Raw | None]:
        found: list[Raw | None] = []
        for name, file in read.files:
            pending = self.pending.files_of(name) if self.pending.any else {}
            raw = reading.read_one(self._root, name, file, bodies=read.bodies)
            found.append(pending.get(file, raw))
        return found

    # Writing.

    def write(self, work: AnyWrite, tell: Tell | None = None) -> None:
        """Put something into the queue; readers see at once what it shows."""
        if isinstance(work, Save | Link):
            work = work._replace(used=time.time_ns())
        self.pending.add(work)
        self.writer.put(Job(work, tell))

    def _carry_out(self, jobs: list[Job[AnyWrite]]) -> None:
        if self.writer.paused:
            raise PutBackError
        for is_save, group in groupby(jobs, lambda job: isinstance(job.work, Save)):
            if is_save:
                saves = list(group)
                for start in range(0, len(saves), TOGETHER):
                    self._save(saves[start : start + TOGETHER])
            else:
                for job in group:
                    self._do(job)

    def _save(self, jobs: list[Job[Any]]) -> None:
        if self._is_too_late(jobs):
            outcome: list[Any] = [TimeoutError("the program has come to its end")] * len(jobs)
        else:
            if not self._has_looked_for_orphans:
                self._has_looked_for_orphans = True
                with suppress(OSError):
                    remove_orphans(self._root)
            for job in jobs:
                self._ledger.register(job.work.upkeep)
            try:
                outcome = self._writing.save_all([job.work for job in jobs])
            except Exception as failure:  # noqa: BLE001 - told to who waits, and logged
                outcome = [failure] * len(jobs)
        for job, error in zip(jobs, outcome, strict=True):
            if error is None:
                self._end(job, None)
            else:
                self._fail(job, error)
        for upkeep, count in Counter(job.work.upkeep for job in jobs).items():
            if upkeep is not None:
                try:
                    let_leave(self._root, self._writing, upkeep, count)
                except OSError:
                    # It will be tried again.
                    continue
                except Exception:
                    logger.exception("The cache %s could not be swept", self.path)

    def _do(self, job: Job[AnyWrite]) -> None:
        work = job.work
        try:
            answer: Any = None
            if isinstance(work, Link | Freshen | Use):
                self._ledger.register(work.upkeep)
            if isinstance(work, Use):
                self._writing.note_uses()
            elif isinstance(work, Link):
                self._writing.link(work)
            elif isinstance(work, Freshen):
                answer = self._writing.freshen(work.changes)
            elif isinstance(work, Remove):
                answer = self._writing.remove(work.names)
            elif isinstance(work, Drop):
                answer = self._writing.drop(work)
            elif isinstance(work, Release):
                self._leases.release(work)
            elif isinstance(work, SweepLeases):
                self._leases.sweep(work.until)
            else:
                tidy(self._root, self._writing)
        except Exception as error:  # noqa: BLE001 - told to who waits, and logged
            self._fail(job, error)
        else:
            self._end(job, answer)

    def _end(self, job: Job[AnyWrite], answer: Any) -> None:
        if self._failing and isinstance(job.work, Save):
            self._failing = False
            logger.warning("The cache %s can be written again", self.path)
        self.pending.remove(job.work)
        job.end(answer)

    def _fail(self, job: Job[AnyWrite], error: BaseException) -> None:
        if not self._failing:
            self._failing = True
            logger.warning(
                "The cache %s cannot be written; responses are not stored until it can: %s",
                self.path,
                error,
            )
        self.pending.remove(job.work)
        if isinstance(job.work, Save) and isinstance(job.work.draft, BodyDraft):
            job.work.draft.discard()
        failure = StoreError(f"The cache {self.path} cannot be written: {error}")
        failure.__cause__ = error
        job.end(None, failure)

    def _syncs(self) -> bool:
        """Whether to wait for the disk: not where a fork, or the end, waits for this."""
        if self.fast_save or self.writer.paused or not threading.main_thread().is_alive():
            return False
        return self._closing is None or time.monotonic() < self._closing

    def _is_too_late(self, jobs: list[Job[Any]]) -> bool:
        """Whether what nobody waits for is to be given up."""
        if threading.main_thread().is_alive() or any(job.tell is not None for job in jobs):
            return False
        if self._exiting is None:
            self._exiting = time.monotonic() + CLOSING_SECONDS
        return time.monotonic() > self._exiting

    # Life.

    def close(self) -> None:
        """Write what is waiting, and end the threads; the next operation starts them again."""
        self._closing = time.monotonic() + CLOSING_SECONDS
        try:
            self.bodies.close()
            for upkeep in self._ledger.waiting():
                self.writer.put(Job(Use(upkeep)))
            self.writer.drain()
        finally:
            self._closing = None
        self.reader.drain()

    def freeze(self) -> None:
        """Before a fork: no thread."""
        self.bodies.freeze()
        self.writer.pause()
        self.reader.pause()

    def thaw(self) -> None:
        """After a fork, in the parent."""
        self.bodies.thaw()
        self.writer.resume()
        self.reader.resume()

    def start_over(self) -> None:
        """After a fork, in the child: what was waiting is the parent's to write."""
        self.pending = Pending()
        self.bodies.start_over()
        self._leases.start_over()
        self.writer.reset()
        self.reader.reset()


# No lock: if two threads meet here, there are two owners, which is only a little slower.
_folders: weakref.WeakValueDictionary[tuple[str, bool], Folder] = weakref.WeakValueDictionary()


def shared_folder(path: Path, *, fast_save: bool = False) -> Folder:
    """The owner of a folder that this process has already, or a new one.

    So its users see each other's saves at once. Closing it is safe for those who share it.
    """
    key = os.path.realpath(path), fast_save
    known = _folders.get(key)
    return (
        known if known is not None else _folders.setdefault(key, Folder(path, fast_save=fast_save))
    )


def _weight(job: Job[AnyWrite]) -> int:
    return size_of(job.work) if isinstance(job.work, Save) else 0
