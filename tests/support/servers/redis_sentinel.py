"""Redis with sentinels."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.servers import programs
from tests.support.servers.group import ServerGroup
from tests.support.servers.process import Server, wait_until
from tests.support.servers.redis_alone import RedisServer
from tests.support.servers.resp import ask, fields

SERVICE = "main"


class SentinelServer(Server):
    """One sentinel.

    Args:
        watched: the master.
        down_after: milliseconds after which a silent server is taken for dead.
    """

    name = "sentinel"

    def __init__(self, watched: RedisServer, down_after: int) -> None:
        super().__init__()
        self._watched = watched
        self._down_after = down_after

    def prepare(self) -> None:
        """Write its configuration, which it keeps up to date itself."""
        (self.folder / "sentinel.conf").write_text(
            f"port {self.port}\n"
            f"bind {self.host}\n"
            f"dir {self.folder}\n"
            f"sentinel monitor {SERVICE} {self._watched.host} {self._watched.port} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {self._down_after}\n"
            f"sentinel failover-timeout {SERVICE} 2000\n"
        )

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        return [programs.redis_server(), str(self.folder / "sentinel.conf"), "--sentinel"]

    def is_ready(self) -> bool:
        """Whether it answers."""
        return ask(self.address, "PING") == "PONG"

    def sees(self) -> dict[str, str]:
        """What it knows of the service."""
        answer = ask(self.address, "SENTINEL", "MASTER", SERVICE)
        assert isinstance(answer, list)
        return dict(zip(map(str, answer[::2]), map(str, answer[1::2]), strict=True))


class SentinelServers(ServerGroup):
    """A master, a replica and three sentinels, two of which have to agree.

    Args:
        arguments: more of the command line of master and replica.
        down_after: milliseconds after which a silent server is taken for dead.

    Attributes:
        service: the name that clients ask the sentinels for.
        master: the master at the beginning.
        replica: its replica at the beginning.
        sentinels: all three.
    """

    service = SERVICE

    def __init__(self, *arguments: str, down_after: int = 500) -> None:
        options = ("--repl-diskless-sync-delay", "0", *arguments)
        self.master = RedisServer(*options)
        self.replica = RedisServer(*options)
        self.sentinels = [SentinelServer(self.master, down_after) for _ in range(3)]

    @property
    def members(self) -> list[Server]:
        """Master, replica, sentinels."""
        return [self.master, self.replica, *self.sentinels]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each sentinel."""
        return [sentinel.address for sentinel in self.sentinels]

    def primary(self) -> tuple[str, int]:
        """Host and port of the server that the first sentinel takes for the master.

        Raises:
            OSError: it does not answer.
        """
        answer = ask(self.sentinels[0].address, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        assert isinstance(answer, list)
        return str(answer[0]), int(str(answer[1]))

    def start(self) -> None:
        """Start all, and return when a loss of the master would be repaired."""
        self.master.start()
        self.replica.start()
        ask(self.replica.address, "REPLICAOF", *self.master.address)
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(self._is_copied, "the replica follows")
        wait_until(lambda: all(map(self._is_complete, self.sentinels)), "the sentinels know all")

    def _is_copied(self) -> bool:
        return fields(self.replica.address, "INFO", "replication")["master_link_status"] == "up"

    def _is_complete(self, sentinel: SentinelServer) -> bool:
        seen = sentinel.sees()
        others = str(len(self.sentinels) - 1)
        return (
            seen["flags"] == "master"
            and seen["num-slaves"] == "1"
            and seen["num-other-sentinels"] == others
        )
