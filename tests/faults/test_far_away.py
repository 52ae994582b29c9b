"""A server that is far away: what a request may take is enough for it, and not for connecting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from aiohttp_client_cache import CachedSession
from tests.faults.deployments import Deployment
from tests.faults.dynamo_deployment import DynamoDB
from tests.faults.mongo_deployments import MongoDB
from tests.faults.outage import PAUSE, REQUESTS
from tests.faults.redis_deployments import Cluster, Redis, Sentinel
from tests.support.origin import Origin
from tests.support.servers import Delay, Pass

FAR = 0.1
"""Seconds that an answer takes: as across an ocean."""

pytestmark = [pytest.mark.timeout(180), pytest.mark.faults]


def later(offset: list[float]) -> Callable[[], float]:
    return lambda: time.monotonic() + offset[0]


async def requests_until_it_works(deployment: Deployment, origin: Origin) -> int:
    """How many there are after all connections were lost, with the server as far away as before."""
    backend: Any = deployment.backend(
        cache_name=deployment.cache_name, expire_after=60, store_timeout=deployment.budget
    )
    rests = [0.0]
    backend._guard._clock = later(rests)
    url = origin.url("/serial/page")

    async def is_hit(session: CachedSession) -> bool:
        rests[0] += 60
        async with session.get(url) as response:
            await response.read()
            return response.from_cache

    async def count(session: CachedSession) -> int:
        for number in range(REQUESTS):
            if await is_hit(session):
                return number
            await asyncio.sleep(PAUSE)
        return REQUESTS

    async with CachedSession(cache=backend) as session:
        assert await count(session) < REQUESTS
        for proxy in deployment.proxies:
            proxy.mode = Delay(FAR)
        try:
            assert await count(session) < REQUESTS
            for proxy in deployment.proxies:
                proxy.reset_connections()
            return await count(session)
        finally:
            for proxy in deployment.proxies:
                proxy.mode = Pass()


@pytest.mark.parametrize("kind", [Redis, Cluster, Sentinel, MongoDB, DynamoDB])
async def test_it_is_reached_again(kind: type[Deployment], origin: Origin) -> None:
    with kind() as deployment:
        assert await requests_until_it_works(deployment, origin) < REQUESTS
