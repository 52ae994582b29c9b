"""Where the clients of the Redis store come from, and what becomes of them."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.asyncio.cluster import ClusterNode as AsyncNode
from redis.cluster import ClusterNode

from http_client_cache.codec import codec_for
from http_client_cache.errors import ConfigurationError
from http_client_cache.shell.guard import Guard
from http_client_cache.shell.redis import AsyncRedis, SyncRedis, source_of
from http_client_cache.shell.redis.address import parse
from http_client_cache.store.redis import CLUSTER_SHARDS, RedisStore
from http_client_cache.testing import Subject
from tests.stores import subjects
from tests.stores.subjects import entry, run_as_async, run_as_sync
from tests.support import servers

BODY = b"the body"
ROOT = Path(__file__).parents[2]


def subject_of(client: Any) -> Subject:
    source = source_of(client)
    shards = CLUSTER_SHARDS if source.address.kind == "cluster" else 1
    store = RedisStore(codec_for(), cache_name=os.urandom(8).hex(), shards=shards)
    guard = Guard(5.0)
    return Subject(store, SyncRedis(guard, source), AsyncRedis(guard, source))


def of_sentinels(kind: Any) -> Any:
    nodes, service = servers.redis_sentinels()
    sentinel = kind(nodes)
    client = sentinel.master_for(service)
    # So that the test can close them.
    client.sentinels = sentinel.sentinels
    return client


MAKERS: dict[str, Callable[[], Any]] = {
    "sync": lambda: redis.Redis.from_url(servers.redis_url()),
    "async": lambda: redis.asyncio.Redis.from_url(servers.redis_url()),
    "sync RESP3": lambda: redis.Redis.from_url(servers.redis_url(), protocol=3),
    "async RESP3": lambda: redis.asyncio.Redis.from_url(servers.redis_url(), protocol=3),
    "sync RESP2": lambda: redis.Redis.from_url(servers.redis_url(), protocol=2),
    "async TLS": lambda: redis.asyncio.Redis.from_url(
        servers.redis_tls()[0], ssl_ca_certs=servers.redis_tls()[1]
    ),
    "sync TLS": lambda: redis.Redis.from_url(
        servers.redis_tls()[0], ssl_ca_certs=servers.redis_tls()[1]
    ),
    "sync cluster": lambda: redis.RedisCluster(
        startup_nodes=[ClusterNode(*node) for node in servers.redis_cluster_nodes()]
    ),
    "async cluster": lambda: redis.asyncio.RedisCluster(
        startup_nodes=[AsyncNode(*node) for node in servers.redis_cluster_nodes()]
    ),
    "sync sentinels": lambda: of_sentinels(redis.sentinel.Sentinel),
    "async sentinels": lambda: of_sentinels(redis.asyncio.sentinel.Sentinel),
}


@pytest.mark.parametrize("name", MAKERS)
async def test_a_client_of_the_users_own(name: str) -> None:
    client = MAKERS[name]()
    subject = subject_of(client)
    store = subject.store
    for number, (write, read) in enumerate(
        [(run_as_sync, run_as_async), (run_as_async, run_as_sync)]
    ):
        key = f"a.{number}"
        await write(subject, store.save(key, entry(body=BODY), BODY))
        (found,) = await read(subject, store.load(key))
        assert found.body == BODY
    assert await run_as_async(subject, store.size()) == 2
    await run_as_sync(subject, store.clear())
    await subject.close()
    # It is not closed: what it had is still there.
    for part in [client, *getattr(client, "sentinels", [])]:
        if name.startswith("async"):
            if part is client:
                assert await client.ping()
            await part.aclose()
        else:
            if part is client:
                assert client.ping()
            part.close()


@pytest.mark.parametrize("kind", [redis.Redis, redis.asyncio.Redis])
def test_a_client_that_decodes_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"connection.*decode_responses"):
        source_of(kind(decode_responses=True))


@pytest.mark.parametrize("what", ["redis://localhost", None, object(), redis.ConnectionPool()])
def test_what_is_no_client_is_refused(what: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"connection must be a redis\.Redis"):
        source_of(what)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost", "redis://"),
        ("localhost:6379", "redis://"),
        ("", "redis://"),
        (5, "not int"),
        ("redis://localhost:port", "redis://"),
        ("redis://localhost/notanumber", "db"),
        ("redis://localhost?decode_responses=1", "not known; there are db, username"),
        ("redis://localhost?decode_responses", "not known"),
        ("redis://localhost/0?ssl", "ssl has no value"),
        ("redis://localhost/0?ssl=", "ssl has no value"),
        ("redis://localhost?db=1&client_name", "client_name has no value"),
        ("redis://localhost#ssl=1", "%23"),
        ("redis://localhost?socket_timeout=1", "store_timeout"),
        ("redis://localhost?ssl=maybe", "ssl"),
        ("redis+sentinel://localhost", "service"),
        ("unix://", "socket"),
    ],
)
def test_an_address_that_says_nothing(url: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse(url)


def test_what_an_address_says() -> None:
    assert parse("redis://").nodes == (("localhost", 6379),)
    assert parse("valkey://h:1/2").options == {"db": 2}
    secure = parse("valkeys://us%40er:p%2Fw@h?db=3&client_name=me&ssl_check_hostname=no")
    assert secure.options == {
        "username": "us@er",
        "password": "p/w",
        "db": 3,
        "client_name": "me",
        "ssl": True,
        "ssl_check_hostname": False,
    }
    assert parse("unix:///run/redis.sock?db=1").path == "/run/redis.sock"
    cluster = parse("rediss+cluster://a:1,b,[::1]:3")
    assert (cluster.kind, cluster.nodes) == ("cluster", (("a", 1), ("b", 6379), ("::1", 3)))
    watched = parse("redis+sentinel://a,b:2/mine")
    assert watched.nodes == (("a", 26379), ("b", 2))
    assert parse("redis://h:1").having({"port": 2, "db": None, "password": "x"}).nodes == (
        ("h", 2),
    )


def test_the_address_shows_no_password() -> None:
    address = parse("redis+sentinel://user:pass1@h1:1,[::1]:2/mine/3?sentinel_password=pass2")
    assert address.nodes == (("h1", 1), ("::1", 2))
    assert address.options["password"] == "pass1"
    assert (address.service, address.options["db"]) == ("mine", 3)
    assert "pass" not in repr(address)


@pytest.mark.parametrize("mark", ["?", "#", "/", "&", "=", ":", "@", "[", "?a=", "?db="])
@pytest.mark.parametrize("before", ["12", "hidden"])
@pytest.mark.parametrize("url", ["redis://me:{}@h:1/2", "redis://h?username=me&password={}"])
def test_no_error_shows_a_part_of_a_password(url: str, before: str, mark: str) -> None:
    """Nor of one that is not escaped as it should be."""
    said = ""
    try:
        parse(url.format(f"{before}{mark}hidden"))
    except ConfigurationError as error:
        said = str(error)
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("url", "given", "said"),
    [
        ("redis+cluster://h", {"db": 1}, "cluster has no other"),
        ("redis+cluster://h", {"host": "x"}, "host"),
        ("unix:///run/r", {"port": 1}, "port"),
        ("redis://h", {"ssl_ca_certs": "file"}, "TLS"),
        ("redis://h", {"sentinel_password": "x"}, "sentinel"),
    ],
)
def test_what_does_not_go_together(url: str, given: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse(url).having(given)


async def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with servers.RedisServer("--unixsocket", str(path)):
        subject = subjects.redis_at(parse(f"unix://{path}"))
        for run in (run_as_sync, run_as_async):
            await run(subject, subject.store.save("a.1", entry(body=BODY), BODY))
            (found,) = await run(subject, subject.store.load("a.1"))
            assert found.body == BODY
        await subject.close()


PROGRAM = """
import asyncio, os, sys
from http_client_cache.shell.redis.address import parse
from http_client_cache.shell.store_driver import run_async, run_sync
from tests.stores.subjects import entry, redis_at

store, shell, waiting, *_ = redis_at(parse(sys.argv[1]))


def save(key):
    run_sync(store.save(key, entry(body=key.encode()), key.encode()), shell)


def load(key):
    return [found.body.decode() for found in run_sync(store.load(key), shell)]


async def save_and_load(key):
    await run_async(store.save(key, entry(body=key.encode()), key.encode()), waiting)
    return [found.body.decode() for found in await run_async(store.load(key), waiting)]

"""


def tls_url() -> str:
    url, authority = servers.redis_tls()
    return f"{url}?ssl_ca_certs={authority}"


def cluster_url() -> str:
    nodes = ",".join(f"{host}:{port}" for host, port in servers.redis_cluster_nodes())
    return f"redis+cluster://{nodes}"


def sentinel_url() -> str:
    sentinels, service = servers.redis_sentinels()
    return f"redis+sentinel://{','.join(f'{host}:{port}' for host, port in sentinels)}/{service}"


def run(code: str, url: str | None = None) -> str:
    """What a program says that uses a cache, and may not even warn."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            PROGRAM + textwrap.dedent(code),
            url or servers.redis_url(),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_makes_connections_of_its_own() -> None:
    assert run(
        """
        save("a.1")
        child = os.fork()
        for number in range(50):
            key = f"{child == 0}.{number}"
            save(key)
            assert load(key) == [key], (child, key)
        if child:
            _, status = os.waitpid(child, 0)
            assert status == 0
            print(load("a.1"), run_sync(store.size(), shell))
            shell.close()
        """
    ) == ("['a.1'] 101\n")


@pytest.mark.parametrize("url", [servers.redis_url, tls_url, cluster_url, sentinel_url])
def test_one_loop_after_the_other(url: Callable[[], str]) -> None:
    code = """
        for number in range(3):
            print(asyncio.run(save_and_load(f"a.{number}")))
        asyncio.run(waiting.close())
        """
    assert run(code, url()) == "['a.0']\n['a.1']\n['a.2']\n"


@pytest.mark.parametrize("url", [servers.redis_url, tls_url, cluster_url, sentinel_url])
@pytest.mark.parametrize("end", ["", "os._exit(0)", "sys.exit()", "del waiting"])
def test_who_ends_without_closing_is_told_nothing(end: str, url: Callable[[], str]) -> None:
    code = f"""
        save("a.1")
        print(asyncio.run(save_and_load("a.2")), flush=True)
        {end}
        """
    assert run(code, url()) == "['a.2']\n"


async def test_what_nobody_closed_goes_with_the_collector() -> None:
    client = redis.Redis.from_url(servers.redis_url())
    subject = subjects.redis(Path())
    await run_as_sync(subject, subject.store.save("a.1", entry(), b""))
    del subject
    gc.collect()
    client.close()


async def test_many_share_few_connections() -> None:
    with servers.RedisServer() as server, redis.Redis(port=server.port) as other:
        address = parse(server.url).having({"max_connections": 5})
        subject = subjects.redis_at(address)

        async def one(number: int) -> None:
            key = f"a.{number}"
            await run_as_async(subject, subject.store.save(key, entry(body=BODY), BODY))
            assert len(await run_as_async(subject, subject.store.load(key))) == 1

        await asyncio.gather(*(one(number) for number in range(200)))
        assert other.info("clients")["connected_clients"] <= 6
        await subject.close()
