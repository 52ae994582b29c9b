"""A server program that tests start, hurt and stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.servers import watchdog
from tests.support.servers.ports import Port


class ServerFailedError(RuntimeError):
    """A server did not start; its log is in the message."""


class Server:
    """One process with a port and a folder of its own; a context manager.

    Entering starts it and returns when it answers, leaving kills it and removes its folder.

    Attributes:
        host: "127.0.0.1".
        port: chosen at the first start, kept at a restart.
        folder: what it writes into, its ``log`` included. Kept at a restart.
    """

    host = "127.0.0.1"
    name = "server"
    #: Seconds that it may take to start.
    patience = 20.0

    def __init__(self) -> None:
        self.port = 0
        self.folder = Path()
        self._reserved = Port()
        self._process: subprocess.Popen[bytes] | None = None

    # --- What a kind of server says of itself.

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Ask it; an OSError means no."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Called before the first start, when port and folder are known."""

    def after_first_start(self) -> None:
        """Called when it answers for the first time."""

    def complaint(self) -> str:
        """What its log says of a failed start."""
        return self.log[-4000:]

    # --- Life.

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it answers.

        Raises:
            ServerFailedError: it ended, or did not answer in time.
        """
        if self.port:
            self._launch()
            return
        for last in (False, False, True):
            self.port = self._reserved.take()
            self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
            try:
                self.prepare()
                self._launch()
                self.after_first_start()
                return
            except BaseException as error:
                # Somebody else may have taken the port in the meantime.
                taken = isinstance(error, ServerFailedError) and "in use" in self.log
                self.stop()
                if last or not taken:
                    raise

    def stop(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        if self.port:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._reserved.release()
            self.port = 0

    def kill(self) -> None:
        """SIGKILL: connections are reset, its folder stays for :meth:`start`."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            watchdog.forget(process.pid)

    def terminate(self) -> None:
        """SIGTERM, and wait: what it has not written yet, it writes before it ends."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(self.patience)
            watchdog.forget(process.pid)

    def restart(self) -> None:
        """Kill it and start it again, with the same port and folder."""
        self.kill()
        self.start()

    def suspend(self) -> None:
        """SIGSTOP: connections stay open, new ones are accepted, nothing is answered."""
        os.killpg(self.pid, signal.SIGSTOP)
        wait_until(lambda: _stands_still(self.pid), "all of its threads have heard of it")

    def resume(self) -> None:
        """Let it go on after :meth:`suspend`."""
        os.killpg(self.pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        """The number of its process.

        Raises:
            RuntimeError: it does not run.
        """
        if self._process is None:
            message = f"{self.name} does not run"
            raise RuntimeError(message)
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port

    @property
    def log(self) -> str:
        """What it has written since it was started last."""
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text(errors="replace")
        return ""

    def _launch(self) -> None:
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the tests, which may want to ask it something while they end.
                start_new_session=True,
            )
        watchdog.watch(self._process.pid, self.folder)
        deadline = time.monotonic() + self.patience
        while self.is_running:
            with suppress(OSError):
                # Not if somebody else answers, who was faster to take the port.
                if self.is_ready() and self.is_running:
                    return
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
        what = f"does not answer after {self.patience} s" if self.is_running else "ended"
        message = f"{self.name} {what}. Its log:\n{self.complaint()}"
        self.kill()
        raise ServerFailedError(message)


def wait_until(done: Callable[[], bool], what: str, patience: float = 20.0) -> None:
    """Ask until it is so; an OSError means not yet.

    Raises:
        ServerFailedError: it took longer than `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        with suppress(OSError):
            if done():
                return
        if time.monotonic() > deadline:
            message = f"not so after {patience} s: {what}"
            raise ServerFailedError(message)
        time.sleep(0.01)


def _stands_still(pid: int) -> bool:
    """Whether no thread of a process does anything more; without /proc nobody knows."""
    try:
        states = [
            # The name before may hold anything, brackets too.
            task.read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").glob("*/stat")
        ]
    except OSError:
        # One of them has just ended.
        return False
    return all(state in "TtZX" for state in states)
