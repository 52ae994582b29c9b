"""What writers that died left behind, and what leads nowhere any more."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import Final

from http_client_cache.file_format import read_head
from http_client_cache.file_statements import (
    FRESH_HEAD,
    LINK,
    SHARDS,
    TRACES,
    Drop,
    Found,
    List,
    Upkeep,
)
from http_client_cache.shell.filesystem.paths import IN_LED, LEADS, LED, MORE, OURS, TEMP
from http_client_cache.shell.filesystem.reading import list_folder, list_shards, read_one
from http_client_cache.shell.filesystem.writing import Writing
from http_client_cache.shell.private_files import lock

UNLOCKED_SECONDS: Final = 24 * 3600.0
"""Files without a final name that are older belong to a writer that died, where there are no locks
that tell."""

_TEMPS: Final = re.compile("[0-9a-f]{16}")


def remove_orphans(root: str) -> None:
    """Remove files that never got their names, and never will: their writers died.

    Args:
        root: what all paths begin with.

    Raises:
        OSError: the folder cannot be listed.
    """
    folder = root + TEMP
    now = time.time()
    for listed in list_folder(folder):
        if not _TEMPS.fullmatch(listed):
            continue
        with suppress(OSError):
            path = f"{folder}/{listed}"
            # Its other time tells when the response expires.
            age = now - os.lstat(path).st_ctime
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                locked = lock(handle)
                if locked or (locked is None and age > UNLOCKED_SECONDS):
                    os.unlink(path)  # noqa: PTH108 - paths are text here
            finally:
                os.close(handle)


SWEEP_WRITES: Final = 256
SWEEP_SECONDS: Final = 10.0
SWEEP_FILES: Final = 256
"""With every so many writes, or the first one after so many seconds, so many files or a few more
are looked at: whether they have left."""


def let_leave(root: str, writing: Writing, upkeep: Upkeep, writes: int) -> None:
    """Remove some responses that expired long ago, if it is time for that.

    Args:
        root: what all paths begin with.
        writing: removes them.
        upkeep: of the store.
        writes: how many there were.

    Raises:
        OSError: something cannot be read or removed.
    """
    upkeep.writes += writes
    now = upkeep.now()
    soon = upkeep.swept <= now < upkeep.swept + SWEEP_SECONDS
    if soon and upkeep.writes < SWEEP_WRITES:
        return
    upkeep.swept = now
    first = upkeep.shard
    found, last = list_shards(root, List(first, enough=SWEEP_FILES, measures=True))
    left = [
        (one.name, one.file)
        for one in found
        if one.stamp <= now
        and one.file not in {LINK, TRACES, FRESH_HEAD}
        and _has_left(root, one, now)
    ]
    gone = writing.drop(Drop(left[:SWEEP_FILES], until=now))
    # Where some have left, there may be more of them.
    upkeep.writes = SWEEP_WRITES if gone else 0
    upkeep.shard = first if len(left) > SWEEP_FILES else last % SHARDS


def _has_left(root: str, one: Found, now: float) -> bool:
    raw = read_one(root, one.name, one.file, bodies=False)
    head = read_head(raw.frame, raw.head) if raw is not None else None
    leaves = head.told.leaves if head is not None else now
    return leaves is not None and leaves <= now


def tidy(root: str, writing: Writing) -> None:
    """Remove links that lead nowhere, traces of links that are no more, and empty folders.

    Raises:
        OSError: something cannot be read or removed.
    """
    remove_orphans(root)
    led: list[tuple[str, str]] = []
    for shard in list_folder(root):
        if not re.fullmatch("[0-9a-f]{2}", shard):
            continue
        for listed in list_folder(root + shard):
            match = OURS.fullmatch(listed)
            if match is None:
                continue
            name = f"{shard}/{match[1]}"
            if match[2] == MORE:
                _remove_if_empty(f"{root}{shard}/{listed}")
            elif match[2] == LEADS:
                writing.unlink_if_lost(name)
            elif match[2] == LED:
                led.append((f"{root}{shard}/{listed}", name))
    # When links that lead nowhere are gone.
    for folder, name in led:
        _forget_traces(folder, name, writing)


def _forget_traces(led: str, name: str, writing: Writing) -> None:
    for listed in list_folder(led):
        if IN_LED.fullmatch(listed) and writing.leads_to(f"{listed[:2]}/{listed}") != name:
            with suppress(OSError):
                os.unlink(f"{led}/{listed}")  # noqa: PTH108 - paths are text here
    _remove_if_empty(led)


def _remove_if_empty(path: str) -> None:
    with suppress(OSError):
        os.rmdir(path)  # noqa: PTH106 - paths are text here
