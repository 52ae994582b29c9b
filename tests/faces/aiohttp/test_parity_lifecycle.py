"""Releasing, closing and refusing a response is the same without a cache, on a miss and a hit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.faces.aiohttp.conftest import OpenBackend
from tests.faces.aiohttp.parity import (
    KEEP_ALL,
    ROUTES,
    describe_error,
    open_route,
    outcome,
    was_cached,
)
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

# What a program may do with `session.get(url)`.
Use = Callable[[Any], Awaitable[Any]]


async def state_of(response: ClientResponse) -> Any:
    return (
        response.closed,
        response.connection,
        await outcome(response.read()),
        await outcome(response.content.read()),
        describe_error(response.content.exception() or ValueError("no exception")),
    )


async def release_unread(get: Any) -> Any:
    response = await get
    await response.release()
    return await state_of(response)


async def release_without_awaiting(get: Any) -> Any:
    response = await get
    response.release()
    return await state_of(response)


async def close_unread(get: Any) -> Any:
    response = await get
    response.close()
    return await state_of(response)


async def release_after_reading(get: Any) -> Any:
    response = await get
    await response.read()
    response.release()
    return await state_of(response)


async def close_after_reading(get: Any) -> Any:
    response = await get
    await response.read()
    response.close()
    return await state_of(response)


async def wait_for_close(get: Any) -> Any:
    response = await get
    await response.read()
    await response.wait_for_close()
    return await state_of(response)


async def leave_context_unread(get: Any) -> Any:
    async with get as response:
        status = response.status
    return status, await state_of(response)


async def leave_context_after_reading(get: Any) -> Any:
    async with get as response:
        await response.read()
    return await state_of(response)


async def leave_context_with_an_error(get: Any) -> Any:
    caught: BaseException | None = None
    response = None
    try:
        async with get as response:
            raise KeyError("a bug of the program")
    except KeyError as error:
        caught = error
    assert response is not None
    return repr(caught), await state_of(response)


async def enter_an_awaited_response(get: Any) -> Any:
    response = await get
    async with response as entered:
        same = entered is response
        body = await response.read()
    return same, body, await state_of(response)


async def keep_it_after_reading(get: Any) -> Any:
    response = await get
    await response.read()
    return await state_of(response)


async def raise_for_status(get: Any) -> Any:
    response = await get
    try:
        response.raise_for_status()
    except Exception as error:  # noqa: BLE001
        return describe_error(error), await state_of(response)
    return await response.read()


async def raise_for_status_in_context(get: Any) -> Any:
    response = None
    try:
        async with get as response:
            response.raise_for_status()
            return await response.read()
    except Exception as error:  # noqa: BLE001
        assert response is not None
        return describe_error(error), await state_of(response)


USES: dict[str, Use] = {
    use.__name__.replace("_", " "): use
    for use in (
        release_unread,
        release_without_awaiting,
        close_unread,
        release_after_reading,
        close_after_reading,
        wait_for_close,
        leave_context_unread,
        leave_context_after_reading,
        leave_context_with_an_error,
        enter_an_awaited_response,
        keep_it_after_reading,
        raise_for_status,
        raise_for_status_in_context,
    )
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("use", USES)
async def test_lifecycle(origin: Origin, open_backend: OpenBackend, use: str, route: str) -> None:
    urls = [origin.url(path) for path in ("/lines", "/chunked", "/status/404")]
    async with ClientSession() as plain:
        expected = [await USES[use](plain.get(url)) for url in urls]

    async with open_route(route, open_backend(**KEEP_ALL)) as session:
        missed = [await USES[use](session.get(url)) for url in urls]
        for url in urls:
            await (await session.get(url)).read()
        hit = [await USES[use](session.get(url)) for url in urls]
        requests = origin.count()
        assert all([was_cached(await session.get(url)) for url in urls])

    assert missed == expected
    assert hit == expected
    assert origin.count() == requests


async def refuse_nothing(response: ClientResponse) -> None:
    """A check that is content with everything."""


async def refuse(response: ClientResponse) -> None:
    raise PermissionError(f"{response.status} {response.method} {response.url.path}")


async def refuse_body(response: ClientResponse) -> None:
    raise PermissionError(await response.text())


CHECKS: dict[str, Any] = {
    "true": True,
    "false": False,
    "content": refuse_nothing,
    "refusing": refuse,
    "refusing for the body": refuse_body,
}


@pytest.mark.parametrize("where", ["session", "request"])
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("route", ROUTES)
async def test_raise_for_status_as_an_option(
    origin: Origin, open_backend: OpenBackend, route: str, check: str, where: str
) -> None:
    option = {"raise_for_status": CHECKS[check]}
    of_session, of_request = (option, {}) if where == "session" else ({}, option)
    urls = [origin.url(path) for path in ("/status/404", "/status/200", "/redirect/1")]

    async def ask(session: ClientSession, **kwargs: Any) -> list[Any]:
        async def read(url: str) -> Any:
            async with session.get(url, **kwargs) as response:
                return response.status, await response.read()

        origin.served.clear()
        return [await outcome(read(url)) for url in urls]

    async with ClientSession(**of_session) as plain:
        expected = await ask(plain, **of_request)
        expected_again = await ask(plain, **of_request)

    async with open_route(route, open_backend(**KEEP_ALL), **of_session) as session:
        assert await ask(session, **of_request) == expected
        for url in urls:
            await (await session.get(url, raise_for_status=False)).read()
        requests = origin.count()
        assert await ask(session, **of_request) == expected_again

    # The hop of the redirect is all that a bare middleware must ask for.
    assert origin.count() - requests == (1 if route == "middleware" else 0)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_closed_session(origin: Origin, open_backend: OpenBackend, route: str) -> None:
    """Not even what is cached is served by a session that was closed."""
    async with ClientSession() as plain:
        await plain.get(origin.url("/lines"))
    expected = await outcome(plain.get(origin.url("/lines")))

    async with open_route(route, open_backend()) as session:
        await session.get(origin.url("/lines"))
        assert was_cached(await session.get(origin.url("/lines")))
    assert await outcome(session.get(origin.url("/lines"))) == expected
    assert expected[0] == "RuntimeError"


MISTAKES: list[dict[str, Any]] = [
    {"no_such_argument": 1},
    {"params": 5},
    {"params": {"a": None}},
    {"headers": 5},
    {"headers": {"A": 5}},
    {"cookies": 5},
    {"data": b"1", "json": {}},
    {"timeout": "soon"},
    {"ssl": 5},
    {"proxy": 5},
    {"skip_auto_headers": 5},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
@pytest.mark.parametrize("route", ROUTES)
async def test_mistakes_are_not_hidden_by_a_hit(
    origin: Origin, open_backend: OpenBackend, route: str, mistake: dict[str, Any]
) -> None:
    async def ask(session: ClientSession, **kwargs: Any) -> ClientResponse:
        return await session.get(origin.url("/lines"), **kwargs)

    async with ClientSession() as plain:
        expected = await outcome(ask(plain, **mistake))
    assert isinstance(expected, tuple)

    async with open_route(route, open_backend()) as session:
        await ask(session)
        assert was_cached(await ask(session))
        assert await outcome(ask(session, **mistake)) == expected


@pytest.mark.parametrize("url", ["ftp://origin.test/", "http://", "/relative", "http://[", ""])
@pytest.mark.parametrize("route", ROUTES)
async def test_urls_that_are_none(open_backend: OpenBackend, route: str, url: str) -> None:
    async with ClientSession() as plain:
        expected = await outcome(plain.get(url))
    async with open_route(route, open_backend()) as session:
        assert await outcome(session.get(url)) == expected
