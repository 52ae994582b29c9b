"""The servers that tests start: they come up, they can be hurt, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from boto3 import client as aws
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import Redis
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import AuthenticationError, OutOfMemoryError
from redis.exceptions import TimeoutError as Late
from redis.sentinel import Sentinel

from tests.support.servers import (
    ClusterServers,
    DynamoServer,
    MongoServer,
    RedisServer,
    SentinelServers,
    Server,
    ServerFailedError,
    ServerMissingError,
    ValkeyServer,
    dynamodb_url,
    mongodb_url,
    ports,
    programs,
    redis_cluster_nodes,
    redis_sentinels,
    redis_tls,
    redis_url,
    valkey_url,
    wait_until,
)
from tests.support.servers.resp import ask

KINDS: dict[str, Callable[[], Server]] = {
    "redis": RedisServer,
    "valkey": ValkeyServer,
    "mongodb": MongoServer,
    "dynamodb": DynamoServer,
}


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    return KINDS[request.param]()


def info_of(url: str, **options: Any) -> dict[str, Any]:
    with Redis.from_url(url, **options) as client:
        return dict(client.info("server"))


def dynamodb(url: str) -> Any:
    return aws(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="anything",
        aws_secret_access_key="anything",
    )


def is_gone(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        # Ended, though nobody has asked how.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


# --- Shared ones.


def test_redis_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert info_of(redis_url())["redis_version"].startswith("7.")
    assert redis_url() == redis_url()


def test_valkey_answers() -> None:
    assert info_of(valkey_url())["valkey_version"].startswith("9.")


def test_redis_answers_over_tls_to_who_trusts_its_authority() -> None:
    url, ca = redis_tls()
    assert url.startswith("rediss://")
    assert info_of(url, ssl_ca_certs=ca)["redis_version"].startswith("7.")


def test_a_cluster_answers_on_each_node() -> None:
    nodes = redis_cluster_nodes()
    with RedisCluster(startup_nodes=[ClusterNode(*node) for node in nodes]) as client:
        names = [f"{nodes}{n}" for n in range(20)]
        for name in names:
            client.set(name, name, ex=60)
        assert len({client.get_node_from_key(name).port for name in names}) == 3
        assert [client.get(name).decode() for name in names] == names


def test_sentinels_lead_to_the_master() -> None:
    addresses, service = redis_sentinels()
    assert len(addresses) == 3
    with Sentinel(addresses).master_for(service) as client:
        assert client.info("replication")["connected_slaves"] == 1


def test_mongodb_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URL", raising=False)
    with MongoClient[dict[str, Any]](mongodb_url()) as client:
        assert client.server_info()["version"].startswith("6.")


def test_dynamodb_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DYNAMODB_ENDPOINT_URL", raising=False)
    client = dynamodb(dynamodb_url())
    assert "TableNames" in client.list_tables()
    client.close()


def test_variables_point_to_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, function in {
        "REDIS_URL": redis_url,
        "MONGODB_URL": mongodb_url,
        "DYNAMODB_ENDPOINT_URL": dynamodb_url,
    }.items():
        monkeypatch.setenv(variable, f"elsewhere://{variable}")
        assert function() == f"elsewhere://{variable}"


# --- Dedicated ones.


def test_a_server_from_its_start_to_its_end(server: Server) -> None:
    with server:
        pid, folder, port = server.pid, server.folder, server.port
        assert 1024 < port < 32768
        assert folder.exists()
        assert server.is_running

        server.kill()
        assert not server.is_running
        assert is_gone(pid)
        with pytest.raises(ConnectionRefusedError):
            server.is_ready()

        server.start()
        assert (server.port, server.folder) == (port, folder)
        assert server.pid != pid
        assert server.is_ready()
        pid = server.pid
    assert not server.is_running
    assert not folder.exists()
    assert is_gone(pid)


def test_a_suspended_server_hangs_until_it_is_resumed() -> None:
    with (
        RedisServer() as server,
        Redis.from_url(server.url) as patient,
        Redis.from_url(server.url, socket_timeout=0.1, retry=None) as impatient,
    ):
        patient.ping()
        server.suspend()
        with pytest.raises(Late):
            impatient.ping()
        server.resume()
        assert patient.ping()


def test_arguments_of_redis() -> None:
    with (
        RedisServer("--maxmemory", "3mb", password="secret") as server,
        Redis.from_url(server.url) as client,
        Redis.from_url(server.url.replace(":secret@", "")) as stranger,
    ):
        with pytest.raises(AuthenticationError):
            stranger.ping()
        with pytest.raises(OutOfMemoryError):
            for n in range(10):
                client.set(str(n), b"x" * 1_000_000)


def test_arguments_of_mongod() -> None:
    fail = {
        "configureFailPoint": "failCommand",
        "mode": {"times": 1},
        "data": {"failCommands": ["find"], "errorCode": 50},
    }
    arguments = ("--setParameter", "enableTestCommands=1")
    with (
        MongoServer(*arguments, user=("ann", "secret")) as server,
        MongoClient[dict[str, Any]](server.url) as client,
        MongoClient[dict[str, Any]](server.url.replace("ann:secret@", "")) as stranger,
    ):
        client.test.things.insert_one({"_id": 1})
        with pytest.raises(OperationFailure, match="requires authentication"):
            stranger.test.things.find_one()
        client.admin.command(fail)
        with pytest.raises(OperationFailure) as error:
            client.test.things.find_one()
        assert error.value.code == 50
        # What has been written before a proper end is there after it.
        server.terminate()
        server.start()
        assert client.test.things.find_one() == {"_id": 1}


def test_the_error_of_a_failed_start_has_the_log() -> None:
    server = RedisServer("--no-such-option", "yes")
    with pytest.raises(ServerFailedError, match="no-such-option"):
        server.start()
    assert not server.folder.exists()
    assert not server.is_running


def test_a_port_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.Port()
    number = first.take()
    monkeypatch.setattr(ports, "_PORTS", [number])
    with pytest.raises(RuntimeError, match="no port is free"):
        ports.free_port()
    first.release()
    assert ports.free_port() == number


def test_a_missing_program_is_an_error_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "FETCHED", tmp_path)
    monkeypatch.delenv("MONGODB_URL", raising=False)
    with pytest.raises(ServerMissingError, match=r"mongod is not here: run `make servers`$"):
        MongoServer().start()
    monkeypatch.setenv("MONGODB_URL", "mongodb://elsewhere")
    with pytest.raises(ServerMissingError, match="with MONGODB_URL unset"):
        MongoServer().start()


def test_a_lost_node_of_a_cluster_comes_back() -> None:
    options = ("--cluster-require-full-coverage", "no")
    with ClusterServers(*options, kind=ValkeyServer) as cluster:
        lost, first = cluster.masters[2], cluster.masters[0]
        ask(first.address, "SET", "{3}", 1)  # Of a slot in the first third.
        lost.kill()
        assert ask(first.address, "GET", "{3}") == "1"
        lost.start()
        wait_until(lambda: ask(lost.address, "DBSIZE") == 0, "it answers")
        pids = cluster.pids
    assert all(map(is_gone, pids))


def test_sentinels_replace_a_dead_master() -> None:
    with SentinelServers() as servers:
        assert servers.primary() == servers.master.address
        servers.master.kill()
        wait_until(lambda: servers.primary() == servers.replica.address, "there is a new master")
        pids = [server.pid for server in (servers.replica, *servers.sentinels)]
    assert all(map(is_gone, pids))


# --- The end.

PROGRAM = """
import os, signal, sys
from tests.support.servers import MongoServer, RedisServer, redis_url, valkey_url
from tests.support.servers import shared

def tell(server):
    print(server.pid, server.folder, flush=True)

redis_url()
valkey_url()
for server in shared._running.values():
    tell(server)
server = MongoServer()
server.start()
tell(server)
if sys.argv[1] == "end":
    server.stop()
elif sys.argv[1] == "fork":
    # A child that ends does not end what is its parent's.
    if not os.fork():
        sys.exit()
    os.wait()
    for one in shared._running.values():
        assert one.is_running and one.is_ready()
    server.stop()
elif sys.argv[1] == "suspended":
    server.suspend()
    os.kill(os.getpid(), signal.SIGKILL)
else:
    os.killpg(0, signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["end", "fork", "killed", "suspended"])
def test_nothing_is_left_behind(how: str) -> None:
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        # A child that ends has not waited for servers that it did not start.
        [sys.executable, "-W", "ignore" if how == "fork" else "error", "-c", PROGRAM, how],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}/src:{root}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        start_new_session=True,
    )
    assert result.stderr == ""
    assert result.returncode == (0 if how in {"end", "fork"} else -signal.SIGKILL)
    told = [line.split() for line in result.stdout.splitlines()]
    assert len(told) == 3
    for pid, folder in told:
        wait_until(lambda pid=pid: is_gone(int(pid)), "the server is gone", 5)
        wait_until(lambda folder=folder: not Path(folder).exists(), "its folder is gone", 5)
