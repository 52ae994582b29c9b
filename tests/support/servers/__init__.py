"""Real servers that the tests start by themselves.

The functions give the address of a server that all tests of a process share: it is started when it
is first asked for, and stopped at the end. Keep apart what tests write to it by names of their own.
The classes are for servers of one's own, which may be suspended, killed and restarted.

All of them are on 127.0.0.1, on ports below 32768, with a temporary folder each. `make servers`
puts the programs on the machine.
"""

from tests.support.servers.commands import Trips, counting
from tests.support.servers.dynamo import DynamoServer
from tests.support.servers.mongo import MongoServer
from tests.support.servers.ports import free_port
from tests.support.servers.process import Server, ServerFailedError, wait_until
from tests.support.servers.programs import ServerMissingError
from tests.support.servers.proxy import (
    BlackHole,
    Delay,
    Drip,
    Garbage,
    Mode,
    Pass,
    Proxy,
    Refuse,
    Reset,
    Truncate,
)
from tests.support.servers.redis_alone import RedisServer, ValkeyServer
from tests.support.servers.redis_cluster import ClusterServers
from tests.support.servers.redis_sentinel import SentinelServers
from tests.support.servers.shared import (
    dynamodb_url,
    mongodb_url,
    redis_cluster_nodes,
    redis_sentinels,
    redis_tls,
    redis_url,
    stop_all,
    valkey_url,
)

__all__ = [
    "BlackHole",
    "ClusterServers",
    "Delay",
    "Drip",
    "DynamoServer",
    "Garbage",
    "Mode",
    "MongoServer",
    "Pass",
    "Proxy",
    "RedisServer",
    "Refuse",
    "Reset",
    "SentinelServers",
    "Server",
    "ServerFailedError",
    "ServerMissingError",
    "Trips",
    "Truncate",
    "ValkeyServer",
    "counting",
    "dynamodb_url",
    "free_port",
    "mongodb_url",
    "redis_cluster_nodes",
    "redis_sentinels",
    "redis_tls",
    "redis_url",
    "stop_all",
    "valkey_url",
    "wait_until",
]
