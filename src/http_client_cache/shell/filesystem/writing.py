"""Writing: each file is whole before it gets its name, and processes take turns at a shard."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from http_client_cache.file_statements import LINK, Change, Drop, Link, Save
from http_client_cache.shell.filesystem.paths import (
    FRESH,
    IN_LED,
    IN_MORE,
    LEADS,
    LED,
    MORE,
    RESPONSE,
    in_folder,
    make_folder,
)
from http_client_cache.shell.filesystem.reading import (
    frame_at,
    is_absent,
    list_folder,
    path_of,
    read_one,
)
from http_client_cache.shell.filesystem.temps import Temp, create, lock, sync_all

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
        syncs: says whether to wait for the disk.
    """

    def __init__(self, root: str, syncs: Callable[[], bool]) -> None:
        self._root = root
        self._syncs = syncs
        # Shards that another process does not let go of, and until when they are not waited for.
        self._stuck: dict[str, float] = {}

    # What is written.

    def save_all(self, saves: Sequence[Save]) -> list[OSError | None]:
        """Publish responses, each in the place of the one that is there; tells what failed."""
        outcome: list[OSError | None] = [None] * len(saves)
        temps: list[tuple[int, Temp]] = []
        for number, save in enumerate(saves):
            try:
                temps.append((number, Temp(self._root, (save.raw.head, save.raw.body), save.stamp)))
            except OSError as error:
                outcome[number] = error
        self._sync([temp for _, temp in temps])
        for number, temp in temps:
            try:
                self._publish(saves[number], temp)
            except OSError as error:
                outcome[number] = error
            finally:
                temp.discard()
        return outcome

    def _publish(self, save: Save, temp: Temp) -> None:
        more = self._root + save.name + MORE
        with self._turn(save.name):
            temp.publish(path_of(self._root, save.name, save.raw.file))
            # It belongs to the one that was there.
            if _unlink(f"{more}/{save.raw.file}{FRESH}"):
                _remove_if_empty(more)

    def link(self, link: Link) -> None:
        """Let a name lead to another one; the disk is not waited for."""
        led = self._root + link.target + LED
        temp = Temp(self._root, (link.raw.head,))
        try:
            # Before the link: what leads here must be found when this goes.
            with self._turn(link.target), suppress(FileExistsError):
                os.close(in_folder(led, lambda: create(f"{led}/{link.name[3:]}")))
            with self._turn(link.name):
                temp.publish(self._root + link.name + LEADS)
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
                count += sum([self._renew(renewal) for renewal in renewals])
            finally:
                for renewal in renewals:
                    renewal.temp.discard()
                    os.close(renewal.handle)
        return count

    def _renewal(self, change: Change) -> _Renewal | None:
        try:
            path = path_of(self._root, change.name, change.raw.file)
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
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
                temp = Temp(self._root, (change.raw.head, body), change.stamp)
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
            if is_small:
                temp.publish(path)
            else:
                temp.publish(f"{self._root}{change.name}{MORE}/{change.raw.file}{FRESH}")
                os.utime(path, (change.stamp, change.stamp))
        return True

    def _sync(self, temps: Sequence[Temp]) -> None:
        if self._syncs():
            sync_all(temps)

    # What is removed.

    def remove(self, names: Sequence[str]) -> int:
        """Remove all that names have, and what leads to them; answers how many had something."""
        return sum([self._remove(name) for name in names])

    def drop(self, drop: Drop) -> int:
        """Remove some responses; answers how many were there."""
        return sum([self._drop(name, file, drop.until) for name, file in drop.files])

    def _remove(self, name: str) -> bool:
        base = self._root + name
        if not os.access(os.path.dirname(base), os.F_OK):  # noqa: PTH120 - paths are text here
            return False
        with self._turn(name):
            had = _unlink(base + RESPONSE)
            for listed in list_folder(base + MORE):
                if IN_MORE.fullmatch(listed) and _unlink(f"{base}{MORE}/{listed}"):
                    had = had or listed.endswith(RESPONSE)
            _remove_if_empty(base + MORE)
            had = _unlink(base + LEADS) or had
        self.remove_what_leads_to(name)
        return had

    def _drop(self, name: str, file: str, until: float | None) -> bool:
        base, path = self._root + name, path_of(self._root, name, file)
        if not os.access(path, os.F_OK):
            return False
        with self._turn(name):
            if until is not None and _stamp(path) > until:
                return False
            if not _unlink(path):
                return False
            _unlink(f"{base}{MORE}/{file}{FRESH}")
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
                    _unlink(self._root + other + LEADS)
            _unlink(f"{led}/{listed}")
        _remove_if_empty(led)

    def unlink_if_lost(self, name: str) -> None:
        """Remove the link that a name is, if it leads nowhere."""
        with self._turn(name):
            target = self.leads_to(name)
            if target is None or not self.has_response(target):
                _unlink(self._root + name + LEADS)

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
