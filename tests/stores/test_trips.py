"""What a request costs in trips to the server, counted there, for the backends on servers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from aiohttp_client_cache import (
    CachedSession,
    DynamoDBBackend,
    GridFSBackend,
    MongoDBBackend,
    RedisBackend,
)
from http_client_cache.backends.remote import Remote
from http_client_cache.redis_statements import Script
from http_client_cache.store import _redis_looks, _redis_scripts
from tests.support import servers
from tests.support.clock import StandingClock
from tests.support.origin import Origin
from tests.support.servers import Proxy, counting
from tests.support.servers.resp import ask

LARGE = 3_000_000
"""Bytes: eleven blocks of 256 KiB, and a part of one."""

LARGER = 500_000
"""Bytes: fewer than are held in memory, more than an item of DynamoDB may have."""

Watched = list[str | Proxy]


def redis(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    url = servers.redis_url()
    return RedisBackend(name, url, **options), [url]


def valkey(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    url = servers.valkey_url()
    return RedisBackend(name, url, **options), [url]


def cluster(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    nodes = [f"{host}:{port}" for host, port in servers.redis_cluster_nodes()]
    backend = RedisBackend(name, f"redis+cluster://{','.join(nodes)}", **options)
    return backend, [f"redis://{node}" for node in nodes]


def sentinel(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    nodes, service = servers.redis_sentinels()
    address = ",".join(f"{host}:{port}" for host, port in nodes)
    backend = RedisBackend(name, f"redis+sentinel://{address}/{service}", **options)
    master = ask(nodes[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
    assert isinstance(master, list)
    return backend, [f"redis://{master[0]}:{master[1]}"]


def mongodb(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    url = servers.mongodb_url()
    return MongoDBBackend(name, host=url, **options), [url]


def gridfs(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    url = servers.mongodb_url()
    return GridFSBackend(name, host=url, **options), [url]


def dynamodb(name: str, stack: ExitStack, **options: Any) -> tuple[Remote, Watched]:
    url = servers.dynamodb_url()
    host, _, port = url.rpartition("/")[2].rpartition(":")
    proxy = stack.enter_context(Proxy((host, int(port))))
    keys = {"aws_access_key_id": "somebody", "aws_secret_access_key": "secret"}
    backend = DynamoDBBackend(
        name, endpoint_url=proxy.through(url), region_name="eu-west-1", **keys, **options
    )
    return backend, [proxy]


BACKENDS = {
    maker.__name__: maker for maker in (redis, valkey, cluster, sentinel, mongodb, gridfs, dynamodb)
}


def teach(watched: Watched) -> None:
    """Let each Redis know all scripts, which it is told when they are used first."""
    known = [*vars(_redis_looks).values(), *vars(_redis_scripts).values()]
    scripts = [script.text for script in known if isinstance(script, Script)]
    for url in watched:
        if isinstance(url, str) and url.startswith("redis"):
            with Redis.from_url(url) as client:
                for script in scripts:
                    client.script_load(script)


class Scene:
    """A session on a server, and what it costs there."""

    def __init__(self, session: CachedSession, origin: Origin, watched: Watched) -> None:
        self.session = session
        self.origin = origin
        self._watched = watched

    async def get(self, path: str) -> bool:
        """Whether it came from the cache."""
        async with self.session.get(self.origin.url(path)) as response:
            await response.read()
            return response.from_cache

    async def post(self, path: str) -> bool:
        async with self.session.post(self.origin.url(path)) as response:
            await response.read()
            return response.from_cache

    async def costs(self, what: Awaitable[bool], *, hit: bool = False) -> int:
        with counting(*self._watched) as trips:
            assert await what is hit
            await self.is_quiet()
        return trips.count

    async def is_quiet(self) -> None:
        """Return when what nobody waits for is done, such as giving a lease back."""
        for _ in range(3):
            await asyncio.sleep(0)
        work = [task for task in asyncio.all_tasks() if task.get_name().startswith("http cache ")]
        if work:
            await asyncio.wait(work)


@asynccontextmanager
async def opened(kind: str, origin: Origin, clock: StandingClock, **options: Any) -> Any:
    name = f"trips-{secrets.token_hex(4)}"
    with ExitStack() as stack:
        # It is about numbers, not about time.
        backend, watched = BACKENDS[kind](
            name, stack, expire_after=60, clock=clock, store_timeout=20, **options
        )
        teach(watched)
        async with CachedSession(cache=backend) as session:
            yield Scene(session, origin, watched)
            await backend.clear()


Prices = Callable[[Scene, str], Awaitable[dict[str, int]]]


async def counted(
    kind: str, origin: Origin, clock: StandingClock, prices: Prices, **options: Any
) -> dict[str, int]:
    """The second count: at the first time clients connect, and servers make what they need."""
    async with opened(kind, origin, clock, **options) as scene:
        await prices(scene, "first")
        return await prices(scene, "second")


@pytest.fixture(params=BACKENDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def prices_of_sizes(clock: StandingClock) -> Prices:
    async def prices(scene: Scene, run: str) -> dict[str, int]:
        small, large = f"/etag/{run}", f"/large?size={LARGE}&{run}"
        larger = f"/large?size={LARGER}&{run}"
        there = f"/redirect-to?to=/serial/{run}"
        found = {
            "miss": await scene.costs(scene.get(small)),
            "hit": await scene.costs(scene.get(small), hit=True),
        }
        clock.advance(seconds=100)
        return found | {
            "revalidation": await scene.costs(scene.get(small), hit=True),
            "redirect": await scene.costs(scene.get(there)),
            "redirect hit": await scene.costs(scene.get(there), hit=True),
            "larger": await scene.costs(scene.get(larger)),
            "larger hit": await scene.costs(scene.get(larger), hit=True),
            "large": await scene.costs(scene.get(large)),
            "large hit": await scene.costs(scene.get(large), hit=True),
        }

    return prices


ALIKE = {
    "miss": 2,
    "hit": 1,
    "revalidation": 2,
    "redirect": 4,
    "redirect hit": 2,
    "larger": 2,
    "larger hit": 1,
    "large": 6,
    "large hit": 13,
}

COSTS: dict[str, dict[str, int]] = {
    **dict.fromkeys(("redis", "valkey", "cluster", "sentinel"), ALIKE),
    # An alias is looked for where there is no entry; the blocks learn how long they are to stay.
    # And what leads to an entry learns that it stays.
    "mongodb": ALIKE | {"revalidation": 3, "redirect": 5, "large": 7},
    # The file of a body is a document, too.
    "gridfs": ALIKE | {"revalidation": 3, "redirect": 5, "large": 8},
    # Blocks are smaller than what an item may have.
    "dynamodb": ALIKE | {"larger": 6, "larger hit": 2, "large": 11},
}


async def test_what_sizes_cost(
    kind: str, origin: Origin, clock: StandingClock, prices_of_sizes: Prices
) -> None:
    costs = await counted(kind, origin, clock, prices_of_sizes)
    if kind == "cluster" and costs["redirect"] == ALIKE["redirect"] + 2:
        # The redirect lies on another shard than where it leads to.
        costs["redirect"] -= 2
    assert costs == COSTS[kind]


async def test_a_hit_is_one_trip_where_the_law_decides(
    kind: str, origin: Origin, clock: StandingClock
) -> None:
    async def prices(scene: Scene, run: str) -> dict[str, int]:
        page = f"/cache/600?{run}"
        return {
            "miss": await scene.costs(scene.get(page)),
            "hit": await scene.costs(scene.get(page), hit=True),
            "POST": await scene.costs(scene.post(page)),
        }

    costs = await counted(kind, origin, clock, prices, cache_control=True)
    # A script looks and deletes; others look first.
    purge = 1 if COSTS[kind] is ALIKE else 2
    assert costs == {"miss": 2, "hit": 1, "POST": purge}


async def test_a_lease_is_three_trips_of_a_miss(
    kind: str, origin: Origin, clock: StandingClock
) -> None:
    """Taken, looked once more, and given back, which nobody waits for."""

    async def prices(scene: Scene, run: str) -> dict[str, int]:
        page = f"/serial/{run}"
        return {
            "miss": await scene.costs(scene.get(page)),
            "hit": await scene.costs(scene.get(page), hit=True),
        }

    costs = await counted(kind, origin, clock, prices, fetch_lease=20)
    assert costs == {"miss": 5, "hit": 1}


async def test_to_look_and_find_nothing_is_one_trip(
    kind: str, origin: Origin, clock: StandingClock
) -> None:
    async def prices(scene: Scene, run: str) -> dict[str, int]:
        async def ask() -> bool:
            url = scene.origin.url(f"/never/{run}")
            response = await scene.session.get(url, only_if_cached=True)
            return response.status != 504

        return {"nothing": await scene.costs(ask())}

    assert await counted(kind, origin, clock, prices) == {"nothing": 1}
