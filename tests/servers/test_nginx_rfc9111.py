"""The RFC 9111 mode before a server that knows nothing of these tests: nginx."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientResponse, ClientSession

from aiohttp_client_cache import CacheBackend, CachedSession, CacheMiddleware, SQLiteBackend
from tests.servers.nginx import Nginx, nginx
from tests.support.clock import StandingClock

DAY = 86_400
TEXT = "Tüür, Ärger und Öl.\n" * 100
BYTES = bytes(range(256)) * 8
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}


class Site:
    """A cache before nginx, and the files that it serves."""

    def __init__(
        self,
        session: ClientSession,
        backend: CacheBackend,
        server: Nginx,
        root: Path,
        clock: StandingClock,
    ) -> None:
        self.session = session
        self.backend = backend
        self.server = server
        self.root = root
        self.clock = clock

    async def get(self, path: str, fields: Any = None, **kwargs: Any) -> ClientResponse:
        return await self.request("GET", path, fields, **kwargs)

    async def request(
        self, method: str, path: str, fields: Any = None, **kwargs: Any
    ) -> ClientResponse:
        url = f"{self.server.url}{path}"
        response = await self.session.request(method, url, headers=fields, **kwargs)
        await response.read()
        return response

    def write(self, path: str, content: str | bytes, *, age: float = DAY) -> None:
        """Put a file there, last modified so many seconds ago."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        modified = datetime.now(UTC).timestamp() - age
        os.utime(file, (modified, modified))

    def lines(self) -> list[str]:
        """Method, path and status of the requests that went out since this was asked."""
        return [one.line for one in self.server.asked()]


OpenSite = Callable[..., Site]


@pytest.fixture(params=["memory", "sqlite", "middleware"])
async def open_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenSite]:
    """Make caches before an nginx of the test's own."""
    async with contextlib.AsyncExitStack() as opened:
        root = tmp_path / "root"
        root.mkdir()
        running = opened.enter_context(nginx(root))

        def open_site(**settings: Any) -> Site:
            # It begins at the time that the server tells.
            clock = StandingClock(datetime.now(UTC))
            settings = {"cache_control": True, "clock": clock, **settings}
            backend: CacheBackend = (
                SQLiteBackend(tmp_path / "cache.sqlite", **settings)
                if request.param == "sqlite"
                else CacheBackend(**settings)
            )
            session = (
                ClientSession(middlewares=[CacheMiddleware(backend)])
                if request.param == "middleware"
                else CachedSession(cache=backend)
            )
            opened.push_async_callback(backend.close)
            opened.push_async_callback(session.close)
            return Site(session, backend, running, root, clock)

        yield open_site


@pytest.fixture
async def site(open_site: OpenSite) -> Site:
    """A private cache without further settings."""
    return open_site()


def came_from_cache(response: ClientResponse) -> bool:
    return bool(getattr(response, "from_cache", False))


class TestFreshness:
    async def test_as_long_as_it_says(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        first = await site.get("/hour/a.txt")
        site.clock.advance(seconds=3500)
        second = await site.get("/hour/a.txt")
        assert await first.text() == await second.text() == TEXT
        assert (came_from_cache(first), came_from_cache(second)) == (False, True)
        assert 3500 <= int(second.headers["Age"]) <= 3502
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_then_it_is_validated(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        etag = (await site.get("/hour/a.bin")).headers["ETag"]
        site.clock.advance(seconds=3601)
        response = await site.get("/hour/a.bin")
        assert (response.status, await response.read()) == (200, BYTES)
        assert came_from_cache(response)
        asked = site.server.asked()
        assert [one.line for one in asked] == ["GET /hour/a.bin 200", "GET /hour/a.bin 304"]
        assert asked[1].if_none_match == etag
        assert asked[1].if_modified_since == response.headers["Last-Modified"]

    async def test_a_file_that_changed(self, site: Site) -> None:
        site.write("/second/a.txt", "old", age=2 * DAY)
        assert await (await site.get("/second/a.txt")).text() == "old"
        site.write("/second/a.txt", "new and longer", age=DAY)
        assert await (await site.get("/second/a.txt")).text() == "old"
        site.clock.advance(seconds=5)
        for _ in range(2):
            assert await (await site.get("/second/a.txt")).text() == "new and longer"
        # By the clock of the cache the new one is seconds old, too.
        assert [line[-3:] for line in site.lines()] == ["200", "200", "304"]

    async def test_a_file_that_went(self, site: Site) -> None:
        site.write("/second/a.txt", "old")
        await site.get("/second/a.txt")
        (site.root / "second/a.txt").unlink()
        site.clock.advance(seconds=5)
        assert (await site.get("/second/a.txt")).status == 404
        assert (await site.get("/second/a.txt")).status == 404

    async def test_a_tenth_of_the_time_since_it_was_modified(self, site: Site) -> None:
        site.write("/guessed.txt", TEXT, age=10 * 3600)
        await site.get("/guessed.txt")
        site.clock.advance(seconds=3500)
        assert came_from_cache(await site.get("/guessed.txt"))
        assert site.lines() == ["GET /guessed.txt 200"]
        site.clock.advance(seconds=200)
        assert await (await site.get("/guessed.txt")).text() == TEXT
        assert site.lines() == ["GET /guessed.txt 304"]

    @pytest.mark.parametrize("folder", ["past", "checked"])
    async def test_validated_every_time(self, site: Site, folder: str) -> None:
        site.write(f"/{folder}/a.txt", TEXT)
        for _ in range(3):
            assert await (await site.get(f"/{folder}/a.txt")).text() == TEXT
        path = f"GET /{folder}/a.txt"
        assert site.lines() == [f"{path} 200", f"{path} 304", f"{path} 304"]

    async def test_never_stored(self, site: Site) -> None:
        site.write("/never/a.txt", TEXT)
        for _ in range(2):
            await site.get("/never/a.txt")
        assert site.lines() == ["GET /never/a.txt 200"] * 2
        assert await site.backend.responses.size() == 0

    async def test_older_than_its_arrival(self, site: Site) -> None:
        site.write("/old/a.txt", TEXT)
        await site.get("/old/a.txt")
        site.clock.advance(seconds=5)
        assert 55 <= int((await site.get("/old/a.txt")).headers["Age"]) <= 57
        site.clock.advance(seconds=6)
        await site.get("/old/a.txt")
        assert site.lines() == ["GET /old/a.txt 200", "GET /old/a.txt 304"]


class TestStatuses:
    async def test_absent_with_a_lifetime(self, site: Site) -> None:
        for _ in range(2):
            assert (await site.get("/absent/a.txt")).status == 404
        assert site.lines() == ["GET /absent/a.txt 404"]

    @pytest.mark.parametrize(("path", "status"), [("/nothing.txt", 404), ("/gone/a.txt", 410)])
    async def test_absent_without(self, site: Site, path: str, status: int) -> None:
        for _ in range(2):
            assert (await site.get(path)).status == status
        assert site.lines() == [f"GET {path} {status}"] * 2

    async def test_moved_for_good_without_a_lifetime(self, site: Site) -> None:
        """There is nothing to guess a lifetime from; where it leads to is shared."""
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt")
        for _ in range(2):
            response = await site.get("/moved/hour/a.txt")
            assert (await response.text(), response.status) == (TEXT, 200)
            assert [one.status for one in response.history] == [301]
            assert came_from_cache(response)
        assert site.lines() == ["GET /hour/a.txt 200", *["GET /moved/hour/a.txt 301"] * 2]

    async def test_what_the_house_says_of_a_move(self, open_site: OpenSite) -> None:
        site = open_site(expire_after=60)
        site.write("/hour/a.txt", TEXT)
        for _ in range(2):
            assert await (await site.get("/moved/hour/a.txt")).text() == TEXT
        assert site.lines() == ["GET /moved/hour/a.txt 301", "GET /hour/a.txt 200"]


class TestCodings:
    async def test_variants_lie_side_by_side(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        for _ in range(2):
            coded = await site.get("/hour/a.txt", GZIP)
            plain = await site.get("/hour/a.txt", PLAIN)
            assert coded.headers["Content-Encoding"] == "gzip"
            assert "Content-Encoding" not in plain.headers
            assert await coded.text() == await plain.text() == TEXT
        assert site.lines() == ["GET /hour/a.txt 200"] * 2
        assert coded.headers["ETag"] == f"W/{plain.headers['ETag']}"

    async def test_weak_ones_are_validated(self, site: Site) -> None:
        site.write("/second/a.txt", TEXT)
        weak = (await site.get("/second/a.txt", GZIP)).headers["ETag"]
        assert weak.startswith('W/"')
        site.clock.advance(seconds=5)
        again = await site.get("/second/a.txt", GZIP)
        assert (again.status, await again.text()) == (200, TEXT)
        assert again.headers["Content-Encoding"] == "gzip"
        asked = site.server.asked()
        assert asked[1].line == "GET /second/a.txt 304"
        assert asked[1].if_none_match == weak

    async def test_each_variant_for_itself(self, site: Site) -> None:
        site.write("/second/a.txt", TEXT, age=2 * DAY)
        for fields in (GZIP, PLAIN):
            await site.get("/second/a.txt", fields)
        site.write("/second/a.txt", "new", age=DAY)
        site.clock.advance(seconds=5)
        for fields in (GZIP, PLAIN):
            assert await (await site.get("/second/a.txt", fields)).text() == "new"
        assert site.lines() == ["GET /second/a.txt 200"] * 4

    async def test_the_same_preferences_in_other_words(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt", {"Accept-Encoding": "gzip, deflate"})
        await site.get("/hour/a.txt", {"Accept-Encoding": "deflate ,GZIP"})
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_ranges_of_what_is_stored_coded(self, site: Site) -> None:
        """They count coded bytes, which are not stored; nginx sends no part of them either."""
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt", GZIP)
        coded = await site.get("/hour/a.txt", {**GZIP, "Range": "bytes=5-20"})
        assert (coded.status, await coded.text()) == (200, TEXT)
        plain = await site.get("/hour/a.txt", {**PLAIN, "Range": "bytes=5-20"})
        assert (plain.status, await plain.read()) == (206, TEXT.encode()[5:21])
        assert await (await site.get("/hour/a.txt", GZIP)).text() == TEXT


class TestRanges:
    @pytest.mark.parametrize(
        ("field", "content", "told"),
        [
            ("bytes=10-19", BYTES[10:20], "bytes 10-19/2048"),
            ("bytes=2000-", BYTES[2000:], "bytes 2000-2047/2048"),
            ("bytes=-5", BYTES[-5:], "bytes 2043-2047/2048"),
        ],
        ids=["from-to", "from", "last"],
    )
    async def test_of_a_stored_response(
        self, site: Site, field: str, content: bytes, told: str
    ) -> None:
        site.write("/hour/a.bin", BYTES)
        by_server = await site.get("/hour/a.bin", {"Range": field})
        await site.get("/hour/a.bin")
        site.server.asked()
        part = await site.get("/hour/a.bin", {"Range": field})
        assert (part.status, await part.read()) == (206, content)
        assert part.headers["Content-Range"] == told
        assert site.lines() == []
        for name in ("Content-Range", "Content-Length", "ETag", "Last-Modified"):
            assert part.headers[name] == by_server.headers[name]

    async def test_beyond_the_end(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin")
        response = await site.get("/hour/a.bin", {"Range": "bytes=5000-"})
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */2048"

    async def test_several_at_once(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin")
        response = await site.get("/hour/a.bin", {"Range": "bytes=0-1,10-11"})
        body = await response.read()
        if response.status == 206:
            assert response.content_type == "multipart/byteranges"
            assert BYTES[0:2] in body
            assert BYTES[10:12] in body
        else:
            assert (response.status, body) == (200, BYTES)

    async def test_parts_make_a_whole(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.get("/hour/a.bin", {"Range": "bytes=0-999"})
        part = await site.get("/hour/a.bin", {"Range": "bytes=100-199"})
        assert (part.status, await part.read()) == (206, BYTES[100:200])
        assert site.lines() == ["GET /hour/a.bin 206"]
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES)
        asked = site.server.asked()
        assert [one.line for one in asked] == ["GET /hour/a.bin 206"]
        assert asked[0].range == "bytes=1000-"
        assert asked[0].if_range == whole.headers["ETag"]
        await site.get("/hour/a.bin")
        assert site.lines() == []

    async def test_a_part_of_what_has_changed(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES, age=2 * DAY)
        await site.get("/hour/a.bin", {"Range": "bytes=0-999"})
        site.write("/hour/a.bin", BYTES[::-1], age=DAY)
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES[::-1])

    @pytest.mark.parametrize("current", [True, False])
    async def test_if_range(self, site: Site, current: bool) -> None:
        site.write("/hour/a.bin", BYTES)
        etag = (await site.get("/hour/a.bin")).headers["ETag"]
        fields = {"Range": "bytes=0-9", "If-Range": etag if current else '"other"'}
        response = await site.get("/hour/a.bin", fields)
        wanted = (206, BYTES[:10]) if current else (200, BYTES)
        assert (response.status, await response.read()) == wanted


class TestConditionsOfTheCaller:
    async def test_answered_from_what_is_stored(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        first = await site.get("/hour/a.txt")
        for fields in (
            {"If-None-Match": first.headers["ETag"]},
            {"If-Modified-Since": first.headers["Last-Modified"]},
        ):
            response = await site.get("/hour/a.txt", fields)
            assert (response.status, await response.read()) == (304, b"")
        assert (await site.get("/hour/a.txt", {"If-None-Match": '"other"'})).status == 200
        assert site.lines() == ["GET /hour/a.txt 200"]

    async def test_nothing_is_stored(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        async with ClientSession() as plain:
            response = await plain.get(f"{site.server.url}/hour/a.bin")
            etag = response.headers["ETag"]
        assert (await site.get("/hour/a.bin", {"If-None-Match": etag})).status == 304
        whole = await site.get("/hour/a.bin")
        assert (whole.status, await whole.read()) == (200, BYTES)


class TestOtherMethods:
    async def test_head_from_a_stored_get(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        by_server = await site.request("HEAD", "/hour/a.bin")
        first = await site.get("/hour/a.bin")
        site.server.asked()
        head = await site.request("HEAD", "/hour/a.bin")
        assert (head.status, await head.read()) == (200, b"")
        for name in ("Content-Length", "ETag", "Last-Modified", "Content-Type"):
            assert head.headers[name] == first.headers[name] == by_server.headers[name]
        assert site.lines() == []

    async def test_a_head_answers_no_get(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        await site.request("HEAD", "/hour/a.bin")
        assert await (await site.get("/hour/a.bin")).read() == BYTES

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("DELETE", "/dav/a.txt", 204),
            ("PUT", "/dav/a.txt", 204),
            ("POST", "/accepts/a.txt", 204),
        ],
    )
    async def test_they_outdate_what_is_stored(
        self, site: Site, method: str, path: str, status: int
    ) -> None:
        site.write(path, TEXT)
        await site.get(path)
        assert came_from_cache(await site.get(path))
        body = b"new" if method == "PUT" else None
        assert (await site.request(method, path, data=body)).status == status
        after = await site.get(path)
        assert not came_from_cache(after)
        wanted = {"DELETE": None, "PUT": "new", "POST": TEXT}[method]
        assert (after.status == 404) if wanted is None else (await after.text() == wanted)

    async def test_not_where_they_fail(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        await site.get("/hour/a.txt")
        assert (await site.request("POST", "/hour/a.txt")).status == 405
        assert came_from_cache(await site.get("/hour/a.txt"))
        assert site.lines() == ["GET /hour/a.txt 200", "POST /hour/a.txt 405"]


class TestBehindItsOwnCache:
    async def test_its_hit_is_ours_once(self, site: Site) -> None:
        site.write("/hour/a.bin", BYTES)
        async with ClientSession() as plain:
            for _ in range(2):
                other = await plain.get(f"{site.server.url}/proxied/a.bin")
                await other.read()
        assert other.headers["X-Cache-Status"] == "HIT"
        site.server.asked()
        for _ in range(2):
            response = await site.get("/proxied/a.bin")
            assert (await response.read(), response.headers["X-Cache-Status"]) == (BYTES, "HIT")
        assert came_from_cache(response)
        assert site.lines() == ["GET /proxied/a.bin 200"]


class TestWithoutTheServer:
    async def test_a_lost_connection_raises(self, site: Site) -> None:
        site.write("/strict/a.txt", TEXT)
        await site.get("/strict/a.txt")
        site.server.stop()
        assert await (await site.get("/strict/a.txt")).text() == TEXT
        site.clock.advance(seconds=100)
        with pytest.raises(ClientConnectionError):
            await site.get("/strict/a.txt")
        site.server.start()
        assert await (await site.get("/strict/a.txt")).text() == TEXT

    async def test_stale_where_the_response_allows_it(self, site: Site) -> None:
        site.write("/lenient/a.txt", TEXT)
        await site.get("/lenient/a.txt")
        site.server.stop()
        site.clock.advance(seconds=100)
        response = await site.get("/lenient/a.txt")
        assert (await response.text(), int(response.headers["Age"]) >= 100) == (TEXT, True)
        site.server.start()
        site.server.asked()
        assert await (await site.get("/lenient/a.txt")).text() == TEXT
        assert site.lines() == ["GET /lenient/a.txt 304"]
        site.server.stop()
        site.clock.advance(seconds=700)
        with pytest.raises(ClientConnectionError):
            await site.get("/lenient/a.txt")

    async def test_stale_where_the_house_allows_it(self, open_site: OpenSite) -> None:
        site = open_site(stale_if_error=True)
        for folder in ("hour", "strict"):
            site.write(f"/{folder}/a.txt", TEXT)
            await site.get(f"/{folder}/a.txt")
        site.server.stop()
        site.clock.advance(days=1)
        assert await (await site.get("/hour/a.txt")).text() == TEXT
        with pytest.raises(ClientConnectionError):
            await site.get("/strict/a.txt")

    async def test_only_what_is_stored(self, site: Site) -> None:
        site.write("/hour/a.txt", TEXT)
        fields = {"Cache-Control": "only-if-cached"}
        assert (await site.get("/hour/a.txt", fields)).status == 504
        await site.get("/hour/a.txt")
        site.server.stop()
        assert await (await site.get("/hour/a.txt", fields)).text() == TEXT
