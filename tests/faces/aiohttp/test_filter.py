"""``filter_fn``: the user's own word on what is cached, on writing and on reading."""

from __future__ import annotations

import asyncio
from sys import getsizeof
from typing import Any

import aiohttp
import pytest

from tests.faces.aiohttp.conftest import OpenSession
from tests.support import endpoints
from tests.support.origin import Origin


def not_lines(response: Any) -> bool:
    return "lines" not in response.url.path


async def not_lines_after_a_while(response: Any) -> bool:
    await asyncio.sleep(0)
    return not_lines(response)


class NotLines:
    """A filter that is an object."""

    def __call__(self, response: Any) -> bool:
        return not_lines(response)


@pytest.mark.parametrize("filter_fn", [not_lines, not_lines_after_a_while, NotLines()])
async def test_what_is_filtered_out_is_not_stored(
    origin: Origin, open_session: OpenSession, filter_fn: Any
) -> None:
    async with open_session(filter_fn=filter_fn) as session:
        for _ in range(2):
            response = await session.get(origin.url("/lines"))
            assert await response.read() == endpoints.LINES
            await session.get(origin.url("/serial"))
        assert [str(url) for url in session.cache.urls] == [origin.url("/serial")]
    assert origin.count("/lines") == 2
    assert origin.count("/serial") == 1


@pytest.mark.parametrize("filter_fn", [not_lines, not_lines_after_a_while])
async def test_what_is_stored_already_is_filtered_on_reading(
    origin: Origin, open_session: OpenSession, filter_fn: Any
) -> None:
    async with open_session() as session:
        for path in ("/lines", "/serial"):
            await session.get(origin.url(path))
        session.filter_fn = filter_fn
        assert not (await session.get(origin.url("/lines"))).from_cache
        assert (await session.get(origin.url("/serial"))).from_cache
    assert origin.count("/lines") == 2


async def test_the_filter_sees_a_whole_response(origin: Origin, open_session: OpenSession) -> None:
    """Each time with the body at hand, as bytes and by the methods of a response."""
    seen: list[Any] = []

    async def look(response: aiohttp.ClientResponse) -> bool:
        assert isinstance(response, aiohttp.ClientResponse)
        assert getsizeof(response._body) > len(endpoints.LINES)
        seen.append(
            (
                response.status,
                response.method,
                response.url.path,
                response.headers["Content-Type"],
                response._body,
                await response.read(),
                await response.text(),
            )
        )
        return True

    async with open_session(filter_fn=look) as session:
        for _ in range(2):
            response = await session.get(origin.url("/lines"))
            # The filter's reading is not the program's.
            assert await response.content.readline() == b"first line\n"
    assert origin.count() == 1
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert seen[0][4] == seen[0][5] == endpoints.LINES


async def test_the_filter_sees_large_and_decoded_bodies(
    origin: Origin, open_session: OpenSession
) -> None:
    sizes: list[int] = []

    def look(response: Any) -> bool:
        sizes.append(len(response._body))
        return True

    async with open_session(filter_fn=look) as session:
        for path in ("/large", "/compressed/gzip", "/empty"):
            await session.get(origin.url(path))
            assert (await session.get(origin.url(path))).from_cache
    poem = len(endpoints.POEM.encode())
    assert sizes == [3 * 2**20, 3 * 2**20, poem, poem, 0, 0]


async def test_the_filter_is_not_asked_about_what_is_not_stored_anyway(
    origin: Origin, open_session: OpenSession
) -> None:
    asked: list[Any] = []

    async with open_session(filter_fn=asked.append) as session:
        await session.get(origin.url("/status/404"))
        await session.post(origin.url("/post"))
    assert asked == []


async def test_a_filter_that_fails_breaks_no_request(
    origin: Origin, open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(response: Any) -> bool:
        raise LookupError("a bug in the filter")

    async with open_session(filter_fn=fail) as session:
        for _ in range(2):
            response = await session.get(origin.url("/lines"))
            assert await response.read() == endpoints.LINES
    assert origin.count() == 2
    assert "a bug in the filter" in caplog.text
