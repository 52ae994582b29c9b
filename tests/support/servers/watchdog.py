"""Ends servers whose starter has died, however it died.

A process of its own per starter, told over its standard input: "start PID FOLDER" and "stop PID",
each on a line. When that input ends, the servers still known are killed and their folders removed.
It imports nothing that takes time to import.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock

# The end of the pipe to it, and whose it is.
_pipe = -1
_starter = 0
_lock = Lock()


def watch(pid: int, folder: Path) -> None:
    """Have a server killed and its folder removed when this process ends."""
    _tell(f"start {pid} {folder}")


def forget(pid: int) -> None:
    """The server has been stopped; another process may get its number."""
    _tell(f"stop {pid}")


def _tell(line: str) -> None:
    global _pipe, _starter
    with _lock:
        # A forked process has one of its own.
        if _starter != os.getpid():
            _starter, _pipe = os.getpid(), _start()
        os.write(_pipe, f"{line}\n".encode())


def _start() -> int:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        stdin=reading,
        stdout=subprocess.DEVNULL,
        # What kills this process' group must not reach it.
        start_new_session=True,
    )
    os.close(reading)
    # It ends after this process, so nobody waits for it.
    process.returncode = 0
    return writing


def _main() -> None:
    known: dict[int, str] = {}
    for line in sys.stdin:
        command, pid, *folder = line.rstrip("\n").split(" ", 2)
        if command == "start":
            known[int(pid)] = folder[0]
        else:
            known.pop(int(pid), None)
    for pid in known:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if known:
        import shutil

        for folder in known.values():
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
