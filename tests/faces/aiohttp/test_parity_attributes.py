"""Whatever can be seen of a response is the same without a cache, on a miss and on a hit.

Plain aiohttp is asked twice, and so is the cache, in each of the ways that lead to it. The first
answers must agree, and so must the second ones: the second request carries the cookies that the
first answer set.
"""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import (
    KEEP_ALL,
    KINDS,
    ROUTES,
    Kind,
    describe,
    open_route,
    was_cached,
)
from tests.support.origin import Origin

pytestmark = pytest.mark.parity


async def ask(session: ClientSession, kind: Kind, origin: Origin, request: str) -> Any:
    response = await session.request(
        kind.method,
        origin.url(kind.path, host="origin.test"),
        headers={"X-Request": request},
        **kind.kwargs,
    )
    return was_cached(response), await describe(response)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES)
async def test_miss_and_hit_look_like_plain_responses(
    names: Origin, open_backend: OpenBackend, kind: str, route: str
) -> None:
    wanted = KINDS[kind]
    # A bare middleware sees single hops, and stores no redirects.
    saved = 1 if route == "middleware" else 1 + wanted.hops

    async with ClientSession() as session:
        names.served.clear()
        _, plain_first = await ask(session, wanted, names, "first")
        names.served.clear()
        _, plain_second = await ask(session, wanted, names, "second")
    requests = names.count()

    async with open_route(route, open_backend(**KEEP_ALL)) as session:
        names.served.clear()
        first_cached, first = await ask(session, wanted, names, "first")
        second_cached, second = await ask(session, wanted, names, "second")

    assert first == plain_first
    assert second == plain_second
    assert (first_cached, second_cached) == (False, True)
    assert names.count() - requests == requests - saved


@pytest.mark.parametrize("kind", ["json", "gzip", "redirects", "odd headers", "large"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_hit_in_another_session_looks_the_same(
    names: Origin, open_backend: OpenBackend, kind: str, route: str
) -> None:
    """What is not stored cannot be shown: nothing of the first session is left but the store."""
    wanted = KINDS[kind]
    backend = open_backend(**KEEP_ALL)

    async with open_route(route, backend) as session:
        _, first = await ask(session, wanted, names, "same")
    async with open_route(route, backend) as session:
        cached, second = await ask(session, wanted, names, "same")

    assert cached
    assert second == first
