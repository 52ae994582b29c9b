"""Servers that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from tests.support.servers.process import Server


class ServerGroup:
    """Several servers as one context manager.

    What is done to the group is done to each of :attr:`members`; each of them can be hurt alone.
    """

    @property
    def members(self) -> Sequence[Server]:
        """All servers."""
        raise NotImplementedError

    def start(self) -> None:
        """Start all, and return when they have found each other."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Kill all and remove their folders."""
        for member in self.members:
            member.stop()

    def kill(self) -> None:
        """SIGKILL."""
        for member in self.members:
            member.kill()

    def suspend(self) -> None:
        """SIGSTOP."""
        for member in self.members:
            member.suspend()

    def resume(self) -> None:
        """Let them go on."""
        for member in self.members:
            member.resume()

    def restart(self) -> None:
        """Kill all and start them again, with the same ports and folders."""
        self.kill()
        self.start()

    @property
    def pids(self) -> list[int]:
        """The numbers of their processes."""
        return [member.pid for member in self.members]

    @property
    def ports(self) -> list[int]:
        """Their ports."""
        return [member.port for member in self.members]
