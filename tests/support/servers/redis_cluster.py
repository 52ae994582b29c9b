"""A Redis Cluster."""

from __future__ import annotations

from tests.support.servers.group import ServerGroup
from tests.support.servers.process import wait_until
from tests.support.servers.redis_alone import RedisServer
from tests.support.servers.resp import ask, fields

_SLOTS = 16384


class ClusterServers(ServerGroup):
    """Three masters with a third of the slots each.

    A node is missed after a second; without replicas, the whole cluster then refuses commands,
    unless ``"--cluster-require-full-coverage", "no"`` is among the arguments.

    Args:
        arguments: more of the command line of each.
        replicas: of each master; a lost master is replaced by one.
        kind: :class:`ValkeyServer` for a cluster of these.

    Attributes:
        masters: in the order of their slots.
        replicas: the first of each master, in the same order, then the second of each.
    """

    def __init__(
        self, *arguments: str, replicas: int = 0, kind: type[RedisServer] = RedisServer
    ) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", *arguments)
        self.masters = [kind(*options) for _ in range(3)]
        self.replicas = [kind(*options) for _ in range(3 * replicas)]

    @property
    def members(self) -> list[RedisServer]:
        """The masters, then the replicas."""
        return [*self.masters, *self.replicas]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each master."""
        return [master.address for master in self.masters]

    @property
    def url(self) -> str:
        """The first master's; it knows the others."""
        return self.masters[0].url

    def start(self) -> None:
        """Start all, and return when each says that the cluster is whole."""
        again = self.masters[0].port
        for member in self.members:
            member.start()
        if not again:
            self._join()
        wait_until(lambda: all(map(self._is_whole, self.members)), "the cluster is whole")

    def _join(self) -> None:
        for number, master in enumerate(self.masters):
            first, end = (_SLOTS * n // len(self.masters) for n in (number, number + 1))
            ask(master.address, "CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        for number, member in enumerate(self.members):
            # Different from the start, so that nobody has to be outvoted.
            ask(member.address, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for other in self.members[:number]:
                ask(member.address, "CLUSTER", "MEET", *other.address)
        for number, replica in enumerate(self.replicas):
            master = self.masters[number % len(self.masters)]
            name = ask(master.address, "CLUSTER", "MYID")

            def is_replica(replica: RedisServer = replica, name: str = str(name)) -> bool:
                # It is refused until the replica has heard of its master.
                return ask(replica.address, "CLUSTER", "REPLICATE", name) == "OK"

            wait_until(is_replica, "a replica follows its master")

    def _is_whole(self, member: RedisServer) -> bool:
        info = fields(member.address, "CLUSTER", "INFO")
        link = fields(member.address, "INFO", "replication")
        return (
            info["cluster_state"] == "ok"
            and info["cluster_slots_ok"] == str(_SLOTS)
            and info["cluster_known_nodes"] == str(len(self.members))
            and link.get("master_link_status", "up") == "up"
        )
