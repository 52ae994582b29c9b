"""What is open in this process, and what becomes of it when the process forks or ends."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import Protocol


class Owned(Protocol):
    """Something with threads, locks or connections."""

    def freeze(self) -> None:
        """Before a fork: end threads, and close what must not be open in two processes."""
        ...

    def thaw(self) -> None:
        """After a fork, in the parent."""
        ...

    def start_over(self) -> None:
        """After a fork, in the child: only the thread that forked is there."""
        ...

    def close(self) -> None:
        """Finish what was promised, and let go of everything; at exit."""
        ...


class Resumed:
    """For what has nothing to end before a fork, and to begin again with in the child only."""

    def freeze(self) -> None:
        """Nothing."""

    def thaw(self) -> None:
        """Nothing."""

    def start_over(self) -> None:
        """Forget what threads were at that are not there."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing."""


# Held while the set is looked at, and all through a fork.
_lock = threading.Lock()
_owned: weakref.WeakSet[Owned] = weakref.WeakSet()
_frozen: list[Owned] = []


def watch_over(owned: Owned) -> None:
    """Have this object's methods called when the process forks or ends, while it exists."""
    with _lock:
        _owned.add(owned)


def _before_fork() -> None:
    _lock.acquire()
    _frozen[:] = list(_owned)
    for owned in _frozen:
        owned.freeze()


def _after_fork_in_parent() -> None:
    for owned in _frozen:
        owned.thaw()
    _frozen.clear()
    _lock.release()


def _after_fork_in_child() -> None:
    for owned in _frozen:
        owned.start_over()
    _frozen.clear()
    _lock.release()


def _at_exit() -> None:
    with _lock:
        everything = list(_owned)
    for owned in everything:
        owned.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
