"""What unsafe requests make invalid (RFC 9111 section 4.4), and cache groups (RFC 9875)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiohttp_client_cache import CachedSession, SQLiteBackend
from tests.faces.rfc9111.web import DISCONNECTED, OpenWeb, Web
from tests.support.clock import StandingClock
from tests.support.scripted import Received, Reply, ScriptedOrigin, reply

FRESH = "Cache-Control: max-age=60"
UNSAFE = ("POST", "PUT", "DELETE", "PATCH", "FROBNICATE", "LOCK")


def script(web: Web, *lines: str, status: int = 200) -> None:
    """Everything is fresh for a minute; unsafe requests to `/` are answered as told."""

    def answer(request: Received) -> Reply:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"):
            return reply(FRESH, 'ETag: "a"')
        return reply(*lines, status=status)

    for path in ("/", "/a", "/b/c", "/b/d"):
        web.origin.answers(path, answer)


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("status", [200, 201, 204, 302, 304])
async def test_a_success_takes_the_target_with_it(table_web: Web, method: str, status: int) -> None:
    script(table_web, status=status)
    await table_web.get()
    assert (await table_web.request(method, allow_redirects=False)).status == status
    assert not await table_web.is_reused()
    assert await table_web.is_reused()


async def test_wherever_it_is_stored(any_web: Web) -> None:
    script(any_web, status=204)
    await any_web.get()
    await any_web.request("PUT")
    assert not await any_web.is_reused()
    assert await any_web.is_reused()


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("status", [400, 404, 409, 500, 503])
async def test_an_error_changes_nothing(table_web: Web, method: str, status: int) -> None:
    script(table_web, "Location: /a", status=status)
    for path in ("/", "/a"):
        await table_web.get(path)
    await table_web.request(method)
    for path in ("/", "/a"):
        assert await table_web.is_reused(path)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
async def test_safe_methods_change_nothing(web: Web, method: str) -> None:
    script(web)
    await web.get()
    await web.request(method, "/", {"Cache-Control": "no-store"})
    assert await web.is_reused()


async def test_all_that_is_stored_for_the_target_falls(web: Web) -> None:
    """Every variant, with and without Authorization."""

    def answer(request: Received) -> Reply:
        return reply(*([FRESH, "Vary: X-A"] if request.method == "GET" else []))

    web.origin.answers("/", answer)
    kinds = ({"X-A": "1"}, {"X-A": "2"}, {}, {"Authorization": "Basic YTpi", "X-A": "1"})
    for fields in kinds:
        await web.get("/", fields)
        assert await web.is_reused("/", fields)
    await web.request("DELETE")
    for fields in kinds:
        assert not await web.is_reused("/", fields)


async def test_answers_to_head_fall_too(web: Web) -> None:
    script(web)
    await web.head()
    await web.request("PUT")
    assert not (await web.head()).from_cache


async def test_other_targets_stay(web: Web) -> None:
    script(web)
    for target in ("/", "/?a=1", "/a"):
        await web.get(target)
    await web.request("POST", "/?a=1")
    assert not await web.is_reused("/?a=1")
    for target in ("/", "/a"):
        assert await web.is_reused(target)


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(("value", "falls"), [("/b/c", "/b/c"), ("b/d", "/b/d"), ("/a#part", "/a")])
async def test_pointers_within_the_origin(
    table_web: Web, name: str, value: str, falls: str
) -> None:
    script(table_web, f"{name}: {value}", status=201)
    paths = ("/a", "/b/c", "/b/d")
    for path in paths:
        await table_web.get(path)
    await table_web.request("POST")
    for path in paths:
        assert await table_web.is_reused(path) == (path != falls)


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
async def test_absolute_pointers(web: Web, name: str, clock: StandingClock) -> None:
    """Section 4.4: nothing of another origin falls; a port makes another origin."""
    async with ScriptedOrigin(clock).serving() as other:
        other.answers("/", reply(FRESH))
        await web.get(other.url())
        for target, lasts in ((other.url(), True), (web.origin.url("/a"), False)):
            script(web, f"{name}: {target}", status=201)
            await web.get(target)
            await web.request("POST")
            assert (await web.get(target)).from_cache == lasts


async def test_garbage_in_pointers(web: Web) -> None:
    script(web, "Location: http://[", b"Content-Location: \xff\xfe:%%%//", status=201)
    await web.get("/a")
    assert (await web.request("POST", allow_redirects=False)).status == 201
    assert await web.is_reused("/a")


async def test_what_a_lost_connection_leaves(web: Web) -> None:
    """No answer is no success: what is stored may be served."""
    script(web)
    await web.get()
    web.origin.away = True
    with pytest.raises(DISCONNECTED):
        await web.request("POST")
    assert (await web.get()).from_cache


async def test_whatever_the_house_allows(open_web: OpenWeb) -> None:
    """Methods whose answers are not kept change resources as others do."""
    web = open_web(allowed_methods=["GET"])
    script(web)
    await web.get()
    await web.request("DELETE")
    assert not await web.is_reused()


async def test_directives_of_the_request_do_not_save_it(web: Web) -> None:
    script(web, "Cache-Control: no-store")
    await web.get()
    await web.request("POST", "/", {"Cache-Control": "no-store"})
    assert not await web.is_reused()


async def test_each_hop_of_a_redirect_is_a_target(web: Web) -> None:
    def answer(request: Received) -> Reply:
        if request.method == "POST" and request.path == "/":
            return reply("Location: /a", status=307)
        return reply(FRESH)

    for path in ("/", "/a"):
        web.origin.answers(path, answer)
        await web.get(path)
    await web.request("POST", data=b"x")
    for path in ("/", "/a"):
        assert not await web.is_reused(path)


@pytest.mark.parametrize(
    ("settings", "stored", "changed", "asked"),
    [
        ({}, "/%61", "/a", "/a"),
        ({"ignored_parameters": ["t"]}, "/a?x=1&t=1", "/a?t=2&x=1", "/a?x=1"),
        ({"no_vary_search": True}, "/a?x=1&t=1", "/a?x=1&t=2", "/a?x=1&t=3"),
    ],
    ids=str,
)
async def test_whatever_the_spelling(
    open_any_web: OpenWeb, settings: dict[str, Any], stored: str, changed: str, asked: str
) -> None:
    """Requests that share a response share its end."""
    web = open_any_web(**settings)

    def answer(request: Received) -> Reply:
        rule = 'No-Vary-Search: params=("t")'
        return reply(FRESH, rule) if request.method == "GET" else reply()

    for path in ("/a", "/%61"):
        web.origin.answers(path, answer)
    await web.get(stored)
    await web.request("PUT", changed)
    assert not await web.is_reused(asked)


async def test_whatever_the_arguments(session_web: Web, tmp_path: Path) -> None:
    """Requests that have nothing to do with the cache otherwise."""
    web = session_web
    script(web)
    (tmp_path / "sent").write_bytes(b"a")
    with (tmp_path / "sent").open("rb") as file:
        for kwargs in ({"expire_after": 0}, {"data": file}):
            await web.get()
            await web.request("POST", **kwargs)
            assert not await web.is_reused()


class TestGroups:
    """RFC 9875: off unless asked for."""

    def script(self, web: Web, *lines: str, status: int = 200) -> None:
        def answer(request: Received) -> Reply:
            if request.method != "GET":
                return reply(*lines, status=status)
            groups = {"/a": '"one", "two"', "/b/c": '"two"', "/b/d": '"Two"'}[request.path]
            return reply(FRESH, f"Cache-Groups: {groups}")

        for path in ("/a", "/b/c", "/b/d"):
            web.origin.answers(path, answer)
        web.origin.answers("/", reply(*lines, status=status))

    async def reused(self, web: Web) -> list[bool]:
        return [await web.is_reused(path) for path in ("/a", "/b/c", "/b/d")]

    @pytest.mark.parametrize("value", ['"two"', '"x", "two";a=1', ' "two" '])
    async def test_they_fall_together(self, open_any_web: OpenWeb, value: str) -> None:
        web = open_any_web(cache_groups=True)
        self.script(web, f"Cache-Group-Invalidation: {value}")
        assert await self.reused(web) == [False] * 3
        assert await self.reused(web) == [True] * 3
        await web.request("POST")
        assert await self.reused(web) == [False, False, True]

    async def test_not_unless_asked_for(self, web: Web) -> None:
        self.script(web, 'Cache-Group-Invalidation: "two"')
        await self.reused(web)
        await web.request("POST")
        assert await self.reused(web) == [True] * 3

    @pytest.mark.parametrize("value", ["two", '"two', '("two")', "5", '"TWO"', ""])
    async def test_what_names_no_group(self, open_table_web: OpenWeb, value: str) -> None:
        web = open_table_web(cache_groups=True)
        self.script(web, f"Cache-Group-Invalidation: {value}")
        await self.reused(web)
        await web.request("POST")
        assert await self.reused(web) == [True] * 3

    async def test_the_answer_to_a_safe_request_has_no_say(self, open_web: OpenWeb) -> None:
        web = open_web(cache_groups=True)
        self.script(web, 'Cache-Group-Invalidation: "two"')
        await self.reused(web)
        await web.get()
        assert await self.reused(web) == [True] * 3

    async def test_other_origins_have_groups_of_their_own(
        self, open_web: OpenWeb, clock: StandingClock
    ) -> None:
        """Section 2.1: the same URI origin."""
        web = open_web(cache_groups=True)
        self.script(web)
        await self.reused(web)
        async with ScriptedOrigin(clock).serving() as other:
            other.answers("/", reply('Cache-Group-Invalidation: "two"'))
            await web.request("POST", other.url())
        assert await self.reused(web) == [True] * 3

    async def test_what_falls_takes_no_group_with_it(self, open_web: OpenWeb) -> None:
        """Section 2.2.1 allows it; only what the answer names falls here, and the target."""
        web = open_web(cache_groups=True)
        self.script(web)
        await self.reused(web)
        await web.request("PUT", "/a")
        assert await self.reused(web) == [False, True, True]


async def test_a_key_of_the_users_that_several_urls_share(open_any_web: OpenWeb) -> None:
    web = open_any_web(key_fn=lambda request: request.url.partition("?")[0])
    script(web)
    await web.get("/?1")
    await web.request("POST", "/?2")
    assert not await web.is_reused("/?2")


async def test_a_query_that_does_not_count_after_a_restart(
    scripted: ScriptedOrigin, clock: StandingClock, tmp_path: Path
) -> None:
    """Nothing is known of ``No-Vary-Search`` yet but what the stored responses say."""

    def answer(request: Received) -> Reply:
        lines = (FRESH, 'No-Vary-Search: params=("t")') if request.method == "GET" else ()
        return reply(*lines)

    def opened() -> CachedSession:
        backend = SQLiteBackend(
            tmp_path / "cache.sqlite", clock=clock, cache_control=True, no_vary_search=True
        )
        return CachedSession(cache=backend)

    scripted.answers("/", answer)
    async with opened() as session:
        await session.get(scripted.url("/?a=1&t=1"))
        await session.get(scripted.url("/?a=2&t=1"))
    async with opened() as session:
        await session.put(scripted.url("/?a=1&t=2"))
        await session.get(scripted.url("/?a=9"))
        assert not (await session.get(scripted.url("/?a=1&t=2"))).from_cache
        assert (await session.get(scripted.url("/?a=2&t=2"))).from_cache
