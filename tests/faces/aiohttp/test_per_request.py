"""What a single request may ask of the cache: refresh, force_refresh, only_if_cached."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support.clock import StandingClock
from tests.support.origin import Origin

VERBS = ("get", "head", "options", "post", "put", "patch", "delete")


class TestForceRefresh:
    """The origin is asked whatever is stored, and its answer replaces it."""

    async def test_it_replaces_what_is_stored(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        url = origin.url("/serial")
        async with open_session() as session:
            await session.get(url)
            forced = await session.get(url, force_refresh=True)
            assert (forced.from_cache, await forced.read()) == (False, b"2")
            cached = await session.get(url)
            assert (cached.from_cache, await cached.read()) == (True, b"2")
        assert origin.count() == 2

    async def test_it_asks_without_conditions(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        async with open_session() as session:
            for _ in range(2):
                response = await session.get(origin.url("/conditional"), force_refresh=True)
                assert await response.text() == "validated"
        assert not any("If-None-Match" in request.headers for request in origin.received)

    async def test_it_goes_through_redirects(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        url = origin.url("/redirect/2")
        async with open_session() as session:
            await session.get(url)
            forced = await session.get(url, force_refresh=True)
            assert await forced.read() == b"2"
        assert origin.count() == 6


class TestRefresh:
    """What is stored is validated before it is served."""

    async def test_304_serves_what_is_stored(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        url = origin.url("/conditional")
        async with open_session() as session:
            await session.get(url)
            response = await session.get(url, refresh=True)
            assert (response.status, await response.text()) == (200, "validated")
            assert origin.last.headers["If-None-Match"] == '"v1"'
            assert (await session.get(url)).from_cache
        assert origin.count() == 2

    async def test_without_a_validator_it_is_fetched(
        self, origin: Origin, open_session: OpenSession
    ) -> None:
        url = origin.url("/serial")
        async with open_session() as session:
            await session.get(url)
            response = await session.get(url, refresh=True)
            assert (response.from_cache, await response.read()) == (False, b"2")
            assert await (await session.get(url)).read() == b"2"
        assert origin.count() == 2

    async def test_304_prolongs_what_is_stored(
        self, origin: Origin, open_session: OpenSession, clock: StandingClock
    ) -> None:
        url = origin.url("/conditional")
        async with open_session(expire_after=60) as session:
            await session.get(url)
            clock.advance(seconds=50)
            await session.get(url, refresh=True)
            clock.advance(seconds=50)
            assert (await session.get(url)).from_cache

    async def test_on_an_empty_cache(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/serial"), refresh=True)
            assert (await session.get(origin.url("/serial"))).from_cache

    async def test_conditions_of_ones_own(self, origin: Origin, open_session: OpenSession) -> None:
        """Who asks with a condition gets the answer to it, and nobody else does."""
        url = origin.url("/conditional")
        async with open_session(allowed_codes=(200, 304)) as session:
            own = await session.get(url, headers={"If-None-Match": '"v1"'})
            assert own.status == 304
            response = await session.get(url)
            assert (response.status, await response.text()) == (200, "validated")


class TestOnlyIfCached:
    """Nothing but the cache is asked."""

    async def test_missing(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            response = await session.get(origin.url("/serial"), only_if_cached=True)
            assert response.status == 504
            assert not response.ok
            assert response.url.path == "/serial"
            assert isinstance(await response.text(), str)
            assert await session.cache.responses.size() == 0
        assert origin.count() == 0

    async def test_present(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/serial"))
            response = await session.get(origin.url("/serial"), only_if_cached=True)
            assert (response.status, response.from_cache) == (200, True)
        assert origin.count() == 1

    async def test_expired(
        self, origin: Origin, open_session: OpenSession, clock: StandingClock
    ) -> None:
        async with open_session(expire_after=60) as session:
            await session.get(origin.url("/serial"))
            clock.advance(seconds=61)
            response = await session.get(origin.url("/serial"), only_if_cached=True)
            assert response.status == 504
        assert origin.count() == 1

    async def test_a_whole_chain(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            await session.get(origin.url("/redirect/2"))
            requests = origin.count()
            response = await session.get(origin.url("/redirect/2"), only_if_cached=True)
            assert (response.status, len(response.history)) == (200, 2)
            missing = await session.get(origin.url("/redirect/5"), only_if_cached=True)
            assert missing.status == 504
        assert origin.count() == requests

    async def test_raise_for_status(self, origin: Origin, open_session: OpenSession) -> None:
        async with open_session() as session:
            with pytest.raises(aiohttp.ClientResponseError) as raised:
                await session.get(origin.url("/serial"), only_if_cached=True, raise_for_status=True)
            assert raised.value.status == 504


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "option",
    [
        {"expire_after": 60},
        {"refresh": True},
        {"force_refresh": True},
        {"refresh": False, "force_refresh": False, "only_if_cached": False},
    ],
    ids=str,
)
async def test_every_verb_takes_the_options(
    origin: Origin, open_session: OpenSession, verb: str, option: dict[str, Any]
) -> None:
    async with open_session() as session:
        assert (await getattr(session, verb)(origin.url("/serial"), **option)).status == 200
        async with session.request(verb, origin.url("/serial"), **option) as response:
            assert response.status == 200
