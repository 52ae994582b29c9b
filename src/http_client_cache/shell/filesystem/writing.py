"""Writing: each file is whole before it gets its name, and processes take turns at a shard."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from http_client_cache.file_statements import LINK, Change, Drop, Link, Save
from http_client_cache.shell.body_files import BodyDraft
from http_client_cache.shell.filesystem.ledger import Ledger
from http_client_cache.shell.filesystem.paths import (
    FRESH,
    IN_LED,
    IN_MORE,
    LEADS,
    LED,
    MORE,
    RESPONSE,
    TEMP,
)
from http_client_cache.shell.filesystem.reading import (
    frame_at,
    is_absent,
    list_folder,
    open_quietly,
    path_of,
    read_one,
)
from http_client_cache.shell.private_files import create, in_folder, lock, make_folder, unlock
from http_client_cache.shell.temps import Temp, sync_all

COPY_BYTES: Final = 64 * 1024
"""Responses up to this size are written anew when they are freshened; the head of a larger one is
written beside it."""

TOGETHER: Final = 64
"""Files that are written together: so many are open at once."""

_TURN_SECONDS: Final = 1.0
"""For which a process waits for its turn; then it goes on, as the other one must be stopped."""

_STUCK_SECONDS: Final = 10.0
"""For which it does not wait for a turn at that shard again."""


class _Renewal(NamedTuple):
    """A change that is about to be made, and the open file that it is of."""

    change: Change
    handle: int
    temp: Temp
    is_small: bool


class Writing:
    """What one process does to the files of a cache; for one thread at a time.

    Args:
        root: what all paths begin with.
        ledger: counts what is there, if there are limits.
        syncs: says whether to wait for the disk.
    """

    def __init__(self, root: str, ledger: Ledger, syncs: Callable[[], bool]) -> None:
        self._root = root
        self._ledger = ledger
        self._syncs = syncs
        # Shards that another process does not let go of, and until when they are not waited for.
        self._stuck: dict[str, float] = {}

    # What is written.

    def save_all(self, saves: Sequence[Save]) -> list[Exception | None]:
        """Publish responses, each in the place of the one that is there; tells what failed."""
        outcome: list[Exception | None] = [None] * len(saves)
        temps: list[tuple[int, Temp]] = []
        for number, save in enumerate(saves):
            try:
                temps.append((number, self._temp_of(save)))
            except OSError as error:
                outcome[number] = error
        self._sync([temp for _, temp in temps])
        try:
            with self._ledger.held():
                for number, temp in temps:
                    try:
                        self._publish(saves[number], temp)
                    except OSError as error:
                        outcome[number] = error
        except OSError as error:
            outcome = [before or error for before in outcome]
        finally:
            for _, temp in temps:
                temp.discard()
        return outcome

    def _temp_of(self, save: Save) -> Temp:
        raw, draft = save.raw, save.draft
        if not isinstance(draft, BodyDraft):
            body = raw.body if isinstance(raw.body, bytes) else b""
            return self._temp((raw.head, body), save.stamp)
        try:
            draft.fill_in(raw.head)
            draft.stamp(save.stamp)
        except BaseException:
            draft.discard()
            raise
        return draft

    def _temp(self, parts: Sequence[bytes], stamp: float | None = None) -> Temp:
        return Temp.of(f"{self._root}{TEMP}/{secrets.token_hex(8)}", parts, stamp)

    def _publish(self, save: Save, temp: Temp) -> None:
        more = self._root + save.name + MORE
        with self._turn(save.name):
            path = path_of(self._root, save.name, save.raw.file)
            self._put(temp, path, save.name, save.raw.file, save.used)
            # It belongs to the one that was there.
            if self._unlink(f"{more}/{save.raw.file}{FRESH}"):
                _remove_if_empty(more)
        self._ledger.make_room(self._evict)

    def _put(self, temp: Temp, path: str, name: str, file: str, used: int) -> None:
        before = self._ledger.size_of(path)
        temp.publish(path)
        self._ledger.gone(path, before)
        self._ledger.placed(path, name, file, used)

    def _unlink(self, path: str) -> bool:
        before = self._ledger.size_of(path)
        if not _unlink(path):
            return False
        self._ledger.gone(path, before)
        return True

    def _evict(self, name: str, file: str) -> None:
        if file != LINK:
            self._drop(name, file, None)
            return
        with self._turn(name):
            self._unlink(self._root + name + LEADS)

    def link(self, link: Link) -> None:
        """Let a name lead to another one; the disk is not waited for."""
        led = self._root + link.target + LED
        temp = self._temp((link.raw.head,))
        try:
            # Before the link: what leads here must be found when this goes.
            with self._turn(link.target), suppress(FileExistsError):
                os.close(in_folder(led, lambda: create(f"{led}/{link.name[3:]}")))
            with self._ledger.held():
                with self._turn(link.name):
                    self._put(temp, self._root + link.name + LEADS, link.name, LINK, link.used)
                self._ledger.make_room(self._evict)
        finally:
            temp.discard()

    def freshen(self, changes: Sequence[Change]) -> int:
        """Give responses new heads, unless others lie there by now; answers how many got one."""
        count = 0
        for start in range(0, len(changes), TOGETHER):
            renewals: list[_Renewal] = []
            try:
                for change in changes[start : start + TOGETHER]:
                    renewal = self._renewal(change)
                    if renewal is not None:
                        renewals.append(renewal)
                self._sync([renewal.temp for renewal in renewals])
                with self._ledger.held():
                    count += sum([self._renew(renewal) for renewal in renewals])
                    self._ledger.make_room(self._evict)
            finally:
                for renewal in renewals:
                    renewal.temp.discard()
                    os.close(renewal.handle)
        return count

    def _renewal(self, change: Change) -> _Renewal | None:
        try:
            path = path_of(self._root, change.name, change.raw.file)
            handle = open_quietly(path)
        except OSError as error:
            if is_absent(error):
                return None
            raise
        try:
            frame = frame_at(handle)
            if frame is not None and frame.ref == change.raw.frame.ref:
                is_small = frame.body <= COPY_BYTES
                os.lseek(handle, frame.starts, os.SEEK_SET)
                body = os.read(handle, frame.body) if is_small else b""
                temp = self._temp((change.raw.head, body), change.stamp)
                return _Renewal(change, handle, temp, is_small)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return None

    def _renew(self, renewal: _Renewal) -> bool:
        change, handle, temp, is_small = renewal
        path = path_of(self._root, change.name, change.raw.file)
        with self._turn(change.name):
            if not _is_same(handle, path):
                return False
            # To freshen is no use.
            used = os.lstat(path).st_atime_ns
            if is_small:
                self._put(temp, path, change.name, change.raw.file, used)
            else:
                fresh = f"{self._root}{change.name}{MORE}/{change.raw.file}{FRESH}"
                self._put(temp, fresh, change.name, change.raw.file, used)
                os.utime(path, ns=(used, int(change.stamp) * 1_000_000_000))
        return True

    def _sync(self, temps: Sequence[Temp]) -> None:
        if self._syncs():
            sync_all(temps)

    # What is removed.

    def remove(self, names: Sequence[str]) -> int:
        """Remove all that names have, and what leads to them; answers how many had something."""
        with self._ledger.held():
            return sum([self._remove(name) for name in names])

    def drop(self, drop: Drop) -> int:
        """Remove some responses; answers how many were there."""
        with self._ledger.held():
            return sum([self._drop(name, file, drop.until) for name, file in drop.files])

    def note_uses(self) -> None:
        """Write down what was used, if that matters."""
        with self._ledger.held():
            self._ledger.note_uses()

    def _remove(self, name: str) -> bool:
        base = self._root + name
        if not os.access(os.path.dirname(base), os.F_OK):  # noqa: PTH120 - paths are text here
            return False
        with self._turn(name):
            had = self._unlink(base + RESPONSE)
            for listed in list_folder(base + MORE):
                if IN_MORE.fullmatch(listed) and self._unlink(f"{base}{MORE}/{listed}"):
                    had = had or listed.endswith(RESPONSE)
            _remove_if_empty(base + MORE)
            had = self._unlink(base + LEADS) or had
        self.remove_what_leads_to(name)
        return had

    def _drop(self, name: str, file: str, until: float | None) -> bool:
        base, path = self._root + name, path_of(self._root, name, file)
        if not os.access(path, os.F_OK):
            return False
        with self._turn(name):
            if until is not None and _stamp(path) > until:
                return False
            if not self._unlink(path):
                return False
            self._unlink(f"{base}{MORE}/{file}{FRESH}")
            _remove_if_empty(base + MORE)
            is_last = not self.has_response(name)
        if is_last:
            self.remove_what_leads_to(name)
        return True

    def has_response(self, name: str) -> bool:
        """Whether a name has any response, as far as names of files tell."""
        base = self._root + name
        return os.access(base + RESPONSE, os.F_OK) or any(
            listed.endswith(RESPONSE) for listed in list_folder(base + MORE)
        )

    def remove_what_leads_to(self, name: str) -> None:
        """Remove the links to a name."""
        led = self._root + name + LED
        for listed in list_folder(led):
            if not IN_LED.fullmatch(listed):
                continue
            other = f"{listed[:2]}/{listed}"
            with self._turn(other):
                if self.leads_to(other) == name:
                    self._unlink(self._root + other + LEADS)
            _unlink(f"{led}/{listed}")
        _remove_if_empty(led)

    def unlink_if_lost(self, name: str) -> None:
        """Remove the link that a name is, if it leads nowhere."""
        with self._ledger.held(), self._turn(name):
            target = self.leads_to(name)
            if target is None or not self.has_response(target):
                self._unlink(self._root + name + LEADS)

    def leads_to(self, name: str) -> str | None:
        """The name that a name leads to."""
        raw = read_one(self._root, name, LINK, bodies=False)
        return raw.frame.ref if raw is not None else None

    # How it is done.

    @contextmanager
    def _turn(self, name: str) -> Generator[None]:
        """Be the only process that changes files of this shard, for a few microseconds."""
        folder = self._root + name[:2]
        if sys.platform == "win32":
            make_folder(folder)
            yield
            return
        handle = in_folder(folder, lambda: os.open(folder, os.O_RDONLY))
        try:
            if lock(handle) is False:
                self._wait(handle, name[:2])
            yield
        finally:
            unlock(handle)
            os.close(handle)

    def _wait(self, handle: int, shard: str) -> None:
        now = time.monotonic()
        if now < self._stuck.get(shard, 0.0):
            return
        while lock(handle) is False:
            if time.monotonic() > now + _TURN_SECONDS:
                self._stuck[shard] = time.monotonic() + _STUCK_SECONDS
                return
            time.sleep(0.001)


def _is_same(handle: int, path: str) -> bool:
    try:
        there, here = os.lstat(path), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _stamp(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)  # noqa: PTH108 - paths are text here
    except OSError as error:
        if is_absent(error):
            return False
        raise
    return True


def _remove_if_empty(path: str) -> None:
    with suppress(OSError):
        os.rmdir(path)  # noqa: PTH106 - paths are text here
